"""The eviction subresource: what POST pods/NAME/eviction answers, and what it writes before.

An eviction is up to three writes, between which anybody may write: the status of the budget, the
condition DisruptionTarget of the pod, its deletion. The first alone is guarded by the budget's
version, so it is where the budget is spent; what is spent stays spent if the pod is not deleted,
until the disruption controller gives it back. Whoever carries an eviction out asks `first_step`,
does what it says, and asks again after a conflict:

- `Refuse`: nothing is written.
- `Spend`: PUT the status with the version of the budget that was read. After a conflict the budget,
  and nothing else, is read again: `spend`, unless `after_spending_conflict` says enough. Once
  stored, `AFTER_SPENDING` follows.
- `Remove`: write the condition, then DELETE. Where it is pinned, both are refused with a conflict
  if the pod is no longer what it was, the condition apart; `after_removal_conflict` says what comes
  then.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from kubelemma.model.components.disruption.budget import (
    SYNC_FAILED,
    Budget,
    Disrupted,
    Status,
    allowed_condition,
)

RETRIES = 20
"""Attempts in all, half a second apart, at the budget's status and at a pinned removal."""
MAX_DISRUPTED_PODS = 2000
"""Granted evictions that may wait for the disruption controller (``MaxDisruptedPodSize``)."""
RETRY_AFTER_SECONDS = 10
EVICTION_BY_EVICTION_API = "EvictionByEvictionAPI"
"""The reason of the condition DisruptionTarget."""


