"""What is remembered of a check, for what, and that nothing else is ever believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from remembered import case_of, check, deployment

from kubelemma import api
from kubelemma.question import Case
from kubelemma.recording import save
from kubelemma.remembering import Memory, Saying
from kubelemma.remembering.entry import Entry, Unfit, entry_of, result_of
from kubelemma.remembering.folder import Folder
from kubelemma.remembering.identity import identity
from kubelemma.solver.events import Event, Violation
from kubelemma.solver.result import CheckResult, Verdict


@pytest.fixture(scope="module")
def stuck() -> Case:
    """A case in which DEP-4 is violated."""
    return case_of(deployment(), check())


@pytest.fixture(scope="module")
def result(stuck: Case) -> CheckResult:
    """What the plain engine finds out about it."""
    return api.explore(stuck, engine="plain").result


# What is on file


def test_entries(stuck: Case, result: CheckResult) -> None:
    """What is read is what was written, counterexamples included, but for the mark."""
    written = msgspec.json.encode(entry_of(stuck, result, "1"))
    read = result_of(stuck, msgspec.json.decode(written, type=Entry))
    assert any(found.trace for found in read.properties)
    assert read == replace(result, statistics=replace(result.statistics, remembered=True))


def test_shorter_counterexample(stuck: Case, result: CheckResult) -> None:
    """A counterexample that does not refute its property is not believed."""
    entry = entry_of(stuck, result, "1")
    short = [
        msgspec.structs.replace(found, steps=found.steps and found.steps[:-1])
        for found in entry.properties
    ]
    with pytest.raises(
        Unfit, match="its counterexample to DEP-4 of Deployment default/web is none"
    ):
        result_of(stuck, msgspec.structs.replace(entry, properties=tuple(short)))


def test_violation_without_counterexample(stuck: Case, result: CheckResult) -> None:
    """Nor is a violation without one."""
    entry = entry_of(stuck, result, "1")
    bare = [msgspec.structs.replace(found, steps=None) for found in entry.properties]
    with pytest.raises(Unfit, match="its counterexample to DEP-4"):
        result_of(stuck, msgspec.structs.replace(entry, properties=tuple(bare)))


def test_entry_of_other_properties(stuck: Case, result: CheckResult) -> None:
    """An entry answers for exactly the properties that are asked about."""
    entry = entry_of(stuck, result, "1")
    fewer = msgspec.structs.replace(entry, properties=entry.properties[1:])
    with pytest.raises(Unfit, match="about other properties"):
        result_of(stuck, fewer)
    renamed = msgspec.structs.replace(entry.properties[0], subject="somebody else")
    others = msgspec.structs.replace(entry, properties=(renamed, *entry.properties[1:]))
    with pytest.raises(Unfit, match="says nothing about"):
        result_of(stuck, others)


def test_undecided_entry(stuck: Case, result: CheckResult) -> None:
    """What leaves something undecided is no answer."""
    entry = entry_of(stuck, result, "1")
    vague = [
        msgspec.structs.replace(found, verdict=Verdict.INCONCLUSIVE) for found in entry.properties
    ]
    with pytest.raises(Unfit, match="leaves a property undecided"):
        result_of(stuck, msgspec.structs.replace(entry, properties=tuple(vague)))


# What becomes of it


class Heard(list[str]):
    """Keeps what it is told."""

    def saying(self) -> Saying:
        """Who tells it."""
        return Saying(self.append, self.append)


class Searching:
    """A search that gives what is known already, and counts how often it was needed."""

    def __init__(self, result: CheckResult, *events: Event) -> None:
        self.result, self.events, self.times = result, events, 0

    def __call__(self, listener: Callable[[Event], None]) -> CheckResult:
        """Tell of the events, then give the result."""
        self.times += 1
        for event in self.events:
            listener(event)
        return self.result


@pytest.fixture
def heard() -> Heard:
    """Nothing yet."""
    return Heard()


@pytest.fixture
def memory(tmp_path: Path, heard: Heard) -> Memory:
    """A memory of nothing."""
    return Memory(tmp_path / "cache", tmp_path, heard.saying())


def ignore(_event: Event) -> None:
    """Nobody listens."""


def test_second_time(memory: Memory, stuck: Case, result: CheckResult, heard: Heard) -> None:
    """The second time nothing is searched, and the answer is the same."""
    search = Searching(result)
    first = memory.result(stuck, ignore, search, exhaustive=True)
    second = memory.result(stuck, ignore, search, exhaustive=True)
    assert (first, search.times) == (result, 1)
    assert (second.properties, second.statistics.remembered) == (result.properties, True)
    assert heard == ["two-nodes: remembered from an earlier run"]


def test_undecided_is_not_kept(
    memory: Memory, stuck: Case, result: CheckResult, tmp_path: Path
) -> None:
    """A search that left something open is done again: it may get further."""
    first, *others = result.properties
    unsure = replace(first, verdict=Verdict.INCONCLUSIVE, trace=None)
    search = Searching(replace(result, properties=(unsure, *others)))
    for _ in range(2):
        memory.result(stuck, ignore, search, exhaustive=True)
    assert search.times == 2
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_of_engines(memory: Memory, stuck: Case, result: CheckResult) -> None:
    """An engine that does not visit every state neither answers for others nor is answered for."""
    partial, whole = Searching(result), Searching(result)
    for _ in range(2):
        memory.result(stuck, ignore, partial, exhaustive=False)
    memory.result(stuck, ignore, whole, exhaustive=True)
    memory.result(stuck, ignore, partial, exhaustive=False)
    assert (partial.times, whole.times) == (3, 1)


def test_damaged_entry(
    memory: Memory, stuck: Case, result: CheckResult, tmp_path: Path, heard: Heard
) -> None:
    """What is damaged is searched for, and replaced."""
    search = Searching(result)
    memory.result(stuck, ignore, search, exhaustive=True)
    (path,) = (tmp_path / "cache").glob("*.json")
    whole = path.read_bytes()
    for damaged in (whole[:-9], b"", b"{}"):
        path.write_bytes(damaged)
        memory.result(stuck, ignore, search, exhaustive=True)
        assert path.read_bytes() == whole
        assert f"what was remembered is of no use ({path} is damaged)" in heard.pop()
    assert search.times == 4


def test_entry_of_another_shape(
    memory: Memory, stuck: Case, result: CheckResult, tmp_path: Path, heard: Heard
) -> None:
    """So is what some other program has written in the right way."""
    Folder(tmp_path / "cache").write(identity(stuck), b'{"scenario": 3}')
    search = Searching(result)
    memory.result(stuck, ignore, search, exhaustive=True)
    assert search.times == 1
    assert "what was remembered is of no use (Expected `str`, got `int`" in heard[0]


def test_no_place_for_it(stuck: Case, result: CheckResult, tmp_path: Path, heard: Heard) -> None:
    """Where nothing can be written there is a warning, once, and an answer as ever."""
    (tmp_path / "cache").write_text("no folder", "utf-8")
    memory = Memory(tmp_path / "cache", tmp_path, Saying(warn=heard.append))
    for _ in range(2):
        assert memory.result(stuck, ignore, Searching(result), exhaustive=True) == result
    (warning,) = heard
    assert warning.startswith("warning: verdicts cannot be remembered: ")


# Counterexamples of earlier runs


@pytest.fixture
def recorded(stuck: Case, result: CheckResult, tmp_path: Path) -> Path:
    """A folder with the counterexample to DEP-4."""
    (found,) = [p for p in result.properties if p.property.id == "DEP-4"]
    recording = api.recording(api.Explored(stuck, result), found)
    assert recording is not None
    save(recording, tmp_path)
    return tmp_path


def unsure(case: Case) -> CheckResult:
    """The result of a search that was stopped at once."""
    return api.not_explored(case, "the time limit was hit", "time-limit").result


@pytest.fixture
def similar() -> Case:
    """A case that is not the same, but has the same failure: its nodes are larger."""
    return case_of(
        deployment(), check(cluster={"nodes": [{"count": 2, "allocatable": {"cpu": "8"}}]})
    )


@pytest.mark.usefixtures("recorded")
def test_earlier_counterexample(
    memory: Memory, similar: Case, result: CheckResult, heard: Heard
) -> None:
    """It is told of at once and once, and answers what the search leaves open."""
    mine = Violation("DEP-4", "Deployment default/web", 99)
    other = Violation("DEP-2", "Deployment default/web", 3)
    events: list[Event] = []
    found = memory.result(
        similar, events.append, Searching(unsure(similar), mine, other), exhaustive=True
    )
    (trace,) = [p.trace for p in result.properties if p.property.id == "DEP-4"]
    assert trace is not None
    assert events == [replace(mine, depth=len(trace.steps)), other]
    verdicts = {p.property.id: p for p in found.properties}
    assert verdicts["DEP-4"].verdict is Verdict.VIOLATED
    assert "by a counterexample of an earlier run" in verdicts["DEP-4"].reason
    assert verdicts["DEP-2"].verdict is Verdict.INCONCLUSIVE
    assert heard[0].startswith("two-nodes: the counterexample two-nodes-DEP-4 of an earlier run")
    assert heard[0].endswith(f" still fails ({len(trace.steps)} steps)")


@pytest.mark.usefixtures("recorded")
def test_shortest_story(memory: Memory, similar: Case) -> None:
    """What the search finds itself is what is told and remembered."""
    own = api.explore(similar, engine="plain").result
    assert memory.result(similar, ignore, Searching(own), exhaustive=True) == own


@pytest.mark.usefixtures("recorded")
def test_repaired(memory: Memory, heard: Heard) -> None:
    """A counterexample that does not fail any more is ignored."""
    case = case_of(deployment(), check(nodes=3))
    assert memory.result(case, ignore, Searching(unsure(case)), exhaustive=True) == unsure(case)
    assert heard == [
        "two-nodes: the counterexample two-nodes-DEP-4 of an earlier run does not fail any more"
    ]


def test_recording_of_something_else(memory: Memory, similar: Case, recorded: Path) -> None:
    """A recording of the same name that is about something else is none."""
    (path,) = (recorded / ".kubelemma" / "traces").glob("*.json")
    other = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**other, "subject": "Deployment default/other"}))
    assert memory.still_failing(similar) == ()


def test_broken_recording(memory: Memory, similar: Case, recorded: Path, heard: Heard) -> None:
    """Nor is a file that cannot be read."""
    (path,) = (recorded / ".kubelemma" / "traces").glob("*.json")
    path.write_text("{", "utf-8")
    assert memory.still_failing(similar) == ()
    assert heard[0].startswith(f"ignored: {path}: is no counterexample that this version")
