"""Several workers on one search: each has its own room to work in; a thread each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kubelemma.model.system import System

from .arrays import CACHE_LINE, STATUSES, Work
from .layout import choices_of

T = TypeVar("T")
N = TypeVar("N", np.int64, np.uint8)
A = TypeVar("A")

QUESTIONS = 1 << 22
"""The room for questions of one worker, more than the states of a batch can raise."""

RECENT = 1 << 12
MOVES = 1 << 6


class Crew:
    """So many threads, of which the caller's is the first; with a single worker there is no other.

    They start what others finish, so nothing may depend on who does what.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size - 1) if size > 1 else None

    def each(self, task: Callable[[int, A], T], items: Sequence[A]) -> list[T]:
        """Do a task for each item, with the number of the worker: who is free takes the next."""
        if self._threads is None or len(items) == 1:
            return [task(0, item) for item in items]
        results: list[Any] = [None] * len(items)
        todo = iter(range(len(items)))

        def work(worker: int) -> None:
            for number in todo:
                results[number] = task(worker, items[number])

        others = [self._threads.submit(work, worker) for worker in range(1, self.size)]
        try:
            work(0)
        finally:
            for other in others:
                other.result()
        return results


def shares(begin: int, end: int, size: int) -> Sequence[tuple[int, int]]:
    """The range in so many parts of about the same length, in order."""
    length = end - begin
    ends = [begin + length * k // size for k in range(size + 1)]
    return list(pairwise(ends))


def _own(length: int, kind: type[N]) -> NDArray[N]:
    """Zeros that share no cache line with what another worker writes to."""
    apart = CACHE_LINE // np.dtype(kind).itemsize
    return np.zeros(length + 2 * apart, dtype=kind)[apart : apart + length]


def room_to_work(
    system: System, *, words: int, sums: int, key: int, tracks: int, goals: int, duties: int
) -> Work:
    """Room for one worker, for packed states, sums and keys of so many words."""
    width = sum(len(where) for where in system.positions.values())
    cells, choices = len(system.positions), choices_of(system) + 1
    nexts, times = _own(width, np.int64), _own(width, np.int64)
    nexts[:] = np.arange(1, width + 1)
    times[:] = 1
    widest = max((tally.width for tally in system.tallies), default=1)
    return Work(
        row=_own(width, np.int64),
        nexts=nexts,
        times=times,
        after=_own(width, np.int64),
        summary=_own(len(system.summaries), np.int64),
        summary_after=_own(len(system.summaries), np.int64),
        sums=_own(sums, np.int64),
        sums_after=_own(sums, np.int64),
        key=_own(key, np.int64),
        step_key=_own(key, np.int64),
        where=_own(cells, np.int64),
        step_where=_own(cells, np.int64),
        total=_own(max(widest, 1), np.int64),
        base=_own(words, np.int64),
        answers=_own(choices, np.int64),
        bindings=_own(choices * cells, np.int64).reshape(choices, cells),
        status=_own(STATUSES, np.int64),
        questions=np.empty(QUESTIONS, dtype=np.int64),
        recent=_own(RECENT, np.int64),
        open=np.ones(tracks, dtype=np.uint8),
        denied=_own(tracks, np.int64),
        spoke=_own(tracks, np.uint8),
        spoken=_own(tracks, np.uint8),
        rests=_own(tracks, np.uint8),
        found=np.full((tracks, 2), -1, dtype=np.int64),
        fired=_own(MOVES, np.int64),
        outside=_own(len(system.bounds), np.uint8),
        cut=_own(len(system.bounds), np.int64),
        goals=_own(goals, np.uint8),
        duties=_own(duties, np.uint8),
    )
