"""What a limit leaves undecided, asked of fewer replicas: said for what it is, not as an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from .asked import Case
from .leaving_open import with_doubts
from .solver.limits import MAX_MEMORY, MAX_STATES, TIME_LIMIT
from .solver.result import CheckResult, PropertyResult, Verdict

Explore: TypeAlias = Callable[[Case], CheckResult]


class Decided(NamedTuple):
    """What came out for so many replicas."""

    replicas: int
    result: CheckResult


def with_smaller(case: Case, result: CheckResult, explore: Explore) -> CheckResult:
    """The result, which says for how many replicas less what is undecided was decided.

    Sizes are asked from the smallest on, all of them together no longer than the search that gave
    up.
    """
    if result.statistics.stopped_by not in {TIME_LIMIT, MAX_STATES, MAX_MEMORY}:
        return result
    found = _largest(case, explore)
    if found is None:
        return result
    answers = {(p.property.id, p.property.subject): p for p in found.result.properties}
    properties = tuple(_beside(each, found.replicas, answers) for each in result.properties)
    return replace(result, properties=properties)


def _largest(case: Case, explore: Explore) -> Decided | None:
    """The largest size of which every state was seen within the time that there is."""
    bounds = case.check.spec.bounds
    left = bounds.time_limit_seconds
    found: Decided | None = None
    for replicas in case.sizes:
        if left is not None and left <= 0:
            break
        smaller = case.resized(replicas, left)
        if smaller is None:
            break
        result = explore(smaller)
        if not result.statistics.exhaustive:
            break
        found = Decided(replicas, with_doubts(result, smaller))
        left = None if left is None else left - result.statistics.seconds
    return found


def _beside(
    undecided: PropertyResult, replicas: int, answers: dict[tuple[str, str], PropertyResult]
) -> PropertyResult:
    """What is undecided, with what came out for fewer replicas."""
    answer = answers.get((undecided.property.id, undecided.property.subject))
    if undecided.verdict is not Verdict.INCONCLUSIVE or answer is None:
        return undecided
    if answer.verdict is Verdict.INCONCLUSIVE:
        return undecided
    what = f"{'vacuous' if answer.vacuous else answer.verdict} for {replicas} replicas"
    if answer.trace is not None:
        what += f" ({len(answer.trace.steps)} steps)"
    return replace(undecided, reason=f"{undecided.reason}; {what}, every state")
