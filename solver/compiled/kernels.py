"""The compiled loop: nothing here calls Python, and nothing is allocated.

What a function of the model answers is looked up. A question without an answer is noted in the
table, the state is left for later, and the states after it in the same range are only looked over
for further questions; the caller answers all of them at once and comes again. So every state is
completed in breadth-first order, as in `kubelemma.solver.search`.
"""

from __future__ import annotations

import numpy as np

from .arrays import (
    BILLION,
    BILLIONS,
    CONCRETE,
    CRAMPED,
    CUT,
    DENIED,
    ENOUGH,
    GRANTED,
    MISSING,
    NONE,
    SILENT,
    STATES,
    STATUS,
    TARGETS,
    TERMINAL,
    Long,
    Pools,
    Program,
    Scratch,
    Sheet,
    Small,
    States,
    Table,
)
from .jit import compiled

_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_29, _27, _31, _33 = np.uint64(29), np.uint64(27), np.uint64(31), np.uint64(33)
_LOW = 0xFFFFFFFF
_PENDING = -1


@compiled
def mixed(number: int) -> np.uint64:
    """The hash of a value; that of a state is the sum over its values, in any order."""
    h = (np.uint64(number) + np.uint64(1)) * _ODD
    h = (h ^ (h >> _27)) * _OTHER
    h = (h ^ (h >> _31)) * _LAST
    return h ^ (h >> _29)


@compiled
def hash_of_key(keys: Long, start: int, stop: int) -> np.uint64:
    """The hash of a part of an array."""
    h = np.uint64(stop - start)
    for i in range(start, stop):
        h = (h ^ np.uint64(keys[i])) * _ODD
        h ^= h >> _29
    return h


@compiled
def look_up(table: Table, key: Long, length: int) -> int:
    """The answer to a key; one that is met for the first time is noted, and pending."""
    h = hash_of_key(key, 0, length)
    tag = np.int64(h >> _33)
    slots, starts, keys = table.slots, table.starts, table.keys
    mask = slots.shape[0] - 1
    at = np.int64(h) & mask
    while slots[at] != 0:
        slot = slots[at]
        if slot >> 32 == tag:
            entry = (slot & _LOW) - 1
            start = starts[entry]
            if starts[entry + 1] - start == length:
                i = 0
                while i < length and keys[start + i] == key[i]:
                    i += 1
                if i == length:
                    return table.answers[entry]
        at = (at + 1) & mask
    _note(table, key, length, at, tag)
    return _PENDING


@compiled
def _note(table: Table, key: Long, length: int, at: int, tag: int) -> None:
    """Add a key without an answer at a free slot, if there is room."""
    entry = table.used[0]
    start = table.starts[entry]
    if entry == table.answers.shape[0] or start + length > table.keys.shape[0]:
        table.used[1] = 1
        return
    for i in range(length):
        table.keys[start + i] = key[i]
    table.starts[entry + 1] = start + length
    table.answers[entry] = _PENDING
    table.slots[at] = (tag << 32) | (entry + 1)
    table.used[0] = entry + 1


@compiled
def rehash_table(table: Table) -> None:
    """Fill the empty slots of a table that has grown."""
    mask = table.slots.shape[0] - 1
    for entry in range(table.used[0]):
        h = hash_of_key(table.keys, table.starts[entry], table.starts[entry + 1])
        at = np.int64(h) & mask
        while table.slots[at] != 0:
            at = (at + 1) & mask
        table.slots[at] = (np.int64(h >> _33) << 32) | (entry + 1)


@compiled
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
        slots[at] = (np.int64(h >> _33) << 32) | (state + 1)


# Summaries


@compiled
def summarise(
    program: Program, table: Table, pools: Pools, scratch: Scratch, row: Small, summary: Long
) -> bool:
    """Fold all tallies and bests of a row, whatever its order; False if an answer is pending."""
    total, measures = scratch.measures, pools.measures
    total[:] = 0
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
        readable = True
        for i in range(others[at + 4]):
            readable &= summary[others[at + 5 + i]] >= 0
        answer = np.int64(_PENDING)
        if readable and _add_up(others, at, table, pools, scratch, row, summary):
            width = others[at + 3]
            scratch.key[0] = others[at + 2]
            for i in range(width):
                scratch.key[1 + i] = scratch.total[i]
            answer = look_up(table, scratch.key, 1 + width)
        summary[slot] = answer
        ready &= answer >= 0
        slot += 1
        at += others[at]
    return ready


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


@compiled
def first_choice(views: Long, at: int, where: Long) -> bool:
    """Set ``where`` to the first position of each cell; False if a family has no members."""
    for c in range(views[at + 1]):
        begin = views[at + 2 + 2 * c]
        if begin == views[at + 3 + 2 * c]:
            return False
        where[c] = begin
    return True


