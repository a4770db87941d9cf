"""What a case is: the key under which its verdicts are remembered."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from remembered import Change, Data, case_of, cases_of, changed, check, container, deployment

from kubelemma import api
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.scenario.questions import QUESTIONS
from kubelemma.question import Case, Question, ask
from kubelemma.remembering.identity import NoIdentity, _files, _Reading, identity
from kubelemma.solver.result import CheckResult

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def stuck() -> Case:
    """A case in which DEP-4 is violated."""
    return case_of(deployment(), check())


@pytest.fixture(scope="module")
def result(stuck: Case) -> CheckResult:
    """What the plain engine finds out about it."""
    return api.explore(stuck, engine="plain").result


PAUSE = {"preStop": {"sleep": {"seconds": 1}}}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: container(d).update(image="c:2", imagePullPolicy="Always"),
        lambda d: container(d).update(
            livenessProbe={"exec": {}}, lifecycle={"preStop": {"sleep": {"seconds": 1}}}
        ),
        lambda d: container(d).update(readinessProbe={"httpGet": {"port": 80}}),
        lambda d: container(d).update(env=[{"name": "LEVEL", "value": "debug"}]),
        lambda d: d["metadata"].update(annotations={"team": "shop"}),
        lambda d: d["metadata"].update(labels={"team": "shop"}),
        lambda d: d["spec"]["template"]["metadata"].update(annotations={"checksum/config": "1"}),
    ],
    ids=["image", "liveness", "probe", "environment", "annotation", "label", "annotation of pods"],
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
        check(faults={"controllerRestarts": 1}),
        check(scheduler={"scoring": True}),
        check(bounds={"maxPods": 5}),
        check(properties=["DEP-4"]),
    ],
    ids=[
        "cluster",
        "events",
        "no events",
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
    """What is remembered without any event, or of one question, is no answer to another one."""
    quiet = case_of(deployment(), check(events=[]))
    usual = cases_of(deployment(), check(events=None))
    assert len({*map(identity, usual), identity(quiet)}) == len(QUESTIONS) + 1
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
        ("kinds/parts/pods.py", "image"),  # whether there is one
        ("kinds/parts/probes.py", "readiness_probe"),  # for advice
        ("cluster/shelves.py", "annotation_map"),  # of claims
        ("kinds/ingress.py", "annotation_map"),  # of its class, in the old way
        ("components/ingress/decision.py", "annotation_map"),
        ("components/endpointslicemirroring/decision.py", "annotation_map"),  # said beforehand
        ("scenario/static.py", "annotations"),  # of mirror pods
        ("kinds/secret.py", "annotation_map"),  # for what is refused
        ("objects/meta.py", "annotations"),
        ("objects/storage.py", "annotation_map"),  # for placement
        ("cluster/owners.py", "annotation_map"),  # the deletion cost
        ("cluster/owners.py", "annotations"),
        ("components/deployment/owner.py", "annotation_map"),  # for the start, which counts
        ("components/deployment/owner.py", "image"),  # for the start, too
        ("components/drain/rules.py", "annotation_map"),  # of mirror pods
        ("components/kubelet/decision/images.py", "image"),  # where the registry may be away
        ("components/kubelet/decision/probes.py", "liveness_probe"),  # where starts take time
        ("components/kubelet/decision/probes.py", "startup_probe"),
        ("components/registry.py", "annotations"),  # which components read any
        ("components/scheduler/decision/image_locality.py", "image"),
        ("components/scheduler/decision/volumes.py", "annotation_map"),  # for placement
    }


def test_what_containers_need_counts() -> None:
    """Whether an object has the keys that are asked for, and no more of it."""

    def asked(*keys: str, **more: str) -> str:
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}
        data = {"data": {**dict.fromkeys(keys, "x"), **more}}
        needing = deployment()
        selector = {"name": "web", "key": "mode"}
        variable = {"name": "A", "valueFrom": {"configMapKeyRef": selector}}
        container(needing).update(env=[variable])
        return identity(case_of(needing, check(), {**config, **data}))

    assert asked("mode") == asked("mode", "other") == asked(mode="z")
    assert asked("mode") != asked("other")


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"startSeconds": 20}, {"livenessProbe": {"exec": {}}}),
        ({"events": [{"registryOutage": {}}]}, {"image": "c:2"}),
        ({"events": [{"registryOutage": {}}]}, {"imagePullPolicy": "Always"}),
    ],
)
def test_what_counts_in_some_scenarios(spec: Data, fields: Data) -> None:
    """Probes count where starts take time, images where the registry may be away."""
    other = deployment()
    container(other).update(fields)
    before, after = (identity(case_of(d, check(**spec))) for d in (deployment(), other))
    assert before != after


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


SAME = ("claim-deleted-control", "statefulset-forced-deletion-repaired")
"""Examples that are what others are: what is right about two things."""


def test_every_example_has_one() -> None:
    """No example is of a kind that is never remembered, and no two of them are the same."""
    paths = sorted(str(p) for p in EXAMPLES.glob("*") if (p / "check.yaml").exists())
    plain = [path for path in paths if "own-controller" not in path and Path(path).name not in SAME]
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
