"""What a sync of a disruption budget decides: laws, and the cases that no table has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.disruption.budget import (
    Budget,
    Condition,
    Disrupted,
    Status,
    allowed_condition,
    covers,
    stored_budget,
    tells_allowed,
)
from kubelemma.model.components.disruption.decision import (
    DELETION_TIMEOUT,
    STALE_DISRUPTION_TIMEOUT,
    Covered,
    Disruptions,
    DisruptionTarget,
    MatchedPod,
    Unscaled,
    Workload,
    disruptions,
    expected_scale,
    failed,
    healthy_pods,
    stale_in,
    still_disrupted,
    sync,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.quantity import IntOrPercent

NOW = 1000
HALF = IntOrPercent(50, percent=True)
MIN_TWO = PodDisruptionBudgetSpec(min_available=IntOrPercent(2))
MAX_ONE = PodDisruptionBudgetSpec(max_unavailable=IntOrPercent(1))
WORKLOADS = {
    "rs-1": Workload(1, deployment="web"),
    "rs-2": Workload(3, deployment="web"),
    "web": Workload(3),
    "alone": Workload(4),
    "orphan": Workload(2, deployment="gone"),
    "ds": Workload(None),
}

bounds = st.builds(IntOrPercent, st.integers(0, 5)) | st.builds(
    lambda share: IntOrPercent(share, percent=True), st.integers(0, 100)
)
specs = st.builds(
    lambda name, bound: PodDisruptionBudgetSpec(**{name: bound}),
    st.sampled_from(("min_available", "max_unavailable")),
    bounds,
)
owners = st.none() | st.sampled_from(sorted(WORKLOADS))
pod_lists = st.lists(st.tuples(st.booleans(), st.booleans(), owners), max_size=6).map(
    lambda rows: [MatchedPod(f"p{n}", *row) for n, row in enumerate(rows)]
)
entries = st.dictionaries(
    st.sampled_from([f"p{n}" for n in range(8)]), st.integers(NOW - 200, NOW), max_size=5
).map(lambda found: tuple(Disrupted(*entry) for entry in sorted(found.items())))
statuses = st.builds(
    Status,
    st.integers(0, 2),
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 6),
    entries,
    st.none() | st.builds(allowed_condition, st.integers(0, 1)),
)
budgets = st.builds(Budget, specs, st.integers(1, 2), statuses)


@given(budgets, pod_lists)
def test_a_second_sync_writes_nothing(budget: Budget, pods: list[MatchedPod]) -> None:
    """What a sync reports is what the next one finds to be true."""
    first = sync(budget, pods, WORKLOADS, NOW)
    again = sync(budget._replace(status=first.status), pods, WORKLOADS, NOW)
    assert again.status == first.status
    assert again.writes == (first.failure is not None)
    assert first.writes or first.status == budget.status


@given(budgets, pod_lists)
def test_no_more_is_allowed_than_there_are_healthy_pods_to_spare(
    budget: Budget, pods: list[MatchedPod]
) -> None:
    """The number allowed fits its own status, the condition tells it, and it is never negative."""
    found = sync(budget, pods, WORKLOADS, NOW)
    status = found.status
    if found.failure is None:
        spare = status.current_healthy - status.desired_healthy
        assert 0 <= status.disruptions_allowed <= max(0, spare)
        assert status.observed_generation == budget.generation
        assert tells_allowed(status.condition, status.disruptions_allowed)
    else:
        assert status.disruptions_allowed == 0
        assert status.observed_generation == budget.status.observed_generation


@given(budgets, pod_lists)
def test_what_was_granted_is_given_back_in_time(budget: Budget, pods: list[MatchedPod]) -> None:
    """No entry outlives its time: a granted eviction without a deletion counts as none."""
    later = sync(budget, pods, WORKLOADS, NOW + DELETION_TIMEOUT + 1)
    if later.failure is None:
        ready = sum(pod.ready and not pod.terminating for pod in pods)
        assert later.status.disrupted_pods == ()
        assert later.status.current_healthy == ready
        assert later.recheck_at is None


@given(budgets, pod_lists)
def test_a_budget_is_looked_at_again_when_an_entry_runs_out(
    budget: Budget, pods: list[MatchedPod]
) -> None:
    """As long as entries are kept there is a next sync, and none is due already."""
    found = sync(budget, pods, WORKLOADS, NOW)
    if found.failure is None:
        assert (found.recheck_at is None) == (not found.status.disrupted_pods)
        assert found.recheck_at is None or found.recheck_at >= NOW


@pytest.mark.parametrize(
    ("bound", "covered", "wanted"),
    [
        ({"min_available": IntOrPercent(2)}, Covered(3, 3, 9), Disruptions(3, 3, 2, 1)),
        ({"min_available": HALF}, Covered(3, 3, 5), Disruptions(5, 3, 3, 0)),
        (
            {"max_unavailable": IntOrPercent(25, percent=True)},
            Covered(3, 3, 3),
            Disruptions(3, 3, 2, 1),
        ),
        ({"max_unavailable": IntOrPercent(5)}, Covered(3, 2, 3), Disruptions(3, 2, 0, 2)),
        ({"max_unavailable": IntOrPercent(1)}, Covered(0, 0, 0), Disruptions(0, 0, 0, 0)),
        ({}, Covered(3, 3, 3), Disruptions(0, 3, 0, 0)),
    ],
)
def test_bounds(bound: dict[str, IntOrPercent], covered: Covered, wanted: Disruptions) -> None:
    """Numbers count against the pods that there are, shares against those that there should be."""
    assert disruptions(PodDisruptionBudgetSpec(**bound), covered) == wanted


def pods_of(*controllers: str | None) -> list[MatchedPod]:
    """Pods that are Ready, of these controllers."""
    return [MatchedPod(f"p{n}", ready=True, controller=c) for n, c in enumerate(controllers)]


@pytest.mark.parametrize(
    ("controllers", "scale"),
    [
        (("rs-1", "rs-2", "rs-2"), 3),
        (("rs-1", "alone"), 7),
        (("alone", "alone", None), 4),
        ((None, None), 0),
        (("orphan",), 2),
        (("alone", "unknown"), Unscaled.NOT_FOUND),
        (("ds",), Unscaled.NO_SCALE),
    ],
)
def test_scale(controllers: tuple[str | None, ...], scale: int | Unscaled) -> None:
    """Each controller counts once, a Deployment for its ReplicaSets, and lone pods never.

    A ReplicaSet whose Deployment is not there stands for itself, by its live scale.
    """
    assert expected_scale(pods_of(*controllers), WORKLOADS) == scale


def test_a_sync_that_does_not_find_a_controller_allows_nothing() -> None:
    """It leaves everything else in the status as it was, the generation that it saw included."""
    before = Status(1, 3, 3, 2, 1, (Disrupted("p0", NOW),), allowed_condition(1))
    found = sync(Budget(MAX_ONE, 2, before), pods_of("unknown"), WORKLOADS, NOW)
    message = "found no controllers for pod"
    condition = Condition(holds=False, reason="SyncFailed", message=message)
    assert found.status == before._replace(disruptions_allowed=0, condition=condition)
    assert found.writes
    assert found.failure is Unscaled.NOT_FOUND
    assert failed(found.status, message) == found.status


def test_a_number_of_pods_asks_for_no_controller() -> None:
    """Pods of a DaemonSet, or of something unknown, can be protected by ``minAvailable: 2``."""
    found = sync(Budget(MIN_TWO, 1), pods_of("ds", "unknown", None), {}, NOW)
    assert found.failure is None
    assert found.status.disruptions_allowed == 1


def test_a_share_of_pods_asks_for_controllers() -> None:
    """Even one that is not there fails the sync, where a share is to be taken of its scale."""
    spec = PodDisruptionBudgetSpec(min_available=HALF)
    assert sync(Budget(spec, 1), pods_of("ds"), WORKLOADS, NOW).failure is Unscaled.NO_SCALE


@pytest.mark.parametrize(
    ("age", "kept", "healthy"),
    [
        (DELETION_TIMEOUT - 1, True, 0),
        (DELETION_TIMEOUT, True, 1),
        (DELETION_TIMEOUT + 1, False, 1),
    ],
)
def test_time_runs_out(age: int, *, kept: bool, healthy: int) -> None:
    """At the very end of its time a pod is healthy again, while its entry is still kept."""
    pods = pods_of("alone")
    found = still_disrupted([Disrupted("p0", NOW - age)], pods, NOW)
    assert bool(found) == kept
    assert healthy_pods(pods, found, NOW) == healthy


def test_entries_of_pods_that_go_or_are_gone_are_dropped() -> None:
    """They have served their purpose as soon as the cache shows the deletion."""
    pods = [MatchedPod("going", ready=True, terminating=True)]
    granted = [Disrupted("going", NOW), Disrupted("gone", NOW)]
    assert still_disrupted(granted, pods, NOW) == ()
    assert healthy_pods(pods, (), NOW) == 0


def test_a_condition_with_a_message_is_left_alone() -> None:
    """Nothing is written only because the right condition says more than it must."""
    told = Condition(holds=False, reason="InsufficientPods", message="as an operator put it")
    before = Status(1, 1, 1, 2, 0, (), told)
    found = sync(Budget(MIN_TWO, 1, before), pods_of("alone"), WORKLOADS, NOW)
    assert not found.writes
    assert found.status is before


def test_a_budget_that_is_synced_again_after_a_failure_says_so() -> None:
    """The condition alone is reason enough to write."""
    before = failed(Status(1, 1, 1, 2, 0), "found no controllers for pod")
    found = sync(Budget(MIN_TWO, 1, before), pods_of("alone"), WORKLOADS, NOW)
    assert found.writes
    assert found.status.condition == allowed_condition(0)


@pytest.mark.parametrize(
    ("selector", "covered"),
    [(None, False), (LabelSelector(), True), (LabelSelector(match_labels={"a": "b"}), False)],
)
def test_selectors(selector: LabelSelector | None, *, covered: bool) -> None:
    """An empty selector matches all pods of the namespace, and none at all matches none."""
    assert covers(selector, {}) == covered


@pytest.mark.parametrize(
    ("reason", "terminating", "terminal", "age", "wait"),
    [
        ("EvictionByEvictionAPI", False, False, 0, STALE_DISRUPTION_TIMEOUT),
        ("EvictionByEvictionAPI", False, False, STALE_DISRUPTION_TIMEOUT, 0),
        ("EvictionByEvictionAPI", False, False, 500, 0),
        ("EvictionByEvictionAPI", True, False, 500, None),
        ("EvictionByEvictionAPI", False, True, 500, None),
        ("TerminationByKubelet", False, False, 500, None),
    ],
)
def test_stale_conditions(
    reason: str, age: int, wait: int | None, *, terminating: bool, terminal: bool
) -> None:
    """What was announced and did not happen is taken back, unless the kubelet announced it."""
    target = DisruptionTarget(reason, NOW - age)
    assert stale_in(target, terminating=terminating, terminal=terminal, now=NOW) == wait


def test_budgets_of_the_api_are_read() -> None:
    """All of the status is read, and pods whose evictions were granted in the order of names."""
    at = "1970-01-01T00:00:10Z"
    raw = {
        "metadata": {"name": "guard", "generation": 3},
        "spec": {"minAvailable": 2},
        "status": {
            "observedGeneration": 2,
            "expectedPods": 5,
            "currentHealthy": 4,
            "desiredHealthy": 2,
            "disruptionsAllowed": 1,
            "disruptedPods": {"b": at, "a": at},
            "conditions": [
                {"type": "Other", "status": "True"},
                {"type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods"},
            ],
        },
    }
    pods = (Disrupted("a", 10), Disrupted("b", 10))
    wanted = Budget(MIN_TWO, 3, Status(2, 5, 4, 2, 1, pods, allowed_condition(1)))
    assert stored_budget(decode(raw, PodDisruptionBudget)) == wanted
