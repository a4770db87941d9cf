"""Owners that are taken away as they are explored: their pods go, and none comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from budgeted import reachable, steps
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.cluster.state import ACTIVE, DeploymentState, LoneState
from kubelemma.model.components.garbagecollector.rules import GARBAGE_COLLECTOR
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.question import STDIN, Question, ask
from kubelemma.recording import stream
from kubelemma.solver.compiled import check
from kubelemma.solver.result import Verdict

KINDS = ("Deployment", "ReplicaSet", "ReplicationController")


def owner(kind: str, name: str, replicas: int) -> dict[str, Any]:
    """An owner of so many pods."""
    labels = {"app": name}
    container = {"name": "c", "image": "x:1", "resources": {"requests": {"cpu": "1"}}}
    selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
    return {
        "apiVersion": "v1" if kind == "ReplicationController" else "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": selector,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pruned(kind: str, replicas: int = 2, nodes: str = "count=2,cpu=4", **more: Any) -> Scenario:
    """An owner that goes, beside one that stays."""
    kept = owner("ReplicaSet", "kept", 0)
    asked = ask(
        Question(
            paths=(STDIN,),
            stdin=stream([kept]),
            standing=stream([kept, owner(kind, "web", replicas)]),
            prune=True,
            nodes=(nodes,),
            workloads=("web",),
            **more,
        )
    )
    (case,) = asked.cases
    return case.scenario


def pods(scenario: Scenario, state: State) -> int:
    """How many active pods there are, with those without a node."""
    seen = Snapshot(scenario, state)
    on_nodes = sum(g.size for n in seen.nodes().values() for g in n.pods if g.phase in ACTIVE)
    return on_nodes + sum(sum(seen.queue(w).waiting) for w in scenario.world.workloads)


def ends(scenario: Scenario) -> Iterator[State]:
    """The states in which nobody can act."""
    return (s for s in reachable(scenario) if not tuple(scenario.system.successors(s)))


@pytest.mark.parametrize("kind", KINDS)
def test_all_pods_go_in_the_end(kind: str) -> None:
    """Each at any time after; nothing of it is left, and it is as if it had never been there."""
    found = pruned(kind)
    (end,) = ends(found)
    assert pods(found, end) == 0
    state = Snapshot(found, end).owner(found.world.owners[0])
    assert state.absent
    assert isinstance(state, DeploymentState if kind == "Deployment" else LoneState)
    assert not state.sets


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_creates_another(kind: str) -> None:
    """From when it is gone the number of its pods only falls."""
    found = pruned(kind, events=("delete-pod=web",))
    workload = found.world.owners[0]
    for state in reachable(found):
        if Snapshot(found, state).owner(workload).absent:
            for step in found.system.successors(state):
                assert pods(found, step.state) <= pods(found, state)


def test_only_pods_whose_owner_is_gone_are_collected() -> None:
    """Before that, nobody touches any."""
    found = pruned("Deployment")
    workload = found.world.owners[0]
    collected = list(steps(found, "collect-pod"))
    assert collected
    for state, step in collected:
        assert Snapshot(found, state).owner(workload).absent
        assert step.rule.actor == GARBAGE_COLLECTOR


def test_pods_without_a_node_go_as_well() -> None:
    """What never found one is collected, too."""
    found = pruned("Deployment", replicas=3, nodes="count=1,cpu=2")
    (end,) = ends(found)
    assert pods(found, end) == 0


def test_what_is_gone_takes_no_events() -> None:
    """Nobody scales, pauses or rolls out what is not there."""
    events = ("scale=web:3", "pause=web", "resume=web")
    found = pruned("Deployment", events=events)
    workload = found.world.owners[0]
    for state in reachable(found):
        if Snapshot(found, state).owner(workload).absent:
            assert all(
                Snapshot(found, step.state).owner(workload).absent
                for step in found.system.successors(state)
            )


@given(st.integers(0, 3), st.integers(1, 2))
def test_nothing_is_left_of_any(replicas: int, nodes: int) -> None:
    """However many there are, and wherever: nothing is left."""
    found = pruned("Deployment", replicas, f"count={nodes},cpu=4")
    assert found.events[0].action == "prune"
    assert [state for state in ends(found) if pods(found, state)] == []


def test_room_that_is_left_is_taken() -> None:
    """Whoever waits for room gets it once the pods are gone."""
    waiting = owner("Deployment", "waits", 1)
    asked = ask(
        Question(
            paths=(STDIN,),
            stdin=stream([waiting]),
            standing=stream([owner("Deployment", "web", 1), owner("ReplicaSet", "x", 0)]),
            prune=True,
            nodes=("count=1,cpu=1",),
        )
    )
    (case,) = asked.cases
    result = check(case.scenario.system, case.properties)
    wanted = [r for r in result.properties if r.property.id == "DEP-4"]
    assert {r.verdict for r in wanted} == {Verdict.HOLDS}
