"""Bags: columns that hold things of which many are alike, with how many there are of each.

A bag is a tuple of NamedTuples with a field ``size``, sorted by all else; none is empty. Whoever
looks at a bag says what of it: all, one thing at a time, or nothing. What a function is not shown
it cannot depend on, and whoever moves the things elsewhere need not ask it again: this is what
pooling rests on (`kubelemma.solver.pooling`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, get_args, get_origin

from .codec import fields_of

Bag: TypeAlias = tuple[Any, ...]
"""Things, each with how many there are of it in ``size``."""

Function: TypeAlias = Callable[..., Any]


def is_bag(holds: Any) -> bool:
    """Whether values of a declared type are bags."""
    inner = get_args(holds)
    several = get_origin(holds) is tuple and len(inner) == 2 and inner[1] is ...  # noqa: PLR2004
    return several and fields_of(inner[0]).get("size") is int


def ones(bag: Bag) -> Iterator[Bag]:
    """Each kind of thing in a bag, as a bag of one."""
    return ((thing._replace(size=1),) for thing in bag)


def size_of(bag: Bag) -> int:
    """How many things there are."""
    return sum(thing.size for thing in bag)


def joined(*bags: Bag) -> Bag:
    """All things of several bags."""
    return _counted((thing, thing.size) for bag in bags for thing in bag)


def without(bag: Bag, one: Bag) -> Bag:
    """A bag without the things of another one, which are all in it."""
    return _counted([*((thing, thing.size) for thing in bag), *((t, -t.size) for t in one)])


def _counted(things: Iterable[tuple[Any, int]]) -> Bag:
    counts: dict[Any, int] = {}
    for thing, size in things:
        kind = thing._replace(size=0)
        counts[kind] = counts.get(kind, 0) + size
    return tuple(kind._replace(size=size) for kind, size in sorted(counts.items()) if size)


# Functions that are shown a part


def acting_on_each(outcomes: Function, cells: Sequence[str], bag: str) -> Function:
    """What a rule does that is shown one thing in a bag at a time: the others stay as they are."""
    at = cells.index(bag)

    def act(*seen: Any) -> Iterator[Any]:
        for one in ones(seen[at]):
            yield from _beside(without(seen[at], one), bag, outcomes(*_with(seen, at, one)))

    return act


def acting_onto(outcomes: Function, cells: Sequence[str], bag: str) -> Function:
    """What a rule does that is shown nothing of a bag: what it writes is added."""
    at = cells.index(bag)

    def act(*seen: Any) -> Iterator[Any]:
        return _beside(seen[at], bag, outcomes(*_with(seen, at, ())))

    return act


def measuring_each(
    measure: Callable[..., tuple[int, ...]], names: Sequence[str], bag: str, width: int
) -> Callable[..., tuple[int, ...]]:
    """What all things in a bag add, by a measure that is shown one at a time."""
    at = names.index(bag)

    def sum_up(*seen: Any) -> tuple[int, ...]:
        rows = [
            [thing.size * part for part in measure(*_with(seen, at, one))]
            for thing, one in zip(seen[at], ones(seen[at]), strict=True)
        ]
        return tuple(map(sum, zip((0,) * width, *rows, strict=True)))

    return sum_up


def _with(seen: Sequence[Any], at: int, bag: Bag) -> tuple[Any, ...]:
    return (*seen[:at], bag, *seen[at + 1 :])


def _beside(rest: Bag, bag: str, outcomes: Iterable[Any]) -> Iterator[Any]:
    """Outcomes that are to keep what else is in a bag."""
    for outcome in outcomes:
        if bag not in outcome.writes:
            yield outcome
            continue
        writes = {**outcome.writes, bag: joined(rest, outcome.writes[bag])}
        yield outcome._replace(writes=writes)
