"""What every loop of a system shows to whoever looks at a part of the state only.

A *projection* takes of a state what does not depend on the order within families. A run that goes
round for ever goes round in every projection, so a step that may be repeated lies in a strongly
connected component of the projected steps. This holds for any superset of the steps that are
repeated, so steps can be taken away by one projection after the other, again and again.

Steps are *local*: entries of the tables of rules, which say what one rule does where it sees
certain values, whatever else there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from kubelemma.model.system import System, Tally, reduced

from .tables import RuleGroup, Tables

Long: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
MOST_BITS = 62
"""The bits of a number that a projected state is packed into."""

MOST_NODES = 1 << 20
"""A projection with more states than this is done without: it would cost more than it saves."""

MOST_EDGES = 1 << 24
"""The same of the steps between its states."""


class Key(NamedTuple):
    """A number for each state: ``base``, and what each value at each place adds to it."""

    base: int
    adds: Mapping[str, Long]


Numbers: TypeAlias = Callable[[Sequence[Key], int], Sequence[Long | None]]
"""Of each key the numbers that any state found has, in order; None where they are more than so
many."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalSteps:
    """The known local steps of controllers of one group of rules, one in each row.

    ``numbers`` are those of their moves. ``before`` and ``after`` have the numbers of the values at
    each of the ``places``, ``reads`` those of the tallies and bests that are ``read``.
    """

    places: tuple[str, ...]
    read: tuple[str, ...]
    numbers: Long
    before: Long
    after: Long
    reads: Long

    def change(self, place: str) -> tuple[Long, Long] | None:
        """What each step sees at a place, and leaves there; None if none looks at it."""
        if place not in self.places:
            return None
        at = self.places.index(place)
        return self.before[:, at], self.after[:, at]

    def among(self, kept: Flags) -> LocalSteps:
        """Some of them."""
        parts = (self.numbers, self.before, self.after, self.reads)
        return LocalSteps(self.places, self.read, *(part[kept] for part in parts))


def local_steps(tables: Tables) -> tuple[LocalSteps, ...]:
    """All steps of controllers that the tables know, urgent ones too."""
    names = list(tables.summaries.slots)
    found = (_steps_of(group, names) for group in tables.groups)
    return tuple(steps for steps in found if steps.numbers.size)


def _steps_of(group: RuleGroup, names: Sequence[str]) -> LocalSteps:
    numbers, before, after, reads = [], [], [], []
    places = len(group.cells)
    for key, moves in group.moves.items():
        for move in moves:
            if not move.rule.environment:
                written = dict(move.writes)
                numbers.append(move.number)
                before.append(key[:places])
                after.append([written.get(at, number) for at, number in enumerate(key[:places])])
                reads.append(key[places:])
    return LocalSteps(
        places=group.cells,
        read=tuple(names[slot] for slot in group.reads),
        numbers=np.array(numbers, dtype=np.int64),
        before=_table(before, places),
        after=_table(after, places),
        reads=_table(reads, len(group.reads)),
    )


def _table(rows: Sequence[Sequence[int]], width: int) -> Long:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


class Projection(Protocol):
    """A part of the state."""

    def turning(self, steps: Sequence[LocalSteps]) -> list[Flags]:
        """Which of the steps, given all that may be repeated, may be so as far as this shows."""


@dataclass(frozen=True, slots=True)
class Place:
    """The value of a cell, or those of all members of a family, whichever member has which.

    A member that comes round again is another one perhaps; once all members have changed places
    often enough, each is where it was, and has gone round by itself.
    """

    name: str
    values: int

    def turning(self, steps: Sequence[LocalSteps]) -> list[Flags]:
        """Those that leave the value, or change it as on some way back."""
        changes = [each.change(self.name) for each in steps]
        seen = [change for change in changes if change is not None]
        if not seen:
            return _all_of(steps)
        component = _components(
            self.values,
            np.concatenate([before for before, _ in seen]),
            np.concatenate([after for _, after in seen]),
        )
        return [
            np.ones(each.numbers.size, dtype=np.bool_)
            if change is None
            else component[change[0]] == component[change[1]]
            for each, change in zip(steps, changes, strict=True)
        ]


def places(system: System, tables: Tables) -> list[Projection]:
    """Every cell and family by itself."""
    domains = tables.numbering.domains
    return [Place(name, len(domains[name])) for name in system.positions]


@dataclass(frozen=True, slots=True)
class _Field:
    """A cell or sum, as a number of so many bits: what each value of a cell or member adds to it.

    ``seen`` gives for such numbers those of what rules see of them.
    """

    name: str
    bits: int
    base: int
    adds: Mapping[str, Long]
    seen: Callable[[Long], Long]