class Answer(Enum):
    """What a client is told."""

    EVICTED = "evicted"
    POD_NOT_FOUND = "there is no such pod"
    BUDGET_NOT_FOUND = "the budget went while the eviction was retried"
    CONFLICT = "somebody else kept writing"
    SEVERAL_BUDGETS = "more than one budget matches"
    NOT_PROCESSED = "the budget is still being processed"
    EXHAUSTED = "the budget allows no disruption"
    NEGATIVE = "the budget allows a negative number of disruptions"
    TOO_MANY_DISRUPTED = "too many granted evictions wait for the disruption controller"

    @property
    def code(self) -> int:
        """The HTTP status."""
        return _CODES[self]

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the client should ask again, where it is told."""
        return RETRY_AFTER_SECONDS if self is Answer.NOT_PROCESSED else None


_CODES = {
    Answer.EVICTED: 201,
    Answer.NEGATIVE: 403,
    Answer.TOO_MANY_DISRUPTED: 403,
    Answer.POD_NOT_FOUND: 404,
    Answer.BUDGET_NOT_FOUND: 404,
    Answer.CONFLICT: 409,
    Answer.NOT_PROCESSED: 429,
    Answer.EXHAUSTED: 429,
    Answer.SEVERAL_BUDGETS: 500,
}


class EvictedPod(NamedTuple):
    """What an eviction reads of its pod, live."""

    phase: str
    ready: bool
    terminating: bool = False


class Refuse(NamedTuple):
    """Nothing is written."""

    answer: Answer


class Spend(NamedTuple):
    """The status that is PUT to the one budget that matches."""

    status: Status


class Remove(NamedTuple):
    """The condition is written, then the pod is deleted.

    Attributes:
        pinned: whether the pod must be what was read, by its version.
        again: whether a conflict has the eviction start over, with a pod that is read anew.
    """

    pinned: bool
    again: bool = False


Step: TypeAlias = Refuse | Spend | Remove

AFTER_SPENDING = Remove(pinned=False)
"""A pod whose eviction the budget has paid for goes, whatever has become of it."""


def first_step(
    pod: EvictedPod, budgets: Sequence[Budget], name: str, now: int, *, versioned: bool = False
) -> Step:
    """What an eviction does first.

    Args:
        pod: as it is when the request comes, or comes back to it.
        budgets: those of the namespace that match the pod.
        name: the pod's.
        now: the time in seconds.
        versioned: whether the request demands a version of the pod, which then counts instead.
    """
    if ignores_budgets(pod):
        pinned = not _is_over(pod) and not versioned
        return Remove(pinned=pinned, again=pinned)
    if len(budgets) > 1:
        return Refuse(Answer.SEVERAL_BUDGETS)
    if not budgets:
        return Remove(pinned=False)
    if not pod.ready and spares_unready(budgets[0]):
        return Remove(pinned=True)
    return spend(budgets[0], name, now)


def ignores_budgets(pod: EvictedPod) -> bool:
    """Whether budgets are not asked: nobody is disrupted (``canIgnorePDB``).

    A pod that is Pending goes at once, though its budget may count it as expected.
    """
    return _is_over(pod) or pod.phase == "Pending"


def _is_over(pod: EvictedPod) -> bool:
    """Whether a pod cannot become Ready any more (it is not ``shouldEnforceResourceVersion``)."""
    return pod.phase in ("Succeeded", "Failed") or pod.terminating


def spares_unready(budget: Budget) -> bool:
    """Whether pods that are not Ready may go without spending of the budget.

    Always where the policy says AlwaysAllow. Otherwise only while enough others are healthy, which
    they never are where none need be; then an unready pod costs as much as a ready one.
    """
    if budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
        return True
    status = budget.status
    return 0 < status.desired_healthy <= status.current_healthy


def spend(budget: Budget, name: str, now: int) -> Spend | Refuse:
    """The budget with one eviction less, unless it has none (``checkAndDecrement``).

    Neither the pod nor the policy is looked at again after a conflict, nor the selector.
    """
    status = budget.status
    if status.observed_generation < budget.generation:
        return Refuse(Answer.NOT_PROCESSED)
    if status.disruptions_allowed < 0:
        return Refuse(Answer.NEGATIVE)
    if len(status.disrupted_pods) > MAX_DISRUPTED_PODS:
        return Refuse(Answer.TOO_MANY_DISRUPTED)
    if status.disruptions_allowed == 0:
        return Refuse(Answer.EXHAUSTED)
    left = status.disruptions_allowed - 1
    others = (entry for entry in status.disrupted_pods if entry.pod != name)
    return Spend(
        status._replace(
            disruptions_allowed=left,
            disrupted_pods=tuple(sorted((*others, Disrupted(name, now)))),
            condition=status.condition if left else allowed_condition(left),
        )
    )


def after_spending_conflict(attempts: int) -> Answer | None:
    """What a client is told when the PUT of a budget conflicts; None if it is tried again.

    A time-out is prepared for this case and never sent: after the last attempt it is the conflict
    itself that is left.
    """
    return None if attempts < RETRIES else Answer.CONFLICT


def after_removal_conflict(
    removal: Remove, attempts: int, *, versioned: bool = False
) -> Answer | None:
    """What a client is told when a removal conflicts; None if the eviction starts over.

    Args:
        removal: what conflicted.
        attempts: how often a removal was tried, this one included.
        versioned: whether the request demanded a version of the pod.
    """
    if removal.again:
        return None if attempts < RETRIES else Answer.CONFLICT
    return Answer.NOT_PROCESSED if removal.pinned and not versioned else Answer.CONFLICT


def exhausted_message(name: str, status: Status) -> str:
    """Why a budget of this name allows nothing, as the client reads it."""
    told = status.condition
    said = told is not None and not told.holds and bool(told.message)
    refuses = f"The disruption budget {name} does not allow evicting pods currently"
    if said and told is not None and told.reason == SYNC_FAILED:
        return f"{refuses} because it failed sync: {told.message}"
    if status.current_healthy <= status.desired_healthy:
        needs = f"needs {status.desired_healthy} healthy pods"
        return f"The disruption budget {name} {needs} and has {status.current_healthy} currently"
    return f"{refuses} ({told.reason}): {told.message}" if said and told is not None else refuses
