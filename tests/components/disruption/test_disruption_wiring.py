"""The disruption controller as it is explored: what it counts, how late, what it tells apart."""

from __future__ import annotations

from typing import Any

import pytest
from budgeted import marked, nodes_of, reachable, scenario, standing, steps, verdicts

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.state import ACTIVE, Marks, Phase
from kubelemma.model.components.disruption.budget import Budget, Disrupted, Status
from kubelemma.model.components.disruption.decision import MatchedPod, Sync, Workload, sync
from kubelemma.model.components.disruption.rules import (
    COMPONENT,
    DISRUPTION,
    READY,
    BudgetState,
    Counts,
    Guard,
    guards,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State

DRAIN = {"drain": {}}
FAILING = {"probeFailure": {"deployment": "web"}}
ROLLOUT = {"rollout": {"deployment": "web"}}
AGENT = standing("agent", "node-1", "DaemonSet", labels={"app": "web"})

SCENARIOS: dict[str, dict[str, Any]] = {
    "number": {"budgets": [{"minAvailable": 1}], "events": [DRAIN, FAILING]},
    "share": {"budgets": [{"minAvailable": "50%"}], "events": [DRAIN, FAILING]},
    "unavailable": {"budgets": [{"maxUnavailable": "30%"}], "events": [DRAIN, ROLLOUT]},
    "scaled": {
        "budgets": [{"maxUnavailable": 1}],
        "events": [DRAIN, {"scale": {"deployment": "web", "replicas": 0}}],
    },
    "crash": {"budgets": [{"maxUnavailable": 1}], "events": [DRAIN, {"nodeCrash": {}}]},
}


def cell(found: Scenario, state: State, guard: Guard) -> BudgetState:
    """A budget in a state."""
    value: BudgetState = state[found.system.positions[guard.cell].start]
    return value


def is_committed(found: Scenario, state: State) -> bool:
    """Whether somebody is in the middle of something that no other can interrupt."""
    return any(step.rule.urgent for step in found.system.successors(state))


def listed_out(found: Scenario, state: State, guard: Guard) -> Sync:
    """The sync of a budget, with each pod of a state spelled out as the controller reads it."""
    pods, disrupted = [], []
    for node in nodes_of(found, state):
        for group in node.pods:
            if group.pod_class not in guard.classes:
                continue
            for _ in range(group.size):
                name = f"pod-{len(pods)}"
                ends = Phase(group.phase) not in ACTIVE
                pods.append(MatchedPod(name, group.phase in READY, ends, "set"))
                if group.marks & Marks.EVICTED:
                    disrupted.append(Disrupted(name, since=0))
    own = guard.workloads(found.world)
    for workload in own:
        queue = state[found.system.positions[workload.queue].start]
        pods += [
            MatchedPod(f"queued-{i}", ready=False, controller="set")
            for i in range(sum(queue.waiting))
        ]
    replicas = sum(state[found.system.positions[w.cell].start].replicas for w in own)
    owners = {"set": Workload(replicas, "deployment"), "deployment": Workload(replicas)}
    stored = Budget(guard.budget.spec, status=Status(disrupted_pods=tuple(disrupted)))
    return sync(stored, pods, owners, now=0)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("late", [False, True])
def test_counts_are_those_of_a_sync(name: str, late: bool) -> None:  # noqa: FBT001
    """In whatever state, what a sync would write is what the controller's decision comes to."""
    found = scenario(**SCENARIOS[name], every_write=late)
    (guard,) = guards(found.world)
    written = 0
    for state in reachable(found):
        told = cell(found, state, guard)
        if told.counted is not None or is_committed(found, state):
            continue
        status = listed_out(found, state, guard).status
        expected = Counts(*status[1:5])
        after = {
            step.state[found.system.positions[guard.cell].start]
            for step in found.system.successors(state)
            if step.rule.actor == DISRUPTION
        }
        if expected == told.status:
            assert after == set()
        else:
            later = {told._replace(counted=expected)} if late else set()
            assert after == {BudgetState(expected), *later}
            written += 1
    assert written


def test_the_status_lags_and_a_grant_in_between_has_it_counted_again() -> None:
    """What was counted is written although pods have changed, but not over an eviction's PUT."""
    found = scenario(
        budgets=[{"minAvailable": 1}], events=[DRAIN, FAILING], replicas=3, every_write=True
    )
    (guard,) = guards(found.world)
    late = [
        state
        for state, step in steps(found, "write-budget")
        for told in [cell(found, state, guard)]
        if told.counted is not None
        and told.counted != Counts(*listed_out(found, state, guard).status[1:5])
    ]
    assert late
    between = [
        (state, step)
        for state, step in steps(found, "grant-eviction")
        if cell(found, state, guard).counted is not None
    ]
    assert between
    assert all(cell(found, step.state, guard).counted is None for _, step in between)


POLICIES = (
    {"minAvailable": 1},
    {"minAvailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
    {"minAvailable": "60%"},
    {"maxUnavailable": "30%"},
)
CHANCES = ([FAILING], [{"scale": {"deployment": "web", "replicas": 1}}])


@pytest.mark.parametrize("budget", POLICIES, ids=str)
@pytest.mark.parametrize("chances", CHANCES, ids=str)
def test_when_a_count_is_written_changes_no_verdict(
    budget: dict[str, Any], chances: list[dict[str, Any]]
) -> None:
    """To write a count late comes to what a late count comes to, and takes more states."""
    given: dict[str, Any] = {"budgets": [budget], "events": [DRAIN, *chances], "replicas": 2}
    once, late = scenario(**given), scenario(**given, every_write=True)
    assert verdicts(once) == verdicts(late)


LOSING: dict[str, Any] = {
    "budgets": [{"minAvailable": 1}],
    "events": [{"drain": {"node": "node-1", "max": 2}}],
    "faults": {"lostRequests": 1},
}


def test_an_entry_of_a_pod_that_is_not_deleted_runs_out() -> None:
    """A pod whose eviction got lost is not healthy, until its entry has run out; then it is."""
    found = scenario(**LOSING)
    (guard,) = guards(found.world)
    given_back = list(steps(found, "give-back-eviction"))
    assert given_back
    for state, step in given_back:
        assert step.rule.actor == DISRUPTION
        before, after = (found.system.summary(s)[guard.tally] for s in (state, step.state))
        assert after[1] == before[1] + 1
        assert marked(found, step.state, Marks.LOST) == marked(found, state, Marks.LOST) - 1
        assert marked(found, step.state, Marks.EVICTED) == marked(found, state, Marks.EVICTED) - 1
    assert verdicts(found, "PDB-3", "DRAIN-1") == {"PDB-3": "holds", "DRAIN-1": "holds"}


def test_entries_of_pods_that_are_deleted_in_time_do_not_run_out() -> None:
    """A request ends before an entry does, so only what got lost is given back."""
    quiet = scenario(**{**LOSING, "faults": None})
    assert not list(steps(quiet, "give-back-eviction"))
    assert not any("run out" in rule.name for rule in quiet.system.rules)


def test_a_pod_that_stands_by_counts_while_its_node_is_ready() -> None:
    """A budget may cover pods beside those that are checked."""
    found = scenario(
        budgets=[{"minAvailable": 1}], events=[DRAIN, {"nodeCrash": {}}], beside=[AGENT], replicas=1
    )
    (guard,) = guards(found.world)
    assert sum(guard.standing) == 1
    told = {cell(found, state, guard).status for state in reachable(found)}
    assert {status.healthy for status in told} == {0, 1, 2}
    assert max(status.expected for status in told) >= 2


def test_it_tells_nodes_apart_by_the_pods_that_budgets_cover() -> None:
    """Two nodes are interchangeable only if as many pods of each budget stand by on them."""
    found = scenario(budgets=[{"minAvailable": 1}], beside=[AGENT])
    shapes = found.world.shapes
    crowd = Crowd(
        nodes=tuple(shape.node for shape in shapes),
        pods=tuple(pod_class.pod for pod_class in found.world.classes),
        objects=found.world.objects,
    )
    telling = COMPONENT.distinguishes(crowd)
    assert len({telling(shape) for shape in shapes}) == 2
    nothing = COMPONENT.distinguishes(crowd._replace(objects=()))
    assert len({nothing(shape) for shape in shapes}) == 1


def counts(found: Scenario) -> Counts:
    """What the one budget says at the start."""
    (guard,) = guards(found.world)
    return cell(found, found.system.initial, guard).status


def test_the_scale_of_what_stands_by() -> None:
    """A workload counts once, however many nodes have pods of it, and each counts for itself."""
    labels = {"app": "web"}
    spread = [standing("db", f"node-{i}", "StatefulSet", labels) for i in (1, 2)]
    for i, pod in enumerate(spread):
        pod["metadata"]["name"] = f"db-{i}"
    both = scenario(budgets=[{"maxUnavailable": 1}], beside=spread)
    assert counts(both) == Counts(expected=4, healthy=4, desired=3, allowed=1)
    each = [standing(f"db-{i}", f"node-{i}", "StatefulSet", labels) for i in (1, 2)]
    assert counts(scenario(budgets=[{"maxUnavailable": 1}], beside=each)) == counts(both)
    assert len(scenario(budgets=[{"maxUnavailable": 1}], beside=each).world.shapes) == 2
    lone = [standing("lone", "node-1", labels=labels)]
    lonely = scenario(budgets=[{"maxUnavailable": 1}], beside=lone)
    assert counts(lonely) == Counts(expected=2, healthy=3, desired=1, allowed=2)


def test_a_pod_that_stands_by_and_is_not_ready_is_not_healthy() -> None:
    """What a budget has to spare is counted by what the pods beside are seen to be."""
    pods = [standing(f"db-{i}", f"node-{i}", "StatefulSet", {"app": "web"}) for i in (1, 2)]
    pods[0]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    found = scenario(budgets=[{"minAvailable": 3}], beside=pods)
    assert counts(found) == Counts(expected=4, healthy=3, desired=3, allowed=0)
    assert len(found.world.shapes) == 2


def test_what_a_drain_leaves_is_what_the_budget_promises() -> None:
    """Of all the pods that a budget covers as many stay as it desires, whosever they are."""
    pods = [standing(f"db-{i}", f"node-{i}", "StatefulSet", {"app": "web"}) for i in (1, 2)]
    together = scenario(budgets=[{"minAvailable": 3}], beside=pods)
    assert verdicts(together, "DRAIN-2") == {"DRAIN-2": "holds"}
    none = scenario(budgets=[{"minAvailable": 0}], replicas=1)
    assert verdicts(none, "DRAIN-2") == {"DRAIN-2": "holds"}


def test_a_restart_forgets_what_was_counted() -> None:
    """What only the dead process knew is never written."""
    found = scenario(
        budgets=[{"minAvailable": 1}],
        events=[DRAIN, FAILING],
        faults={"controllerRestarts": 1},
        every_write=True,
    )
    (guard,) = guards(found.world)
    forgotten = [
        step
        for state, step in steps(found, "forget")
        if step.rule.actor == DISRUPTION and cell(found, state, guard).counted
    ]
    assert forgotten
    assert all(cell(found, step.state, guard).counted is None for step in forgotten)


def test_budgets_of_nobody_in_focus_are_not_followed() -> None:
    """Neither a budget of other pods, nor any where nobody asks for evictions, has a cell."""
    other = {"selector": {"matchLabels": {"app": "other"}}, "minAvailable": 1}
    found = scenario(budgets=[{"minAvailable": 1}, other])
    assert [guard.cell for guard in guards(found.world)] == ["PodDisruptionBudget default/web-0"]
    quiet = scenario(budgets=[{"minAvailable": 1}], events=[ROLLOUT])
    assert not [c.name for c in quiet.system.cells if c.name.startswith("PodDisruptionBudget")]


@pytest.mark.parametrize(
    ("bound", "fails"), [({"minAvailable": 1}, False), ({"maxUnavailable": 2}, True)]
)
def test_pods_of_what_has_no_scale(bound: dict[str, Any], fails: bool) -> None:  # noqa: FBT001
    """Where a scale is asked for, a pod of a DaemonSet makes syncs fail: nothing is allowed."""
    found = scenario(budgets=[bound], beside=[AGENT])
    (guard,) = guards(found.world)
    allowed = {cell(found, state, guard).status.allowed for state in reachable(found)}
    assert (allowed == {0}) is fails


def test_taint_evictions_ask_no_budget() -> None:
    """Pods of a node that is gone are evicted although their budget allows nothing."""
    found = scenario(budgets=[{"minAvailable": 2}], events=[{"nodeCrash": {}}, DRAIN], replicas=2)
    (guard,) = guards(found.world)
    assert any(not cell(found, state, guard).status.allowed for state, _ in steps(found, "evict"))
