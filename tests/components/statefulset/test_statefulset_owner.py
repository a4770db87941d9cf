"""StatefulSets as workloads of a check: their pods, what becomes of them, what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from budgeted import kind, reachable, verdicts

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.cluster.state import Phase, StatefulSetState
from kubelemma.model.components.statefulset.keys import Shown, pods_name
from kubelemma.model.manifests import InvalidInput
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Asked, Question, ask
from kubelemma.reports.narrate.cast import opening

Raw = dict[str, Any]

LABELS = {"app": "web"}
NONE = ("none",)
MADE: Raw = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
}


def web(replicas: int = 3, **spec: Any) -> Raw:
    """A StatefulSet with such a spec."""
    selector = {"matchLabels": LABELS}
    fields = {"serviceName": "web", "selector": selector, "template": MADE, **spec}
    return kind("apps/v1", "StatefulSet", "web", replicas=replicas, **fields)


def pod(name: str, **metadata: Any) -> Raw:
    """A pod on node-1 that is Ready."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": LABELS, **metadata},
        "spec": {**MADE["spec"], "nodeName": "node-1"},
        "status": {"phase": "Running"},
    }


def asked(*documents: Raw, **question: Any) -> Asked:
    """What a question about these documents comes to."""
    text = yaml.safe_dump_all(documents)
    return ask(Question(paths=(STDIN,), stdin=text, **question))


def scenario(*documents: Raw, **question: Any) -> Scenario:
    """The one scenario of such a question."""
    (case,) = asked(*documents, **question).cases
    return case.scenario


def shown(found: Scenario) -> list[tuple[int, int, Shown]]:
    """The pods at the start: ordinal, template, and how far each is."""
    (workload,) = found.world.owners
    seen = Snapshot(found, found.system.initial)
    return [tuple(each) for each in seen.summed(pods_name(workload))]


def test_each_ordinal_has_a_class_for_each_template() -> None:
    """A rollout doubles the classes, a scale adds some; the pods bear the labels of each."""
    found = scenario(web(2), events=("rollout=web", "scale=web:3"))
    (workload,) = found.world.owners
    assert (workload.templates, workload.ordinals) == (2, (0, 1, 2))
    names = [
        found.world.classes[c].pod.metadata.label_map()["statefulset.kubernetes.io/pod-name"]
        for c in workload.classes
    ]
    assert names == ["web-0", "web-1", "web-2"] * 2
    assert [workload.class_of(1, n) for n in workload.ordinals] == [3, 4, 5]
    assert workload.members(1) == (3, 4, 5)


def test_ordinals_start_where_they_are_told() -> None:
    """With ``ordinals.start`` the first pod has that number."""
    found = scenario(web(2, ordinals={"start": 5}), events=NONE)
    assert [ordinal for ordinal, *_ in shown(found)] == [5, 6]


def test_a_budget_covers_members() -> None:
    """A budget over members keeps what it desires when a machine is lost with one of them."""
    budget = kind(
        "policy/v1",
        "PodDisruptionBudget",
        "web",
        maxUnavailable=1,
        selector={"matchLabels": LABELS},
    )
    found = scenario(web(2), budget, events=("nodeCrash", "drain"))
    assert "DRAIN-2" in verdicts(found)


