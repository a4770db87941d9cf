"""What is remembered of a check, for what, and that nothing else is ever believed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.objects.quantity import Quantity
from kubelemma.question import Case, Question, ask
from kubelemma.recording import save
from kubelemma.remembering import Memory, Saying
from kubelemma.remembering.entry import Entry, Unfit, entry_of, result_of
from kubelemma.remembering.folder import Folder
from kubelemma.remembering.identity import NoIdentity, _files, _Reading, identity
from kubelemma.solver.events import Event, Violation
from kubelemma.solver.result import CheckResult, Verdict

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

Data: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Data], object]


def deployment(name: str = "web") -> Data:
    """Two replicas that must not share a node."""
    labels = {"app": name}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    container = {"name": "c", "image": "c:1", "resources": {"requests": {"cpu": "100m"}}}
    spec = {
        "containers": [container],
        "affinity": {"podAntiAffinity": {required: [term]}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def check(nodes: int = 2, **spec: object) -> Data:
    """A rollout of it on two nodes, which cannot complete."""
    return {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": "two-nodes"},
        "spec": {
            "cluster": {"nodes": [{"count": nodes, "allocatable": {"cpu": "4"}}]},
            "events": [{"rollout": {"deployment": "web"}}],
            **spec,
        },
    }


def case_of(*documents: Data, text: str = "", **asked: Any) -> Case:
    """The one case of a question about these documents."""
    stream = text or yaml.safe_dump_all(documents)
    (case,) = ask(Question(paths=("-",), stdin=stream, **asked)).cases
    return case


def changed(change: Change, **asked: Any) -> Case:
    """The case after a change of its Deployment."""
    document = deployment()
    change(document)
    return case_of(document, check(), **asked)


def container(document: Data) -> Data:
    """Its container."""
    found: Data = document["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.fixture(scope="module")
def stuck() -> Case:
    """A case in which DEP-4 is violated."""
    return case_of(deployment(), check())


@pytest.fixture(scope="module")
def result(stuck: Case) -> CheckResult:
    """What the plain engine finds out about it."""
    return api.explore(stuck, engine="plain").result


# What a case is


@pytest.mark.parametrize(
    "change",
    [
        lambda d: container(d).update(image="c:2"),
        lambda d: container(d).update(readinessProbe={"httpGet": {"port": 80}}),
        lambda d: container(d).update(env=[{"name": "LEVEL", "value": "debug"}]),
        lambda d: d["metadata"].update(annotations={"team": "shop"}),
        lambda d: d["metadata"].update(labels={"team": "shop"}),
        lambda d: d["spec"]["template"]["metadata"].update(annotations={"checksum/config": "1"}),
    ],
    ids=["image", "probe", "environment", "annotation", "label", "annotation of pods"],
)
def test_what_cannot_matter(stuck: Case, result: CheckResult, change: Change) -> None:
    """What no rule reads does not make another case, and the verdicts are the same."""
    case = changed(change)
    assert identity(case) == identity(stuck)
    found = api.explore(case, engine="plain").result
    assert [p.trace for p in found.properties] == [p.trace for p in result.properties]
    assert replace(found.statistics, seconds=0, peak_memory_bytes=0) == replace(
        result.statistics, seconds=0, peak_memory_bytes=0
    )


def test_how_it_is_written(stuck: Case) -> None:
    """Comments, order and company that is not modelled do not make another case."""
    service = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}}
    text = "# a comment\n" + yaml.safe_dump_all([check(), service, deployment()], sort_keys=False)
    assert identity(case_of(text=text)) == identity(stuck)


def test_limits_are_no_part_of_it(stuck: Case) -> None:
    """A limit says when to give up looking; what is known needs no looking."""
    assert identity(changed(lambda _: None, max_states=7, time_limit_seconds=3.0)) == identity(
        stuck
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["spec"].update(replicas=1),
        lambda d: d["spec"].update(minReadySeconds=5),
        lambda d: d["spec"].update(paused=True),
        lambda d: d["spec"].update(strategy={"type": "Recreate"}),
        lambda d: d["spec"].update(
            strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
        ),
        lambda d: d["spec"]["template"]["spec"].pop("affinity"),
        lambda d: d["spec"]["template"]["spec"].update(terminationGracePeriodSeconds=0),
        lambda d: container(d).update(resources={"requests": {"cpu": "100.5m"}}),
        lambda d: d["spec"]["template"]["metadata"].update(
            annotations={"controller.kubernetes.io/pod-deletion-cost": "7"}
        ),
    ],
)
def test_what_matters(stuck: Case, change: Change) -> None:
    """Whatever a rule reads makes another case."""
    assert identity(changed(change)) != identity(stuck)


@pytest.mark.parametrize(
    "other",
    [
        check(nodes=3),
        check(events=[{"nodeCrash": {}}]),
        check(events=[]),
        check(events=None),
        check(faults={"controllerRestarts": 1}),
        check(scheduler={"scoring": True}),
        check(bounds={"maxPods": 5}),
        check(properties=["DEP-4"]),
    ],
    ids=[
        "cluster",
        "events",
        "no events",
        "default events",
        "faults",
        "scoring",
        "bounds",
        "properties",
    ],
)
def test_scenarios_matter(stuck: Case, other: Data) -> None:
    """So does whatever the scenario chooses."""
    assert identity(case_of(deployment(), other)) != identity(stuck)


def test_no_events_are_not_the_default() -> None:
    """What is remembered without any event is no answer where the default is asked, or back."""
    quiet, usual = (case_of(deployment(), check(events=events)) for events in ([], None))
    assert identity(quiet) != identity(usual)
    asked = case_of(deployment(), check(events=None), events=("none",))
    assert identity(asked) == identity(quiet)


def test_images_matter_where_nodes_hold_some() -> None:
    """Where a node says which images it has, another image is another case."""
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n1"},
        "status": {
            "allocatable": {"cpu": "4", "pods": "10"},
            "images": [{"names": ["c:1"], "sizeBytes": 10**9}],
        },
    }
    scored = check(cluster={}, scheduler={"scoring": True})
    other = deployment()
    container(other).update(image="c:2")
    assert identity(case_of(deployment(), scored, node)) != identity(case_of(other, scored, node))


def test_what_is_left_out_nobody_reads() -> None:
    """Of the model, only what the key provides for reads what the key leaves out."""
    probes = ("readiness_probe", "liveness_probe", "startup_probe")
    assert readers("image", "annotations", "annotation_map", *probes) == {
        ("manifests/pod_validation.py", "image"),  # whether there is one
        ("objects/meta.py", "annotations"),
        ("objects/storage.py", "annotation_map"),  # for placement
        ("scenario/templates.py", "annotation_map"),  # the deletion cost
        ("scenario/templates.py", "annotations"),
        ("components/drain/rules.py", "annotation_map"),  # of mirror pods
        ("components/scheduler/decision/image_locality.py", "image"),
        ("components/scheduler/decision/volumes.py", "annotation_map"),  # for placement
    }


def readers(*fields: str) -> set[tuple[str, str]]:
    """Which modules of the model read which of these fields of anything."""
    return {
        (path.relative_to(ROOT / "model").as_posix(), node.attr)
        for path in (ROOT / "model").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in fields
    }


def test_budgets_and_how_nodes_are_drained_count() -> None:
    """A case with another budget, or with other options of a drain, is another case."""

    def key(least: int, **options: object) -> str:
        budget = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web"},
            "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}},
        }
        return identity(case_of(deployment(), budget, check(events=[{"drain": options}])))

    assert key(1) == key(1)
    assert len({key(1), key(2), key(1, disableEviction=True), key(1, timeoutSeconds=9)}) == 4


def test_same_in_every_process(stuck: Case) -> None:
    """The key depends on no order that differs from process to process."""
    text = yaml.safe_dump_all([deployment(), check()])
    program = (
        "import sys; from kubelemma.question import Question, ask; "
        "from kubelemma.remembering.identity import identity; "
        "print(*map(identity, ask(Question(paths=('-',), stdin=sys.stdin.read())).cases))"
    )
    seeded = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program]
    run = subprocess.run(
        command, input=text, env=seeded, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == identity(stuck)


def test_every_example_has_one() -> None:
    """No example is of a kind that is never remembered, and no two of them are the same."""
    paths = sorted(str(p) for p in EXAMPLES.glob("*") if (p / "check.yaml").exists())
    plain = [path for path in paths if "own-controller" not in path]
    keys = [identity(case) for case in ask(Question(paths=tuple(plain))).cases]
    assert len(keys) > 20
    assert len(set(keys)) == len(keys)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.fractions(max_denominator=9)
    | st.fractions(max_denominator=9).map(Quantity)
)
values = st.recursive(
    scalars | st.frozensets(scalars, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_names_of_files(tmp_path: Path) -> None:
    """The source digest is of names and contents: what is renamed or changed is another version."""
    (tmp_path / "a.py").write_text("x = 1\n", "utf-8")
    package = ModuleType("package")
    package.__path__ = [str(tmp_path)]
    before = list(_files(package))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert list(_files(package)) != before == [b"a.py", b"x = 1\n"]


@given(one=values, other=values)
@settings(max_examples=settings().max_examples // 2)
def test_readings(one: object, other: object) -> None:
    """Equal values read the same, and others differ (True and 1 are told apart as well)."""
    read = _Reading(frozenset(), frozenset()).plain
    alike = one == other and _kinds(one) == _kinds(other)
    assert (read(one) == read(other) and repr(read(one)) == repr(read(other))) is alike


def _kinds(value: object) -> object:
    """The kinds of value within a value, in any order where it has none."""
    if isinstance(value, tuple):
        return [_kinds(part) for part in value]
    if isinstance(value, frozenset):
        return sorted(repr(_kinds(part)) for part in value)
    if isinstance(value, dict):
        return {key: _kinds(part) for key, part in value.items()}
    return type(value).__name__


def test_functions_have_none() -> None:
    """A function of nobody's file cannot be told from others."""
    with pytest.raises(NoIdentity, match="is of no loaded file"):
        _Reading(frozenset(), frozenset()).plain((1, _kinds))
    with pytest.raises(NoIdentity, match="a module has no identity"):
        _Reading(frozenset(), frozenset()).plain({"a": ast})


def test_loaded_functions() -> None:
    """Functions of a loaded file are told apart by what they close over, too."""

    def within(most: int) -> Callable[[int], bool]:
        def fits(size: int) -> bool:
            return size <= most or fits(size - 1)

        return fits

    read = _Reading(frozenset(), frozenset({Path(__file__).absolute()})).plain
    assert read(within(3)) == _Reading(frozenset(), frozenset({Path(__file__)})).plain(within(3))
    assert read(within(3)) != read(within(4))


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
    other = Violation("DEP-6", "Deployment default/web", 3)
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
    assert verdicts["DEP-6"].verdict is Verdict.INCONCLUSIVE
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
