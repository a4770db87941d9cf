# ruff: noqa: PLR0917 - a bundle of arrays costs machine code more than many arguments
"""The ground of the compiled loop: looking up answers, folding summaries, asking predicates.

Numba keeps on disk what `kubelemma.solver.compiled.kernels` is compiled to together with this; who
changes this file alone must touch that one too, or the old machine code is used on.
"""

from __future__ import annotations

import numpy as np

from .arrays import (
    DENIED,
    FULL,
    GRANTED,
    KEYS,
    LENGTH,
    NONE,
    SILENT,
    Long,
    Pools,
    Program,
    Scratch,
    Small,
    Table,
)
from .jit import compiled, entry, inlined

_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_29, _27, _31, TAG = np.uint64(29), np.uint64(27), np.uint64(31), np.uint64(33)
LOW = 0xFFFFFFFF
"""A slot keeps the bits of a hash from ``TAG`` on above a place of 32 bits, the ``LOW`` ones."""

PENDING = -1
"""Instead of an answer that is still to be given."""


@inlined
def mixed(number: int) -> np.uint64:
    """The hash of a value; that of a state is the sum over its values, in any order."""
    h = (np.uint64(number) + np.uint64(1)) * _ODD
    h = (h ^ (h >> _27)) * _OTHER
    h = (h ^ (h >> _31)) * _LAST
    return h ^ (h >> _29)


@inlined
def hash_of_key(keys: Long, start: int, stop: int) -> np.uint64:
    """The hash of a part of an array."""
    h = np.uint64(stop - start)
    for i in range(start, stop):
        h = (h ^ np.uint64(keys[i])) * _ODD
        h ^= h >> _29
    return h


@inlined
def look_up(table: Table, key: Long, length: int) -> int:
    """The answer to a key; one that is met for the first time is noted, and pending."""
    h = hash_of_key(key, 0, length)
    tag = np.int64(h >> TAG)
    slots, records = table.slots, table.records
    mask = slots.shape[0] - 1
    at = np.int64(h) & mask
    while slots[at] != 0:
        slot = slots[at]
        if slot >> 32 == tag:
            record = (slot & LOW) - 1
            if records[record] == length:
                i = 0
                while i < length and records[record + 2 + i] == key[i]:
                    i += 1
                if i == length:
                    return int(records[record + 1])
        at = (at + 1) & mask
    _note(table, key, length, int(at), int(tag))
    return PENDING


@compiled
def _note(table: Table, key: Long, length: int, at: int, tag: int) -> None:
    """Add a key without an answer at a free slot, if there is room."""
    slots, records, used = table.slots, table.records, table.used
    end = used[LENGTH]
    if 2 * used[KEYS] >= slots.shape[0] or end + 2 + length > records.shape[0]:
        used[FULL] = 1
        return
    records[end] = length
    records[end + 1] = PENDING
    for i in range(length):
        records[end + 2 + i] = key[i]
    slots[at] = (tag << 32) | (end + 1)
    used[KEYS] += 1
    used[LENGTH] = end + 2 + length


@entry
def rehash_table(table: Table) -> None:
    """Fill the empty slots of a table that has grown."""
    slots, records = table.slots, table.records
    mask = slots.shape[0] - 1
    record = 0
    while record < table.used[LENGTH]:
        end = record + 2 + records[record]
        h = hash_of_key(records, record + 2, end)
        at = np.int64(h) & mask
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = (np.int64(h >> TAG) << 32) | (record + 1)
        record = end


@entry
def rehash_states(rows: Small, slots: Long, count: int) -> None:
    """Fill the empty slots of the states' table after it has grown."""
    mask = slots.shape[0] - 1
    for state in range(count):
        h = np.uint64(0)
        for p in range(rows.shape[1]):
            h += mixed(rows[state, p])
        at = np.int64(h) & mask
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = (np.int64(h >> TAG) << 32) | (state + 1)


# Summaries


