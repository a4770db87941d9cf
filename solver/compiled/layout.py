"""A system and its properties as the flat program that the compiled loop runs.

Numbers of values are packed into fields of words. A field has room for more values than are known;
when one is outgrown, everything is laid out anew. Of a family of many members and few values a
state has the number of members with each value instead, where that takes fewer bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, islice
from math import prod
from typing import NamedTuple

import numpy as np

from kubelemma.model.system import Best, System
from kubelemma.solver.tables import Predicate, StepPredicate, Tables

from .answers import Answers, Field, Score, Sum
from .arrays import (
    BOUNDS,
    DUTIES,
    GOALS,
    GROUPS,
    INVARIANTS,
    LISTS,
    OTHERS,
    SUMS,
    URGENT,
    Long,
    Packing,
)

WORD_BITS = 63
"""The bits of a word that fields may take, so that a packed word is never negative."""

LEAST_COUNTED = 8
"""A family of fewer members is never counted."""

MANY = 256
"""A field that knows so many values has room for twice as many, one that knows less for four."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The predicates of a search; tracked ones with the number of their property.

    ``by_action`` has rows of ``steps`` by the action that they are asked of.
    """

    bounds: list[Predicate] = field(default_factory=list)
    invariants: list[tuple[Predicate, int]] = field(default_factory=list)
    goals: list[tuple[Predicate, int]] = field(default_factory=list)
    duties: list[tuple[Predicate, int]] = field(default_factory=list)
    steps: list[tuple[StepPredicate, int]] = field(default_factory=list)
    by_action: dict[str, list[int]] = field(default_factory=dict)


class Place(NamedTuple):
    """A field: which word it is in, from which bit on, how many bits it has; may it be negative?"""

    word: int
    shift: int
    bits: int
    signed: bool = False


def worth_counting(members: int, values: int, bits: int) -> bool:
    """Whether to count a family: so many members, room for so many values, each of so many bits."""
    return members >= LEAST_COUNTED and values * members.bit_length() < members * bits


def is_signed(meant: Field) -> bool:
    """Whether a number in a field may be negative."""
    return isinstance(meant, Score) or (isinstance(meant, Sum) and meant.signed)


def needed(meant: Field) -> int:
    """The least number of bits for what is known to be in a field."""
    if isinstance(meant, Score):
        return 64
    if isinstance(meant, Sum):
        return max(meant.bound.bit_length() + meant.signed, 1)
    known = meant if isinstance(meant, list) else meant.members
    return max(len(known) - 1, 1).bit_length()


def _roomy(meant: Field) -> int:
    """A number of bits that will do for some time."""
    bits = needed(meant)
    if isinstance(meant, (Score, Sum)):
        return min(bits + 1, 64)
    return bits + (1 if bits >= MANY.bit_length() else 2)


def packed(fields: Iterable[Field], bits: Mapping[int, int]) -> tuple[Place, ...]:
    """Fields side by side in as few words as follow from their order; a wide one stands alone.

    ``bits`` has the room of each field by its identity.
    """
    meant = list(fields)
    places = side_by_side([bits[id(field)] for field in meant])
    pairs = zip(places, meant, strict=True)
    return tuple(place._replace(signed=is_signed(field)) for place, field in pairs)


def side_by_side(rooms: Iterable[int]) -> list[Place]:
    """Fields of so many bits in as few words as follow from their order; a wide one alone."""
    places: list[Place] = []
    word = used = 0
    for room in rooms:
        if used and used + room > WORD_BITS:
            word, used = word + 1, 0
        places.append(Place(word, used, room))
        used += room
    return places


def words_of(places: Sequence[Place]) -> int:
    """How many words the fields take; at least one."""
    return places[-1].word + 1 if places else 1


def taken_apart(places: Sequence[Place], words: Sequence[int]) -> tuple[int, ...]:
    """The numbers in packed fields."""
    rest, numbers = list(words), []
    for i, place in enumerate(places):
        number = rest[place.word]
        if i + 1 < len(places) and places[i + 1].word == place.word:
            number &= (1 << place.bits) - 1
            if place.signed and number >> (place.bits - 1):
                number -= 1 << place.bits
        rest[place.word] = (rest[place.word] - number) >> place.bits
        numbers.append(number)
    return tuple(numbers)


def taker(places: Sequence[Place]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """What does as `taken_apart`, in a shorter time for the fields that nearly all keys have."""
    if not places or any(place.word or place.signed for place in places):
        return partial(taken_apart, places)
    fields = [(place.shift, (1 << place.bits) - 1) for place in places]

    def numbers(words: Sequence[int]) -> tuple[int, ...]:
        word = words[0]
        return tuple([word >> shift & mask for shift, mask in fields])

    return numbers


class View(NamedTuple):
    """A function, the reads, and the positions of the cells that it is asked about."""

    function: int
    reads: tuple[int, ...]
    cells: tuple[slice, ...]
    action: bool = False


class Fold(NamedTuple):
    """A tally or best that is not a plain sum: the function of its total, and of each part."""

    best: bool
    function: int
    reads: tuple[int, ...]
    parts: tuple[tuple[int, slice], ...]


class Program(NamedTuple):
    """What `kubelemma.solver.compiled.arrays.Known` has of a layout, and its measures in words."""

    packing: Packing
    lists: Long
    code: Long
    recipes: Long
    keys: tuple[int, ...]
    words: int
    sums: int


class Layout:
    """All functions of a system and its properties, and where their arguments are.

    ``functions`` has the places of each function's arguments in its keys, as of the last call of
    ``renew``.
    """

    def __init__(self, system: System, tables: Tables, answers: Answers, asked: Asked) -> None:
        self._answers, self._tables = answers, tables
        self._names = [name for name, where in system.positions.items() for _ in where]
        self._slices = slices = tables.numbering.slices
        slots = tables.summaries.slots
        self._sums = [answers.total(tally) for tally in answers.sums]
        self._folds = [
            Fold(
                isinstance(s, Best),
                answers.total(s),
                tuple(slots[name] for name in s.reads),
                tuple(answers.parts(s)),
            )
            for s in answers.others
        ]
        self._asked = asked
        self._bounds = [self._view(bound) for bound in asked.bounds]
        self._invariants = [(self._view(p), track) for p, track in asked.invariants]
        self._goals = [(self._view(p), track) for p, track in asked.goals]
        self._duties = [(self._view(p), track) for p, track in asked.duties]
        self._steps = [(self._step_view(p), track) for p, track in asked.steps]
        self.asked_at = self._place_asked()
        self._groups: dict[bool, list[View]] = {True: [], False: []}
        for group in tables.groups:
            view = View(
                answers.group(group, lambda move: self.asked_at.get(move.outcome.action, -1)),
                group.reads,
                tuple(slices[name] for name in group.cells),
            )
            self._groups[group.urgent].append(view)
        self._families = [family.name for family in system.families]
        self._fields = {
            id(meant): meant
            for meant in (
                *tables.numbering.domains.values(),
                *tables.summaries.domains.values(),
                tables.actions,
                *(meant for fields in answers.totals.values() for meant in fields),
            )
        }
        self._bits: dict[int, int] = {}
        self._signed: dict[int, bool] = {}
        self._counted: dict[str, int] = {}
        self.functions: list[tuple[Place, ...]] = []
        self.first_rows: dict[str, int] = {}

    def outgrown(self) -> bool:
        """Whether something is known that does not fit into its field."""
        return any(
            needed(meant) > self._bits[i] or is_signed(meant) is not self._signed[i]
            for i, meant in self._fields.items()
        ) or any(
            len(self._tables.numbering.domains[name].members) > room
            for name, room in self._counted.items()
        )

    def renew(self) -> Program:
        """Make room in all fields, and lay everything out anew."""
        self._bits = {i: _roomy(meant) for i, meant in self._fields.items()}
        self._signed = {i: is_signed(meant) for i, meant in self._fields.items()}
        self.functions = [packed(f.fields, self._bits) for f in self._answers.functions]
        domains = self._tables.numbering.domains
        self._counted = dict(self._worth_counting())
        sizes = [(name, 1 << self._bits[id(domain)]) for name, domain in domains.items()]
        ends = list(accumulate(size for _, size in sizes))
        self.first_rows = {name: end - size for (name, size), end in zip(sizes, ends, strict=True)}
        code, lists = self._code()
        recipes = [n for places in self.functions for p in places for n in (p.word, p.shift)]
        packing, words = self._packing()
        return Program(
            packing=packing,
            lists=_table(lists, 2),
            code=_long(code),
            recipes=_long(recipes),
            keys=tuple(words_of(places) for places in self.functions),
            words=words,
            sums=sum(words_of(self.functions[f]) for f in self._sums),
        )

    @property
    def rows(self) -> int:
        """How many values there is room for, of all cells and families."""
        return max(
            first + (1 << self._bits[id(self._tables.numbering.domains[name])])
            for name, first in self.first_rows.items()
        )

    def sums_of(self, row: Sequence[int]) -> list[int]:
        """What a value adds to the tallies that read nothing, packed."""
        sums: list[int] = []
        at = 0
        for function in self._sums:
            places = self.functions[function]
            words = [0] * words_of(places)
            for place, number in zip(places, row[at : at + len(places)], strict=True):
                words[place.word] += number << place.shift
            sums += words
            at += len(places)
        return sums

    # States

    def _worth_counting(self) -> Iterator[tuple[str, int]]:
        """The families that are counted, and for how many values each there is to be room."""
        for name in self._families:
            domain = self._tables.numbering.domains[name]
            bits = self._bits[id(domain)]
            room = min(2 * len(domain.members) + 2, 1 << bits)
            if worth_counting(self._size(name), room, bits):
                yield name, room

    def _size(self, name: str) -> int:
        return self._slices[name].stop - self._slices[name].start

    def _packing(self) -> tuple[Packing, int]:
        """Where in a state is what, and how many words it takes."""
        domains = self._tables.numbering.domains
        rooms = [
            self._size(name).bit_length() if name in self._counted else self._bits[id(domain)]
            for name, domain in domains.items()
            for _ in range(self._counted.get(name, self._size(name)))
        ]
        fields = side_by_side(rooms)
        left = iter(fields)
        places: list[tuple[int, ...]] = []
        counts: list[tuple[int, ...]] = []
        families: list[tuple[int, ...]] = []
        for name in domains:
            where, values = self._slices[name], self._counted.get(name, 0)
            if name in self._families:
                families.append((where.start, where.stop, len(counts), values))
            common = (where.start, where.stop, self.first_rows[name])
            if values:
                places += [(0, 0, 0, *common, len(counts))] * self._size(name)
                counts += [_field(place) for place in islice(left, values)]
            else:
                held = islice(left, self._size(name))
                places += [(*_field(place), *common, -1) for place in held]
        packing = Packing(_table(places, 7), _table(families, 4), _table(counts, 3))
        return packing, words_of(fields)

    def _view(self, predicate: Predicate) -> View:
        names = self._names_of(predicate.cells)
        function = self._answers.predicate(predicate, names)
        return View(function, predicate.reads, predicate.cells)

    def _step_view(self, predicate: StepPredicate) -> View:
        names = self._names_of(predicate.cells)
        function = self._answers.step_predicate(predicate, names)
        return View(function, predicate.reads, predicate.cells, action=True)

    def _names_of(self, cells: Sequence[slice]) -> list[str]:
        # Of several that begin and end at the same place, as empty families do, the first is meant.
        pairs = reversed(self._slices.items())
        names = {(where.start, where.stop): name for name, where in pairs}
        return [names[where.start, where.stop] for where in cells]

    # The code

    def _place_asked(self) -> dict[str, int]:
        """Where the list of what is asked of each action will be: at the start of the code."""
        places, at = {}, 0
        for action, rows in sorted(self._asked.by_action.items()):
            places[action] = at
            at += 2 + 2 * len(rows)
        return places

    def _read_by(self, steps: Iterable[View]) -> int:
        """The summaries that these views need, directly or through others, as a mask."""
        first = len(self._sums)
        found: set[int] = set()
        new = {slot for view in steps for slot in view.reads}
        while new:
            found |= new
            folds = (self._folds[slot - first] for slot in new if slot >= first)
            new = {slot for fold in folds for slot in fold.reads} - found
        return -1 if max(found, default=0) >= WORD_BITS else sum(1 << slot for slot in found)

    def _code(self) -> tuple[list[int], list[tuple[int, int]]]:
        code: list[int] = [0] * sum(2 + 2 * len(r) for r in self._asked.by_action.values())
        lists = [(0, len(code))] * LISTS

        def laid(view: View) -> int:
            begin = len(code)
            code.extend(self._lay_step(view) if view.action else self._lay(view))
            return begin

        steps = [(laid(view), track) for view, track in self._steps]
        for action, rows in self._asked.by_action.items():
            flat = [number for row in rows for number in steps[row]]
            at = self.asked_at[action]
            mask = self._read_by(self._steps[row][0] for row in rows)
            code[at : at + 2 + len(flat)] = [len(rows), mask, *flat]
        tracked = {INVARIANTS: self._invariants, GOALS: self._goals, DUTIES: self._duties}
        parts = {name: [(laid(v), t) for v, t in views] for name, views in tracked.items()}
        urgent, others = self._groups[True], self._groups[False]
        plain = {URGENT: urgent, GROUPS: others, BOUNDS: self._bounds}
        starts = {name: [(laid(view),) for view in views] for name, views in plain.items()}
        sections: list[tuple[int, Sequence[Sequence[int]]]] = [
            (SUMS, self._lay_sums()),
            (OTHERS, [self._lay_fold(fold) for fold in self._folds]),
            *parts.items(),
            *starts.items(),
        ]
        for which, section in sections:
            begin = len(code)
            code.extend(number for row in section for number in row)
            lists[which] = (begin, len(code))
        return code, lists

    def _lay(self, view: View) -> list[int]:
        places, reads = self.functions[view.function], len(view.reads)
        laid = [view.function, reads]
        for slot, place in zip(view.reads, places[:reads], strict=True):
            laid += [slot, place.word, place.shift]
        laid.append(len(view.cells))
        for where, place in zip(view.cells, places[reads:], strict=True):
            laid += [where.start, where.stop, place.word, place.shift]
        return laid

    def _lay_step(self, view: View) -> list[int]:
        places, reads = self.functions[view.function], len(view.reads)
        action, before, after = places[0], places[1 : 1 + reads], places[1 + reads : 1 + 2 * reads]
        cells = places[1 + 2 * reads :]
        laid = [view.function, reads]
        for slot, old, new in zip(view.reads, before, after, strict=True):
            laid += [slot, old.word, old.shift, new.word, new.shift]
        laid.append(len(view.cells))
        for where, old, new in zip(view.cells, cells[::2], cells[1::2], strict=True):
            laid += [where.start, where.stop, old.word, old.shift, new.word, new.shift]
        return [*laid, action.word, action.shift]

    def _lay_sums(self) -> list[tuple[int, int]]:
        firsts = accumulate((words_of(self.functions[f]) for f in self._sums), initial=0)
        return list(zip(self._sums, firsts, strict=False))

    def _lay_fold(self, fold: Fold) -> list[int]:
        numbers = self.functions[fold.function]
        laid = [int(fold.best), fold.function, len(numbers)]
        laid += [n for place in numbers for n in (place.word, place.shift)]
        laid.append(len(fold.reads))
        # All parts have the reads first in their keys, hence at the same places.
        reads = self.functions[fold.parts[0][0]] if fold.parts else (Place(0, 0, 0),) * laid[-1]
        for slot, place in zip(fold.reads, reads, strict=False):
            laid += [slot, place.word, place.shift]
        for function, where in fold.parts:
            value = self.functions[function][-1]
            laid += [function, where.start, where.stop, value.word, value.shift]
        return [len(laid) + 1, *laid]


def _field(place: Place) -> tuple[int, int, int]:
    return place.word, place.shift, (1 << place.bits) - 1


def choices_of(system: System) -> int:
    """The most ways to try rules that a state can have."""
    shapes = {(system.sight(r.cells).places, r.reads, r.urgent) for r in system.rules}
    return sum(prod(len(system.positions[name]) for name in cells) for cells, _, _ in shapes)


def _long(numbers: Sequence[int]) -> Long:
    return np.array(numbers, dtype=np.int64)


def _table(rows: Sequence[Sequence[int]], columns: int) -> Long:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)
