"""What the engine tests share: the engines, and a way to make properties."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from kubelemma import api
from kubelemma.properties.formula import Formula
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.solver import compiled
from kubelemma.solver.explore import check
from kubelemma.solver.result import CheckResult

sys.path.append(str(Path(__file__).parent))

Check = Callable[..., CheckResult]

ENGINES: list[tuple[str, Check]] = [("plain", check), (compiled.ENGINE, compiled.check)]
"""Every engine, by the name that its results carry; all tests here run on each."""


@pytest.fixture(scope="session", params=ENGINES, ids=[name for name, _ in ENGINES])
def engine(request: pytest.FixtureRequest) -> tuple[str, Check]:
    """One engine after the other: its name and its ``check``."""
    param: tuple[str, Check] = request.param
    return param


@pytest.fixture(scope="session")
def engines() -> list[tuple[str, Check]]:
    """All of them at once, where what they are held against takes longer than they do."""
    return ENGINES


@pytest.fixture(scope="session")
def run(engine: tuple[str, Check]) -> Check:
    """The ``check`` of one engine after the other."""
    return engine[1]


def loaded(source: Path) -> ModuleType:
    """The module in a file that is in no package."""
    spec = importlib.util.spec_from_file_location(f"{source.stem}_of_engines", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def kuberollout() -> ModuleType:
    """The benchmark with published counts."""
    source = Path(__file__).parents[2] / "benchmarks" / "kuberollout.py"
    if not source.exists():
        pytest.skip("the benchmarks are not part of this distribution")
    sys.path.append(str(source.parent))
    return loaded(source)


@pytest.fixture(scope="session")
def random_systems() -> ModuleType:
    """The tests on random systems, which say how these are drawn."""
    return loaded(Path(__file__).with_name("test_random_systems.py"))


class Shuffled:
    """In place of a crew of threads: whoever takes whatever next, but the same in each run."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._chance = Random(size)  # noqa: S311 - no secret

    def each(self, task: Callable[[int, Any], Any], items: Sequence[Any]) -> list[Any]:
        """Do a task for each item; a single one is the first worker's."""
        if len(items) == 1:
            return [task(0, items[0])]
        order = self._chance.sample(range(len(items)), len(items))
        results = {i: task(self._chance.randrange(self.size), items[i]) for i in order}
        return [results[i] for i in range(len(items))]


@pytest.fixture(scope="session")
def shuffled() -> type[Shuffled]:
    """A crew to put into a compiled search, of which nothing may depend on who does what."""
    return Shuffled


@pytest.fixture(scope="session")
def repeatable() -> Callable[[CheckResult], CheckResult]:
    """Take from a result what differs from run to run."""

    def without(result: CheckResult) -> CheckResult:
        return replace(
            result, statistics=replace(result.statistics, seconds=0.0, peak_memory_bytes=0)
        )

    return without


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


SHOP = "{apiVersion: example.com/v1, kind: Shop, metadata: {name: corner}, spec: {size: small}}"
BUCKETS = "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: a, labels: {x: y}}}"
CRASH = "{nodeCrash: {max: 1, node: node-1}}"


def asked_of(
    faults: str,
    *files: Path,
    documents: tuple[str, ...] = (SHOP, BUCKETS),
    nodes: int = 1,
    events: str = CRASH,
) -> api.Case:
    """The one case of these documents under these faults."""
    check = f"""
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {{name: extended}}
spec:
  faults: {{{faults}}}
  cluster: {{nodes: [{{count: {nodes}, allocatable: {{cpu: "4"}}}}]}}
  events: [{events}]
"""
    text = "\n---\n".join((check, *documents))
    asked = api.ask(api.Question(paths=(api.STDIN,), stdin=text, load=tuple(map(str, files))))
    case, *_ = asked.cases  # of several starts the first
    return case


@pytest.fixture(scope="session")
def question() -> Callable[..., api.Case]:
    """The one case of loaded files, under faults: `asked_of`."""
    return asked_of


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., api.Case]:
    """The case of code, and of what else is loaded, under faults."""

    def case(faults: str, code: str, *files: Path, **options: Any) -> api.Case:
        path = tmp_path / "own.py"
        path.write_text("from kubelemma.extending import *\n" + dedent(code), "utf-8")
        return asked_of(faults, path, *files, **options)

    return case