class _Matches(NamedTuple):
    """Where steps can be taken that change something: so many different ones.

    ``kind`` says of each of the ``rows``, which are numbers of steps, which one it is. Each adds
    ``by`` to those of the nodes in ``order`` that are so ``many`` from ``first`` on.
    """

    rows: Long
    kind: Long
    by: Long
    order: Long
    first: Long
    many: Long

    def sources(self) -> tuple[Long, Long]:
        """Of each step between nodes its kind, and the node where it begins."""
        kinds = np.repeat(np.arange(self.many.size), self.many)
        begins = np.cumsum(self.many) - self.many
        at = np.arange(kinds.size) - np.repeat(begins - self.first, self.many)
        return kinds, self.order[at]


class Together:
    """Cells and sums, as one controller looks at them together: only states that there are.

    Of a step is known what its rule looks at; whatever it does not look at may be anything. A state
    is one number with a field for each cell and sum, so a step adds the same to it wherever it is
    taken.
    """

    def __init__(self, fields: Sequence[_Field], nodes: Long) -> None:
        self._nodes = nodes
        self._adds = _key(fields).adds
        self._seen = {
            field.name: field.seen((nodes >> shift) & ((1 << field.bits) - 1))
            for field, shift in _placed(fields)
        }

    def turning(self, steps: Sequence[LocalSteps]) -> list[Flags]:
        """Those that leave all that is looked at, or change it as on some way back."""
        matches = [self._matches(each) for each in steps]
        if sum(int(each.many.sum()) for each in matches) > MOST_EDGES:
            return _all_of(steps)
        edges = [self._edges(each) for each in matches]
        component = _components(
            self._nodes.size,
            np.concatenate([source for _, source, _ in edges]),
            np.concatenate([target for _, _, target in edges]),
        )
        found = _all_of(steps)
        for turns, each, (kinds, source, target) in zip(found, matches, edges, strict=True):
            kept = np.zeros(each.by.size, dtype=np.bool_)
            kept[kinds[component[source] == component[target]]] = True
            turns[each.rows] = kept[each.kind]
        return found

    def _matches(self, steps: LocalSteps) -> _Matches:
        by = np.zeros(steps.numbers.size, dtype=np.int64)
        known = dict(zip(steps.read, steps.reads.T, strict=True))
        for place in steps.places:
            before, after = steps.change(place) or (by, by)
            known[place] = before
            if place in self._adds:
                by += self._adds[place][after] - self._adds[place][before]
        rows = np.flatnonzero(by)
        pairs = [(self._seen[name], known[name][rows]) for name in self._seen if name in known]
        nodes, wanted = _codes(pairs, self._nodes.size, rows.size)
        kinds, kind = np.unique(np.column_stack([wanted, by[rows]]), axis=0, return_inverse=True)
        order = np.argsort(nodes, kind="stable")
        first = np.searchsorted(nodes[order], kinds[:, 0])
        last = np.searchsorted(nodes[order], kinds[:, 0], side="right")
        return _Matches(rows, kind.ravel(), kinds[:, 1], order, first, last - first)

    def _edges(self, matches: _Matches) -> tuple[Long, Long, Long]:
        """The steps between nodes: of each its kind, and the two nodes."""
        kinds, source = matches.sources()
        wanted = self._nodes[source] + matches.by[kinds]
        target = np.minimum(np.searchsorted(self._nodes, wanted), self._nodes.size - 1)
        there = self._nodes[target] == wanted
        return kinds[there], source[there], target[there]


def together(system: System, tables: Tables, numbers: Numbers) -> list[Projection]:
    """What each controller that looks at sums looks at together, but for families."""
    sums = {s.name: s for s in system.summaries if isinstance(s, Tally) and not s.reads}
    cells = {cell.name for cell in system.cells}
    looks = [
        frozenset({*cells.intersection(rule.cells), *sums.keys() & set(rule.reads)})
        for rule in system.rules
        if not rule.environment
    ]
    largest = [each for each in dict.fromkeys(looks) if not any(each < other for other in looks)]
    fields = [
        [_sum(sums[n], system, tables) if n in sums else _cell(n, tables) for n in sorted(names)]
        for names in largest
        if names & sums.keys()
    ]
    fitting = [some for some in fields if sum(field.bits for field in some) <= MOST_BITS]
    nodes = numbers([_key(some) for some in fitting], MOST_NODES)
    pairs = zip(fitting, nodes, strict=True)
    return [Together(some, found) for some, found in pairs if found is not None]


