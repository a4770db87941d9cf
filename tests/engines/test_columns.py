"""Columns: what names some is asked once for each combination of these, by every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kubelemma.model.system import (
    Action,
    Best,
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    State,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import Always, Converges, EachStep
from kubelemma.properties.statement import Property
from kubelemma.solver.result import CheckResult, Verdict
from kubelemma.solver.stateful.places import Places

Check = Callable[..., CheckResult]

TOGGLE, FILL, DRAIN = Action("toggle"), Action("fill"), Action("drain")
ALL, MOST, LEAST = 5, 3, 1


class Tank(NamedTuple):
    """A member: whether its valve is open, what is in it, and how old it is."""

    open: bool
    level: int
    age: int


class Asked(Counter[tuple[Any, ...]]):
    """Counts what functions are asked, by their names."""

    def of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls are counted; what it gives is used up at once."""

        def counted(*seen: Any) -> Any:
            self[name, seen] += 1
            result = function(*seen)
            return tuple(result) if isinstance(result, Iterator) else result

        return counted


def toggle(is_open: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """A valve is opened or closed."""
    yield Outcome(TOGGLE, {"tanks.open": not is_open})


def fill(left: int, level: int, is_open: bool) -> Iterator[Outcome]:  # noqa: FBT001
    """From what is left, as long as the valve is open."""
    if is_open and left and level < MOST:
        yield Outcome(FILL, {"left": left - 1, "tanks.level": level + 1})


def drain(left: int, tank: Tank, total: tuple[int, int], highest: int | None) -> Iterator[Outcome]:
    """The fullest tank is emptied where all are closed, and grows older."""
    if tank.level == highest and not total[1] and tank.level and not tank.age:
        after = tank._replace(level=0, age=1)
        yield Outcome(DRAIN, {"left": left + tank.level, "tanks": after})


def tanks(asked: Asked) -> System:
    """Two tanks, and a store from which they are filled."""
    return System(
        cells=[Cell("left", 4, int)],
        families=[Family("tanks", (Tank(False, 0, 0), Tank(True, 1, 0)), Tank)],
        tallies=[
            Tally(
                "total",
                {
                    "tanks.level": asked.of("levels", lambda level: (level, 0)),
                    "tanks.open": asked.of("open", lambda is_open: (0, int(is_open))),
                },
                2,
            ),
        ],
        bests=[
            Best(
                "highest",
                {"tanks.level": asked.of("highest", lambda level, _: level)},
                reads=("total",),
            ),
        ],
        rules=[
            Rule("toggle", "user", ("tanks.open",), asked.of("toggle", toggle), environment=True),
            Rule("fill", "pump", ("left", "tanks.level", "tanks.open"), asked.of("fill", fill)),
            Rule(
                "drain", "drain", ("left", "tanks"), asked.of("drain", drain), ("total", "highest")
            ),
        ],
        bounds=[Bound("young", View(("tanks.age",)), asked.of("bound", lambda age: age <= 1))],
    )


def within(level: int, left: int) -> bool:
    """Nothing overflows, and no more is left than there was."""
    return level <= MOST and left <= ALL


def formulas(asked: Asked) -> list[Any]:
    """Promises over columns, of which the last is broken."""
    return [
        Always(View(("tanks.level", "left")), asked.of("always", within)),
        EachStep(
            View(("tanks.level", "tanks.age")),
            asked.of("step", lambda before, _, after: after[0] > before[0] or after == before),
            frozenset({FILL}),
        ),
        Converges(View(("tanks.level",)), asked.of("goal", lambda level: level >= LEAST)),
    ]


def reachable(system: System) -> set[State]:
    """All states, by the plain semantics."""
    found = {system.initial}
    new = [system.initial]
    while new:
        steps = system.successors(new.pop())
        after = {system.canonical(step.state) for step in steps} - found
        found |= after
        new += after
    return found


def test_engines_agree_and_ask_once(run: Check, promise: Callable[..., Property]) -> None:
    """All states are found, and no function is asked the same twice."""
    asked = Asked()
    system = tanks(asked)
    count = len(reachable(tanks(Asked())))
    properties = [promise(f, f"X-{n}") for n, f in enumerate(formulas(asked), 1)]
    asked.clear()
    result = run(system, properties)
    assert result.statistics.states == count
    assert result.statistics.exhaustive
    assert result.statistics.model_calls == len(asked)
    verdicts = [found.verdict for found in result.properties]
    assert verdicts == [Verdict.HOLDS, Verdict.HOLDS, Verdict.VIOLATED]
    for name in ("toggle", "bound"):
        assert len({seen for which, seen in asked if which == name}) == 2


def test_the_stateful_engine_asks_once() -> None:
    """Places are looked at by the same tables."""
    asked = Asked()
    ground = Places(tanks(asked))
    asked.clear()
    new = [*ground.starts]
    seen = {id(place) for place in new}
    while new:
        place = new.pop()
        for ways in place.ways.values():
            for way in ways:
                target = ground.passage(place, way).target
                if id(target) not in seen:
                    seen.add(id(target))
                    new.append(target)
    assert len(seen) == len(reachable(tanks(Asked())))
    assert set(asked.values()) == {1}
