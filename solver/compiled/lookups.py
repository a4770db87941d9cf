# ruff: noqa: PLR0913, PLR0917 - a bundle costs machine code more than many arguments
"""The ground of the compiled loop: keys, answers, summaries, predicates."""

from __future__ import annotations

import numpy as np

from .arrays import (
    ARGUMENTS,
    ASKED,
    BEGIN_OF,
    DENIED,
    DOWN,
    END_OF,
    FACTOR,
    GRANTED,
    KEY,
    MEASURES,
    NONE,
    OFFSET,
    OTHERS,
    RECIPE,
    STOP,
    SUMS,
    Known,
    Long,
    Work,
)
from .jit import compiled, entry, inlined

_ODD, _32 = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)

_MOST = 63
"""The last bit of a word."""

PENDING = -1
"""Instead of an answer that is still to be given."""


# Keys and answers


@inlined
def hash_of(key: Long, words: int, factor: int) -> np.uint64:
    """The hash of a key, whose upper bits are the better ones."""
    h = np.uint64(key[0]) * np.uint64(factor)
    for i in range(1, words):
        h = (h ^ (h >> _32) ^ np.uint64(key[i])) * np.uint64(factor)
    return h


@inlined
def slot_of(functions: Long, function: int, h: np.uint64) -> int:
    """Where the answer to a key is, if it is where it should be."""
    slot = np.int64(h >> np.uint64(functions[function, DOWN]))
    return int(functions[function, OFFSET] + slot * (functions[function, KEY] + 1))


@inlined
def answer_of(known: Known, work: Work, function: int, key: Long) -> int:
    """The answer of a function to a key; a missing one is noted, and pending."""
    functions, slots = known.functions, known.slots
    words = functions[function, KEY]
    h = hash_of(key, words, functions[function, FACTOR])
    at = slot_of(functions, function, h)
    while slots[at + words] >= 0:
        i = 0
        while i < words and slots[at + i] == key[i]:
            i += 1
        if i == words:
            return int(slots[at + words])
        at += words + 1
    _note(work, function, key, words)
    return PENDING


@inlined
def answer_of_one(known: Known, work: Work, function: int, factor: int, down: int, key: int) -> int:
    """As `answer_of`, of a function with keys of one word."""
    slots = known.slots
    h = np.uint64(key) * np.uint64(factor)
    at = np.uintp(known.functions[function, OFFSET] + 2 * np.int64(h >> np.uint64(down)))
    one, two = np.uintp(1), np.uintp(2)
    while slots[at + one] >= 0:
        if slots[at] == key:
            return int(slots[at + one])
        at += two
    work.key[0] = key
    _note(work, function, work.key, 1)
    return PENDING


@compiled
def _note(work: Work, function: int, key: Long, words: int) -> None:
    """Note a question, unless it was noted a moment ago or there is no room."""
    recent, questions, status = work.recent, work.questions, work.status
    h = np.uint64(function + 1) * _ODD
    for i in range(words):
        h = (h ^ (h >> _32) ^ np.uint64(key[i])) * _ODD
    mark = np.int64(h) | 1
    place = np.int64(h >> _32) & (recent.shape[0] - 1)
    end = status[ASKED]
    if recent[place] == mark or end + 1 + words > questions.shape[0]:
        return
    recent[place] = mark
    questions[end] = function
    for i in range(words):
        questions[end + 1 + i] = key[i]
    status[ASKED] = end + 1 + words


# Summaries


