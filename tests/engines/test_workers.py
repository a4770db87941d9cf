"""Several workers on one search: the result is the same to the last figure and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, System, View
from kubelemma.properties.formula import Always, LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.question import Question, ask
from kubelemma.solver import compiled
from kubelemma.solver.compiled import search
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

Promise = Callable[..., Property]
Results = Callable[..., list[CheckResult]]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(repeatable: Callable[[CheckResult], CheckResult]) -> Results:
    """What one, two and three workers find."""

    def found(
        system: System, properties: Sequence[Property], most: int | None
    ) -> list[CheckResult]:
        limits = Limits(max_states=most)
        return [
            repeatable(compiled.check(system, properties, limits, workers=workers))
            for workers in (1, 2, 3)
        ]

    return found


@given(data=st.data(), bounded=st.booleans(), most=st.none() | st.integers(1, 40))
@settings(max_examples=settings().max_examples // 2)
def test_random_systems(
    *,
    random_systems: ModuleType,
    results: Results,
    promise: Promise,
    data: st.DataObject,
    bounded: bool,
    most: int | None,
) -> None:
    """On random systems, with every kind of property, bounds and limits."""
    drawn = data.draw(random_systems.drawn_systems(bounded=bounded))
    properties = [promise(formula) for formula in drawn.formulas]
    alone, two, three = results(drawn.system, properties, most)
    assert alone == two == three


@given(
    data=st.data(),
    most=st.none() | st.integers(1, 80),
    stride=st.integers(2, 16),
    parts=st.integers(2, 8),
)
@settings(max_examples=settings().max_examples // 2)
def test_any_order(
    *,
    random_systems: ModuleType,
    shuffled: Callable[..., object],
    repeatable: Callable[[CheckResult], CheckResult],
    promise: Promise,
    data: st.DataObject,
    most: int | None,
    stride: int,
    parts: int,
) -> None:
    """Whoever takes whichever part or shard first, the result is that of a single worker."""
    drawn = data.draw(random_systems.drawn_systems(bounded=data.draw(st.booleans())))
    properties, limits = [promise(formula) for formula in drawn.formulas], Limits(max_states=most)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"STRIDE": stride, "PARTS": parts, "LEAST_PART": 1}.items():
            patch.setattr(search, name, value)
        alone = compiled.check(drawn.system, properties, limits)
        patch.setattr(search, "Crew", shuffled)
        crew = compiled.check(drawn.system, properties, limits, workers=3)
    assert repeatable(crew) == repeatable(alone)


def test_heard_once(shuffled: Callable[..., object], promise: Promise) -> None:
    """A property that spoke of a single state is not vacuous, whoever left that state."""

    def leap(at: int) -> Iterator[Outcome]:
        if at == 0:
            for far in range(1, 65):
                yield Outcome(Action("leap"), {"at": far})

    system = System(cells=[Cell("at", 0)], rules=[Rule("leap", "leaper", ("at",), leap)])
    speaks = [
        promise(Always(View(("at",)), lambda at, only=only: True if at == only else None))
        for only in range(1, 65)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "LEAST_PART", 1)
        patch.setattr(search, "Crew", shuffled)
        result = compiled.check(system, speaks, workers=3)
    assert [(found.verdict, found.vacuous) for found in result.properties] == [
        (Verdict.HOLDS, False)
    ] * 64


def test_numbers_of_values(shuffled: Callable[..., object], promise: Promise) -> None:
    """Values that are met in several parts are numbered, and members sorted, as by one worker."""

    def leap(at: int) -> Iterator[Outcome]:
        if at == 0:
            for far in range(1, 33):
                yield Outcome(Action("leap"), {"at": far})

    def take(at: int, member: int) -> Iterator[Outcome]:
        if at > 0 and member == 0:
            first = at < 33
            yield Outcome(
                Action("take"), {"many": at if first else 65 - at, "at": at + 32 if first else -1}
            )

    def paint(at: int, member: int) -> Iterator[Outcome]:
        if at == -1 and member > 0:
            yield Outcome(Action(f"paint {member}"), {"many": -1})

    system = System(
        cells=[Cell("at", 0)],
        families=[Family("many", (0, 0))],
        rules=[
            Rule("leap", "a", ("at",), leap),
            Rule("take", "a", ("at", "many"), take),
            Rule("paint", "a", ("at", "many"), paint),
        ],
    )
    bare = [promise(Always(View(("many",)), lambda member: member >= 0))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "LEAST_PART", 1)
        alone = compiled.check(system, bare).properties
        patch.setattr(search, "Crew", shuffled)
        crew = compiled.check(system, bare, workers=3).properties
    assert crew == alone
    assert alone[0].verdict is Verdict.VIOLATED


def test_faults_of_parts(shuffled: Callable[..., object], promise: Promise) -> None:
    """The steps of the environment are noted without a gap, though each part has others, too."""

    def leap(at: int) -> Iterator[Outcome]:
        if at == 0:
            for far in range(1, 33):
                yield Outcome(Action("leap"), {"at": far})

    def serve(at: int) -> Iterator[Outcome]:
        if at > 1:
            yield Outcome(Action("serve"), {"at": -1})

    def fault(at: int) -> Iterator[Outcome]:
        if 1 < at < 33:
            yield Outcome(Action("fault"), {"at": at + 32})

    system = System(
        cells=[Cell("at", 0)],
        rules=[
            Rule("leap", "a", ("at",), leap),
            Rule("serve", "a", ("at",), serve),
            Rule("fault", "the environment", ("at",), fault, environment=True),
        ],
    )
    served = LeadsTo(View(("at",)), lambda at: at > 1, lambda at: at == -1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "LEAST_PART", 1)
        patch.setattr(search, "Crew", shuffled)
        (found,) = compiled.check(system, [promise(served)], workers=3).properties
    assert (found.verdict, found.vacuous) == (Verdict.HOLDS, False)


@pytest.mark.parametrize("level", ["L2-renew", "S4"])
@pytest.mark.parametrize("most", [None, 3_000])
def test_rollouts(kuberollout: ModuleType, results: Results, level: str, most: int | None) -> None:
    """On rollouts of thousands of states, whether the search ends by itself or by a limit."""
    parameters = kuberollout.LEVELS[level]
    system, properties = kuberollout.system(parameters), kuberollout.properties(parameters)
    alone, two, three = results(system, properties, most)
    assert alone == two == three
    assert alone.statistics.exhaustive is (most is None)


@pytest.mark.parametrize("example", ["rollout-anti-affinity", "nodename-taint-loop"])
def test_control_plane(results: Results, example: str) -> None:
    """On the control plane, stories that end in a loop included."""
    for case in ask(Question(paths=(str(ROOT / "examples" / example),))).cases:
        alone, two, three = results(case.scenario.system, case.properties, 5_000)
        assert alone == two == three
        assert Verdict.VIOLATED in {found.verdict for found in alone.properties}
