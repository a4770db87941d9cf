"""What an eviction does and answers: laws, and the cases that no table has."""

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
)
from kubelemma.model.components.disruption.decision import MatchedPod, Workload, sync
from kubelemma.model.components.eviction.decision import (
    AFTER_SPENDING,
    MAX_DISRUPTED_PODS,
    RETRIES,
    Answer,
    EvictedPod,
    Refuse,
    Remove,
    Spend,
    Step,
    after_removal_conflict,
    after_spending_conflict,
    exhausted_message,
    first_step,
    ignores_budgets,
    spend,
)
from kubelemma.model.objects.disruption import PodDisruptionBudgetSpec
from kubelemma.model.objects.quantity import IntOrPercent

NOW = 1000
READY = EvictedPod("Running", ready=True)
UNREADY = EvictedPod("Running", ready=False)
PAID = Status(1, 3, 3, 2, 1, (), allowed_condition(1))
SPENT = Status(1, 3, 2, 2, 0, (), allowed_condition(0))
HURT = Status(1, 3, 1, 2, 0, (), allowed_condition(0))
MAX_ONE = PodDisruptionBudgetSpec(max_unavailable=IntOrPercent(1))

pods = st.builds(
    EvictedPod,
    st.sampled_from(("Pending", "Running", "Succeeded", "Failed", "Unknown", "")),
    st.booleans(),
    st.booleans(),
)
statuses = st.builds(
    Status,
    st.integers(0, 2),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(-1, 3),
    st.just(()) | st.just((Disrupted("other", NOW - 1),)),
    st.none() | st.builds(allowed_condition, st.integers(0, 1)),
)
specs = st.builds(
    PodDisruptionBudgetSpec,
    unhealthy_pod_eviction_policy=st.sampled_from((None, "IfHealthyBudget", "AlwaysAllow")),
)
budgets = st.builds(Budget, specs, st.integers(1, 2), statuses)


def step(pod: EvictedPod, *found: Budget, versioned: bool = False) -> Step:
    """What an eviction of ``p`` does first."""
    return first_step(pod, found, "p", NOW, versioned=versioned)


def budget(status: Status, policy: str | None = None, generation: int = 1) -> Budget:
    """A budget that says this."""
    spec = PodDisruptionBudgetSpec(unhealthy_pod_eviction_policy=policy)  # type: ignore[arg-type]
    return Budget(spec, generation, status)


@given(pods, budgets)
def test_a_healthy_pod_costs_one(pod: EvictedPod, found: Budget) -> None:
    """A pod that is Ready and could stay goes only if the budget pays one for it."""
    taken = step(pod, found)
    if pod.ready and not ignores_budgets(pod):
        assert not isinstance(taken, Remove)
    if isinstance(taken, Spend):
        assert taken.status.disruptions_allowed == found.status.disruptions_allowed - 1 >= 0
        assert Disrupted("p", NOW) in taken.status.disrupted_pods
        assert set(found.status.disrupted_pods) <= set(taken.status.disrupted_pods)
        assert found.status.observed_generation >= found.generation


@given(budgets)
def test_what_is_granted_is_not_given_back_at_once(found: Budget) -> None:
    """A sync that sees the entry before the deletion allows no more than before."""
    taken = spend(found, "p0", NOW)
    names = [MatchedPod(f"p{n}", ready=True, controller="web") for n in range(3)]
    guarded = found._replace(spec=MAX_ONE)
    before = sync(guarded, names, {"web": Workload(3)}, NOW).status.disruptions_allowed
    if isinstance(taken, Spend):
        after = sync(guarded._replace(status=taken.status), names, {"web": Workload(3)}, NOW)
        assert after.status.disruptions_allowed == before - 1 == 0


@given(pods, budgets, budgets)
def test_two_budgets_are_not_supported(pod: EvictedPod, one: Budget, other: Budget) -> None:
    """A pod that two budgets match is not evicted at all, unless it disrupts nobody."""
    taken = step(pod, one, other)
    if ignores_budgets(pod):
        assert isinstance(taken, Remove)
    else:
        assert taken == Refuse(Answer.SEVERAL_BUDGETS)


@given(pods)
def test_without_a_budget_every_pod_goes(pod: EvictedPod) -> None:
    """Only one that is Pending must still be what was read, lest it has become Ready meanwhile."""
    removal = Remove(pinned=True, again=True)
    pending = pod.phase == "Pending" and not pod.terminating
    assert step(pod) == (removal if pending else Remove(pinned=False))


def test_a_version_in_the_request_counts_instead() -> None:
    """The server adds no version of its own to a removal for which a client demands one."""
    assert step(EvictedPod("Pending", ready=False), versioned=True) == Remove(pinned=False)


