# ruff: noqa: PLR0913, PLR0917 - a bundle of arrays costs machine code more than many arguments
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
    MISSING,
    RANGE,
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
from .jit import compiled, entry, inlined
from .lookups import (
    LOW,
    PENDING,
    TAG,
    all_granted,
    answer_for,
    ask,
    first_choice,
    look_up,
    mixed,
    next_choice,
    summarise,
    summarise_after,
)

_OUTSIDE = -2


@entry
def judge(
    program: Program,
    table: Table,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    begin: int,
    end: int,
) -> int:
    """Ask all predicates about the states of a range; gives the first that is not done."""
    done, row = begin, scratch.row
    for state in range(begin, end):
        if done != state and scratch.ready[state % RANGE]:
            continue
        for p in range(row.shape[0]):
            row[p] = states.rows[state, p]
        judged = _judge_one(program, table, pools, states, sheet, scratch, state, done)
        scratch.ready[state % RANGE] = judged
        if judged and done == state:
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
    done: int,
) -> bool:
    """Whether all is known of a state; violations count only if all states before it are done."""
    row, summary, in_turn = scratch.row, scratch.before_summary, state == done
    if not summarise(program, table, pools, scratch, row, summary):
        return False
    ready = True
    for i in range(program.invariants.shape[0]):
        track = program.invariants[i, 1]
        if sheet.found[track, 0] >= 0:
            continue
        worst, spoken = ask(program, table, scratch, program.invariants[i, 0], row, summary)
        ready &= worst != PENDING
        if in_turn:
            sheet.spoken[track] |= spoken
            if worst == DENIED:
                sheet.found[track, 0] = state
    for i in range(program.goals.shape[0]):
        reached = all_granted(program, table, scratch, program.goals[i, 0], row, summary)
        ready &= reached != PENDING
        if reached != PENDING:
            states.reached[i, state] = reached
            sheet.spoken[program.goals[i, 1]] |= reached == DENIED
    return ready


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


@entry
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
    """Leave the states of a range by every step; gives the first that is not done.

    At most ``most`` states are found in all. The counter ``STATUS`` says why it came back.
    """
    done, row = begin, scratch.row
    for state in range(begin, end):
        if done != state and scratch.ready[state % RANGE]:
            continue
        for p in range(row.shape[0]):
            row[p] = states.rows[state, p]
        tried = _find_all(program, table, pools, sheet, scratch)
        scratch.ready[state % RANGE] = tried != PENDING
        if tried == PENDING or done != state:
            continue
        status = _leave(program, pools, states, sheet, scratch, state, tried, most)
        sheet.counters[STATUS] = status
        if status != MISSING:
            return done
        if states.targets.shape[0]:
            states.offsets[state + 1] = sheet.counters[TARGETS]
        done += 1
    sheet.counters[STATUS] = MISSING
    return done


@compiled
def _find_all(program: Program, table: Table, pools: Pools, sheet: Sheet, scratch: Scratch) -> int:
    """Look up all that is needed to leave a state: how many ways to try rules, or pending.

    A state outside some bound has none, and the bounds are marked.
    """
    row, summary = scratch.row, scratch.before_summary
    if not summarise(program, table, pools, scratch, row, summary):
        return PENDING
    outside = _find_outside(program, table, scratch, row, summary)
    if outside != 0:
        return PENDING if outside == PENDING else _OUTSIDE
    tried = _find_moves(program, table, scratch, row, summary)
    if tried == PENDING or not _ask_steps(program, table, pools, sheet, scratch, tried, row):
        return PENDING
    return tried


@compiled
def _leave(
    program: Program,
    pools: Pools,
    states: States,
    sheet: Sheet,
    scratch: Scratch,
    state: int,
    tried: int,
    most: int,
) -> int:
    """Take every step from a state, or count that it is outside of bounds; gives the status."""
    if tried == _OUTSIDE:
        _count_outside(sheet, scratch)
        return MISSING
    if not _has_room(states, sheet, pools, scratch, tried):
        return CRAMPED
    if not _take_all(program, pools, states, sheet, scratch, state, tried, most):
        return ENOUGH
    return MISSING


@compiled
def _find_outside(
    program: Program, table: Table, scratch: Scratch, row: Small, summary: Long
) -> int:
    """How many bounds the state is outside of, which are marked; or pending."""
    count, pending = 0, False
    for b in range(program.bounds.shape[0]):
        inside = all_granted(program, table, scratch, program.bounds[b], row, summary)
        pending |= inside == PENDING
        scratch.outside[b] = inside == DENIED
        count += inside == DENIED
    return PENDING if pending else count


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
            answer = answer_for(table, views, at, scratch.key, where, row, summary)
            pending |= answer < 0
            scratch.answers[tried] = answer
            for c in range(views[at + 1]):
                scratch.bindings[tried, c] = where[c]
            tried += 1
            more = next_choice(views, at, where, row, row)
    return PENDING if pending else tried


