"""Flat arrays that grow by doubling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .arrays import FULL, Long, Small, States, Table
from .lookups import rehash_states, rehash_table

A = TypeVar("A", bound=NDArray[Any])

FIRST_KEYS = 1 << 10
FIRST_STATES = 1 << 10
MOST_STATES = 2**31 - 1
"""States are numbered in 32 bits."""


def longer(array: A, length: int) -> A:
    """A copy with room for so many along the last axis but one of a table, or the only one."""
    grown = np.empty((length, *array.shape[1:]), dtype=array.dtype)
    grown[: array.shape[0]] = array
    return grown  # type: ignore[return-value]  # the same kind of array, which numpy cannot say


class Pool:
    """Rows of so many integers, or single integers, one after the other."""

    def __init__(self, *shape: int) -> None:
        self._array: Long = np.zeros((64, *shape), dtype=np.int64)
        self._used = 0

    @property
    def array(self) -> Long:
        """All rows, and room after them; another array after an addition."""
        return self._array

    def add(self, rows: Iterable[Any]) -> int:
        """Append rows; gives the place of the first.

        Raises:
            OverflowError: a number does not fit.
        """
        new = list(rows)
        place, self._used = self._used, self._used + len(new)
        while self._used > self._array.shape[0]:
            self._array = longer(self._array, 2 * self._array.shape[0])
        if new:
            self._array[place : self._used] = np.array(new, dtype=np.int64)
        return place


def empty_table() -> Table:
    """A table without keys."""
    return Table(
        slots=np.zeros(2 * FIRST_KEYS, dtype=np.int64),
        records=np.zeros(8 * FIRST_KEYS, dtype=np.int64),
        used=np.zeros(3, dtype=np.int64),
    )


def grown_table(table: Table) -> Table:
    """The table with twice the room."""
    grown = Table(
        slots=np.zeros(2 * table.slots.shape[0], dtype=np.int64),
        records=longer(table.records, 2 * table.records.shape[0]),
        used=table.used.copy(),
    )
    grown.used[FULL] = 0
    rehash_table(grown)
    return grown


def room_for_states(width: int, goals: int, *, edges: bool) -> States:
    """Room for the first states of so many positions."""
    size = FIRST_STATES
    return States(
        rows=np.zeros((size, width), dtype=np.int32),
        parents=np.zeros(size, dtype=np.int32),
        moves=np.zeros(size, dtype=np.int32),
        slots=np.zeros(2 * size, dtype=np.int64),
        reached=np.zeros((goals, size), dtype=np.uint8),
        offsets=np.zeros(size + 1 if edges else 1, dtype=np.int64),
        targets=np.zeros(4 * size if edges else 0, dtype=np.int32),
        labels=np.zeros(4 * size if edges else 0, dtype=np.int32),
    )


def bytes_to_copy(states: States) -> int:
    """What growing takes at once, beside what is there already."""
    return sum(array.nbytes for array in states)


def more_states(states: States, count: int) -> States:
    """Twice the room for states, of which there are so many.

    Raises:
        OverflowError: they could no longer be numbered.
    """
    size = min(2 * states.rows.shape[0], MOST_STATES)
    if size == states.rows.shape[0]:
        raise OverflowError(f"there are more than {MOST_STATES} states")
    slots: Long = np.zeros(2 * states.slots.shape[0], dtype=np.int64)
    rows: Small = longer(states.rows, size)
    rehash_states(rows, slots, count)
    reached = np.zeros((states.reached.shape[0], size), dtype=np.uint8)
    reached[:, : states.reached.shape[1]] = states.reached
    edges = states.targets.shape[0] > 0
    return states._replace(
        rows=rows,
        parents=longer(states.parents, size),
        moves=longer(states.moves, size),
        slots=slots,
        reached=reached,
        offsets=longer(states.offsets, size + 1) if edges else states.offsets,
    )


def more_edges(states: States) -> States:
    """Twice the room for edges."""
    size = 2 * states.targets.shape[0]
    return states._replace(targets=longer(states.targets, size), labels=longer(states.labels, size))
