"""Searches that are kept on disk, broken off in every way, and resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.system import (
    Action,
    Best,
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
from kubelemma.solver import compiled
from kubelemma.solver.checkpoints import CheckpointError, Checkpoints
from kubelemma.solver.compiled import search
from kubelemma.solver.limits import MAX_STATES, Limits
from kubelemma.solver.result import CheckResult, Verdict

Promise = Callable[..., Property]
Repeatable = Callable[[CheckResult], CheckResult]

MANIFEST = "checkpoint.json"
COLUMNS = ("rows", "parents", "moves", "reached", "answers")

SLOW_SEARCH = """
import sys, time
from itertools import count
from pathlib import Path
sys.path.append({benchmarks!r})
import kuberollout
from kubelemma.solver import compiled
from kubelemma.solver.checkpoints import Checkpoints

def gauge():
    time.sleep(0.1)
    return 0

parameters, ticks = kuberollout.LEVELS[{level!r}], count()
compiled.check(
    kuberollout.system(parameters),
    kuberollout.properties(parameters),
    checkpoints=Checkpoints(Path({folder!r}), every_seconds=0.05),
    clock=lambda: next(ticks),
    gauge=gauge,
)
"""
"""A search that stops to look around, and saves, before each batch."""


def counters(most: int, stride: int = 1, cells: int = 3, others: Sequence[State] = ()) -> System:
    """Counters that go up by a stride as long as they are below the same number."""

    def rule(name: str) -> Rule:
        def rise(value: int) -> Iterator[Outcome]:
            if value < most:
                yield Outcome(Action("rise"), {name: value + stride})

        return Rule(name, name, (name,), rise)

    names = [f"counter {i}" for i in range(cells)]
    rules = [rule(name) for name in names]
    return System(cells=[Cell(name, 0) for name in names], rules=rules, others=others)


@pytest.fixture(scope="module")
def promises(promise: Promise) -> tuple[Property, ...]:
    """One that is violated early, one that is violated late, one that holds."""
    first = View(("counter 0",))
    return (
        promise(Always(first, lambda value: value < 2), "X-1"),
        promise(Converges(View(("counter 0", "counter 1")), lambda *both: sum(both) < 40), "X-2"),
        promise(Converges(first, lambda value: value > 7), "X-3"),
    )


@pytest.fixture
def broken_off(promises: tuple[Property, ...], tmp_path: Path) -> Path:
    """The checkpoint of a search that a limit of states ended."""
    folder = tmp_path / "kept"
    limits = Limits(max_states=5_000)
    result = compiled.check(counters(20), promises, limits, checkpoints=Checkpoints(folder))
    assert result.statistics.stopped_by == "max-states"
    return folder


def resumed(
    folder: Path, promises: tuple[Property, ...], system: System | None = None, **others: Limits
) -> CheckResult:
    """The result of a search that goes on with this checkpoint."""
    kept = Checkpoints(folder, resume=True)
    return compiled.check(system or counters(20), promises, checkpoints=kept, **others)


def test_killed_and_resumed(
    kuberollout: ModuleType, tmp_path: Path, repeatable: Repeatable
) -> None:
    """After SIGKILL at any moment, a resumed search ends as if nothing had been."""
    folder = tmp_path / "kept"
    values = {"benchmarks": str(Path(kuberollout.__file__ or "").parent), "level": "L2-renew"}
    script = SLOW_SEARCH.format(folder=str(folder), **values)
    with subprocess.Popen([sys.executable, "-c", script]) as child:
        while not (folder / MANIFEST).exists() and child.poll() is None:
            time.sleep(0.01)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    parameters = kuberollout.LEVELS["L2-renew"]
    system, properties = kuberollout.system(parameters), kuberollout.properties(parameters)
    saved = json.loads((folder / MANIFEST).read_text("utf-8"))["lengths"]["parents"]
    whole = compiled.check(system, properties)
    assert 0 < saved < whole.statistics.states
    again = compiled.check(system, properties, checkpoints=Checkpoints(folder, resume=True))
    assert repeatable(again) == repeatable(whole)


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_broken_off_among_the_starts(
    tmp_path: Path, promises: tuple[Property, ...], repeatable: Repeatable, most: int
) -> None:
    """Where a limit leaves no room for every start, who goes on begins in all of them."""
    system = counters(3, others=[(0, 3, 3), (3, 3, 0)])
    limits, kept = Limits(max_states=most), Checkpoints(tmp_path)
    broken = compiled.check(system, promises, limits, checkpoints=kept)
    assert broken.statistics.stopped_by == MAX_STATES
    whole = compiled.check(system, promises)
    assert repeatable(resumed(tmp_path, promises, system)) == repeatable(whole)


@given(data=st.data(), bounded=st.booleans(), most=st.integers(1, 40))
@settings(max_examples=settings().max_examples // 2)
def test_random_systems(
    *,
    random_systems: ModuleType,
    repeatable: Repeatable,
    promise: Promise,
    data: st.DataObject,
    bounded: bool,
    most: int,
) -> None:
    """Broken off anywhere, and resumed by other workers, a search ends as if it never had been."""
    drawn = data.draw(random_systems.drawn_systems(bounded=bounded))
    system, properties = drawn.system, [promise(formula) for formula in drawn.formulas]
    whole = compiled.check(system, properties)
    with TemporaryDirectory() as folder:
        kept, again = Checkpoints(Path(folder)), Checkpoints(Path(folder), resume=True)
        compiled.check(system, properties, Limits(max_states=most), checkpoints=kept)
        resumed = compiled.check(system, properties, workers=2, checkpoints=again)
        finished = compiled.check(system, properties, checkpoints=again)
    assert repeatable(resumed) == repeatable(finished) == repeatable(whole)


@given(data=st.data(), stride=st.integers(1, 9), seconds=st.integers(1, 20))
@settings(max_examples=settings().max_examples // 4)
def test_stopped_between_batches(
    *,
    random_systems: ModuleType,
    shuffled: Callable[..., object],
    repeatable: Repeatable,
    promise: Promise,
    data: st.DataObject,
    stride: int,
    seconds: int,
) -> None:
    """A search of many batches goes on with the batch that would have been next."""
    drawn = data.draw(random_systems.drawn_systems(bounded=data.draw(st.booleans())))
    system, properties = drawn.system, [promise(formula) for formula in drawn.formulas]
    ticks = count()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in {"STRIDE": stride, "CALM": 0, "PARTS": 2, "LEAST_PART": 1}.items():
            patch.setattr(search, name, value)
        patch.setattr("os.fsync", lambda _: None)
        whole = compiled.check(system, properties)
        patch.setattr(search, "Crew", shuffled)
        compiled.check(
            system,
            properties,
            Limits(time_limit_seconds=seconds),
            workers=2,
            checkpoints=Checkpoints(Path(folder)),
            clock=lambda: next(ticks),
        )
        again = Checkpoints(Path(folder), resume=True)
        resumed = compiled.check(system, properties, workers=2, checkpoints=again)
    assert repeatable(resumed) == repeatable(whole)


def test_batches_stay_as_long(promise: Promise, tmp_path: Path, repeatable: Repeatable) -> None:
    """A search that ends with its batch, as all is violated, has the batches of the one before."""
    names = [f"counter {i}" for i in range(3)]
    far = (promise(Always(View(tuple(names)), lambda *values: values != (18, 0, 0))),)
    ticks = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "STRIDE", 1)
        patch.setattr(search, "CALM", 0)
        whole = compiled.check(counters(20), far)
        kept, limits = Checkpoints(tmp_path), Limits(time_limit_seconds=40)
        first = compiled.check(
            counters(20), far, limits, checkpoints=kept, clock=lambda: next(ticks)
        )
        again = resumed(tmp_path, far)
    assert first.statistics.stopped_by == "time-limit"
    assert whole.statistics.states > first.statistics.states
    assert whole.statistics.stopped_by == "all-violated"
    assert repeatable(again) == repeatable(whole)


def test_higher_limit(
    promises: tuple[Property, ...], broken_off: Path, repeatable: Repeatable
) -> None:
    """With a higher limit the search goes on, and in the end all is as without any limit."""
    further = resumed(broken_off, promises, limits=Limits(max_states=7_000))
    assert further.statistics.states == 7_000
    whole = compiled.check(counters(20), promises)
    assert repeatable(resumed(broken_off, promises)) == repeatable(whole)
    assert [found.verdict for found in whole.properties] == [
        Verdict.VIOLATED,
        Verdict.VIOLATED,
        Verdict.HOLDS,
    ]


def test_finished_search(
    promises: tuple[Property, ...], broken_off: Path, repeatable: Repeatable
) -> None:
    """To resume what is finished is to be told the result again."""
    first = resumed(broken_off, promises)
    before = {name: (broken_off / f"{name}.bin").read_bytes() for name in COLUMNS}
    assert repeatable(resumed(broken_off, promises)) == repeatable(first)
    assert {name: (broken_off / f"{name}.bin").read_bytes() for name in COLUMNS} == before


def test_columns_that_were_not_finished(
    promises: tuple[Property, ...], broken_off: Path, repeatable: Repeatable
) -> None:
    """What a killed search had written, but not yet counted, does not count."""
    for name in COLUMNS:
        with (broken_off / f"{name}.bin").open("ab") as column:
            column.write(b"\x7f" * 1_001)
    (broken_off / f"{MANIFEST}.new").write_text('{"identity"', "utf-8")
    whole = compiled.check(counters(20), promises)
    assert repeatable(resumed(broken_off, promises)) == repeatable(whole)


def test_nothing_to_resume(promises: tuple[Property, ...], tmp_path: Path) -> None:
    """A search that was not kept begins anew, and is kept from then on."""
    folder = tmp_path / "absent" / "too"
    assert resumed(folder, promises).statistics.exhaustive
    assert (folder / MANIFEST).is_file()


def test_without_resume(promises: tuple[Property, ...], broken_off: Path) -> None:
    """A checkpoint is not overwritten by mistake."""
    with pytest.raises(CheckpointError, match="has a checkpoint already"):
        compiled.check(counters(20), promises, checkpoints=Checkpoints(broken_off))


def test_other_question(promises: tuple[Property, ...], broken_off: Path) -> None:
    """The checkpoint of a search for something else, or in something else, is refused."""
    with pytest.raises(CheckpointError, match="of another search: its properties"):
        resumed(broken_off, promises[:2])
    with pytest.raises(CheckpointError, match="of another search: its positions"):
        resumed(broken_off, promises, counters(20, cells=4))


def test_older_form(promises: tuple[Property, ...], broken_off: Path) -> None:
    """A checkpoint in the form of another version is refused, and told as such."""
    manifest = broken_off / MANIFEST
    text = manifest.read_text("utf-8")
    assert '"format": 4' in text
    manifest.write_text(text.replace('"format": 4', '"format": 3'), "utf-8")
    with pytest.raises(CheckpointError, match="in another form"):
        resumed(broken_off, promises)


def test_other_model(promises: tuple[Property, ...], broken_off: Path) -> None:
    """If the model answers otherwise than it did, the checkpoint is refused."""
    with pytest.raises(CheckpointError, match="of another model: it answers otherwise now"):
        resumed(broken_off, promises, counters(20, stride=2))
    with pytest.raises(CheckpointError, match="of another model: it answers otherwise now"):
        resumed(broken_off, promises, counters(5))


def there_and_back(
    *, environment: bool = False, task: str = "", worth: int = 1, score: int = 1, turn: bool = True
) -> System:
    """A cell that goes from 0 to 1 and back, or to where it is, and counts for so much at 1."""

    def go(value: int) -> Iterator[Outcome]:
        if value == 0:
            yield Outcome(Action("go"), {"cell": 1})

    def back(value: int) -> Iterator[Outcome]:
        if value == 1:
            yield Outcome(Action("back"), {"cell": 0 if turn else 1})

    return System(
        cells=[Cell("cell", 0)],
        tallies=[Tally("sum", {"cell": lambda value: (value * worth,)}, 1, lambda n: n[0] > 0)],
        bests=[Best("best", {"cell": lambda value: value * score})],
        rules=[
            Rule("go", "a", ("cell",), go, environment=environment),
            Rule("back", "a", ("cell",), back, task=task),
        ],
    )


@pytest.mark.parametrize(
    "other",
    [
        there_and_back(environment=True),
        there_and_back(task="of its own"),
        there_and_back(worth=2),
        there_and_back(score=2),
        there_and_back(turn=False),
    ],
    ids=["environment", "task", "measure", "score", "step"],
)
def test_same_answers_of_other_meaning(promise: Promise, tmp_path: Path, other: System) -> None:
    """A model that only differs in what answers stand for is another model."""
    view = View(("cell",), ("sum",))
    goals = [promise(Converges(view, lambda value, _: value == 0))]
    compiled.check(there_and_back(), goals, checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match="of another model: it answers otherwise now"):
        resumed(tmp_path, tuple(goals), other)
    again = resumed(tmp_path, tuple(goals), there_and_back())
    assert again.properties[0].verdict is Verdict.VIOLATED


def test_another_predicate(promise: Promise, tmp_path: Path) -> None:
    """What a predicate says is compared, though nothing else of the model depends on it."""
    view = View(("cell",))
    low, any_at_all = (
        promise(Always(view, lambda value, most=most: value <= most)) for most in (0, 1)
    )
    compiled.check(there_and_back(), [any_at_all], checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match="of another model: it answers otherwise now"):
        resumed(tmp_path, (low,), there_and_back())


def test_another_start(promise: Promise, tmp_path: Path) -> None:
    """Two searches that only begin in different states are two."""

    def family(*start: int) -> System:
        def rise(value: int) -> Iterator[Outcome]:
            if value == 1:
                yield Outcome(Action("rise"), {"many": 2})

        rule = Rule("rise", "a", ("many",), rise)
        return System(families=[Family("many", start)], rules=[rule])

    low = (promise(Always(View(("many",)), lambda value: value < 3)),)
    compiled.check(family(0, 0, 1), low, checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match="of another model"):
        resumed(tmp_path, low, family(0, 1, 1))


@pytest.mark.parametrize(
    "other",
    [
        Always(View(("cell",)), lambda value: value == 0),
        EachStep(View(("cell",)), lambda *_: False, frozenset({"go", "back"})),
    ],
)
def test_same_predicate_in_another_promise(
    promise: Promise, tmp_path: Path, other: Always | EachStep
) -> None:
    """What is promised with a predicate is a part of the question."""
    first: Converges | EachStep = Converges(other.view, lambda value: value == 0)
    if isinstance(other, EachStep):
        first = replace(other, actions=frozenset({"go"}))
    compiled.check(there_and_back(), [promise(first)], checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match="of another search: its formulas"):
        resumed(tmp_path, (promise(other),), there_and_back())


def test_lower_limit(promises: tuple[Property, ...], broken_off: Path) -> None:
    """What is kept must fit into the limit."""
    with pytest.raises(CheckpointError, match="keeps a search of 5,000 states, and the limit is"):
        resumed(broken_off, promises, limits=Limits(max_states=100))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"identity": 1, "lengths": {}, "facts": {}}']
)
def test_broken_manifest(promises: tuple[Property, ...], broken_off: Path, content: str) -> None:
    """A small file that is none is named."""
    (broken_off / MANIFEST).write_text(content, "utf-8")
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is no checkpoint"):
        resumed(broken_off, promises)


@pytest.mark.parametrize("part", ["facts", "lengths", "sums"])
@pytest.mark.parametrize("content", [{}, {"expanded": 0}])
def test_damaged_manifest(
    promises: tuple[Property, ...], broken_off: Path, part: str, content: dict[str, int]
) -> None:
    """What the small file says counts only as it was written."""
    path = broken_off / MANIFEST
    written = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**written, part: content}), "utf-8")
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is damaged"):
        resumed(broken_off, promises)


def test_single_number(promises: tuple[Property, ...], broken_off: Path) -> None:
    """A number less in the facts, which would leave states out, is noticed."""
    path = broken_off / MANIFEST
    written = json.loads(path.read_text("utf-8"))
    written["facts"]["expanded"] += 1
    path.write_text(json.dumps(written), "utf-8")
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is damaged"):
        resumed(broken_off, promises)


@pytest.mark.parametrize("column", COLUMNS)
def test_damaged_column(promises: tuple[Property, ...], broken_off: Path, column: str) -> None:
    """A number in a column that is not what was written is noticed."""
    path = broken_off / f"{column}.bin"
    written = bytearray(path.read_bytes())
    written[len(written) // 2] ^= 1
    path.write_bytes(written)
    with pytest.raises(CheckpointError, match=rf"{column}\.bin is damaged"):
        resumed(broken_off, promises)


def test_unreadable_manifest(promises: tuple[Property, ...], broken_off: Path) -> None:
    """What stands in the place of the small file is named."""
    (broken_off / MANIFEST).unlink()
    (broken_off / MANIFEST).mkdir()
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is no checkpoint"):
        resumed(broken_off, promises)


@pytest.mark.parametrize("column", COLUMNS)
def test_truncated_column(promises: tuple[Property, ...], broken_off: Path, column: str) -> None:
    """A column that is shorter than it should be, or gone, is named."""
    path = broken_off / f"{column}.bin"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CheckpointError, match=rf"{column}\.bin ends after"):
        resumed(broken_off, promises)
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{column}\.bin"):
        resumed(broken_off, promises)