@compiled
def summarise(
    program: Program, table: Table, pools: Pools, scratch: Scratch, row: Small, summary: Long
) -> bool:
    """Fold all tallies and bests of a row, whatever its order; False if an answer is pending."""
    total, measures = scratch.measures, pools.measures
    for i in range(total.shape[0]):
        total[i] = 0
    for p in range(row.shape[0]):
        for i in range(total.shape[0]):
            total[i] += measures[row[p], i]
    ready = True
    sums, key = program.sums, scratch.key
    for slot in range(sums.shape[0]):
        key[0] = sums[slot, 2]
        length = 1
        for i in range(sums[slot, 0], sums[slot, 1]):
            key[length] = total[i]
            length += 1
        summary[slot] = look_up(table, key, length)
        ready &= summary[slot] >= 0
    return _summarise_others(program, table, pools, scratch, row, summary) and ready


@compiled
def _summarise_others(
    program: Program, table: Table, pools: Pools, scratch: Scratch, row: Small, summary: Long
) -> bool:
    """Fold what reads other tallies and bests, and bests; each comes after what it reads."""
    ready, others = True, program.others
    slot, at = program.sums.shape[0], 0
    while at < others.shape[0]:
        summary[slot] = _fold(others, at, table, pools, scratch, row, summary)
        if summary[slot] < 0:
            ready = False
        slot += 1
        at += others[at]
    return ready


@compiled
def _fold(
    others: Long,
    at: int,
    table: Table,
    pools: Pools,
    scratch: Scratch,
    row: Small,
    summary: Long,
) -> int:
    """What one tally or best comes to, or pending."""
    for i in range(others[at + 4]):
        if summary[others[at + 5 + i]] < 0:
            return PENDING
    if not _add_up(others, at, table, pools, scratch, row, summary):
        return PENDING
    key, width = scratch.key, others[at + 3]
    key[0] = others[at + 2]
    for i in range(width):
        key[1 + i] = scratch.total[i]
    return look_up(table, key, 1 + width)


@compiled
def summarise_after(program: Program, table: Table, pools: Pools, scratch: Scratch) -> bool:
    """Fold tallies and bests of ``after``, anew only what ``row`` and its summary do not tell."""
    row, after = scratch.row, scratch.after
    total, measures = scratch.after_measures, pools.measures
    for i in range(total.shape[0]):
        total[i] = scratch.measures[i]
    for p in range(row.shape[0]):
        if row[p] != after[p]:
            for i in range(total.shape[0]):
                total[i] += measures[after[p], i] - measures[row[p], i]
    ready = True
    sums, key, summary = program.sums, scratch.key, scratch.after_summary
    for slot in range(sums.shape[0]):
        changed, length = False, 1
        for i in range(sums[slot, 0], sums[slot, 1]):
            key[length] = total[i]
            length += 1
            changed |= total[i] != scratch.measures[i]
        summary[slot] = scratch.before_summary[slot]
        if changed:
            key[0] = sums[slot, 2]
            summary[slot] = look_up(table, key, length)
        ready &= summary[slot] >= 0
    return _summarise_others_after(program, table, pools, scratch) and ready


@compiled
def _summarise_others_after(program: Program, table: Table, pools: Pools, scratch: Scratch) -> bool:
    """The part of `summarise_after` that `_summarise_others` is of `summarise`."""
    ready, others, summary = True, program.others, scratch.after_summary
    slot, at = program.sums.shape[0], 0
    while at < others.shape[0]:
        summary[slot] = scratch.before_summary[slot]
        if _is_stale(others, at, scratch):
            summary[slot] = _fold(others, at, table, pools, scratch, scratch.after, summary)
        if summary[slot] < 0:
            ready = False
        slot += 1
        at += others[at]
    return ready


