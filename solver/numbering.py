"""The states of a system as tuples of small integers.

A value is known by its number within its *domain*: that of its cell, or of its family (all members
share one). Values that compare equal are one value, here as in `System.canonical`.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable
from math import factorial, prod
from typing import Any, Generic, TypeAlias, TypeVar

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Family, State, System

K = TypeVar("K")
V = TypeVar("V")

Ids: TypeAlias = tuple[int, ...]
"""Numbers of values: of a state by position, of what a rule looks at, or of a summary."""


class Memo(dict[K, V], Generic[K, V]):
    """The results of a pure function by its argument, each computed when first looked up."""

    def __init__(self, compute: Callable[[K], V]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: K) -> V:
        result = self[key] = self._compute(key)
        return result


class Domain(dict[Any, int]):
    """Numbers by value, given in the order of first appearance; ``members`` leads back."""

    def __init__(self) -> None:
        super().__init__()
        self.members: list[Any] = []

    def __missing__(self, value: Any) -> int:
        number = len(self.members)
        self.members.append(value)
        self[value] = number
        return number


class Column(Domain):
    """The domain of a column of a family, whose values have their place in all members."""

    def __init__(self, members: Domain, place: int) -> None:
        super().__init__()
        self._members = members
        self._place = place
        self._of: list[int] = []
        self._put: dict[tuple[int, int], int] = {}

    def of(self, member: int) -> int:
        """The number of what a member has there, by the member's number."""
        try:
            return self._of[member]
        except IndexError:
            new = self._members.members[len(self._of) : member + 1]
            self._of += [self[value[self._place]] for value in new]
            return self._of[member]

    def put(self, member: int, number: int) -> int:
        """The number of the member that has this there, and all else as another."""
        key = (member, number)
        if key not in self._put:
            before, at = self._members.members[member], self._place
            after = type(before)(*before[:at], self.members[number], *before[at + 1 :])
            self._put[key] = self._members[after]
        return self._put[key]


class FamilyDomain(Domain):
    """The domain of a family, whose values must be ordered among themselves."""

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._family = family
        self._ordered: list[Any] = []

    def __missing__(self, value: Any) -> int:
        try:
            insort(self._ordered, value)
        except TypeError as error:
            raise ModelError(
                f'the members of the family "{self._family.name}" cannot be ordered: {error}'
            ) from error
        return super().__missing__(value)


class Numbering:
    """The domains of a system's cells and families, and the form of its states in numbers.

    States are canonical here when the numbers of each family are sorted. Numbers are not in the
    order of their values, so the representative is another than that of `System.canonical`; but
    two states have the same one exactly when they differ by the order within families only.
    """

    def __init__(self, system: System) -> None:
        self.domains: dict[str, Domain] = {cell.name: Domain() for cell in system.cells}
        self.domains |= {family.name: FamilyDomain(family) for family in system.families}
        self.slices = {n: slice(w.start, w.stop) for n, w in system.positions.items()}
        self.families = tuple(self.slices[family.name] for family in system.families)
        self._columns: dict[tuple[str, int], Column] = {}
        self._by_position = tuple(
            self.domains[name] for name, where in system.positions.items() for _ in where
        )

    def column(self, family: str, place: int) -> Column:
        """The domain of a column, by its place in the members."""
        key = (family, place)
        if key not in self._columns:
            self._columns[key] = Column(self.domains[family], place)
        return self._columns[key]

    def ids(self, state: State) -> Ids:
        """The canonical form of a state in numbers."""
        pairs = zip(self._by_position, state, strict=True)
        return self.canonical([domain[value] for domain, value in pairs])

    def state(self, ids: Ids) -> State:
        """The values behind the numbers."""
        return tuple(d.members[i] for d, i in zip(self._by_position, ids, strict=True))

    def canonical(self, ids: Iterable[int]) -> Ids:
        """The numbers of a state with each family sorted."""
        result = list(ids)
        for family in self.families:
            result[family] = sorted(result[family])
        return tuple(result)

    def orbit_size(self, ids: Ids) -> int:
        """How many states differ from this one by the order within families only."""
        return prod(_permutations(ids[family]) for family in self.families)


def _permutations(members: Ids) -> int:
    """The number of different orders of a sorted tuple."""
    if len(set(members)) == len(members):
        return factorial(len(members))
    return factorial(len(members)) // prod(map(factorial, Counter(members).values()))
