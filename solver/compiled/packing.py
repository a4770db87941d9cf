# ruff: noqa: PLR0913, PLR0917 - a bundle costs machine code more than many arguments
"""Packed states, and back: by position, or of a counted family by how many members hold a value."""

from __future__ import annotations

import numpy as np

from .arrays import (
    BEGIN_OF,
    COUNTS,
    END_OF,
    FIRST_OF,
    INVERSES,
    MASK,
    MODULUS,
    ORDERS,
    SHIFT,
    VALUES_OF,
    WORD,
    Long,
    Packing,
    Small,
)
from .jit import entry, inlined


@inlined
def take_apart(
    packing: Packing, words: Long, state: int, row: Long, nexts: Long, times: Long
) -> None:
    """The runs of a state: values of families where they begin, with their length and the next one.

    A cell is always a run of its own, which ``nexts`` and ``times`` have to say already.
    """
    places, families = packing.places, packing.families
    cells = families[0, BEGIN_OF] if families.shape[0] else places.shape[0]
    for p in range(cells):
        row[p] = (words[state, places[p, WORD]] >> places[p, SHIFT]) & places[p, MASK]
    for f in range(families.shape[0]):
        if families[f, VALUES_OF]:
            _take_counts(packing, words, state, f, row, nexts, times)
        else:
            _take_members(packing, words, state, f, row, nexts, times)


@inlined
def _take_members(
    packing: Packing, words: Long, state: int, f: int, row: Long, nexts: Long, times: Long
) -> None:
    places = packing.places
    begin, end = packing.families[f, BEGIN_OF], packing.families[f, END_OF]
    for p in range(begin, end):
        row[p] = (words[state, places[p, WORD]] >> places[p, SHIFT]) & places[p, MASK]
    while begin < end:
        after = begin + 1
        while after < end and row[after] == row[begin]:
            after += 1
        nexts[begin], times[begin] = after, after - begin
        begin = after


@inlined
def _take_counts(
    packing: Packing, words: Long, state: int, f: int, row: Long, nexts: Long, times: Long
) -> None:
    """The runs stand side by side, and the last leads to the end; other positions mean nothing."""
    counts, first = packing.counts, packing.families[f, FIRST_OF]
    at = packing.families[f, BEGIN_OF]
    for value in range(packing.families[f, VALUES_OF]):
        i = first + value
        number = (words[state, counts[i, WORD]] >> counts[i, SHIFT]) & counts[i, MASK]
        if number:
            row[at], nexts[at], times[at] = value, at + 1, number
            at += 1
    nexts[at - 1] = packing.families[f, END_OF]


@entry
def unpack(packing: Packing, words: Long, begin: int, end: int, rows: Small) -> None:
    """The numbers of all positions of the states of a range; families are sorted."""
    places, families, counts = packing.places, packing.families, packing.counts
    for state in range(begin, end):
        for p in range(places.shape[0]):
            if places[p, COUNTS] < 0:
                field = words[state, places[p, WORD]] >> places[p, SHIFT]
                rows[state - begin, p] = field & places[p, MASK]
        for f in range(families.shape[0]):
            p = families[f, BEGIN_OF]
            for value in range(families[f, VALUES_OF]):
                i = families[f, FIRST_OF] + value
                number = (words[state, counts[i, WORD]] >> counts[i, SHIFT]) & counts[i, MASK]
                for _ in range(number):
                    rows[state - begin, p] = value
                    p += 1


@entry
def pack(packing: Packing, rows: Small, begin: int, words: Long) -> None:
    """Put the numbers of all positions together, as the states from ``begin`` on."""
    places, counts = packing.places, packing.counts
    for state in range(begin, begin + rows.shape[0]):
        for w in range(words.shape[1]):
            words[state, w] = 0
        for p in range(places.shape[0]):
            value, first = np.int64(rows[state - begin, p]), places[p, COUNTS]
            if first < 0:
                words[state, places[p, WORD]] += value << places[p, SHIFT]
            else:
                words[state, counts[first + value, WORD]] += (
                    np.int64(1) << counts[first + value, SHIFT]
                )


@entry
def count_orders(
    packing: Packing,
    words: Long,
    begin: int,
    end: int,
    orders: Long,
    row: Long,
    nexts: Long,
    times: Long,
    product: Long,
    sums: Long,
) -> None:
    """Add up in how many orders the members of families can be, in all states of a range.

    Each sum is by one of the moduli in ``orders``, which see.
    """
    width = packing.places.shape[0]
    for state in range(begin, end):
        take_apart(packing, words, state, row, nexts, times)
        for i in range(orders.shape[0]):
            product[i] = orders[i, ORDERS]
        p = np.int64(0)
        while p < width:
            if times[p] > 1:
                for i in range(orders.shape[0]):
                    product[i] = product[i] * orders[i, INVERSES + times[p]] % orders[i, MODULUS]
            p = nexts[p]
        for i in range(orders.shape[0]):
            sums[i] += product[i]
