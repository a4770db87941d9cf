"""ReplicaSets that nobody controls, to which another template is applied."""

from __future__ import annotations

from typing import Any

import pytest
from budgeted import reachable, steps

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.cluster.state import LoneState
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question, ask
from kubelemma.recording import stream
from kubelemma.solver.compiled import check
from kubelemma.solver.result import Verdict

KINDS = ("ReplicaSet", "ReplicationController")


def owner(kind: str, cpu: str, replicas: int, **spec: Any) -> dict[str, Any]:
    """So many pods of this size."""
    labels = {"app": "web"}
    container = {"name": "c", "image": "x:1", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1" if kind == "ReplicationController" else "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": labels if kind == "ReplicationController" else {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], **spec},
            },
        },
    }


def renewed(kind: str, *events: str, replicas: int = 1, **spec: Any) -> Scenario:
    """Another template is applied, with so many replicas, while other things may happen."""
    asked = ask(
        Question(
            paths=(STDIN,),
            stdin=stream([owner(kind, "2", replicas, **spec)]),
            standing=stream([owner(kind, "1", 1)]),
            nodes=("count=1,cpu=4,name=here",),
            events=events,
        )
    )
    (case,) = asked.cases
    result = check(case.scenario.system, case.properties)
    assert {found.verdict for found in result.properties} == {Verdict.HOLDS}
    return case.scenario


def classes(scenario: Scenario) -> set[tuple[bool, bool]]:
    """Of pods that are created, whether another template was applied, and of which they are."""
    (workload,) = scenario.world.workloads
    found = set()
    for state, step in steps(scenario, "create-pod"):
        applied = Snapshot(scenario, state).owner(workload)
        assert isinstance(applied, LoneState)
        made = dict(step.outcome.arguments)["class"]
        found.add((applied.renewed, made == workload.renewed))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_pods_that_are_there_stay(kind: str) -> None:
    """Nobody replaces them: nothing is created, whatever is applied."""
    found = renewed(kind)
    assert classes(found) == set()
    assert len(list(reachable(found))) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_pods_that_are_made_later_are_of_it(kind: str) -> None:
    """But for those of a sync that had read the ReplicaSet before."""
    found = renewed(kind, "delete-pod=web")
    assert classes(found) == {(False, False), (True, True), (True, False)}


def test_more_replicas_come_with_the_template() -> None:
    """Of one apply, they are of the new one."""
    assert classes(renewed("ReplicaSet", "none", replicas=2)) == {(True, True)}


def test_a_template_may_name_a_node() -> None:
    """Then its pods come up there, while those before had to be scheduled."""
    found = renewed("ReplicaSet", "none", replicas=2, nodeName="here")
    assert classes(found) == {(True, True)}
    (workload,) = found.world.workloads
    assert all(
        not any(Snapshot(found, state).queue(workload).waiting) for state in reachable(found)
    )


def test_what_no_rule_reads_makes_no_other_pods() -> None:
    """A variable of the environment tells no pods apart."""
    old, new = owner("ReplicaSet", "1", 1), owner("ReplicaSet", "1", 1)
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    asked = ask(Question(paths=(STDIN,), stdin=stream([new]), standing=stream([old])))
    (case,) = asked.cases
    assert case.scenario.world.workloads[0].renewed == -1
