"""What functions of the model are shown of states in numbers, and what they answered.

States have numbers of whole values, and so have the keys of all tables that a search looks into. A
function that names columns is asked only once for each combination of what is in these: when a
table meets a new combination of whole values, the numbers of the columns are looked up by those of
the members, and the answer may be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from kubelemma.model.system import System

from .numbering import Column, Domain, Ids, Memo, Numbering

K = TypeVar("K")
V = TypeVar("V")


class Put(NamedTuple):
    """A write: to which place, by its index, and to which column there; the number of the value."""

    at: int
    column: Column | None
    number: int


def after_all(puts: Iterable[Put], ids: Ids) -> tuple[tuple[int, int], ...]:
    """What is at the places that are written after all writes, given the numbers at all before."""
    after: dict[int, int] = {}
    for at, column, number in puts:
        after[at] = number if column is None else column.put(after.get(at, ids[at]), number)
    return tuple(after.items())


class Shown:
    """What is shown of some cells and families, in numbers; ``places`` are their names.

    ``narrow`` says that it is not all that is there.
    """

    def __init__(self, system: System, numbering: Numbering, names: tuple[str, ...]) -> None:
        sight = system.sight(names)
        self.places = sight.places
        self.narrow = not sight.whole
        self._columns: list[tuple[int, Column | None]] = [
            (at, None if column is None else numbering.column(sight.places[at], column))
            for at, column in sight.slots
        ]
        self._named: Sequence[Domain] = [
            numbering.domains[sight.places[at]] if column is None else column
            for at, column in self._columns
        ]

    def numbers(self, ids: Ids) -> Ids:
        """The numbers of what is named, given those of the values at all places."""
        if not self.narrow:
            return ids
        return tuple([ids[at] if c is None else c.of(ids[at]) for at, c in self._columns])

    def put(self, slot: int, value: Any) -> Put:
        """What a write of a value to one of the names comes to."""
        at, column = self._columns[slot]
        return Put(at, column, self._named[slot][value])

    def values(self, numbers: Ids) -> tuple[Any, ...]:
        """What is named, by its numbers."""
        return tuple([d.members[i] for d, i in zip(self._named, numbers, strict=True)])


class Asked(Generic[K, V]):
    """A function of the model by what it is shown in numbers; ``calls`` is how often it was called.

    Its answers are remembered here only where that is wanted: where several keys of a table may
    show it the same, or where it is asked by several tables.
    """

    def __init__(self, compute: Callable[[K], V], *, remember: bool) -> None:
        self.calls = 0
        self._compute = compute
        self._known: Memo[K, V] | None = Memo(self._call) if remember else None

    def __call__(self, key: K) -> V:
        """The answer."""
        return self._call(key) if self._known is None else self._known[key]

    def _call(self, key: K) -> V:
        self.calls += 1
        return self._compute(key)


def values_of(domains: Sequence[Domain], numbers: Ids) -> tuple[Any, ...]:
    """The values behind numbers, each of its domain."""
    return tuple([domain.members[i] for domain, i in zip(domains, numbers, strict=True)])
