# ruff: noqa: PLR0913, PLR0917, FBT001 - a bundle costs machine code more than many arguments
"""Leaving states by every step: nothing here calls Python, and nothing is allocated.

What a function of the model answers is looked up. A question without an answer is noted, the state
is left for later, and the loop goes on with the next; the caller answers all of them at once and
comes again for what was left.
"""

from __future__ import annotations

import numpy as np

from kubelemma.solver.space import CLEAR, DUE, MET

from .arrays import (
    AWAY,
    BEGIN,
    BEGIN_OF,
    BOUNDS,
    COUNTS,
    CRAMPED,
    CUT,
    DEGREE,
    DOWN,
    DUTIES,
    EDGES,
    END,
    END_OF,
    FACTOR,
    FOUND,
    GOALS,
    GROUPS,
    INVARIANTS,
    KEY,
    SHIFT,
    STEPS,
    TERMINAL,
    URGENT,
    WORD,
    Candidates,
    Known,
    Long,
    States,
    Work,
)
from .jit import entry, inlined
from .lookups import (
    PENDING,
    SAID_DENIED,
    SAID_GRANTED,
    SAID_NOTHING,
    SAID_PENDING,
    answer_of,
    answer_of_one,
    ask,
    ask_of_step,
    first_choice,
    next_choice,
    summarise,
    summarise_after,
)
from .packing import take_apart
from .visited import hash_of_state

READY, NO_ROOM = 0, -2
"""What becomes of a state, beside `PENDING`."""

_FEW = 2

NOT_DENIED, BY_STATE = -2, -1
"""What `Work.denied` has, beside the ordinal of a step."""


@entry
def expand(
    known: Known,
    states: States,
    candidates: Candidates,
    work: Work,
    begin: int,
    first: int,
    last: int,
    room: int,
    leave: bool,
) -> int:
    """Judge the states from ``first`` to ``last``, and leave them; gives how many are not done.

    ``begin`` is the first of the batch, ``room`` the end of the worker's part of the candidates.
    """
    status, waiting = work.status, 0
    for state in range(first, last):
        if candidates.ready[state - begin]:
            continue
        found, edges = status[FOUND], status[EDGES]
        outcome = _visit(known, states, candidates, work, state, room, leave)
        if outcome == READY:
            _commit(known, states, work, state, found, edges, leave)
            candidates.ready[state - begin] = 1
            candidates.spans[state - begin, 0] = found
            candidates.spans[state - begin, 1] = status[FOUND]
            continue
        status[EDGES] = edges
        status[FOUND] = found
        waiting += 1
        if outcome == NO_ROOM:
            status[CRAMPED] = 1
            return waiting
    return waiting


@inlined
def _visit(
    known: Known,
    states: States,
    candidates: Candidates,
    work: Work,
    state: int,
    room: int,
    leave: bool,
) -> int:
    """Look up all that is needed to judge and leave a state, and find where its steps lead."""
    row, nexts, base = work.row, work.nexts, work.base
    for w in range(base.shape[0]):
        base[w] = states.words[state, w]
    take_apart(known.packing, states.words, state, row, nexts, work.times)
    p = np.int64(0)
    while p < row.shape[0]:
        work.after[p] = row[p]
        p = nexts[p]
    if not summarise(known, work):
        return PENDING
    outcome = _judge(known, work)
    work.status[AWAY] = 0
    if not leave:
        return outcome
    away = _find_outside(known, work)
    if away == PENDING:
        return PENDING
    work.status[AWAY] = away
    return outcome if away else min(outcome, _leave(known, candidates, work, state, room))


