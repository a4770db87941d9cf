"""Random systems as Hypothesis draws them: the shape is drawn, answers follow from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import product
from typing import Any, NamedTuple

from hypothesis import strategies as st

from kubelemma.model.system import (
    Action,
    Best,
    Bound,
    Cell,
    Family,
    Named,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck

Names = tuple[str, ...]

CENSUS = "census"
"""A tally that tells every orbit from every other: how many members hold which value."""

READABLE = ("pure", "summed", "reduced", "best", "other best")
ACTIONS = tuple(Action(name, "number") for name in ("go", "jump", "turn"))


@cache
def die(*seed: object) -> int:
    """A big number that depends on the arguments and nothing else."""
    return int.from_bytes(blake2b(repr(seed).encode(), digest_size=6).digest(), "big")


@dataclass(frozen=True)
class Drawn:
    """A system, and formulas over it."""

    system: System
    formulas: tuple[Formula, ...]


@st.composite
def drawn_systems(draw: st.DrawFn, *, bounded: bool) -> Drawn:
    """Systems of a few cells and families over small numbers, with formulas of every kind."""
    seed = draw(st.integers(0, 2**32))
    members = [draw(st.sampled_from((3, 2, 1))) for _ in range(draw(st.sampled_from((1, 2, 0))))]
    families = {f"family {i}": count for i, count in enumerate(members)}
    cells = [f"cell {i}" for i in range(draw(st.integers(0 if families else 1, 2)))]
    paired = tuple(name for name in families if draw(st.booleans()))
    names = tuple(n for name in (*cells, *families) for n in named(name, paired))
    sizes = {name: draw(st.sampled_from((3, 2))) for name in names}

    def views(least: int, most: int) -> st.SearchStrategy[View]:
        picked = st.lists(st.sampled_from(names), min_size=least, max_size=most, unique=True)
        reads = st.lists(st.sampled_from(READABLE), max_size=1)
        return st.builds(lambda c, r: View(tuple(c), tuple(r)), picked, reads)

    # Of leads-to: no families, which members can be told apart in no view.
    flat = st.builds(
        lambda c, r: View(tuple(c), tuple(r)),
        st.lists(st.sampled_from(cells), max_size=2, unique=True) if cells else st.just([]),
        st.lists(st.sampled_from((CENSUS, *READABLE)), max_size=1),
    )
    upward = draw(st.booleans())
    rules = [
        random_rule(
            (seed, number),
            draw(views(0 if number == 3 else 1, 2)),
            sizes,
            actor=draw(st.sampled_from("abc")),
            kind=draw(st.sampled_from(("", "", "", "environment", "urgent"))),
            upward=upward,
        )
        for number in range(draw(st.integers(2, 6)))
    ]
    system = System(
        cells=[Cell(name, 0 if upward else die(seed, name) % sizes[name], int) for name in cells],
        families=[
            family(name, paired, [die(seed, name, i) % (1 if upward else 2) for i in range(count)])
            for name, count in families.items()
        ],
        tallies=tallies(seed, sizes, paired),
        bests=bests(seed, names),
        rules=rules,
        bounds=[
            Bound(f"bound {i}", draw(views(0, 1)), often((seed, "bound", i), 5))
            for i in range(draw(st.integers(1, 2)) if bounded else 0)
        ],
        others=[
            start((seed, "start", i), cells, families, paired, sizes)
            for i in range(draw(st.sampled_from((0, 0, 1, 3))))
        ],
    )
    formulas = (
        Always(draw(views(0, 2)), answers((seed, "always"), 20)),
        EachStep(draw(views(0, 2)), answers((seed, "step"), 60), frozenset(ACTIONS[:2])),
        NeverStuck(draw(views(0, 1)), often((seed, "stuck"), 4)),
        Converges(draw(views(0, 1)), often((seed, "converges"), 4)),
        Converges(View(names[:1]), lambda value: value > 0),
        Converges(View(names), lambda *values: sum(values) > 2),
        LeadsTo(draw(flat), answers((seed, "premise"), 4), often((seed, "goal"), 2)),
        LeadsTo(draw(flat), often((seed, "other premise"), 3), answers((seed, "other goal"), 2)),
        LeadsTo(View((), (CENSUS,)), lambda census: census[0] == 1, lambda census: census[1] > 0),
    )
    return Drawn(system, formulas)


class Pair(NamedTuple):
    """A member of a family with columns."""

    left: int
    right: int


def named(name: str, paired: Names) -> Names:
    """What others name of a cell or family: it, or its columns."""
    return tuple(f"{name}.{field}" for field in Pair._fields) if name in paired else (name,)


def family(name: str, paired: Names, members: list[int]) -> Family:
    """A family of numbers, or of pairs."""
    if name in paired:
        return Family(name, tuple(Pair(number, 0) for number in members), Pair)
    return Family(name, tuple(members), int)


def start(
    about: object, cells: list[str], families: dict[str, int], paired: Names, sizes: dict[str, int]
) -> tuple[Any, ...]:
    """Another state to begin in, whose members are in any order."""

    def value(name: str, *number: int) -> int:
        return die(about, name, *number) % sizes[name]

    def member(name: str, number: int) -> Any:
        if name in paired:
            return Pair(*(value(column, number) for column in named(name, paired)))
        return value(name, number)

    members = (member(name, i) for name, count in families.items() for i in range(count))
    return (*map(value, cells), *members)


def tallies(seed: int, sizes: dict[str, int], paired: Names) -> list[Tally]:
    """One tally of each sort: plain, reading others, reduced; and the census."""
    together: dict[Named, list[Any]] = {n: list(range(size)) for n, size in sizes.items()}
    for name in paired:
        both = named(name, paired)
        together[both] = list(product(*(together.pop(column) for column in both)))
    places = [(name, value) for name, values in together.items() for value in values]

    def one_hot(name: Named) -> Callable[..., tuple[int, ...]]:
        def count(*seen: int) -> tuple[int, ...]:
            value = seen[0] if isinstance(name, str) else seen
            return tuple(int(place == (name, value)) for place in places)

        return count

    def measure(*about: object) -> Callable[..., tuple[int, ...]]:
        return lambda *seen: (die(seed, *about, seen) % 4 - 1, seen[0])

    return [
        Tally("summed", {n: measure("summed") for n in sizes}, 2, reads=("best",)),
        Tally(CENSUS, {n: one_hot(n) for n in together}, len(places)),
        Tally("pure", {n: measure("pure", n) for n in list(sizes)[:2]}, 2),
        Tally("reduced", {n: measure("reduced") for n in together}, 2, lambda t: t[0] % 2 == 0),
    ]


def bests(seed: int, names: Names) -> list[Best]:
    """A best that reads nothing, and one that reads the other and a tally."""

    def score(value: int, *reads: object) -> int | None:
        number = die(seed, value, reads) % 4
        return None if number == 3 else number

    return [
        Best("other best", dict.fromkeys(names[1:], score), ("best", "pure")),
        Best("best", dict.fromkeys(names, score)),
    ]


def often(seed: object, sides: int) -> Callable[..., bool]:
    """A predicate that is false once in so many times."""
    return lambda *seen: die(seed, seen) % sides != 0


def answers(seed: object, sides: int) -> Callable[..., bool | None]:
    """A predicate that is false once, and says nothing once, in so many times."""

    def answer(*seen: object) -> bool | None:
        number = die(seed, seen) % sides
        return None if number == 1 else number != 0

    return answer


def random_rule(
    seed: object, view: View, sizes: dict[str, int], *, actor: str, kind: str, upward: bool
) -> Rule:
    """A rule with up to two outcomes; an upward one never lowers a value, an urgent one ends."""
    urgent = kind == "urgent"
    writable = view.cells[:1] if die(seed, "writes") % 3 == 0 else view.cells

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        for number in range(2):
            case = (seed, seen, number)
            if die(case) % 2 and (not urgent or 0 in seen[: len(writable)]):
                values = {n: v for n, v in zip(view.cells, seen, strict=False) if n in writable}
                written = {n: v for n, v in values.items() if urgent or die(case, n) % 4}
                writes = {
                    name: min(value + 1, sizes[name] - 1)
                    if upward or urgent
                    else die(case, "value", name) % sizes[name]
                    for name, value in written.items()
                }
                arguments = (("number", die(case, "argument") % 2),)
                yield Outcome(ACTIONS[die(case, "action") % 3], writes, arguments)

    task = str(seed) if urgent else ("", "", "one", "other")[die(seed, "task") % 4]
    environment = kind == "environment"
    return Rule(
        f"rule {seed}",
        actor,
        view.cells,
        outcomes,
        view.reads,
        environment,
        task,
        urgent,
        None if writable == view.cells else writable,
    )
