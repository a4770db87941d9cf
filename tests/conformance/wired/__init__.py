"""Recorded problems of the real code, put as states of the model and answered by its rules.

Each module translates one table: ``compare`` takes a case and gives a `Found`. What the states of
the model cannot say is left out, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Case = dict[str, Any]
T = TypeVar("T")

EXPLORING = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
"""Whether all recorded problems are asked for, and not only a sample."""


class Found(NamedTuple):
    """What came of one case: nothing to say if it agrees, else why it is left out or differs."""

    skipped: str = ""
    difference: str = ""


AGREES = Found()


def sample(cases: Sequence[T], every: int) -> Sequence[T]:
    """Every so manieth case or run, or all of them where there is the time."""
    return cases if EXPLORING else cases[::every]


def matched(answer: object, expect: object, what: str) -> Found:
    """Whether an answer is the expected one."""
    if answer == expect:
        return AGREES
    return Found(difference=f"{what}: {answer} instead of {expect}")


def count(tally: Any, file: str, case: str, found: Found) -> None:
    """Count the case in the table that a run ends with."""
    if found.skipped:
        tally.skipped(file, found.skipped)
    elif found.difference:
        tally.failed(file, case, found.difference)
    else:
        tally.passed(file)


def differing(compare: Callable[[Case], Found], cases: Sequence[Case]) -> list[str]:
    """What differs, of all these cases."""
    found = (compare(case) for case in cases)
    return [one.difference for one in found if one.difference]