@pytest.mark.parametrize(
    ("policy", "status", "wanted"),
    [
        (None, SPENT, Remove(pinned=True)),
        (None, HURT, Refuse(Answer.EXHAUSTED)),
        ("IfHealthyBudget", SPENT, Remove(pinned=True)),
        ("IfHealthyBudget", HURT, Refuse(Answer.EXHAUSTED)),
        ("AlwaysAllow", HURT, Remove(pinned=True)),
        ("IfHealthyBudget", Status(1, 3, 0, 0, 0), Refuse(Answer.EXHAUSTED)),
    ],
)
def test_unready_pods(policy: str | None, status: Status, wanted: Step) -> None:
    """They go for nothing under AlwaysAllow, and otherwise while enough others are healthy."""
    assert step(UNREADY, budget(status, policy)) == wanted
    assert step(READY, budget(status, policy)) == Refuse(Answer.EXHAUSTED)


def test_unready_pods_do_not_wait_for_the_controller() -> None:
    """A status of an older generation is good enough to let them go."""
    stale = budget(SPENT, generation=2)
    assert step(UNREADY, stale) == Remove(pinned=True)
    assert step(READY, stale) == Refuse(Answer.NOT_PROCESSED)


@pytest.mark.parametrize(
    ("status", "generation", "answer"),
    [
        (PAID, 2, Answer.NOT_PROCESSED),
        (PAID._replace(disruptions_allowed=-1), 1, Answer.NEGATIVE),
        (SPENT, 1, Answer.EXHAUSTED),
    ],
)
def test_refusals(status: Status, generation: int, answer: Answer) -> None:
    """A budget refuses for the first reason that there is."""
    assert spend(budget(status, generation=generation), "p", NOW) == Refuse(answer)


@pytest.mark.parametrize("more", [0, 1])
def test_too_many_evictions_wait(more: int) -> None:
    """More than two thousand entries are too many, two thousand are not."""
    entries = tuple(Disrupted(f"p{n:04}", NOW) for n in range(MAX_DISRUPTED_PODS + more))
    found = spend(budget(PAID._replace(disrupted_pods=entries)), "q", NOW)
    assert isinstance(found, Spend) == (more == 0)
    assert more == 0 or found == Refuse(Answer.TOO_MANY_DISRUPTED)


def test_the_last_one_changes_the_condition() -> None:
    """The condition is written with the last disruption allowed, and left alone before."""
    told = Condition(holds=True, reason="SufficientPods", message="by hand")
    first = spend(budget(PAID._replace(disruptions_allowed=2, condition=told)), "p", NOW)
    last = spend(budget(PAID._replace(condition=told)), "p", NOW)
    assert isinstance(first, Spend)
    assert first.status.condition == told
    assert isinstance(last, Spend)
    assert last.status.condition == allowed_condition(0)


def test_a_pod_that_is_evicted_again_costs_again() -> None:
    """As long as it does not terminate, its entry is renewed and the budget pays once more."""
    before = PAID._replace(disrupted_pods=(Disrupted("p", NOW - 50),))
    found = spend(budget(before), "p", NOW)
    assert isinstance(found, Spend)
    assert found.status.disrupted_pods == (Disrupted("p", NOW),)
    assert found.status.disruptions_allowed == 0


@pytest.mark.parametrize(
    ("removal", "attempts", "versioned", "answer"),
    [
        (Remove(pinned=True, again=True), 1, False, None),
        (Remove(pinned=True, again=True), RETRIES - 1, False, None),
        (Remove(pinned=True, again=True), RETRIES, False, Answer.CONFLICT),
        (Remove(pinned=True), 1, False, Answer.NOT_PROCESSED),
        (Remove(pinned=True), 1, True, Answer.CONFLICT),
        (AFTER_SPENDING, 1, True, Answer.CONFLICT),
    ],
)
def test_conflicts(
    removal: Remove, attempts: int, answer: Answer | None, *, versioned: bool
) -> None:
    """A Pending pod is looked at again, an unready one is not, and the client is told to come back.

    A version that the client demanded is the client's own affair.
    """
    assert after_removal_conflict(removal, attempts, versioned=versioned) == answer


@pytest.mark.parametrize(
    ("attempts", "answer"), [(1, None), (RETRIES - 1, None), (RETRIES, Answer.CONFLICT)]
)
def test_conflicts_at_the_budget(attempts: int, answer: Answer | None) -> None:
    """The API server tries for ten seconds to write the budget, and gives up with the conflict."""
    assert after_spending_conflict(attempts) == answer


def test_answers_have_codes() -> None:
    """Clients tell answers by their codes; one of them says when to ask again."""
    assert {answer.code for answer in Answer} == {201, 403, 404, 409, 429, 500}
    assert [answer for answer in Answer if answer.retry_after] == [Answer.NOT_PROCESSED]


def test_a_budget_may_refuse_for_no_reason_that_it_tells() -> None:
    """Enough pods are healthy, and nothing is allowed: its controller has yet to see it."""
    message = exhausted_message("guard", PAID._replace(disruptions_allowed=0))
    assert message == "The disruption budget guard does not allow evicting pods currently"
