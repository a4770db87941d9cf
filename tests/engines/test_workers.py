"""Several workers on one search: the result is the same to the last figure and step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.question import Question, ask
from kubelemma.solver import compiled
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