@compiled
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


@compiled
def _answer(
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
    """The worst answer of a predicate for any choice (false, pending, true, nothing), and whether
    it said anything at all."""
    views, where = program.views, scratch.where
    worst, spoken = SILENT, False
    if not first_choice(views, at, where):
        return worst, spoken
    while True:
        answer = _answer(table, views, at, scratch.key, where, row, summary)
        if answer == DENIED:
            return DENIED, True
        if answer == _PENDING:
            worst = _PENDING
        elif answer == GRANTED:
            spoken = True
        if answer == GRANTED and worst == SILENT:
            worst = GRANTED
        if not next_choice(views, at, where, row, row):
            return worst, spoken


# Judging states


@compiled
def judge(
    program: Program,
    table: Table,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    begin: int,
) -> int:
    """Ask all predicates about the states from ``begin`` on; gives the first that is not done."""
    done, row = begin, scratch.row
    for state in range(begin, sheet.counters[STATES]):
        row[:] = states.rows[state]
        if _judge_one(program, table, pools, states, sheet, scratch, state, done == state):
            if done == state:
                _count_orders(program, sheet, row)
                done += 1
    return done


@compiled
def _judge_one(
    program: Program,
    table: Table,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    state: int,
    in_turn: bool,
) -> bool:
    """Whether all is known of a state; violations count only if all states before it are done."""
    row, summary = scratch.row, scratch.before_summary
    if not summarise(program, table, pools, scratch, row, summary):
        return False
    ready = True
    for i in range(program.invariants.shape[0]):
        track = program.invariants[i, 1]
        if sheet.found[track, 0] >= 0:
            continue
        worst, spoken = ask(program, table, scratch, program.invariants[i, 0], row, summary)
        ready &= worst != _PENDING
        if in_turn:
            sheet.spoken[track] |= spoken
            if worst == DENIED:
                sheet.found[track, 0] = state
    for i in range(program.goals.shape[0]):
        reached = _all_granted(program, table, scratch, program.goals[i, 0], row, summary)
        ready &= reached != _PENDING
        if reached != _PENDING:
            states.reached[i, state] = reached
            sheet.spoken[program.goals[i, 1]] |= reached == DENIED
    return ready


@compiled
def _all_granted(
    program: Program, table: Table, scratch: Scratch, at: int, row: Small, summary: Long
) -> int:
    """Whether a predicate is true of every choice (nothing said counts as false), or pending."""
    views, where = program.views, scratch.where
    worst = GRANTED
    if not first_choice(views, at, where):
        return worst
    while True:
        answer = _answer(table, views, at, scratch.key, where, row, summary)
        if answer in (DENIED, SILENT):
            return DENIED
        if answer == _PENDING:
            worst = _PENDING
        if not next_choice(views, at, where, row, row):
            return worst


@compiled
def _count_orders(program: Program, sheet: Sheet, row: Small) -> None:
    """Add the number of states that differ from this one by the order within families only."""
    if program.orders.shape[0] == 0:
        return
    size = np.int64(1)
    for f in range(program.families.shape[0]):
        begin, end = program.families[f, 0], program.families[f, 1]
        size *= program.orders[end - begin]
        alike = 1
        for p in range(begin + 1, end):
            alike = alike + 1 if row[p] == row[p - 1] else 1
            size //= alike
    low = sheet.counters[CONCRETE] + size
    sheet.counters[BILLIONS] += low // BILLION
    sheet.counters[CONCRETE] = low % BILLION


# Taking steps


@compiled
def expand(
    program: Program,
    table: Table,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    begin: int,
    end: int,
    most: int,
) -> int:
    """Leave the states of a range by every step; gives the first that is not done, and the status.

    At most ``most`` states are found in all.
    """
    done, row = begin, scratch.row
    summary = scratch.before_summary
    sheet.counters[STATUS] = MISSING
    for state in range(begin, end):
        row[:] = states.rows[state]
        if not summarise(program, table, pools, scratch, row, summary):
            continue
        outside = _find_outside(program, table, scratch, row, summary)
        if outside == _PENDING:
            continue
        tried = 0
        if not outside:
            tried = _find_moves(program, table, scratch, row, summary)
            if tried == _PENDING or not _ask_steps(
                program, table, pools, sheet, scratch, tried, row
            ):
                continue
        if done != state:
            continue
        if outside:
            _count_outside(sheet, scratch)
        elif not _has_room(states, sheet, pools, scratch, tried):
            sheet.counters[STATUS] = CRAMPED
            return done
        elif not _take_all(program, pools, states, sheet, scratch, state, tried, most):
            sheet.counters[STATUS] = ENOUGH
            return done
        if states.targets.shape[0]:
            states.offsets[state + 1] = sheet.counters[TARGETS]
        done += 1
    return done


@compiled
def _find_outside(
    program: Program, table: Table, scratch: Scratch, row: Small, summary: Long
) -> int:
    """How many bounds the state is outside of, which are marked; or pending."""
    count, pending = 0, False
    for b in range(program.bounds.shape[0]):
        inside = _all_granted(program, table, scratch, program.bounds[b], row, summary)
        pending |= inside == _PENDING
        scratch.outside[b] = inside == DENIED
        count += inside == DENIED
    return _PENDING if pending else count


@compiled
def _count_outside(sheet: Sheet, scratch: Scratch) -> None:
    sheet.counters[CUT] += 1
    for b in range(sheet.cut.shape[0]):
        sheet.cut[b] += scratch.outside[b]


@compiled
def _find_moves(program: Program, table: Table, scratch: Scratch, row: Small, summary: Long) -> int:
    """Look up the moves of every group and choice; gives how many there are, or pending."""
    views, where = program.views, scratch.where
    tried, pending = 0, False
    for g in range(program.groups.shape[0]):
        at = program.groups[g]
        more = first_choice(views, at, where)
        while more:
            answer = _answer(table, views, at, scratch.key, where, row, summary)
            pending |= answer < 0
            scratch.answers[tried] = answer
            for c in range(views[at + 1]):
                scratch.bindings[tried, c] = where[c]
            tried += 1
            more = next_choice(views, at, where, row, row)
    return _PENDING if pending else tried


@compiled
def _has_room(states: States, sheet: Sheet, pools: Pools, scratch: Scratch, tried: int) -> bool:
    """Whether all steps of a state find a place, whatever they lead to."""
    steps = 0
    for t in range(tried):
        steps += pools.moves[scratch.answers[t]]
    if sheet.counters[STATES] + steps > states.rows.shape[0]:
        return False
    edges = states.targets.shape[0]
    return edges == 0 or sheet.counters[TARGETS] + steps <= edges


@compiled
def _ask_steps(
    program: Program,
    table: Table,
    pools: Pools,
    sheet: Sheet,
    scratch: Scratch,
    tried: int,
    row: Small,
) -> bool:
    """Ask the properties of steps; notes the first step that each denies. False if pending."""
    scratch.denials[:] = -1
    if program.steps.shape[0] == 0:
        return True
    ready, ordinal, after, moves = True, 0, scratch.after, pools.moves
    for t in range(tried):
        at = scratch.answers[t] + 1
        for _ in range(moves[at - 1]):
            if moves[at + 2] >= 0 and _any_open(program, sheet, scratch, moves[at + 2]):
                after[:] = row
                for w in range(moves[at + 3]):
                    p = scratch.bindings[t, moves[at + 4 + 2 * w]]
                    after[p] = moves[at + 5 + 2 * w]
                if not summarise(program, table, pools, scratch, after, scratch.after_summary):
                    ready = False
                else:
                    ready &= _ask_step(
                        program, table, sheet, scratch, moves[at + 2], moves[at], ordinal
                    )
            ordinal += 1
            at += 4 + 2 * moves[at + 3]
    return ready


@compiled
def _any_open(program: Program, sheet: Sheet, scratch: Scratch, asked: int) -> bool:
    """Whether one of the properties to ask has not been violated yet."""
    for i in range(asked + 1, asked + 1 + program.asked[asked]):
        track = program.steps[program.asked[i], 1]
        if sheet.found[track, 0] < 0 and scratch.denials[track] < 0:
            return True
    return False


@compiled
def _ask_step(
    program: Program,
    table: Table,
    sheet: Sheet,
    scratch: Scratch,
    asked: int,
    move: int,
    ordinal: int,
) -> bool:
    """Ask all properties of one step; False if an answer is pending."""
    ready = True
    for i in range(asked + 1, asked + 1 + program.asked[asked]):
        at, track = program.steps[program.asked[i], 0], program.steps[program.asked[i], 1]
        if sheet.found[track, 0] >= 0 or scratch.denials[track] >= 0:
            continue
        more = first_choice(program.views, at, scratch.where)
        while more:
            answer = _answer_of_step(program.views, at, table, scratch, move)
            if answer == _PENDING:
                ready = False
            elif answer != SILENT:
                sheet.spoken[track] = 1
                if answer == DENIED:
                    scratch.denials[track] = ordinal
                    break
            more = next_choice(program.views, at, scratch.where, scratch.row, scratch.after)
    return ready


@compiled
def _answer_of_step(views: Long, at: int, table: Table, scratch: Scratch, move: int) -> int:
    """The answer about one step for one choice of members."""
    key, cells = scratch.key, views[at + 1]
    reads, first = views[at + 2 + 2 * cells], at + 3 + 2 * cells
    key[0], key[1] = views[at], move
    for i in range(reads):
        key[2 + i] = scratch.before_summary[views[first + i]]
        key[2 + reads + i] = scratch.after_summary[views[first + i]]
    for c in range(cells):
        p = scratch.where[c]
        key[2 + 2 * reads + 2 * c] = scratch.row[p]
        key[3 + 2 * reads + 2 * c] = scratch.after[p]
    return look_up(table, key, 2 + 2 * reads + 2 * cells)


@compiled
def _take_all(
    program: Program,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    state: int,
    tried: int,
    most: int,
) -> bool:
    """Take every step from a state; False if that would be more states than are allowed."""
    base = np.uint64(0)
    for p in range(scratch.row.shape[0]):
        base += mixed(scratch.row[p])
    moves, counters = pools.moves, sheet.counters
    ordinal, stuck = 0, True
    edges = states.targets.shape[0] > 0
    for t in range(tried):
        at = scratch.answers[t] + 1
        for _ in range(moves[at - 1]):
            h = _step(program, moves, scratch, at, t, base)
            target = _index_of(states, counters, scratch.next_row, h, state, moves[at], most)
            if target < 0:
                return False
            sheet.fired[moves[at]] += 1
            if program.steps.shape[0]:
                _note_denials(program, sheet, scratch, state, moves[at], target, ordinal)
            if moves[at + 1] == 0:
                stuck = False
                if edges:
                    states.targets[counters[TARGETS]] = target
                    states.labels[counters[TARGETS]] = moves[at]
                    counters[TARGETS] += 1
            ordinal += 1
            at += 4 + 2 * moves[at + 3]
    counters[TERMINAL] += ordinal == 0
    if stuck:
        _note_standstill(program, states, sheet, state)
    return True


@compiled
def _step(
    program: Program, moves: Long, scratch: Scratch, at: int, binding: int, base: np.uint64
) -> np.uint64:
    """The state after a move in ``scratch.next_row``, sorted again; gives its hash."""
    row = scratch.next_row
    row[:] = scratch.row
    for w in range(moves[at + 3]):
        p = scratch.bindings[binding, moves[at + 4 + 2 * w]]
        value = moves[at + 5 + 2 * w]
        base += mixed(value) - mixed(row[p])
        begin, end = program.begins[p], program.ends[p]
        while p + 1 < end and row[p + 1] < value:
            row[p] = row[p + 1]
            p += 1
        while p > begin and row[p - 1] > value:
            row[p] = row[p - 1]
            p -= 1
        row[p] = value
    return base


@compiled
def _index_of(
    states: States, counters: Long, row: Small, h: np.uint64, parent: int, move: int, most: int
) -> int:
    """The index of a state, which is added if it is new; -1 if there may be no more."""
    slots, rows = states.slots, states.rows
    mask = slots.shape[0] - 1
    tag = np.int64(h >> _33)
    at = np.int64(h) & mask
    while slots[at] != 0:
        if slots[at] >> 32 == tag:
            state = (slots[at] & _LOW) - 1
            p = 0
            while p < row.shape[0] and rows[state, p] == row[p]:
                p += 1
            if p == row.shape[0]:
                return state
        at = (at + 1) & mask
    state = counters[STATES]
    if state == most:
        return -1
    rows[state] = row
    states.parents[state] = parent
    states.moves[state] = move
    slots[at] = (tag << 32) | (state + 1)
    counters[STATES] = state + 1
    return state


@compiled
def _note_denials(
    program: Program,
    sheet: Sheet,
    scratch: Scratch,
    state: int,
    move: int,
    target: int,
    ordinal: int,
) -> None:
    """Note the counterexamples that are this step."""
    for i in range(program.steps.shape[0]):
        track = program.steps[i, 1]
        if scratch.denials[track] == ordinal and sheet.found[track, 0] < 0:
            sheet.found[track, 0] = state
            sheet.found[track, 1] = move
            sheet.found[track, 2] = target


@compiled
def _note_standstill(program: Program, states: States, sheet: Sheet, state: int) -> None:
    """Note the goals that are not reached where only the environment can act."""
    for i in range(program.goals.shape[0]):
        track = program.goals[i, 1]
        if not states.reached[i, state] and sheet.found[track, 0] < 0:
            sheet.found[track, 0] = state