@compiled
def _has_room(states: States, sheet: Sheet, pools: Pools, scratch: Scratch, tried: int) -> bool:
    """Whether all steps of a state find a place, whatever they lead to."""
    steps = 0
    for t in range(tried):
        steps += pools.moves[scratch.answers[t]]
    if sheet.counters[STATES] + steps > states.rows.shape[0]:
        return False
    edges = states.targets.shape[0]
    return edges == 0 or bool(sheet.counters[TARGETS] + steps <= edges)


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
    for i in range(scratch.denials.shape[0]):
        scratch.denials[i] = -1
    if program.steps.shape[0] == 0:
        return True
    ready, ordinal, after, moves = True, 0, scratch.after, pools.moves
    for t in range(tried):
        at = scratch.answers[t] + 1
        for _ in range(moves[at - 1]):
            if moves[at + 2] >= 0 and _any_open(program, sheet, scratch, moves[at + 2]):
                for p in range(row.shape[0]):
                    after[p] = row[p]
                for w in range(moves[at + 4]):
                    p = scratch.bindings[t, moves[at + 5 + 2 * w]]
                    after[p] = moves[at + 6 + 2 * w]
                if not summarise_after(program, table, pools, scratch):
                    ready = False
                else:
                    ready &= _ask_step(
                        program, table, sheet, scratch, moves[at + 2], moves[at + 3], ordinal
                    )
            ordinal += 1
            at += 5 + 2 * moves[at + 4]
    return ready


@inlined
def _any_open(program: Program, sheet: Sheet, scratch: Scratch, asked: int) -> bool:
    """Whether one of the properties to ask has not been violated yet."""
    for i in range(asked + 1, asked + 1 + program.asked[asked]):
        track = program.steps[program.asked[i], 1]
        if sheet.found[track, 0] < 0 and scratch.denials[track] < 0:
            return True
    return False


@inlined
def _ask_step(
    program: Program,
    table: Table,
    sheet: Sheet,
    scratch: Scratch,
    asked: int,
    action: int,
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
            answer = _answer_of_step(program.views, at, table, scratch, action)
            if answer == PENDING:
                ready = False
            elif answer != SILENT:
                sheet.spoken[track] = 1
                if answer == DENIED:
                    scratch.denials[track] = ordinal
                    break
            more = next_choice(program.views, at, scratch.where, scratch.row, scratch.after)
    return ready


@inlined
def _answer_of_step(views: Long, at: int, table: Table, scratch: Scratch, action: int) -> int:
    """The answer about one step for one choice of members."""
    key, cells = scratch.key, views[at + 1]
    reads, first = views[at + 2 + 2 * cells], at + 3 + 2 * cells
    key[0], key[1] = views[at], action
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
            at += 5 + 2 * moves[at + 4]
    counters[TERMINAL] += ordinal == 0
    if stuck:
        _note_standstill(program, states, sheet, state)
    return True


@inlined
def _step(
    program: Program, moves: Long, scratch: Scratch, at: int, binding: int, base: np.uint64
) -> np.uint64:
    """The state after a move in ``scratch.next_row``, sorted again; gives its hash."""
    row = scratch.next_row
    for i in range(row.shape[0]):
        row[i] = scratch.row[i]
    for w in range(moves[at + 4]):
        p = scratch.bindings[binding, moves[at + 5 + 2 * w]]
        value = moves[at + 6 + 2 * w]
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


@inlined
def _index_of(
    states: States, counters: Long, row: Small, h: np.uint64, parent: int, move: int, most: int
) -> int:
    """The index of a state, which is added if it is new; -1 if there may be no more."""
    slots, rows = states.slots, states.rows
    mask = slots.shape[0] - 1
    tag = np.int64(h >> TAG)
    at = np.int64(h) & mask
    while slots[at] != 0:
        if slots[at] >> 32 == tag:
            state = (slots[at] & LOW) - 1
            p = 0
            while p < row.shape[0] and rows[state, p] == row[p]:
                p += 1
            if p == row.shape[0]:
                return int(state)
        at = (at + 1) & mask
    state = counters[STATES]
    if state == most:
        return -1
    for p in range(row.shape[0]):
        rows[state, p] = row[p]
    states.parents[state] = parent
    states.moves[state] = move
    slots[at] = (tag << 32) | (state + 1)
    counters[STATES] = state + 1
    return int(state)


@inlined
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
