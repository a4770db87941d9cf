"""What the engine tests share: the engines, and a way to make properties."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubelemma.properties.formula import Formula
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.solver import compiled
from kubelemma.solver.explore import check
from kubelemma.solver.result import CheckResult

Check = Callable[..., CheckResult]

ENGINES: list[tuple[str, Check]] = [("plain", check), (compiled.ENGINE, compiled.check)]
"""Every engine, by the name that its results carry; all tests here run on each."""


@pytest.fixture(scope="session", params=ENGINES, ids=[name for name, _ in ENGINES])
def engine(request: pytest.FixtureRequest) -> tuple[str, Check]:
    """One engine after the other: its name and its ``check``."""
    param: tuple[str, Check] = request.param
    return param


@pytest.fixture(scope="session")
def run(engine: tuple[str, Check]) -> Check:
    """The ``check`` of one engine after the other."""
    return engine[1]


@pytest.fixture(scope="session")
def promise() -> Callable[..., Property]:
    """Make a property of a formula; its identifier is ``X-1`` unless another is given."""

    def make(formula: Formula, identifier: str = "X-1") -> Property:
        statement = Statement(
            id=identifier,
            title="a test",
            kind=Kind.SAFETY,
            severity=Severity.HIGH,
            statement="a test",
            why="a test",
            conditions="",
            source="",
            components=(),
            remediation="",
        )
        return Property(statement, "the toy", formula)

    return make