def _cell(name: str, tables: Tables) -> _Field:
    values = len(tables.numbering.domains[name])
    return _Field(name, _bits(values), 0, {name: np.arange(values)}, lambda numbers: numbers)


def _sum(tally: Tally, system: System, tables: Tables) -> _Field:
    """What a tally adds up: of one cell the number of what it adds, else all numbers packed."""
    domains, parts = tables.numbering.domains, tables.summaries.parts[tally.name]
    adds = {
        name: np.array(
            [next(tables.summaries.row([tally], name, n)) for n in range(len(domains[name]))],
            dtype=np.int64,
        ).reshape(-1, tally.width)
        for name in domains
        if any(part.place == name for part in parts)
    }
    sizes = {name: len(system.positions[name]) for name in adds}
    if list(sizes.values()) == [1]:
        ((name, each),) = adds.items()
        totals, numbers = np.unique(each, axis=0, return_inverse=True)
        seen = _seen_of(tally, tables, lambda number: tuple(totals[number].tolist()))
        return _Field(tally.name, _bits(len(totals)), 0, {name: numbers.ravel()}, seen)
    least, most = (
        [
            sum(size * int(extreme([0, *adds[name][:, at]])) for name, size in sizes.items())
            for at in range(tally.width)
        ]
        for extreme in (min, max)
    )
    bits = [_bits(high - low + 1) for low, high in zip(least, most, strict=True)]
    shifts = list(accumulate(bits, initial=0))

    def total(packed: int) -> tuple[int, ...]:
        fields = zip(least, bits, shifts, strict=False)
        return tuple(low + (packed >> shift & (1 << room) - 1) for low, room, shift in fields)

    def packed(numbers: Iterable[Any]) -> Any:
        return sum(n << shift for n, shift in zip(numbers, shifts, strict=False))

    if shifts[-1] > MOST_BITS:
        adds, least = {}, []
    return _Field(
        tally.name,
        shifts[-1],
        packed([-low for low in least]),
        {name: packed(each.T) for name, each in adds.items()},
        _seen_of(tally, tables, total),
    )


def _seen_of(
    tally: Tally, tables: Tables, total: Callable[[int], tuple[int, ...]]
) -> Callable[[Long], Long]:
    """Of numbers that stand for totals the numbers of what readers of the tally see."""
    domain = tables.summaries.domains[tally.name]

    def seen(numbers: Long) -> Long:
        found, where = np.unique(numbers, return_inverse=True)
        known = [domain.get(reduced(tally, total(number)), -1) for number in found.tolist()]
        return np.array(known, dtype=np.int64)[where]

    return seen


def _bits(values: int) -> int:
    """The bits of a field for so many values."""
    return max(values - 1, 1).bit_length()


def _placed(fields: Sequence[_Field]) -> Iterator[tuple[_Field, int]]:
    """Each field, and the bit that it begins at."""
    return zip(fields, accumulate((field.bits for field in fields), initial=0), strict=False)


def _key(fields: Sequence[_Field]) -> Key:
    """All fields together."""
    adds: dict[str, Long] = {}
    for field, shift in _placed(fields):
        for place, each in field.adds.items():
            adds[place] = adds.get(place, 0) + (each.astype(np.int64) << shift)
    return Key(sum(field.base << shift for field, shift in _placed(fields)), adds)


def _codes(pairs: Sequence[tuple[Long, Long]], nodes: int, steps: int) -> tuple[Long, Long]:
    """What nodes have and steps see, each in one number; what does not fit is left out."""
    here, there = np.zeros(nodes, dtype=np.int64), np.zeros(steps, dtype=np.int64)
    room = 1
    for node, step in pairs:
        least = min(int(node.min(initial=0)), int(step.min(initial=0)))
        size = max(int(node.max(initial=0)), int(step.max(initial=0))) - least + 1
        if (room * size).bit_length() <= MOST_BITS:
            here += (node - least) * room
            there += (step - least) * room
            room *= size
    return here, there


def _components(size: int, sources: Long, targets: Long) -> NDArray[np.int32]:
    """The strongly connected component of each of so many nodes."""
    ones = np.ones(sources.size, dtype=np.bool_)
    graph = csr_array((ones, (sources, targets)), shape=(size, size))
    found: NDArray[np.int32] = connected_components(graph, directed=True, connection="strong")[1]
    return found


def _all_of(steps: Sequence[LocalSteps]) -> list[Flags]:
    return [np.ones(each.numbers.size, dtype=np.bool_) for each in steps]
