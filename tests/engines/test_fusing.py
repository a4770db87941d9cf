"""Fused steps: nobody minds when they come, and the answers are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from drawn_systems import die
from hypothesis import given, settings
from hypothesis import strategies as st
from things import statement, told

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
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled
from kubelemma.solver.explore import check
from kubelemma.solver.limits import UNLIMITED
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import CheckResult

# Systems of few small values, most of whose rules have little to do with each other


class Box(NamedTuple):
    """A member of a family."""

    left: int
    right: int


SIZE = 3
"""How many values there are."""
CELLS = ("a", "b", "c", "d", "e")
COLUMNS = ("boxes.left", "boxes.right")
NAMES = (*CELLS, *COLUMNS)
TALLIES = ("count", "sum")
BESTS = ("first",)
ACTIONS = tuple(map(Action, ("go", "turn", "jump")))


class Sketch(NamedTuple):
    """A rule as it is drawn: what it sees and reads, how often it acts, and as who."""

    cells: tuple[str, ...]
    reads: tuple[str, ...]
    kind: str
    sides: int
    upward: bool
    task: str


class Drawn(NamedTuple):
    """A system as it is drawn, and what is asked of it."""

    seed: int
    boxes: int
    rules: tuple[Sketch, ...]
    counted: tuple[str, ...]
    ranked: tuple[str, ...]
    views: tuple[View, ...]
    starts: int
    bounded: bool


def act(seed: object, sketch: Sketch, *seen: Any) -> Iterator[Outcome]:
    """Whatever the dice say of what is seen."""
    urgent = sketch.kind == "urgent"
    for number in range(2 if die(seed, "several") % 4 == 0 else 1):
        case = (seed, seen, number)
        if die(case) % sketch.sides or (urgent and seen[0] == SIZE - 1):
            continue
        writes = {
            name: min(value + 1, SIZE - 1) if sketch.upward or urgent else die(case, name) % SIZE
            for name, value in zip(sketch.cells, seen, strict=False)
            if (urgent and name == sketch.cells[0]) or die(case, name, "writes") % 3
        }
        yield Outcome(ACTIONS[die(seed, "action", number) % len(ACTIONS)], writes)


def rule_of(seed: object, number: int, sketch: Sketch) -> Rule:
    """A rule as it is sketched."""
    return Rule(
        f"rule {number}",
        f"actor {number}",
        sketch.cells,
        partial(act, (seed, number), sketch),
        sketch.reads,
        environment=sketch.kind == "environment",
        task=f"urgent {number}" if sketch.kind == "urgent" else sketch.task,
        urgent=sketch.kind == "urgent",
    )


def measure(seed: object, *seen: int) -> tuple[int]:
    """A small number, often nothing."""
    return (max(die(seed, seen) % 4 - 1, 0),)


def score(seed: object, value: int, *reads: Any) -> int | None:
    """A small number, or none."""
    return (None, 0, 1)[die(seed, value, reads) % 3]


def system_of(found: Drawn) -> System:
    """The system that is drawn."""
    seed = found.seed
    families = [Family("boxes", tuple(Box(0, 0) for _ in range(found.boxes)), Box)]
    names = NAMES if found.boxes else CELLS
    counted = [name for name in found.counted if name in names] or ["a"]
    ranked = [name for name in found.ranked if name in names] or ["a"]
    return System(
        cells=[Cell(name, 0, int) for name in CELLS],
        families=families if found.boxes else [],
        tallies=[
            Tally("count", {name: partial(measure, (seed, name)) for name in counted}, 1),
            Tally(
                "sum",
                {name: partial(measure, (seed, name, 2)) for name in counted[:1]},
                1,
                lambda total: total[0] % 2,
            ),
        ],
        bests=[Best("first", {n: partial(score, (seed, n)) for n in ranked}, ("sum",))],
        rules=[rule_of(seed, number, sketch) for number, sketch in enumerate(found.rules)],
        bounds=[Bound("few", View(reads=("count",)), lambda count: count[0] < 4)]
        if found.bounded
        else [],
        others=[
            (
                *(die(seed, i, name) % SIZE for name in CELLS),
                *(Box(die(seed, i, n) % SIZE, 0) for n in range(found.boxes)),
            )
            for i in range(found.starts)
        ],
    )


def answer(seed: object, sides: int, *seen: Any) -> bool | None:
    """Seldom false, sometimes nothing."""
    return (False, None)[die(seed, seen, "which") % 2] if not die(seed, seen) % sides else True


def goal(seed: object, sides: int, *seen: Any) -> bool:
    """Seldom false."""
    return bool(die(seed, seen) % sides)


def properties_of(found: Drawn) -> tuple[Property, ...]:
    """What is asked."""
    seed = found.seed
    makers: tuple[Callable[[int, View], Formula], ...] = (
        lambda i, view: Always(view, partial(answer, (seed, i), 6)),
        lambda i, view: EachStep(
            view, partial(answer, (seed, i), 12), frozenset({ACTIONS[i % len(ACTIONS)]})
        ),
        lambda i, view: NeverStuck(view, partial(goal, (seed, i), 3)),
        lambda i, view: Converges(view, partial(goal, (seed, i), 4)),
    )
    return tuple(
        Property(statement(f"P{i}"), "system", makers[die(seed, "formula", i) % 4](i, view))
        for i, view in enumerate(found.views)
    )


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """A few cells and boxes, and rules that see one or two of them."""
    boxes = draw(st.sampled_from((0, 1, 1, 2)))
    names = NAMES if boxes else CELLS

    def some(of: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
        return tuple(
            draw(st.lists(st.sampled_from(of), min_size=least, max_size=most, unique=True))
        )

    upward = draw(st.booleans())
    rules = tuple(
        Sketch(
            some(names, 1, 2),
            some((*TALLIES, *BESTS), 0, 1) if draw(st.integers(0, 3)) == 0 else (),
            draw(st.sampled_from(("", "", "", "", "environment", "urgent"))),
            draw(st.integers(2, 4)),
            upward or draw(st.booleans()),
            draw(st.sampled_from(("", "", "shared"))),
        )
        for _ in range(draw(st.integers(3, 6)))
    )
    views = tuple(
        View(some(names, 0, 1), some((*TALLIES, *BESTS), 0, 1))
        for _ in range(draw(st.integers(1, 2)))
    )
    return Drawn(
        draw(st.integers(0, 2**32)),
        boxes,
        rules,
        some(names, 1, 2),
        some(names, 1, 2),
        views,
        draw(st.sampled_from((0, 0, 1, 2))),
        bounded=draw(st.integers(0, 5)) == 0,
    )


def by_fusion(
    system: System, properties: tuple[Property, ...], engine: Any = check
) -> CheckResult:
    """The answers by way of a fused system, however small it is."""
    return reduced(engine, system, properties, UNLIMITED, lambda _: None, ("pooling",), 0, 0)


def is_fused(found: CheckResult) -> bool:
    """Whether something was fused."""
    return any(each.name == "fusion" and each.used for each in found.statistics.reductions)


@settings(max_examples=400, deadline=None)
@given(drawn())
def test_answers_are_those_of_the_whole(found: Drawn) -> None:
    """Verdicts, vacuity, and lengths of counterexamples."""
    system, properties = system_of(found), properties_of(found)
    exact, small = check(system, properties), by_fusion(system, properties)
    assert is_fused(small) or small.statistics.states == exact.statistics.states
    if not found.bounded:
        said = [(*told(each), each.vacuous) for each in small.properties]
        assert said == [(*told(each), each.vacuous) for each in exact.properties]
        return
    # A bound may cut off states that are not searched: then more is decided, and as it is.
    whole = check(system_of(found._replace(bounded=False)), properties)
    for mine, its, real in zip(small.properties, exact.properties, whole.properties, strict=True):
        assert mine.verdict in {its.verdict, real.verdict}
