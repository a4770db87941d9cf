"""Random systems of a wider vocabulary than in `test_random_systems`, by its brute force.

Cells hold values of all sorts, families have up to four members or none, tallies count in billions
and below zero and read each other three deep, rules have up to three outcomes. What is asked about
is a part of the formulas, so that searches end as soon as all of it is violated; and the plain
engine hands over to the compiled one at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any, cast

import pytest
from drawn_systems import die
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kubelemma.model.system import (
    Action,
    Best,
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled
from kubelemma.solver.compiled import layout
from kubelemma.solver.explore import check
from kubelemma.solver.limits import ALL_VIOLATED
from kubelemma.solver.result import CheckResult, Verdict

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]
Views = Callable[[int, int], View]

MOST_STATES = 1500
"""A system that may have more concrete states is not drawn."""

ACTIONS = tuple(Action(name, "number") for name in ("go", "jump", "turn"))
ORDERED: tuple[tuple[Any, ...], ...] = ((0, 1, 2, 3), (0, -3, -6, 9), "zyxw", ((0, "b"), (1,), ()))
ANY: tuple[tuple[Any, ...], ...] = (*ORDERED, (None, "a", (1, 2), frozenset({3})), (False, "t", ()))
"""Values of members, which must be ordered, and of cells, which need not."""

READABLE = ("pure", "summed", "reduced", "deep", "nothing", "best", "other best", "census")


@dataclass(frozen=True)
class Vocabulary:
    """What a system is drawn from: the values of each name, and a die that depends on a seed."""

    die: Callable[..., int]
    seed: int
    values: dict[str, tuple[Any, ...]]
    unit: int

    def roll(self, sides: int, *about: object) -> int:
        """A number below ``sides`` that depends on what it is about."""
        return self.die(self.seed, *about) % sides

    def often(self, sides: int, *about: object) -> Callable[..., bool]:
        """A predicate that is false once in so many times."""
        return lambda *seen: self.roll(sides, *about, seen) != 0

    def answer(self, sides: int, *about: object) -> Callable[..., bool | None]:
        """A predicate that is false once, and says nothing once, in so many times."""

        def answer(*seen: object) -> bool | None:
            number = self.roll(sides, *about, seen)
            return None if number == 1 else number != 0

        return answer

    def tallies(self) -> list[Tally]:
        """Sums that read nothing, a best, and each other; reduced or not; and one of nothing."""
        names = list(self.values)
        places = [(name, value) for name, values in self.values.items() for value in values]

        def one_hot(name: str) -> Callable[[Any], tuple[int, ...]]:
            return lambda value: tuple(int(place == (name, value)) for place in places)

        def measure(*about: object) -> Callable[..., tuple[int, ...]]:
            def parts(value: Any, *reads: Any) -> tuple[int, ...]:
                signed = self.unit * (self.roll(4, *about, value, reads) - 1)
                return signed, self.unit * self.roll(2, "second", value), self.roll(3, value)

            return parts

        def shown(total: tuple[int, ...]) -> object:
            return ("x", None, (1,))[(total[0] // self.unit + total[2]) % 3]

        every = dict.fromkeys(names, measure("deep"))
        return [
            Tally("deep", every, 3, lambda t: t[0] > 0, reads=("other best", "summed")),
            Tally("summed", dict.fromkeys(names, measure("summed")), 3, reads=("best",)),
            Tally("census", {name: one_hot(name) for name in names}, len(places)),
            Tally("pure", {name: measure("pure", name) for name in names[:2]}, 3),
            Tally("nothing", {}, 1),
            Tally("reduced", dict.fromkeys(names, measure("reduced")), 3, shown),
        ]

    def bests(self) -> list[Best]:
        """Scores on both sides of zero; one best reads the other and a tally."""

        def score(value: Any, *reads: object) -> int | None:
            number = self.roll(5, "score", value, reads)
            return None if number == 4 else (number - 2) * self.unit

        names = list(self.values)
        return [
            Best("other best", dict.fromkeys(names[1:], score), ("best", "pure")),
            Best("best", dict.fromkeys(names, score)),
        ]

    def rule(self, number: int, view: View, actor: str, *, environment: bool, upward: bool) -> Rule:
        """A rule with up to three outcomes; an upward one goes on from value to value only."""

        def after(name: str, value: Any, case: object) -> Any:
            values = self.values[name]
            if upward:
                return values[min(values.index(value) + 1, len(values) - 1)]
            return values[self.roll(len(values), case, name)]

        def outcomes(*seen: Any) -> Iterator[Outcome]:
            before = dict(zip(view.cells, seen, strict=False))
            for way in range(3):
                case = (number, seen, way)
                if not self.roll(2 + way, case):
                    named = {n: v for n, v in before.items() if self.roll(4, case, n, "writes")}
                    writes = {name: after(name, value, case) for name, value in named.items()}
                    arguments = (("number", self.roll(2, case, "argument")),)
                    yield Outcome(ACTIONS[self.roll(3, case, "action")], writes, arguments)

        task = ("", "", "one", "a", "b")[self.roll(5, number, "task")]
        return Rule(f"rule {number}", actor, view.cells, outcomes, view.reads, environment, task)

    def formulas(self, view: Views, flat: Views) -> tuple[Formula, ...]:
        """One or two of each kind; of leads-to over what has no members."""
        census = View((), ("census",))
        return (
            Always(view(0, 2), self.answer(30, "always")),
            EachStep(view(0, 2), self.answer(100, "step"), frozenset(ACTIONS[:2])),
            EachStep(view(0, 3), self.answer(200, "other step"), frozenset(ACTIONS[1:])),
            NeverStuck(view(0, 2), self.often(4, "stuck")),
            Converges(view(0, 2), self.often(5, "converges")),
            Converges(census, self.often(2, "converges often")),
            LeadsTo(flat(0, 2), self.answer(4, "premise"), self.often(2, "goal")),
            LeadsTo(census, self.often(3, "other premise"), self.answer(2, "other goal")),
        )


@dataclass(frozen=True)
class Drawn:
    """A system, and formulas over it."""

    system: System
    formulas: tuple[Formula, ...]


@st.composite
def wide_systems(draw: st.DrawFn, die: Callable[..., int]) -> Drawn:
    """Systems of a few cells and families over values of all sorts, bounded or not."""
    members = draw(st.lists(st.sampled_from((3, 2, 4, 1, 0)), max_size=2))
    families = {f"family {i}": size for i, size in enumerate(members)}
    cells = [f"cell {i}" for i in range(draw(st.integers(0 if any(members) else 1, 3)))]
    names = (*cells, *families)
    values = {
        name: tuple(draw(st.sampled_from(ANY if name in cells else ORDERED)))[
            : draw(st.integers(2, 4))
        ]
        for name in names
    }
    states = 1
    for name in names:
        states *= len(values[name]) ** families.get(name, 1)
    assume(states <= MOST_STATES)
    seed, unit = draw(st.integers(0, 2**32)), draw(st.sampled_from((1, 10**6, 2**40)))
    words = Vocabulary(die, seed, values, unit)

    def viewed(least: int, most: int, pool: Sequence[str] = names) -> View:
        picked = st.lists(
            st.sampled_from(pool or ("",)),
            min_size=min(least, len(pool)),
            max_size=min(most, len(pool)),
            unique=True,
        )
        reads = st.lists(st.sampled_from(READABLE), max_size=3, unique=True)
        return View(tuple(draw(picked)), tuple(draw(reads)))

    upward = draw(st.booleans())
    rules = [
        words.rule(
            number,
            viewed(0 if number == 3 else 1, 3),
            draw(st.sampled_from("abc")),
            environment=draw(st.sampled_from((False, False, False, True))),
            upward=upward,
        )
        for number in range(draw(st.integers(1, 7)))
    ]

    def first(name: str, *about: int) -> Any:
        return values[name][0 if upward else words.roll(len(values[name]), name, *about)]

    system = System(
        cells=[Cell(name, first(name)) for name in cells],
        families=[
            Family(name, tuple(first(name, i) for i in range(size)))
            for name, size in families.items()
        ],
        tallies=words.tallies(),
        bests=words.bests(),
        rules=rules,
        bounds=[
            Bound(f"bound {i}", viewed(0, 2), words.often(6, "bound", i))
            for i in range(draw(st.sampled_from((0, 0, 1, 2))))
        ],
    )
    formulas = words.formulas(viewed, lambda least, most: viewed(least, most, cells))
    return Drawn(system, formulas)


@pytest.fixture(scope="module", params=["plain", "compiled", "counting", "handed over"])
def search(request: pytest.FixtureRequest) -> Iterator[Check]:
    """Each engine; the compiled one with all families counted; and from when the plain gives up."""

    def plain(*given: Any, moment: int) -> CheckResult:  # noqa: ARG001 - for the others
        return check(*given)

    def alone(*given: Any, moment: int) -> CheckResult:
        return compiled.check(*given, workers=1 + moment % 2)

    def handed_over(*given: Any, moment: int) -> CheckResult:
        reads = count()
        return compiled.best(*given, clock=lambda: 0.0 if next(reads) < moment else 1.0)

    engines: dict[str, Check] = {"plain": plain, "handed over": handed_over}
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "counting":
            patch.setattr(layout, "worth_counting", lambda members, *_: members > 0)
        yield engines.get(cast("str", request.param), alone)


@given(data=st.data(), moment=st.integers(0, 40))
@settings(max_examples=settings().max_examples // 3)
def test_wide_systems(
    *,
    random_systems: ModuleType,
    search: Check,
    promise: Promise,
    data: st.DataObject,
    moment: int,
) -> None:
    """States, verdicts and stories are those of brute force, and a search for a part ends early."""
    truths = random_systems
    drawn = data.draw(wide_systems(die))
    found = truths.explored(drawn.system)
    whole = (truths.Seen().formula, *drawn.formulas)
    result = search(drawn.system, [promise(formula) for formula in whole], moment=moment)
    truths.assert_same_counts(drawn.system, found, result)
    for formula, answer in zip(whole, result.properties, strict=True):
        truths.assert_result(drawn.system, found, formula, answer)
    part = data.draw(st.lists(st.sampled_from(drawn.formulas), min_size=1, max_size=3))
    asked = [promise(formula, f"X-{number}") for number, formula in enumerate(part)]
    result = search(drawn.system, asked, moment=moment)
    for formula, answer in zip(part, result.properties, strict=True):
        if truths.truth(drawn.system, found, formula).violated:
            assert answer.trace is not None
            truths.assert_refutes(drawn.system, found, formula, answer.trace)
        else:
            truths.assert_result(drawn.system, found, formula, answer)
    violated = all(answer.verdict is Verdict.VIOLATED for answer in result.properties)
    assert result.statistics.stopped_by in ({None, ALL_VIOLATED} if violated else {None})
