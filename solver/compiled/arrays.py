"""The flat arrays that the compiled loop works on. Each has one type for all systems.

A cell's value is known by its number among those that this cell, or its family, was seen to hold.
A state is packed: the numbers of all positions stand in a few words of 64 bits, each in a field
wide enough for the numbers known so far (`kubelemma.solver.compiled.layout`). A family of many
members and few values may be *counted* instead: for each value, how many members hold it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Small: TypeAlias = NDArray[np.int32]
Long: TypeAlias = NDArray[np.int64]

NONE: Final = -(2**63)
"""The score of a value that is out of the running."""

DENIED, GRANTED, SILENT = range(3)
"""What a predicate may answer: false, true, nothing."""

STRIDE, BATCH = 8192, 32768
"""The states that are left at a time: at first, and at most."""

PARTS: Final = 8
"""The parts of a batch that several workers share, and the shards of the table of states: enough
that nobody waits long for another, and few enough that each takes longer than to hand it out."""

REGIONS: Final = 64
"""The parts of the table of states, each of which belongs to one shard; a power of two."""

SPARE: Final = 64
"""Slots after those that a hash leads to, so that a search for a free one need not turn back."""

CACHE_LINE: Final = 128
"""The bytes that processors move together, at most."""

SUMS, OTHERS, URGENT, GROUPS, BOUNDS, INVARIANTS, GOALS, DUTIES, STEPS, LISTS = range(10)
"""The rows of `Known.lists`."""

WORD, SHIFT, MASK, BEGIN, END, MEASURES, COUNTS = range(7)
"""The columns of `Packing.places`; the first three are also those of `Packing.counts`."""

MODULUS, ORDERS, INVERSES = 0, 1, 0
"""The first columns of `kubelemma.solver.compiled.orders.moduli`, and where that of 0 would be."""

OFFSET, FACTOR, DOWN, KEY, STOP, RECIPE, ARGUMENTS = range(7)
"""The columns of `Known.functions`."""

BEGIN_OF, END_OF, FIRST_OF, VALUES_OF = range(4)
"""The columns of `Packing.families`; the first two are also those of `Known.lists`."""

(
    FOUND,
    ASKED,
    CRAMPED,
    TERMINAL,
    CUT,
    EDGES,
    DEGREE,
    AWAY,
    STATUSES,
) = range(9)
"""The places of `Work.status`: where the next candidate goes, the length of the questions, whether
more room is needed; then counts of this batch: states without a step, states outside some bound,
edges, the most steps from a state; and how many bounds the present state is outside of."""


class Packing(NamedTuple):
    """Where in a packed state is what.

    ``places`` tells of each position its word, shift and mask in a packed state, the begin and end
    of its family (a cell is its own), the first row of its values in `Known.measures`; and, if its
    family is counted, the first row of them in ``counts``, otherwise -1. ``families`` has begin and
    end of each family, its first row in ``counts``, and how many values there is room for: none
    where it is not counted. ``counts`` tells of each such value the word, shift and mask of the
    number of members that hold it.
    """

    places: Long
    families: Long
    counts: Long


class Known(NamedTuple):
    """What is known of a system; nothing here changes while the loop runs.

    ``functions`` tells where in ``slots`` the answers of each function are: offset, by what a key
    is multiplied and shifted down to give a slot, words of a key, and where the slots end; then, to
    put answers in, where its recipe is and the number of arguments. A slot is a key and an answer,
    which is below zero where the slot is free.

    ``lists`` has begin and end of the parts of ``code``. A *view* in it is: function, number of
    reads, for each read its place in a summary, then the word and shift in the key; number of
    cells, for each its first position and end, word and shift. A view of steps has two words and
    shifts in each place, for before and after the step, and at its end those of the action.
    ``SUMS`` has of each tally that reads nothing its function and first word in ``measures``.
    ``OTHERS`` has the remaining tallies and bests: length, whether it is a best, function, width,
    for each number word and shift, number of reads, for each read as in views, then for each cell
    or family: function, begin, end, word and shift. ``URGENT`` and ``GROUPS`` (of the rules that
    are urgent, and of all others) and ``BOUNDS`` are views, ``INVARIANTS``, ``GOALS`` and
    ``DUTIES`` (what leads to what) views with the numbers of their
    properties. ``STEPS`` has what is asked of actions: number, then views with the numbers of their
    properties.

    ``measures`` has what each value adds to the tallies that read nothing, packed; ``numbers`` what
    values add to the others and score. ``moves`` has lists of moves, each preceded by its length; a
    move is: number, place in ``code`` of what is asked of it or -1, the number of its action,
    number of writes, then for each write the index of the cell in the group, and the value.
    ``tasks`` has for each move its task, or -1 for the environment's.
    """

    packing: Packing
    functions: Long
    slots: Long
    lists: Long
    code: Long
    measures: Long
    numbers: Long
    moves: Long
    tasks: Small


class States(NamedTuple):
    """What was found: packed states with parent and move, and a hash table of them.

    A slot is 0, or has part of the hash above 32 bits that are the place of a state, plus one.
    ``reached`` has a row for each goal, and one after these for each duty, as in
    `kubelemma.solver.search.Duty`.
    """

    words: Long
    parents: Small
    moves: Small
    slots: Long
    reached: Bytes


class Followed(NamedTuple):
    """Steps between states, as they are noted when these are gone through once more.

    Those of state ``n`` are from ``offsets[n]`` to ``offsets[n + 1]``, each with the state that it
    leads to and its move; those of the environment lie apart. ``kinds`` says of each move what is
    kept of its steps, ``tasks`` whose it is, or -1 for the environment's. ``enabled`` is as in
    `kubelemma.solver.space.Links`.
    """

    kinds: Bytes
    tasks: Small
    enabled: Long
    offsets: Long
    targets: Small
    moves: Small
    fault_offsets: Long
    fault_targets: Small
    fault_moves: Small


class Candidates(NamedTuple):
    """The states that the steps of a batch lead to, where the worker that found them has room.

    ``ready`` marks the states of the batch that are done, ``spans`` has begin and end of what each
    leads to. ``dealt`` has for each shard the candidates
    whose regions of the table are in it: for each part of the batch from ``starts`` on, as many as
    ``shares`` says by part and shard; ``news`` says by shard and part how many are new.
    ``ids`` has the number of the state; for one that is new, or equal to a new one before it, the
    number of states known before the batch plus the place of the first, whose slot is in
    ``places`` and whose own number in ``fresh``.
    """

    words: Long
    hashes: Long
    sources: Small
    moves: Small
    ids: Long
    places: Long
    fresh: Small
    ready: Bytes
    spans: Long
    dealt: Small
    starts: Long
    shares: Long
    news: Long


class Work(NamedTuple):
    """What one worker uses and finds.

    ``row`` has the values of a state by position, those of a family in *runs*: where one begins,
    ``nexts`` has where the next one does, or the end of the family, and ``times`` how many members
    there are in it. Where ``after`` differs from ``row``, a step gives one of these the value that
    stands there. ``answers`` has the places of the moves of a state, ``bindings`` the positions of
    the cells that the rules were tried on. ``questions`` has functions and keys without an answer,
    ``recent`` the hashes of some of them. ``open`` says of each property whether it may still be
    violated, ``denied`` whether the present state denies it (the number of the step, or -1; -2 if
    not), ``spoken`` whether it said anything, ``rests`` whether only the environment can act in a
    state outside its goal, for what leads to it, ``found`` the first state that denies it (or -1)
    and the candidate that its step leads to (or -1). ``fired`` counts moves, ``outside`` marks the
    bounds that the present state is outside of, ``cut`` counts states outside each.
    """

    row: Long
    nexts: Long
    times: Long
    after: Long
    summary: Long
    summary_after: Long
    sums: Long
    sums_after: Long
    key: Long
    step_key: Long
    where: Long
    step_where: Long
    total: Long
    base: Long
    answers: Long
    bindings: Long
    status: Long
    questions: Long
    recent: Long
    open: Bytes
    denied: Long
    spoke: Bytes
    spoken: Bytes
    rests: Bytes
    found: Long
    fired: Long
    outside: Bytes
    cut: Long
    goals: Bytes
    duties: Bytes
