"""ReplicaSets and ReplicationControllers that nobody controls, as workloads of a check."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from budgeted import kind, reachable, steps, verdicts

from kubelemma.model.cluster.state import Group, LoneState, Phase, Status
from kubelemma.model.components.disruption.rules import guards
from kubelemma.model.components.replicaset.rules import victims
from kubelemma.model.manifests import InvalidInput
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.questions import DRAIN, NODE_LOST
from kubelemma.question import STDIN, Asked, Question, ask

Raw = dict[str, Any]

LABELS = {"app": "web"}
MADE: Raw = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
}
SET = kind(
    "apps/v1", "ReplicaSet", "web", replicas=2, selector={"matchLabels": LABELS}, template=MADE
)
CONTROLLER = kind("v1", "ReplicationController", "web", replicas=2, selector=LABELS, template=MADE)
DEPLOYMENT = kind(
    "apps/v1", "Deployment", "web", replicas=1, selector={"matchLabels": LABELS}, template=MADE
)

CRASH = ("node-crash=1",)


def asked(*documents: Raw, **question: Any) -> Asked:
    """What a question about these documents comes to."""
    text = yaml.safe_dump_all(documents)
    return ask(Question(paths=(STDIN,), stdin=text, **question))


def scenario(*documents: Raw, **question: Any) -> Scenario:
    """The one scenario of such a question."""
    (case,) = asked(*documents, **question).cases
    return case.scenario


@pytest.mark.parametrize("document", [SET, CONTROLLER], ids=lambda raw: raw["kind"])
def test_they_are_workloads(document: Raw) -> None:
    """Both are checked by themselves, under a lost node and a drain, and keep their promises."""
    questions = {case.scenario.question: case.scenario for case in asked(document).cases}
    assert set(questions) == {NODE_LOST, DRAIN}
    found = questions[NODE_LOST]
    (workload,) = found.world.workloads
    assert found.focus == (f"{document['kind']} default/web",)
    assert found.system.initial[found.system.positions[workload.cell].start] == LoneState(2, 0, 2)
    assert [event.action for event in found.events] == ["node-crash"]
    assert f"{document['kind']} default/web: replicas 2" in found.setting
    assert verdicts(found, "RS-1", "RS-2") == {"RS-1": "holds", "RS-2": "holds"}


def test_each_has_a_controller_of_its_own() -> None:
    """ReplicationControllers have the same code, but another queue and another name."""
    actors = {
        document["kind"]: {rule.actor for rule in scenario(document, events=CRASH).system.rules}
        for document in (SET, CONTROLLER)
    }
    assert "replication-controller" in actors["ReplicationController"] - actors["ReplicaSet"]
    assert "replicaset-controller" in actors["ReplicaSet"] - actors["ReplicationController"]


def test_both_explore_the_same() -> None:
    """But for names, the two kinds are one."""
    events = ("scale=web:3", "delete-pod=web")
    first, second = (scenario(document, events=events) for document in (SET, CONTROLLER))
    assert len(reachable(first)) == len(reachable(second))


def test_pods_on_their_node_do_not_rank_without_a_controller() -> None:
    """Co-located pods are those of ReplicaSets with the same controller: one without has none."""
    found = scenario(SET, events=("scale=web:1",))
    (workload,) = found.world.workloads
    nodes = [(Group(0, int(Phase.AVAILABLE), number),) for number in (1, 3)]
    ranks = [rank for pods in nodes for rank, _ in victims(found.world, workload, 0, pods)]
    assert len(set(ranks)) == 1


def test_an_absent_one_has_no_replica_set() -> None:
    """Where there is none, nothing is asked for; else it is its only ReplicaSet itself."""
    assert LoneState(-1).sets == ()
    (itself,) = LoneState(3, 2, 1).sets
    assert (itself.replicas, itself.status_replicas, itself.status_available) == (3, 2, 1)
    assert LoneState(3).with_status(0, Status(2, 1)) == LoneState(3, 2, 1)


@pytest.mark.parametrize("event", ["rollout", "pause", "resume", "rollback"])
def test_what_only_deployments_take_is_refused(event: str) -> None:
    """The message says what may happen instead, and stands where the event does."""
    check = kind("kubelemma.dev/v1alpha1", "Check", "odd", events=[{event: {"workload": "web"}}])
    with pytest.raises(InvalidInput) as refused:
        asked(SET, check)
    (problem,) = refused.value.problems
    assert problem.path == f"spec.events[0].{event}.workload"
    assert problem.message == (
        f"a ReplicaSet takes no {event}: what can happen to one is "
        "scale, deletePod, relabel, resize, probeFailure, lateCleanup"
    )


def test_a_name_of_several_kinds_is_ambiguous() -> None:
    """The message says which there are, and the kind tells them apart."""
    with pytest.raises(InvalidInput, match="may be Deployment default/web or ReplicaSet default"):
        asked(DEPLOYMENT, SET, events=("scale=web:3",))
    found = asked(DEPLOYMENT, SET, events=("scale=ReplicaSet/web:3",)).cases
    events = {case.scenario.name: case.scenario.events for case in found}
    assert {name: len(own) for name, own in events.items()} == {
        "Deployment default/web": 0,
        "ReplicaSet default/web": 1,
    }


def test_the_field_deployment_means_a_deployment() -> None:
    """As it always did: a ReplicaSet of the name is not meant."""
    check = kind(
        "kubelemma.dev/v1alpha1",
        "Check",
        "both",
        events=[{"scale": {"deployment": "web", "replicas": 3}}],
        together=["Deployment/web", "ReplicaSet/web"],
    )
    (event,) = scenario(DEPLOYMENT, SET, check).events
    assert event.workload == 0
    with pytest.raises(InvalidInput, match='there is no Deployment "web"'):
        asked(SET, check)


def test_a_deployment_and_a_set_of_one_name_are_told_apart() -> None:
    """Their cells have different names, and each has its own promises."""
    both = ("Deployment/web", "ReplicaSet/web")
    found = scenario(DEPLOYMENT, SET, together=both, events=("none",))
    names = [cell.name for cell in found.system.cells]
    assert len(set(names)) == len(names)
    assert found.focus == ("Deployment default/web", "ReplicaSet default/web")


def test_who_stands_by_is_told_from_who_is_checked() -> None:
    """Of two of one name, the report says which kind never moves."""
    of_set = scenario(SET, DEPLOYMENT, workloads=("ReplicaSet/web",), events=CRASH)
    standing = "standing by as load that never moves: Deployment default/web"
    assert standing in of_set.setting


def test_a_set_of_a_deployment_is_no_workload() -> None:
    """Whether the Deployment is given or not: what is controlled is part of something else."""
    owned = yaml.safe_load(yaml.safe_dump(SET))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1"}
    owned["metadata"] |= {"name": "web-1", "ownerReferences": [{**reference, "controller": True}]}
    assert scenario(DEPLOYMENT, owned, events=CRASH).focus == ("Deployment default/web",)
    with pytest.raises(InvalidInput, match="no workload: nothing to check"):
        asked(owned)


def test_what_would_be_adopted_as_a_whole_is_listed() -> None:
    """A Deployment whose selector matches the labels of a ReplicaSet would make it its own."""
    stray = yaml.safe_load(yaml.safe_dump(SET))
    stray["metadata"] |= {"name": "stray", "labels": LABELS}
    case, *_ = asked(DEPLOYMENT, stray).cases
    (listed,) = [n for n in case.manifests.not_modelled if "adopt" in n.reason]
    assert (listed.object, listed.severity) == ("ReplicaSet default/stray", "not modelled")
    assert "the selector of Deployment default/web" in listed.reason


def test_budgets_count_the_scale_of_their_owners() -> None:
    """Of ReplicaSets and ReplicationControllers what they ask for, of lone pods nothing."""
    other = yaml.safe_load(yaml.safe_dump(CONTROLLER))
    other["metadata"]["name"] = "other"
    budget = kind(
        "policy/v1",
        "PodDisruptionBudget",
        "web",
        maxUnavailable=1,
        selector={"matchLabels": LABELS},
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "by-hand", "labels": LABELS},
        "spec": MADE["spec"],
    }
    found = scenario(SET, other, budget, pod, together=("web", "other"), events=("drain",))
    (guard,) = guards(found.world)
    status = found.system.initial[found.system.positions[guard.cell].start].status
    assert (status.expected, status.healthy, status.desired) == (4, 5, 3)


def test_users_scale_it_and_delete_its_pods() -> None:
    """What may happen to any workload may happen to it."""
    found = scenario(SET, events=("scale=web:1", "delete-pod=web", "probe-failure=web"))
    done = {step.outcome.action for _, step in steps(found, "scale", "user-delete-pod")}
    assert done == {"scale", "user-delete-pod"}
    assert verdicts(found, "RS-4")["RS-4"] == "holds"
