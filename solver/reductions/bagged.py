"""The family that is pooled, and what keeps a system from being pooled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from kubelemma.model.bags import is_bag
from kubelemma.model.system import State, System


class Refused(Exception):
    """A system cannot be pooled; the message says why."""


class Escaped(Refused):
    """Something happens that pooling rests on not happening."""


class Looked(Escaped):
    """Somebody looks at all that is on one member; ``who``."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} looks at all that is on one of them")
        self.who = who


class Full(Exception):
    """There are more things than slots."""


class Veil:
    """What nobody may look at, named after who might: of a bag only that it is one is known."""

    __class__ = tuple  # type: ignore[assignment]

    def __init__(self, who: str) -> None:
        self._who = who

    def _refuse(self, *_: Any) -> NoReturn:
        raise Looked(self._who)

    __iter__ = __len__ = __getitem__ = __getattr__ = __contains__ = __bool__ = __hash__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __neg__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __and__ = __or__ = _refuse


class Bagged(NamedTuple):
    """A family whose members have a bag: its name, what members are, the bag, all other columns."""

    name: str
    holds: Any
    bag: str
    rest: tuple[str, ...]

    @property
    def slots(self) -> str:
        """The family of slots, each with a member that has one thing in its bag, or empty."""
        return f"{self.name} as one"

    @property
    def pooled(self) -> str:
        """The cell with the members that are pooled, their bags empty."""
        return f"{self.name} that are one"

    @property
    def things(self) -> str:
        """What is in the bag."""
        return self._field(self.bag)

    @property
    def columns(self) -> frozenset[str]:
        """All columns."""
        return frozenset({self.bag, *self.rest})

    def own(self, names: Iterable[str]) -> tuple[str, ...]:
        """Its columns among these names."""
        return tuple(name for name in names if name in self.columns)

    def others(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that are not its columns."""
        return tuple(name for name in names if name not in self.columns)

    def seen(self, member: Any, column: str) -> Any:
        """What a member has in a column."""
        return getattr(member, self._field(column))

    def content(self, member: Any) -> Any:
        """What is in the bag of a member."""
        return self.seen(member, self.bag)

    def holding(self, member: Any, bag: Any) -> Any:
        """A member with this in its bag."""
        return member._replace(**{self._field(self.bag): bag})

    def _field(self, column: str) -> str:
        return column.removeprefix(f"{self.name}.")


def bagged_of(system: System) -> Bagged:
    """The one family of a system whose members have a bag.

    Raises:
        Refused: there is none, or several.
    """
    found = list(_families(system))
    if len(found) != 1:
        raise Refused("it takes one family whose members have a bag")
    return found[0]


def members_of(system: System, bagged: Bagged, state: State) -> tuple[Any, ...]:
    """The members of the family in a state."""
    where = system.positions[bagged.name]
    return state[where.start : where.stop]


def _families(system: System) -> Iterator[Bagged]:
    for family in system.families:
        bags = [name for name, holds in family.columns.items() if is_bag(holds)]
        if len(bags) == 1 and family.initial:
            rest = tuple(name for name in family.columns if name != bags[0])
            yield Bagged(family.name, family.holds, bags[0], rest)