@inlined
def summarise(known: Known, work: Work) -> bool:
    """Fold all tallies and bests of ``work.row``; False if an answer is pending."""
    sums, measures, row, places = work.sums, known.measures, work.row, known.packing.places
    for i in range(sums.shape[0]):
        sums[i] = 0
    p = np.int64(0)
    while p < row.shape[0]:
        line, times = places[p, MEASURES] + row[p], work.times[p]
        for i in range(sums.shape[0]):
            sums[i] += times * measures[line, i]
        p = work.nexts[p]
    ready, key = True, work.key
    at, end, slot = known.lists[SUMS, BEGIN_OF], known.lists[SUMS, END_OF], 0
    while at < end:
        function, first = known.code[at], known.code[at + 1]
        for i in range(known.functions[function, KEY]):
            key[i] = sums[first + i]
        work.summary[slot] = answer_of(known, work, function, key)
        ready &= work.summary[slot] >= 0
        slot += 1
        at += 2
    at, end = known.lists[OTHERS, BEGIN_OF], known.lists[OTHERS, END_OF]
    while at < end:
        work.summary[slot] = _fold(known, work, at, work.summary, key)
        ready &= work.summary[slot] >= 0
        slot += 1
        at += known.code[at]
    return ready


@inlined
def summarise_after(known: Known, work: Work, wanted: int) -> bool:
    """Fold the tallies and bests of ``work.after`` that are wanted, if they may differ.

    ``wanted`` has a bit for each; the last stands for all from there on.
    """
    row, after, places, measures = work.row, work.after, known.packing.places, known.measures
    sums, before = work.sums_after, work.sums
    for i in range(sums.shape[0]):
        sums[i] = before[i]
    p = np.int64(0)
    while p < row.shape[0]:
        if row[p] != after[p]:
            old, new = places[p, MEASURES] + row[p], places[p, MEASURES] + after[p]
            for i in range(sums.shape[0]):
                sums[i] += measures[new, i] - measures[old, i]
        p = work.nexts[p]
    ready, key = True, work.step_key
    at, end, slot = known.lists[SUMS, BEGIN_OF], known.lists[SUMS, END_OF], 0
    while at < end:
        function, first = known.code[at], known.code[at + 1]
        changed = False
        for i in range(known.functions[function, KEY]):
            key[i] = sums[first + i]
            changed |= sums[first + i] != before[first + i]
        work.summary_after[slot] = work.summary[slot]
        if changed and wanted >> min(slot, _MOST) & 1:
            work.summary_after[slot] = answer_of(known, work, function, key)
        ready &= work.summary_after[slot] >= 0
        slot += 1
        at += 2
    at, end = known.lists[OTHERS, BEGIN_OF], known.lists[OTHERS, END_OF]
    while at < end:
        work.summary_after[slot] = work.summary[slot]
        if wanted >> min(slot, _MOST) & 1 and _is_stale(known, work, at):
            work.summary_after[slot] = _fold(known, work, at, work.summary_after, key)
        ready &= work.summary_after[slot] >= 0
        slot += 1
        at += known.code[at]
    return ready


@inlined
def _is_stale(known: Known, work: Work, at: int) -> bool:
    """Whether a step changes what a tally or best reads or is folded over."""
    code = known.code
    end = at + code[at]
    reads = at + 4 + 2 * code[at + 3]
    parts = reads + 1 + 3 * code[reads]
    for i in range(reads + 1, parts, 3):
        if work.summary[code[i]] != work.summary_after[code[i]]:
            return True
    for i in range(parts, end, 5):
        p = code[i + 1]
        while p < code[i + 2]:
            if work.row[p] != work.after[p]:
                return True
            p = work.nexts[p]
    return False


@inlined
def _fold(known: Known, work: Work, at: int, summary: Long, key: Long) -> int:
    """What one tally or best that is not a plain sum comes to after a step, or pending."""
    code, total = known.code, work.total
    greatest, function, width = code[at + 1] == 1, code[at + 2], code[at + 3]
    numbers = at + 4
    reads = numbers + 2 * width
    for i in range(width):
        total[i] = NONE if greatest else 0
    for i in range(code[reads]):
        if summary[code[reads + 1 + 3 * i]] < 0:
            return PENDING
    if not _add_up(known, work, at, summary, key):
        return PENDING
    for i in range(known.functions[function, KEY]):
        key[i] = 0
    for i in range(width):
        key[code[numbers + 2 * i]] += total[i] << code[numbers + 2 * i + 1]
    return answer_of(known, work, function, key)


