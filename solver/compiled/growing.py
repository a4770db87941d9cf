"""Flat arrays that grow, and arrays so roomy that they need not."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .arrays import BATCH, CACHE_LINE, PARTS, REGIONS, SPARE, Candidates, Long, Small, States

A = TypeVar("A", bound=NDArray[Any])

MOST_STATES = 2**31 - 1
"""States are numbered in 32 bits."""

LEAST_MEMORY = 1 << 20
"""The bytes of room below which there is no sense in asking for less."""

AT_ONCE = 1 << 16
"""The states that are packed or unpacked at a time."""

FIRST_SLOTS = 1 << 8
"""The slots of a region at first."""

FULLNESS = 0.75
"""The part of the slots of the table of states that may be taken."""

BYTES_PER_EDGE = 8
"""What an edge takes: its target and the move."""


def longer(array: A, length: int) -> A:
    """A copy with room for so many along the first axis."""
    grown = np.empty((length, *array.shape[1:]), dtype=array.dtype)
    grown[: array.shape[0]] = array
    return grown  # type: ignore[return-value]  # the same kind of array, which numpy cannot say


class Pool:
    """Integers in a growing array, one after the other."""

    def __init__(self) -> None:
        self._array: Long = np.zeros(64, dtype=np.int64)
        self.used = 0

    @property
    def array(self) -> Long:
        """All numbers, and room after them; another array after an addition."""
        return self._array

    def add(self, numbers: Iterable[int]) -> int:
        """Append numbers; gives the place of the first."""
        new = list(numbers)
        place, self.used = self.used, self.used + len(new)
        while self.used > self._array.shape[0]:
            self._array = longer(self._array, 2 * self._array.shape[0])
        self._array[place : self.used] = new
        return place


def machine_memory() -> int:
    """The bytes of memory that the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def room_for_states(words: int, goals: int, most: int | None) -> States:
    """Room for as many states as may be found, or as the machine could hold.

    The system gives memory to what is written to only, so room costs nothing, and nothing needs to
    be copied when a search grows. Where the system gives no such room, there is less.
    """
    memory = machine_memory()
    while True:
        size = min(MOST_STATES, memory // (8 * words + 8))
        size = max(size if most is None else min(size, most + 1), 1)
        try:
            return _room(size, words, goals)
        except MemoryError:
            if memory <= LEAST_MEMORY:
                raise
            memory //= 2


def wider(rows: int, words: int, least: int) -> Long:
    """Room for states that have become wider: as many as before, or as many as there is room for.

    Raises:
        MemoryError: there is not even room for as many as are known.
    """
    while True:
        rows = max(min(rows, machine_memory() // (8 * words + 8)), least)
        try:
            return np.empty((rows, words), dtype=np.int64)
        except MemoryError:
            if rows == least:
                raise
            rows //= 2


def room_for_edges() -> tuple[Small, Small]:
    """Room for the targets and moves of as many edges as the machine could hold."""
    memory = machine_memory()
    while True:
        size = max(memory // BYTES_PER_EDGE, 1)
        try:
            return np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
        except MemoryError:
            if memory <= LEAST_MEMORY:
                raise
            memory //= 2


def _room(size: int, words: int, goals: int) -> States:
    return States(
        words=np.empty((size, words), dtype=np.int64),
        parents=np.empty(size, dtype=np.int32),
        moves=np.empty(size, dtype=np.int32),
        slots=empty_slots(FIRST_SLOTS),
        reached=np.empty((goals, size), dtype=np.uint8),
    )


def empty_slots(room: int) -> Long:
    """A table of states without any, of so many slots in each region."""
    return np.zeros(REGIONS * (room + SPARE), dtype=np.int64)


def slots_for(states: int) -> int:
    """The slots that each region needs for so many states in all."""
    room = FIRST_SLOTS
    while REGIONS * room * FULLNESS < states:
        room *= 2
    return room


def room_for_candidates(size: int, words: int) -> Candidates:
    """Room for so many candidates."""
    # What two workers write to at once shares no cache line.
    row = CACHE_LINE // 8
    return Candidates(
        words=np.empty((size, words), dtype=np.int64),
        hashes=np.empty(size, dtype=np.int64),
        sources=np.empty(size, dtype=np.int32),
        moves=np.empty(size, dtype=np.int32),
        ids=np.empty(size, dtype=np.int64),
        places=np.empty(size, dtype=np.int64),
        fresh=np.empty(size, dtype=np.int32),
        ready=np.zeros(BATCH, dtype=np.uint8),
        spans=np.zeros((BATCH, 2), dtype=np.int64),
        dealt=np.empty((PARTS, size), dtype=np.int32),
        starts=np.zeros(PARTS, dtype=np.int64),
        shares=np.zeros((PARTS, row), dtype=np.int64),
        news=np.zeros((PARTS, row), dtype=np.int64),
    )
