"""Evictions as they are explored: granted, refused, free of charge, or failed for good."""

from __future__ import annotations

import pytest
from budgeted import listed, marked, nodes_of, scenario, steps, verdicts

from kubelemma.model.cluster.state import Marks, Phase
from kubelemma.model.components.disruption.rules import READY, BudgetState, guards
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State

DRAIN = {"drain": {}}
FAILING = {"probeFailure": {"deployment": "web"}}


def status(found: Scenario, state: State) -> BudgetState:
    """The one budget in a state."""
    (guard,) = guards(found.world)
    value: BudgetState = state[found.system.positions[guard.cell].start]
    return value


def test_a_grant_is_paid_for_and_then_carried_out() -> None:
    """The PUT of the budget comes first; the pod is deleted by another step, whatever comes."""
    found = scenario(budgets=[{"minAvailable": 1}])
    grants = list(steps(found, "grant-eviction"))
    assert grants
    for state, step in grants:
        assert status(found, step.state).status.allowed == status(found, state).status.allowed - 1
        assert marked(found, step.state, Marks.EVICTED) == marked(found, state, Marks.EVICTED) + 1
        assert {s.outcome.action for s in found.system.successors(step.state)} >= {"evict-pod"}
    assert verdicts(found, "PDB-1", "PDB-3") == {"PDB-1": "holds", "PDB-3": "holds"}


@pytest.mark.parametrize(
    "bound", [{"minAvailable": 2}, {"maxUnavailable": 0}, {"minAvailable": "100%"}]
)
def test_a_budget_with_nothing_to_spare_refuses(bound: dict[str, object]) -> None:
    """Of two pods that are both desired none is ever evicted, and the drain never ends."""
    found = scenario(budgets=[bound])
    assert not list(steps(found, "grant-eviction", "evict-unready-pod"))
    assert verdicts(found, "DRAIN-1")["DRAIN-1"] == "violated"


def test_two_budgets_fail_an_eviction() -> None:
    """The API server answers 500, and kubectl gives the pod up: the drain ends, the pod stays."""
    found = scenario(budgets=[{"maxUnavailable": 1}, {"maxUnavailable": 1}])
    assert not list(steps(found, "grant-eviction"))
    given_up = list(steps(found, "give-up-eviction"))
    assert given_up
    assert all(listed(found, s.state) == listed(found, state) - 1 for state, s in given_up)
    assert verdicts(found, "DRAIN-1", "DRAIN-3") == {"DRAIN-1": "holds", "DRAIN-3": "violated"}


@pytest.mark.parametrize("policy", ["AlwaysAllow", "IfHealthyBudget"])
def test_unready_pods_go_by_the_policy(policy: str) -> None:
    """Where the status has fewer healthy than desired, only AlwaysAllow lets an unready pod go."""
    budget = {"minAvailable": 2, "unhealthyPodEvictionPolicy": policy}
    found = scenario(budgets=[budget], events=[DRAIN, FAILING])
    gone = list(steps(found, "evict-unready-pod"))
    read = {status(found, state).status for state, _ in gone}
    short = {counts for counts in read if counts.healthy < counts.desired}
    assert bool(short) is (policy == "AlwaysAllow")
    for state, step in gone:
        assert status(found, step.state).status == status(found, state).status
    assert verdicts(found, "PDB-4") == {"PDB-4": "holds"}


def test_a_pod_that_has_not_started_goes_at_once() -> None:
    """Pending pods ask no budget, whatever it allows."""
    found = scenario(
        budgets=[{"minAvailable": 2}],
        events=[DRAIN, {"scale": {"deployment": "web", "replicas": 3}}],
    )
    free = [state for state, _ in steps(found, "evict-pod")]
    assert free
    assert all(
        any(g.marks and g.phase == Phase.ASSIGNED for n in nodes_of(found, s) for g in n.pods)
        or marked(found, s, Marks.EVICTED)
        for s in free
    )


def test_a_request_that_is_lost() -> None:
    """The budget has paid, the pod is not deleted, and its drain fails; the next one asks again."""
    found = scenario(
        budgets=[{"minAvailable": 1}], events=[{"drain": {"max": 2}}], faults={"lostRequests": 1}
    )
    losses = list(steps(found, "lost-request"))
    assert losses
    for state, step in losses:
        assert step.rule.environment
        assert status(found, step.state) == status(found, state)
        assert marked(found, step.state, Marks.LOST) == marked(found, state, Marks.LOST) + 1
        assert listed(found, step.state) == listed(found, state)
        if not marked(found, state, Marks.LISTED) and marked(found, state, Marks.EVICTED) == 1:
            deletes = {s.outcome.action for s in found.system.successors(step.state)}
            assert "evict-pod" not in deletes
    again = [
        step
        for state, step in steps(found, "grant-eviction")
        if marked(found, step.state, Marks.LOST) < marked(found, state, Marks.LOST)
    ]
    assert not again, "a budget that allows one has none left until the entry has run out"


def test_granted_on_a_status_that_is_old() -> None:
    """A failing probe that the controller has not counted yet leaves fewer than were promised."""
    found = scenario(budgets=[{"minAvailable": 1}], events=[DRAIN, FAILING])
    stale = [
        state
        for state, _ in steps(found, "grant-eviction")
        if status(found, state).status.healthy
        > sum(g.size for n in nodes_of(found, state) for g in n.pods if g.phase in READY)
    ]
    assert stale
    assert verdicts(found, "DRAIN-2")["DRAIN-2"] == "violated"
