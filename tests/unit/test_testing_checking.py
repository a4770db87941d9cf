"""Checks as a function: what it takes, what its result says, and what it asserts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelemma import api, recording
from kubelemma.model.manifests import InvalidInput, Source, load
from kubelemma.model.manifests.check import Check, CheckSpec
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.solver.replay import RepeatStatus
from kubelemma.solver.result import Verdict
from kubelemma.testing import Checked, Means, check

Manifest = dict[str, Any]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "rollout-anti-affinity"
DEPLOYMENT: Manifest = yaml.safe_load((EXAMPLE / "deployment.yaml").read_text("utf-8"))
NODES = "count=3,cpu=4,memory=8Gi"
ROLLOUT = "rollout=web"


def stuck(**wanted: Any) -> Checked:
    """The rollout that cannot complete, because pods that shun each other have too few nodes."""
    return check(DEPLOYMENT, nodes=NODES, events=ROLLOUT, engine="plain", **wanted)


def outcome(found: Checked) -> list[tuple[str, str, int]]:
    """What was found, by property, with the lengths of the stories."""
    return [(p.id, p.finding, len(p.story.steps) if p.story else 0) for p in found.properties]


def test_paths_and_objects_are_the_same() -> None:
    """A file, its content as plain data, and as a type of the model give the same result."""
    (manifest,) = load([Source(str(EXAMPLE / "deployment.yaml"))]).objects
    found = [
        outcome(check(given, nodes=NODES, events=ROLLOUT, engine="plain"))
        for given in (str(EXAMPLE / "deployment.yaml"), DEPLOYMENT, manifest.written)
    ]
    assert found[0] == found[1] == found[2]
    assert ("DEP-4", "violated", 4) in found[0]


def test_nodes_and_events_as_in_a_check() -> None:
    """Nodes and events may be written as in a Check, and nodes as objects, with the same result."""
    group = {"count": 3, "allocatable": {"cpu": "4", "memory": "8Gi"}}
    amounts = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"allocatable": amounts},
        }
        for name in ("a", "b", "c")
    ]
    event = {"rollout": {"deployment": "web", "max": 1, "newVersion": "healthy"}}
    for nodes in (group, [group], objects):
        found = check(DEPLOYMENT, nodes=nodes, events=[event], engine="plain")
        assert outcome(found) == outcome(stuck())


@pytest.mark.parametrize("events", ["none", ["none"], [], ()])
def test_no_events(events: list[str]) -> None:
    """An empty list of events is none at all, as in a Check."""
    (scenario,) = check(DEPLOYMENT, nodes=NODES, events=events, properties="DEP-4").report.scenarios
    assert "events: none, the control plane runs by itself" in scenario.setting


def test_groups_keep_all_fields() -> None:
    """Labels, taints and other resources of a group of nodes arrive."""
    group = {
        "count": 2,
        "name": "gpu",
        "zones": 2,
        "unschedulable": True,
        "allocatable": {"cpu": 4, "example.com/gpu": "1"},
        "labels": {"disktype": "ssd"},
        "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
    }
    (scenario,) = check(
        DEPLOYMENT, nodes=group, events=ROLLOUT, properties="KUB-7"
    ).report.scenarios
    assert scenario.setting[0].startswith(
        "cluster: 2 nodes with cpu 4, example.com/gpu 1, pods 110"
    )
    assert "taint gpu:NoSchedule, unschedulable in 2 zones" in scenario.setting[0]


def test_typed_check() -> None:
    """A Check may be a type of the model as well."""
    scenario = Check(metadata=ObjectMeta(name="typed"), spec=CheckSpec(properties=("DEP-4",)))
    found = check(scenario, DEPLOYMENT, nodes=NODES, events=ROLLOUT)
    assert [s.name for s in found.report.scenarios] == ["typed"]


def test_any_character_arrives() -> None:
    """Characters that JSON and YAML write differently are read as they are."""
    odd = {"note": "\U0001f600 \x7f \u2028 \\u0041 y"}
    named = {**DEPLOYMENT, "metadata": {"name": "web", "annotations": odd}}
    found = check(named, nodes=NODES, events=ROLLOUT, properties="DEP-4")
    assert outcome(found) == [("DEP-4", "violated", 4)]


# The result


def test_result_of_a_violation() -> None:
    """A result tells its verdict, its violations and their stories."""
    found = stuck()
    assert found.verdict is Verdict.VIOLATED
    assert [p.id for p in found.violations] == ["DEP-4", "STUCK"]
    assert found.inconclusive == ()
    assert "DEP-2" in {p.id for p in found.vacuous}
    assert "replicaset-controller: creates web-v2-1" in found.story
    assert repr(found).startswith("<FAILED: of ")
    assert "Scenario default/web" in str(found)
    assert found.states > 4


def test_result_is_no_truth_value() -> None:
    """`assert check(...)` cannot pass by mistake."""
    with pytest.raises(TypeError, match="neither true nor false"):
        assert stuck()


def test_assert_holds_tells_the_story() -> None:
    """The failure has the result in a line, the story, and what to do."""
    with pytest.raises(AssertionError) as caught:
        stuck().assert_holds()
    text = str(caught.value)
    assert text.startswith("FAILED: of ")
    assert "What happens\n   1   user: applies a new pod template (v2) to web" in text
    assert "What to do about it" in text


def test_assert_holds_of_named_properties() -> None:
    """A named property must hold, and not just vacuously; others do not matter."""
    found = stuck(properties="all")
    found.assert_holds("DEP-1")
    with pytest.raises(AssertionError, match="DEP-2 vacuous for"):
        found.assert_holds("DEP-2")
    with pytest.raises(AssertionError, match="DEP-4 is violated"):
        found.assert_holds("DEP-1", "DEP-4")


def test_inconclusive_does_not_hold() -> None:
    """What was not decided fails, with the reason."""
    found = stuck(max_states=3, properties=["DEP-1"])
    assert found.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(AssertionError, match="the limit of 3 states was reached"):
        found.assert_holds()


def test_expectations_and_severities() -> None:
    """What a scenario expects passes, and so does what is milder than asked for."""
    expecting = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": "expecting"},
        "spec": {"properties": ["DEP-4"], "expect": {"DEP-4": "violated"}},
    }
    check(expecting, DEPLOYMENT, nodes=NODES, events=ROLLOUT).assert_holds()
    crash = [ROLLOUT, "node-crash"]
    mild = check(DEPLOYMENT, events=crash, properties="DEP-2", fail_on="critical")
    assert [p.id for p in mild.violations] == ["DEP-2"]
    mild.assert_holds()


def test_assert_violated() -> None:
    """A regression test of a failure fails when the failure is gone."""
    found = stuck(properties="all")
    found.assert_violated()
    found.assert_violated("DEP-4", "STUCK")
    with pytest.raises(AssertionError, match="expected DEP-1 to be violated"):
        found.assert_violated("DEP-4", "DEP-1")
    sound = check(DEPLOYMENT, nodes="count=4,cpu=4,memory=8Gi", events=ROLLOUT)
    with pytest.raises(AssertionError, match="expected anything to be violated"):
        sound.assert_violated()


def test_unknown_property_is_no_success() -> None:
    """A property that was not asked about fails, with a suggestion."""
    for assertion in (stuck().assert_holds, stuck().assert_violated):
        with pytest.raises(AssertionError, match=r'DEP-44 was not asked .* \(did you mean "DEP-4"'):
            assertion("DEP-44")


# Input errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check({**DEPLOYMENT, "spec": {}}), r"object 1 \(Deployment web\): spec.selector:"),
        (
            lambda: check(DEPLOYMENT, {"kind": "Pod"}),
            r"object 2 \(Pod without a name\): apiVersion",
        ),
        (lambda: check(DEPLOYMENT, nodes="cpus=1"), r'nodes\[0\]: cpus: .* mean "cpu"'),
        (lambda: check(DEPLOYMENT, nodes={"cout": 1}), r'nodes\[0\]: cout: .* mean "count"'),
        (lambda: check(DEPLOYMENT, events=[{"rolout": {}}]), r'events\[0\]: .* mean "rollout"'),
        (lambda: check(DEPLOYMENT, events=[{}]), "events: expected one event"),
        (lambda: check(DEPLOYMENT, events=["none", ROLLOUT]), 'events: "none" means no events'),
        (lambda: check(DEPLOYMENT, events="rollout=wob"), 'events: there is no workload "wob"'),
        (lambda: check(DEPLOYMENT, properties="DEP-44"), 'properties: .* mean "DEP-4"'),
        (lambda: check(DEPLOYMENT, engine="plan"), 'engine: .* mean "plain"'),
        (lambda: check(DEPLOYMENT, fail_on="hi"), 'fail_on: "hi" is not one of'),
        (check, "nothing to check"),
        (lambda: check("nowhere.yaml"), "nowhere.yaml: no such file"),
    ],
)
def test_invalid_input(call: Callable[[], object], message: str) -> None:
    """Bad input is told in the words of the function, never of lines or options nobody wrote."""
    with pytest.raises(InvalidInput, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stuck(propertis=[]), 'no argument "propertis" .* mean "properties"'),
        (lambda: check(DEPLOYMENT, 3), "expected paths and objects of the API, found a int"),
        (lambda: check({"a": {1}}), "an object holds a set"),
    ],
)
def test_wrong_arguments(call: Callable[[], object], message: str) -> None:
    """What can only be a slip in the test itself is a TypeError."""
    with pytest.raises(TypeError, match=message):
        call()


# Counterexamples on file


def test_counterexamples_are_kept(tmp_path: Path) -> None:
    """With a folder, stories end in the command that repeats them, and it is true."""
    means = Means(engine="plain", root=tmp_path, origin=tmp_path)
    found = means.check(DEPLOYMENT, nodes=NODES, events=ROLLOUT, properties="DEP-4")
    assert found.story.rstrip().splitlines()
    (command,) = found.violations[0].story.repeat  # type: ignore[union-attr]
    assert command == "kubelemma replay default-web-DEP-4"
    recorded = recording.load(recording.find("default-web-DEP-4", tmp_path))
    assert api.replay(recorded).repeat.status is RepeatStatus.STILL_FAILS


def test_command_from_another_folder(tmp_path: Path) -> None:
    """From another folder the counterexample is named by its path."""
    means = Means(root=tmp_path / "project", origin=tmp_path)
    found = means.check(DEPLOYMENT, nodes=NODES, events=ROLLOUT, properties="DEP-4")
    (command,) = found.violations[0].story.repeat  # type: ignore[union-attr]
    assert command == "kubelemma replay project/.kubelemma/traces/default-web-DEP-4.json"


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be kept, the story is told without a command that would not work."""
    (tmp_path / "file").write_text("", "utf-8")
    means = Means(root=tmp_path / "file")
    found = means.check(DEPLOYMENT, nodes=NODES, events=ROLLOUT, properties="DEP-4")
    assert found.violations[0].story.repeat == ()  # type: ignore[union-attr]