@inlined
def _add_up(known: Known, work: Work, at: int, summary: Long, key: Long) -> bool:
    """Fold the parts of one tally or best into ``work.total``; False if an answer is pending."""
    code, row, after, ready = known.code, work.row, work.after, True
    reads = at + 4 + 2 * code[at + 3]
    parts = reads + 1 + 3 * code[reads]
    for part in range(parts, at + code[at], 5):
        common = np.int64(0)
        for i in range(reads + 1, parts, 3):
            common += summary[code[i]] << code[i + 2]
        p = code[part + 1]
        while p < code[part + 2]:
            times = work.times[p]
            if after[p] != row[p]:
                ready &= _add(known, work, at, part, common, after[p], 1, summary, key)
                times -= 1
            if times:
                ready &= _add(known, work, at, part, common, row[p], times, summary, key)
            p = work.nexts[p]
    return ready


@inlined
def _add(
    known: Known,
    work: Work,
    at: int,
    part: int,
    common: np.int64,
    value: int,
    times: int,
    summary: Long,
    key: Long,
) -> bool:
    """Fold so many members with a value into ``work.total``; False if the answer is pending.

    ``common`` is what keys of one word have in common.
    """
    code, total, function = known.code, work.total, known.code[part]
    greatest, width = code[at + 1] == 1, code[at + 3]
    if known.functions[function, KEY] == 1:
        factor, down = known.functions[function, FACTOR], known.functions[function, DOWN]
        only = common + (value << code[part + 4])
        found = answer_of_one(known, work, function, factor, down, only)
    else:
        reads = at + 4 + 2 * width
        parts = reads + 1 + 3 * code[reads]
        found = _part_of(known, work, part, reads, parts, value, summary, key)
    if found < 0:
        return False
    if greatest:
        total[0] = max(total[0], known.numbers[found])
    else:
        for i in range(width):
            total[i] += times * known.numbers[found + i]
    return True


@inlined
def _part_of(
    known: Known,
    work: Work,
    part: int,
    reads: int,
    parts: int,
    value: int,
    summary: Long,
    key: Long,
) -> int:
    """What one value adds or scores, by a key of several words."""
    code = known.code
    for i in range(known.functions[code[part], KEY]):
        key[i] = 0
    for i in range(reads + 1, parts, 3):
        key[code[i + 1]] += summary[code[i]] << code[i + 2]
    key[code[part + 3]] += value << code[part + 4]
    return answer_of(known, work, code[part], key)


# Views


@inlined
def first_choice(known: Known, work: Work, view: int) -> int:
    """Set key and members to the first choice; gives where the cells are, -1 if there is none."""
    code, key, row = known.code, work.key, work.row
    for i in range(known.functions[code[view], KEY]):
        key[i] = 0
    cells = view + 2 + 3 * code[view + 1]
    for i in range(view + 2, cells, 3):
        key[code[i + 1]] += work.summary[code[i]] << code[i + 2]
    for c in range(code[cells]):
        i = cells + 1 + 4 * c
        if code[i] == code[i + 1]:
            return -1
        work.where[c] = code[i]
        key[code[i + 2]] += row[code[i]] << code[i + 3]
    return int(cells)


@inlined
def next_choice(known: Known, work: Work, cells: int) -> bool:
    """Go on to the next choice of members, past those that are equal to their neighbours."""
    code, key, row, where = known.code, work.key, work.row, work.where
    for c in range(code[cells] - 1, -1, -1):
        i = cells + 1 + 4 * c
        begin, end = code[i], code[i + 1]
        if end == begin + 1:
            continue
        old = where[c]
        p = work.nexts[old]
        more = p < end
        if not more:
            p = begin
        key[code[i + 2]] += (row[p] - row[old]) << code[i + 3]
        where[c] = p
        if more:
            return True
    return False


SAID_DENIED, SAID_PENDING, SAID_GRANTED, SAID_NOTHING = 1, 2, 4, 8
"""The bits of what `ask` gives."""


