"""What a limit leaves undecided, asked of fewer replicas: said for what it is, not as an answer."""

from __future__ import annotations

import time
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


SHARE = 0.2
"""The part of the time limit of a question that is kept for fewer replicas."""


def kept_seconds(case: Case) -> float:
    """What a search has to leave of the time limit, where it may be asked of fewer replicas."""
    limit = case.check.spec.bounds.time_limit_seconds
    return SHARE * limit if case.sizes and limit is not None else 0.0


def with_smaller(
    case: Case, result: CheckResult, explore: Explore, spent_seconds: float = 0.0
) -> CheckResult:
    """The result, which says for how many replicas less what is undecided was decided.

    Sizes are asked from the smallest on, all of them together within what is left of the time
    limit, of which so much of the processor's time is spent.
    """
    if result.statistics.stopped_by not in {TIME_LIMIT, MAX_STATES, MAX_MEMORY}:
        return result
    found = _largest(case, explore, spent_seconds)
    if found is None:
        return result
    answers = {(p.property.id, p.property.subject): p for p in found.result.properties}
    properties = tuple(_beside(each, found.replicas, answers) for each in result.properties)
    return replace(result, properties=properties)


def _largest(case: Case, explore: Explore, spent_seconds: float) -> Decided | None:
    """The largest size of which every state was seen within the time that there is."""
    limit = case.check.spec.bounds.time_limit_seconds
    begun = time.process_time() - spent_seconds
    found: Decided | None = None
    for replicas in case.sizes:
        left = None if limit is None else limit - (time.process_time() - begun)
        if left is not None and left <= 0:
            break
        smaller = case.resized(replicas, left)
        if smaller is None:
            break
        result = explore(smaller)
        if not result.statistics.exhaustive:
            break
        found = Decided(replicas, with_doubts(result, smaller))
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
