"""The flat arrays that the compiled loop works on. Each has one type for all systems.

A cell's value is known by one number among those of all cells and families, so a state is a row of
them, and what belongs to a value is found by that number alone.

What a *view* shows is laid out as: table, number of cells, begin and end of each cell's positions,
number of reads, the slot of each read in a summary.
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

STATES, TARGETS, CONCRETE, BILLIONS, TERMINAL, CUT, STATUS = range(7)
"""The places of `Sheet.counters`: of states, edges, concrete states (and their billions),
states without a step, states outside some bound; and why the loop came back."""

BILLION: Final = 10**9

RANGE: Final = 4096
"""The most states that the loop is given at a time; a power of two."""

MISSING, CRAMPED, ENOUGH = range(3)
"""Why the loop came back early: for answers, for more room, or at the limit of states."""


KEYS, LENGTH, FULL = range(3)
"""The places of `Table.used`."""


class Table(NamedTuple):
    """The answers of all functions by their arguments: one hash table with open addressing.

    A key is the number of a function and its arguments. The ``records`` stand one after the other:
    length of the key, answer (below zero while it is still to be given), key. A slot is 0, or has
    part of the hash above 32 bits that are the place of a record, plus one. ``used`` has the number
    of keys, the length of all records, and whether a key found no place.
    """

    slots: Long
    records: Long
    used: Long


class Program(NamedTuple):
    """What is fixed for a system.

    ``begins`` and ``ends`` bound the family of each position (a cell is its own). ``sums`` has for
    each tally that reads nothing its part of the sum of all measures, and its table. ``others`` has
    the remaining tallies and bests: length, whether it is a best, table, width, number of reads,
    slots of reads, then for each cell or family its table, begin and end. ``groups`` and ``bounds``
    are places in ``views``; so are the first columns of ``invariants``, ``goals`` and ``steps``,
    whose second are the numbers of the properties. ``asked`` has lists of rows of ``steps``, each
    preceded by its length. Where the number of orders of all families fits, ``orders`` is its
    factorials; otherwise it is empty.
    """

    begins: Long
    ends: Long
    sums: Long
    others: Long
    views: Long
    groups: Long
    bounds: Long
    invariants: Long
    goals: Long
    steps: Long
    asked: Long
    orders: Long
    families: Long


class Pools(NamedTuple):
    """What answers refer to.

    ``measures`` has what each value adds to the tallies that read nothing; ``numbers`` what values
    add to the others and score. ``moves`` has lists of moves, each preceded by its length; a move
    is: number, whether it is the environment's, its place in ``asked`` or -1, the number of its
    action, number of writes, then for each write the index of the cell in the group, and the value.
    """

    measures: Long
    numbers: Long
    moves: Long


class States(NamedTuple):
    """What was found: states with parent and move, and a hash table of them like that of `Table`.

    ``reached`` has a row for each goal. The edges of state ``n`` are those from ``offsets[n]`` to
    ``offsets[n + 1]``; there is no room for any where they are not wanted.
    """

    rows: Small
    parents: Small
    moves: Small
    slots: Long
    reached: Bytes
    offsets: Long
    targets: Small
    labels: Small


class Sheet(NamedTuple):
    """What is counted and noted: ``found`` has state (-1 if none), move and target by property."""

    counters: Long
    fired: Long
    cut: Long
    found: Long
    spoken: Bytes


class Scratch(NamedTuple):
    """Room to work in; nothing in it outlives a step.

    ``bindings`` has for each way to try a group the positions of its cells, ``answers`` the places
    of the moves. ``key`` holds what is looked up, ``where`` positions, ``total`` the sum of one
    tally that reads others, ``denials`` the ordinal of the step that is denied, by property.
    ``ready`` marks the states of a range, by their last bits, about which nothing is left to ask.
    """

    row: Small
    after: Small
    next_row: Small
    measures: Long
    after_measures: Long
    before_summary: Long
    after_summary: Long
    bindings: Long
    answers: Long
    key: Long
    where: Long
    total: Long
    denials: Long
    outside: Long
    ready: Bytes