@inlined
def _judge(known: Known, work: Work) -> int:
    """Ask all predicates about a state."""
    outcome, code, lists = READY, known.code, known.lists
    for track in range(work.open.shape[0]):
        work.denied[track] = NOT_DENIED
        work.spoke[track] = 0
    for i in range(lists[INVARIANTS, BEGIN_OF], lists[INVARIANTS, END_OF], 2):
        track = code[i + 1]
        if work.open[track]:
            said = ask(known, work, code[i])
            if said & SAID_DENIED:
                work.denied[track] = BY_STATE
            elif said & SAID_PENDING:
                outcome = PENDING
            work.spoke[track] |= said & (SAID_DENIED | SAID_GRANTED) != 0
    goals = lists[GOALS, BEGIN_OF]
    for i in range(goals, lists[GOALS, END_OF], 2):
        said = ask(known, work, code[i])
        missed = said & (SAID_DENIED | SAID_NOTHING) != 0
        if not missed and said & SAID_PENDING:
            outcome = PENDING
        work.goals[(i - goals) // 2] = not missed
        work.spoke[code[i + 1]] |= missed
    duties = lists[DUTIES, BEGIN_OF]
    for i in range(duties, lists[DUTIES, END_OF], 2):
        said = ask(known, work, code[i])
        if said & SAID_PENDING:
            outcome = PENDING
        met = MET if said & SAID_GRANTED else CLEAR
        work.duties[(i - duties) // 2] = DUE if said & SAID_DENIED else met
        work.spoke[code[i + 1]] |= said & SAID_DENIED != 0
    return outcome


@inlined
def _find_outside(known: Known, work: Work) -> int:
    """How many bounds the state is outside of, which are marked; or pending."""
    count, pending, first = 0, False, known.lists[BOUNDS, BEGIN_OF]
    for b in range(first, known.lists[BOUNDS, END_OF]):
        said = ask(known, work, known.code[b])
        away = said & (SAID_DENIED | SAID_NOTHING) != 0
        pending |= not away and said & SAID_PENDING != 0
        work.outside[b - first] = away
        count += away
    return PENDING if pending else count


@inlined
def _leave(known: Known, candidates: Candidates, work: Work, state: int, room: int) -> int:
    """Find where all steps from a state lead."""
    moves, ordinal = known.moves, 0
    tried, outcome = _try_all(known, work, URGENT)
    if tried == 0 and outcome == READY:
        tried, outcome = _try_all(known, work, GROUPS)
    if outcome == PENDING and known.lists[STEPS, BEGIN_OF] == known.lists[STEPS, END_OF]:
        return PENDING
    for t in range(tried):
        at = work.answers[t] + 1
        for _ in range(moves[at - 1]):
            if work.status[FOUND] == room:
                return min(outcome, NO_ROOM)
            _step(known, candidates, work, state, t, at)
            if moves[at + 1] >= 0 and not _ask_step(known, work, t, at, ordinal):
                outcome = PENDING
            ordinal += 1
            at += 4 + 2 * moves[at + 3]
    work.status[DEGREE] = max(work.status[DEGREE], ordinal)
    return outcome


@inlined
def _try_all(known: Known, work: Work, rules: int) -> tuple[int, int]:
    """Look up the moves of all groups of a list; gives how many there are, and if some are not."""
    tried, outcome = 0, READY
    for g in range(known.lists[rules, BEGIN_OF], known.lists[rules, END_OF]):
        view = known.code[g]
        cells = view + 2 + 3 * known.code[view + 1]
        if known.functions[known.code[view], KEY] == 1 and 0 < known.code[cells] <= _FEW:
            found = _try_quickly(known, work, view, cells, tried)
        else:
            found = _try(known, work, view, tried)
        if found < 0:
            outcome = PENDING
        else:
            tried = found
    return tried, outcome


@inlined
def _try_quickly(known: Known, work: Work, view: int, cells: int, tried: int) -> int:
    """As `_try`, for one or two cells and keys of one word, as nearly all groups have."""
    code, row, nexts, function = known.code, work.row, work.nexts, known.code[view]
    factor, down = known.functions[function, FACTOR], known.functions[function, DOWN]
    common, pending = np.int64(0), False
    for i in range(view + 2, cells, 3):
        common += work.summary[code[i]] << code[i + 2]
    count = code[cells]
    last = cells + 4 * count - 3
    two = count == _FEW
    outer, outer_end = (code[cells + 1], code[cells + 2]) if two else (np.int64(0), np.int64(1))
    while outer < outer_end:
        base = common + (row[outer] << code[cells + 4]) if two else common
        inner = code[last]
        while inner < code[last + 1]:
            key = base + (row[inner] << code[last + 3])
            answer = answer_of_one(known, work, function, factor, down, key)
            pending |= answer < 0
            work.answers[tried] = answer
            work.bindings[tried, 0] = outer
            work.bindings[tried, count - 1] = inner
            tried += answer > 0
            inner = nexts[inner]
        outer = nexts[outer] if two else outer_end
    return PENDING if pending else tried


@inlined
def _try(known: Known, work: Work, view: int, tried: int) -> int:
    """Look up the moves of a group for all choices; gives how many there are now, or pending."""
    cells, pending, function = first_choice(known, work, view), False, known.code[view]
    factor, down = known.functions[function, FACTOR], known.functions[function, DOWN]
    single = known.functions[function, KEY] == 1
    more, count = cells >= 0, known.code[cells]
    while more:
        if single:
            answer = answer_of_one(known, work, function, factor, down, work.key[0])
        else:
            answer = answer_of(known, work, function, work.key)
        pending |= answer < 0
        if answer > 0:
            work.answers[tried] = answer
            for c in range(count):
                work.bindings[tried, c] = work.where[c]
            tried += 1
        more = next_choice(known, work, cells)
    return PENDING if pending else tried


@inlined
def _step(known: Known, candidates: Candidates, work: Work, state: int, t: int, at: int) -> None:
    """Add the state after a move to the candidates."""
    moves, places, counts = known.moves, known.packing.places, known.packing.counts
    c = work.status[FOUND]
    words = candidates.words
    for w in range(words.shape[1]):
        words[c, w] = work.base[w]
    for i in range(at + 4, at + 4 + 2 * moves[at + 3], 2):
        p, value = work.bindings[t, moves[i]], moves[i + 1]
        first = places[p, COUNTS]
        if first < 0:
            _put(places, work.row, p, value, words, c)
        else:
            old, new = first + work.row[p], first + value
            words[c, counts[old, WORD]] -= np.int64(1) << counts[old, SHIFT]
            words[c, counts[new, WORD]] += np.int64(1) << counts[new, SHIFT]
    candidates.hashes[c] = np.int64(hash_of_state(words, c))
    candidates.sources[c] = state
    candidates.moves[c] = moves[at]
    work.status[EDGES] += known.tasks[moves[at]] >= 0
    work.status[FOUND] = c + 1


@inlined
def _put(places: Long, row: Long, p: int, value: int, words: Long, c: int) -> None:
    """Give a position another value, and sort its family again."""
    begin, end = places[p, BEGIN], places[p, END]
    while p + 1 < end and row[p + 1] < value:
        words[c, places[p, WORD]] += (row[p + 1] - row[p]) << places[p, SHIFT]
        p += 1
    while p > begin and row[p - 1] > value:
        words[c, places[p, WORD]] += (row[p - 1] - row[p]) << places[p, SHIFT]
        p -= 1
    words[c, places[p, WORD]] += (value - row[p]) << places[p, SHIFT]


@inlined
def _ask_step(known: Known, work: Work, t: int, at: int, ordinal: int) -> bool:
    """Ask all properties of one step that may still be violated; False if an answer is pending."""
    code, moves, after = known.code, known.moves, work.after
    asked = moves[at + 1]
    first, end = asked + 2, asked + 2 + 2 * code[asked]
    wanted = False
    for i in range(first, end, 2):
        wanted |= work.open[code[i + 1]] != 0 and work.denied[code[i + 1]] == NOT_DENIED
    if not wanted:
        return True
    for i in range(at + 4, at + 4 + 2 * moves[at + 3], 2):
        after[work.bindings[t, moves[i]]] = moves[i + 1]
    ready = summarise_after(known, work, code[asked + 1])
    for i in range(first, end if ready else first, 2):
        track = code[i + 1]
        if work.open[track] and work.denied[track] == NOT_DENIED:
            said = ask_of_step(known, work, code[i], moves[at + 2])
            if said & SAID_DENIED:
                work.denied[track] = ordinal
            elif said & SAID_PENDING:
                ready = False
            work.spoke[track] |= said & (SAID_DENIED | SAID_GRANTED) != 0
    for i in range(at + 4, at + 4 + 2 * moves[at + 3], 2):
        p = work.bindings[t, moves[i]]
        after[p] = work.row[p]
    return ready


@inlined
def _commit(
    known: Known, states: States, work: Work, state: int, first: int, edges: int, leave: bool
) -> None:
    """Keep what was found out about a state; its candidates begin at ``first``."""
    status, found = work.status, work.found
    for track in range(work.open.shape[0]):
        work.spoken[track] |= work.spoke[track]
        if work.denied[track] != NOT_DENIED and _is_first(found, track, state):
            found[track, 0] = state
            found[track, 1] = BY_STATE if work.denied[track] < 0 else first + work.denied[track]
    _keep_goals(states, work, state, cut=leave and status[AWAY] > 0)
    if not leave:
        return
    if status[AWAY]:
        status[CUT] += 1
        for b in range(work.cut.shape[0]):
            work.cut[b] += work.outside[b]
        return
    status[TERMINAL] += status[FOUND] == first
    if status[EDGES] > edges:
        return
    for g in range(work.goals.shape[0]):
        track = known.code[known.lists[GOALS, BEGIN_OF] + 2 * g + 1]
        if not work.goals[g] and work.open[track] and _is_first(found, track, state):
            found[track, 0] = state
            found[track, 1] = BY_STATE
    for d in range(work.duties.shape[0]):
        track = known.code[known.lists[DUTIES, BEGIN_OF] + 2 * d + 1]
        work.rests[track] |= work.duties[d] != MET


@inlined
def _keep_goals(states: States, work: Work, state: int, cut: bool) -> None:
    """Note which goals a state reaches, and what is due in it."""
    goals = work.goals.shape[0]
    for g in range(goals):
        states.reached[g, state] = work.goals[g]
    for d in range(work.duties.shape[0]):
        states.reached[goals + d, state] = MET if cut else work.duties[d]


@inlined
def _is_first(found: Long, track: int, state: int) -> bool:
    """Whether no state before this one denies a property."""
    return bool(found[track, 0] < 0 or found[track, 0] > state)