@inlined
def _is_stale(others: Long, at: int, scratch: Scratch) -> bool:
    """Whether a step changes what a tally or best reads or is folded over."""
    reads = others[at + 4]
    for i in range(reads):
        slot = others[at + 5 + i]
        if scratch.before_summary[slot] != scratch.after_summary[slot]:
            return True
    for part in range(at + 5 + reads, at + others[at], 3):
        for p in range(others[part + 1], others[part + 2]):
            if scratch.row[p] != scratch.after[p]:
                return True
    return False


@compiled
def _add_up(
    others: Long,
    at: int,
    table: Table,
    pools: Pools,
    scratch: Scratch,
    row: Small,
    summary: Long,
) -> bool:
    """The total or greatest score of one tally or best in ``scratch.total``."""
    greatest, width, reads = others[at + 1] == 1, others[at + 3], others[at + 4]
    total, key = scratch.total, scratch.key
    for i in range(width):
        total[i] = NONE if greatest else 0
    for i in range(reads):
        key[2 + i] = summary[others[at + 5 + i]]
    ready = True
    for part in range(at + 5 + reads, at + others[at], 3):
        key[0] = others[part]
        for p in range(others[part + 1], others[part + 2]):
            key[1] = row[p]
            found = look_up(table, key, 2 + reads)
            if found < 0:
                ready = False
            elif greatest:
                total[0] = max(total[0], pools.numbers[found])
            else:
                for i in range(width):
                    total[i] += pools.numbers[found + i]
    return ready


# What views show


@inlined
def first_choice(views: Long, at: int, where: Long) -> bool:
    """Set ``where`` to the first position of each cell; False if a family has no members."""
    for c in range(views[at + 1]):
        begin = views[at + 2 + 2 * c]
        if begin == views[at + 3 + 2 * c]:
            return False
        where[c] = begin
    return True


@inlined
def next_choice(views: Long, at: int, where: Long, row: Small, after: Small) -> bool:
    """Go on to the next choice of members, past those that look like their neighbours in both."""
    for c in range(views[at + 1] - 1, -1, -1):
        p, end = where[c] + 1, views[at + 3 + 2 * c]
        while p < end and row[p] == row[p - 1] and after[p] == after[p - 1]:
            p += 1
        if p < end:
            where[c] = p
            return True
        where[c] = views[at + 2 + 2 * c]
    return False


@inlined
def answer_for(
    table: Table, views: Long, at: int, key: Long, where: Long, row: Small, summary: Long
) -> int:
    """The answer for one choice of members."""
    cells = views[at + 1]
    key[0] = views[at]
    for c in range(cells):
        key[1 + c] = row[where[c]]
    reads, first = views[at + 2 + 2 * cells], at + 3 + 2 * cells
    for i in range(reads):
        key[1 + cells + i] = summary[views[first + i]]
    return look_up(table, key, 1 + cells + reads)


@compiled
def ask(
    program: Program, table: Table, scratch: Scratch, at: int, row: Small, summary: Long
) -> tuple[int, bool]:
    """The worst answer of a predicate (false, pending, true, nothing), and whether it spoke."""
    views, where = program.views, scratch.where
    worst, spoken = SILENT, False
    if not first_choice(views, at, where):
        return worst, spoken
    while True:
        answer = answer_for(table, views, at, scratch.key, where, row, summary)
        if answer == DENIED:
            return DENIED, True
        if answer == PENDING:
            worst = PENDING
        elif answer == GRANTED:
            spoken = True
        if answer == GRANTED and worst == SILENT:
            worst = GRANTED
        if not next_choice(views, at, where, row, row):
            return worst, spoken


@compiled
def all_granted(
    program: Program, table: Table, scratch: Scratch, at: int, row: Small, summary: Long
) -> int:
    """Whether a predicate is true of every choice (nothing said counts as false), or pending."""
    views, where = program.views, scratch.where
    worst = GRANTED
    if not first_choice(views, at, where):
        return worst
    while True:
        answer = answer_for(table, views, at, scratch.key, where, row, summary)
        if answer in (DENIED, SILENT):
            return DENIED
        if answer == PENDING:
            worst = PENDING
        if not next_choice(views, at, where, row, row):
            return worst
