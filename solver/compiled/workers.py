"""Several workers on one search: each has its own room to work in; a thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from kubelemma.model.system import System

from .arrays import BATCH, STATUSES, Work
from .layout import choices_of

T = TypeVar("T")
A = TypeVar("A")

QUESTIONS = 1 << 21
"""The room for questions of one worker, more than the states of a batch can raise."""

RECENT = 1 << 12
MOVES = 1 << 6


class Crew:
    """Threads that do one thing each at a time; with a single worker there is no thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size - 1) if size > 1 else None

    def do(self, task: Callable[[A], T], arguments: Iterable[A]) -> list[T]:
        """Run the task with each argument, the first of them here."""
        first, *others = arguments
        if self._threads is None:
            return [task(first), *map(task, others)]
        waiting = [self._threads.submit(task, argument) for argument in others]
        try:
            mine = task(first)
        finally:
            results = [future.result() for future in waiting]
        return [mine, *results]


def shares(begin: int, end: int, size: int) -> Sequence[tuple[int, int]]:
    """The range in so many parts of about the same length, in order."""
    length = end - begin
    ends = [begin + length * k // size for k in range(size + 1)]
    return list(pairwise(ends))


def room_to_work(
    system: System, *, words: int, sums: int, key: int, tracks: int, goals: int, duties: int
) -> Work:
    """Room for one worker, for packed states, sums and keys of so many words."""
    width = sum(len(where) for where in system.positions.values())
    cells, choices = len(system.positions), choices_of(system) + 1
    widest = max((tally.width for tally in system.tallies), default=1)
    return Work(
        row=np.zeros(width, dtype=np.int64),
        nexts=np.zeros(width, dtype=np.int64),
        after=np.zeros(width, dtype=np.int64),
        summary=np.zeros(len(system.summaries), dtype=np.int64),
        summary_after=np.zeros(len(system.summaries), dtype=np.int64),
        sums=np.zeros(sums, dtype=np.int64),
        sums_after=np.zeros(sums, dtype=np.int64),
        key=np.zeros(key, dtype=np.int64),
        step_key=np.zeros(key, dtype=np.int64),
        where=np.zeros(cells, dtype=np.int64),
        step_where=np.zeros(cells, dtype=np.int64),
        total=np.zeros(max(widest, 1), dtype=np.int64),
        base=np.zeros(words, dtype=np.int64),
        answers=np.zeros(choices, dtype=np.int64),
        bindings=np.zeros((choices, cells), dtype=np.int64),
        status=np.zeros(STATUSES, dtype=np.int64),
        questions=np.empty(QUESTIONS, dtype=np.int64),
        recent=np.zeros(RECENT, dtype=np.int64),
        ready=np.zeros(BATCH, dtype=np.uint8),
        open=np.ones(tracks, dtype=np.uint8),
        denied=np.zeros(tracks, dtype=np.int64),
        spoke=np.zeros(tracks, dtype=np.uint8),
        spoken=np.zeros(tracks, dtype=np.uint8),
        found=np.full((tracks, 2), -1, dtype=np.int64),
        fired=np.zeros(MOVES, dtype=np.int64),
        outside=np.zeros(len(system.bounds), dtype=np.uint8),
        cut=np.zeros(len(system.bounds), dtype=np.int64),
        goals=np.zeros(goals, dtype=np.uint8),
        duties=np.zeros(duties, dtype=np.uint8),
    )