def test_pods_of_the_input_are_themselves() -> None:
    """Each has its ordinal and its revision; an orphan of a fitting name is adopted."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "controller": True}
    revision = "controller-revision-hash"
    pods = [
        pod("web-0", ownerReferences=[owner], labels={**LABELS, revision: "web-old"}),
        pod("web-2", ownerReferences=[owner], labels={**LABELS, revision: "web-new"}),
        pod("web-1"),
        pod("web-debug"),
    ]
    status = {"currentRevision": "web-old", "updateRevision": "web-new"}
    found = scenario({**web(3), "status": status}, *pods, events=NONE)
    assert shown(found) == [
        (0, 0, Shown.AVAILABLE),
        (1, 1, Shown.AVAILABLE),
        (2, 1, Shown.AVAILABLE),
    ]
    (workload,) = found.world.owners
    state = Snapshot(found, found.system.initial).owner(workload)
    assert isinstance(state, StatefulSetState)
    assert (state.current, state.template, state.revisions) == (0, 1, (0, 1))


@pytest.mark.parametrize(
    ("fields", "event", "final"),
    [
        ({}, "rollout=web", [1, 1, 1]),
        ({"podManagementPolicy": "Parallel"}, "rollout=web", [1, 1, 1]),
        ({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, "rollout=web", [0, 0, 1]),
        ({"updateStrategy": {"type": "OnDelete"}}, "rollout=web", [0, 0, 0]),
        ({"updateStrategy": {"type": "RollingUpdate"}}, "rollout=web", [1, 1, 1]),
        ({}, "scale=web:1", [0]),
        ({}, "scale=web:5", [0] * 5),
        ({"minReadySeconds": 5}, "rollout=web", [1, 1, 1]),
        ({"podManagementPolicy": "Parallel"}, "scale=web:1", [0]),
    ],
)
def test_where_everything_ends(fields: Raw, event: str, final: list[int]) -> None:
    """Whatever happens in between, all pods are there in the end, of the right revisions."""
    found = scenario(web(3, **fields), events=(event,), nodes=("count=2,cpu=4",))
    first = found.system.initial[0]
    ends = {
        tuple((p.ordinal, p.template, p.shown) for p in Snapshot(found, state).summed(_pods(found)))
        for state in reachable(found)
        if state[0] != first
        and all(step.rule.environment for step in found.system.successors(state))
    }
    assert ends == {tuple((i, t, Shown.AVAILABLE) for i, t in enumerate(final))}


def _pods(found: Scenario) -> str:
    (workload,) = found.world.owners
    return pods_name(workload)


@pytest.mark.parametrize(("limit", "kept"), [(0, (1,)), (1, (0, 1)), (None, (0, 1))])
def test_old_revisions_are_kept_as_told(limit: int | None, kept: tuple[int, ...]) -> None:
    """With no history the old revision goes, but only once no pod is of it."""
    found = scenario(web(2, revisionHistoryLimit=limit), events=("rollout=web",))
    (workload,) = found.world.owners
    at = found.system.positions[workload.cell].start
    ends = set()
    for state in reachable(found):
        revisions = state[at].revisions
        pods = Snapshot(found, state).summed(_pods(found))
        assert {pod.template for pod in pods} <= {*revisions, state[at].template}
        if all(step.rule.environment for step in found.system.successors(state)):
            ends.add(tuple(sorted(map(int, revisions))))
    assert ends == {(0,), kept}


def test_a_broken_pod_keeps_the_set_from_going_on() -> None:
    """Taking the template back replaces no broken pod (kubernetes#67250)."""
    events = ("rollout=web,new-version=never-ready", "rollback=web")
    stuck = verdicts(scenario(web(2), events=events, nodes=("count=2,cpu=4",)), "STS-7")
    assert "violated" in {str(v) for v in stuck.values()}


def test_a_rejected_pod_keeps_its_name() -> None:
    """What a kubelet rejects stays as Failed until its controller has deleted it."""
    found = scenario(web(1), nodes=("count=1,cpu=4,kubelet.pods=0",), events=("delete-pod=web",))
    phases = {
        group.phase
        for state in reachable(found)
        for node in Snapshot(found, state).nodes().values()
        for group in node.pods
    }
    assert Phase.FAILED in phases


def test_events_that_it_does_not_take() -> None:
    """Nobody pauses a StatefulSet, and a Deployment's pods have no name to be forced out of."""
    with pytest.raises(InvalidInput, match="a StatefulSet takes no pause"):
        asked(web(), events=("pause=web",))


def test_fields_that_nobody_can_change(tmp_path: Path) -> None:
    """The API server's own words, which do not say what has changed, at the field that has."""
    base = tmp_path / "base.yaml"
    base.write_text(yaml.safe_dump(web(2)), "utf-8")
    with pytest.raises(InvalidInput) as refused:
        asked(web(2, serviceName="other"), base=(str(base),))
    (problem,) = refused.value.problems
    assert problem.path == "spec.serviceName"
    assert problem.message == (
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
        "'template', 'updateStrategy', 'revisionHistoryLimit', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"updateStrategy": {"rollingUpdate": {"partition": 3}}}, "a new template reaches no pod"),
        ({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}, "MaxUnavailableStatefulSet"),
    ],
)
def test_what_is_accepted_though_nobody_means_it(fields: Raw, said: str) -> None:
    """The API server takes it, and what follows is said."""
    found = asked(web(3, **fields), events=NONE)
    assert any(said in str(warning) for warning in found.warnings)


def test_a_pod_of_the_input_that_comes_back_has_its_name() -> None:
    """There is no other name to look for: nobody else may have it."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u"}
    given = web(1)
    given["metadata"]["uid"] = "u"
    held = pod("web-0", ownerReferences=[{**owner, "controller": True}])
    found = scenario(given, held, events=NONE)
    cast = opening(found, found.system.initial)
    (place,) = Snapshot(found, found.system.initial).places()
    gone, _ = cast.moved({place: 1}, {})
    assert gone.moved({}, {place: 1})[0].names[place] == ("web-0",)