@inlined
def ask(known: Known, work: Work, view: int) -> int:
    """What a predicate says, over all choices of members up to the first that it denies."""
    said = 0
    cells = first_choice(known, work, view)
    more = cells >= 0
    while more:
        answer = answer_of(known, work, known.code[view], work.key)
        if answer == DENIED:
            return said | SAID_DENIED
        if answer == PENDING:
            said |= SAID_PENDING
        elif answer == GRANTED:
            said |= SAID_GRANTED
        else:
            said |= SAID_NOTHING
        more = next_choice(known, work, cells)
    return said


# Steps


@inlined
def ask_of_step(known: Known, work: Work, view: int, action: int) -> int:
    """As `ask`, of the step from ``work.row`` to ``work.after``."""
    code, where = known.code, work.step_where
    cells = view + 2 + 5 * code[view + 1]
    count, said = code[cells], 0
    for c in range(count):
        if code[cells + 1 + 6 * c] == code[cells + 2 + 6 * c]:
            return said
        where[c] = _first_of_run(work, code[cells + 1 + 6 * c])
    while True:
        _key_of_step(known, work, view, action)
        answer = answer_of(known, work, code[view], work.step_key)
        if answer == DENIED:
            return said | SAID_DENIED
        if answer == PENDING:
            said |= SAID_PENDING
        elif answer == GRANTED:
            said |= SAID_GRANTED
        else:
            said |= SAID_NOTHING
        if not _next_choice_of_step(known, work, cells):
            return said


@inlined
def _key_of_step(known: Known, work: Work, view: int, action: int) -> None:
    """Put together the key for a step and a choice of members."""
    code, key = known.code, work.step_key
    cells = view + 2 + 5 * code[view + 1]
    end = cells + 1 + 6 * code[cells]
    for i in range(known.functions[code[view], KEY]):
        key[i] = 0
    key[code[end]] += action << code[end + 1]
    for i in range(view + 2, cells, 5):
        key[code[i + 1]] += work.summary[code[i]] << code[i + 2]
        key[code[i + 3]] += work.summary_after[code[i]] << code[i + 4]
    for c in range(code[cells]):
        i, p = cells + 1 + 6 * c, work.step_where[c] >> 1
        after = work.row[p] if work.step_where[c] & 1 else work.after[p]
        key[code[i + 2]] += work.row[p] << code[i + 3]
        key[code[i + 4]] += after << code[i + 5]


@inlined
def _first_of_run(work: Work, p: int) -> int:
    """The choice of a member of the run at a position: twice that, and 1 if it stays as it is."""
    return int(2 * p + (work.row[p] == work.after[p]))


@inlined
def _next_choice_of_step(known: Known, work: Work, cells: int) -> bool:
    """As `next_choice`; of a run that a step takes a member from, that one comes first."""
    code, where = known.code, work.step_where
    for c in range(code[cells] - 1, -1, -1):
        i = cells + 1 + 6 * c
        p = where[c] >> 1
        if not where[c] & 1 and work.times[p] > 1:
            where[c] += 1
            return True
        p = work.nexts[p]
        more = p < code[i + 1]
        where[c] = _first_of_run(work, p if more else code[i])
        if more:
            return True
    return False


@entry
def fill(
    functions: Long, recipes: Long, slots: Long, log: Long, begin: int, end: int, key: Long
) -> int:
    """Put the answers of a part of a log into the table; gives the first that finds no room.

    An entry of the log is: function, answer, arguments. A recipe has the word and shift of each.
    """
    at = begin
    while at < end:
        function = log[at]
        words, count, recipe = (
            functions[function, KEY],
            functions[function, ARGUMENTS],
            functions[function, RECIPE],
        )
        for i in range(words):
            key[i] = 0
        for i in range(count):
            key[recipes[recipe + 2 * i]] += log[at + 2 + i] << recipes[recipe + 2 * i + 1]
        slot = slot_of(functions, function, hash_of(key, words, functions[function, FACTOR]))
        while slots[slot + words] >= 0:
            slot += words + 1
        if slot + 2 * (words + 1) > functions[function, STOP]:
            return at
        for i in range(words):
            slots[slot + i] = key[i]
        slots[slot + words] = log[at + 1]
        at += 2 + count
    return at
