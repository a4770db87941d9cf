# ruff: noqa: PLR0917 - a bundle costs machine code more than many arguments
"""Which numbers the states of a compiled search have, by what the values in them add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .arrays import COUNTS, MASK, MEASURES, SHIFT, WORD, Known, Long
from .jit import entry

if TYPE_CHECKING:
    from kubelemma.solver.projections import Key

FIRST_ROOM = 1 << 12
"""The room for the numbers of a key at first."""

_FREE = -1
_ODD = np.uint64(0x9E3779B97F4A7C15)
_32 = np.uint64(32)


def numbers(
    known: Known,
    words: Long,
    count: int,
    positions: Mapping[str, range],
    keys: Sequence[Key],
    most: int,
) -> list[Long | None]:
    """As `kubelemma.solver.search.Search.numbers`, of the first packed states."""
    return [_numbers(known, words[:count], positions, key, most) for key in keys]


def _numbers(
    known: Known, words: Long, positions: Mapping[str, range], key: Key, most: int
) -> Long | None:
    adds: Long = np.zeros(known.measures.shape[0], dtype=np.int64)
    places, counts = known.packing.places, known.packing.counts
    where: list[int] = []
    counted: list[tuple[int, ...]] = []
    for place, each in key.adds.items():
        for position in positions[place][:1]:
            first = int(places[position, MEASURES])
            adds[first : first + each.size] = each
            row = int(places[position, COUNTS])
            if row < 0:
                where += positions[place]
            else:
                counted += [(*counts[row + n].tolist(), first + n) for n in range(each.size)]
    fields: Long = np.array(counted, dtype=np.int64).reshape(-1, 4)
    room = FIRST_ROOM
    while room < 4 * most:
        found: Long = np.full(room, _FREE, dtype=np.int64)
        if gather(places, fields, words, np.array(where, dtype=np.int64), adds, key.base, found):
            distinct = np.sort(found[found != _FREE])
            return distinct if distinct.size <= most else None
        room *= 4
    return None


@entry
def gather(
    places: Long, fields: Long, words: Long, where: Long, adds: Long, base: int, found: Long
) -> bool:
    """Put the numbers of all states into a table, whose size is a power of two, each once.

    The values at ``where`` add to a number, and so do the values that ``fields`` counts: word,
    shift and mask of how often each is there, and its row in ``adds``. False if the table gets half
    full.
    """
    size, taken = found.shape[0], 0
    for state in range(words.shape[0]):
        number = np.int64(base)
        for i in range(where.shape[0]):
            p = where[i]
            value = (words[state, places[p, WORD]] >> places[p, SHIFT]) & places[p, MASK]
            number += adds[places[p, MEASURES] + value]
        for i in range(fields.shape[0]):
            times = (words[state, fields[i, WORD]] >> fields[i, SHIFT]) & fields[i, MASK]
            number += times * adds[fields[i, 3]]
        h = np.uint64(number) * _ODD
        at = np.int64(h >> _32) & (size - 1)
        while found[at] != _FREE and found[at] != number:
            at = (at + 1) & (size - 1)
        if found[at] == _FREE:
            if 2 * (taken + 1) > size:
                return False
            found[at] = number
            taken += 1
    return True
