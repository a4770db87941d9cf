"""Stories: names, sentences, changes, and where they end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml

from kubelemma import api
from kubelemma.model.cluster.snapshot import NOWHERE, PENDING, Place
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.world import NODES
from kubelemma.properties.formula import EachStep
from kubelemma.question import STDIN, Question
from kubelemma.reports.narrate import narrate, narrate_steps
from kubelemma.reports.narrate.cast import opening
from kubelemma.reports.narrate.summary import SENTENCES
from kubelemma.reports.story import Story
from kubelemma.solver.result import Verdict
from kubelemma.solver.simulate import simulate

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        resources: {requests: {cpu: 500m, memory: 64Mi}}
"""


def case(**question: Any) -> api.Case:
    """The one case of a question about two replicas."""
    (found,) = api.ask(Question(paths=(STDIN,), stdin=WEB, **question)).cases
    return found


@pytest.fixture(scope="module")
def full() -> Story:
    """The rollout that a full node stops."""
    found = case(nodes=("count=1,cpu=1,memory=1Gi",), events=("rollout=web",))
    (result,) = (p for p in api.explore(found).result.properties if p.property.id == "DEP-4")
    assert result.verdict is Verdict.VIOLATED
    assert result.trace is not None
    return narrate(found.scenario, result.property, result.trace)


def test_a_story_names_pods_and_nodes(full: Story) -> None:
    """Steps speak of pods by name, as people do."""
    assert full.steps[0].summary == "applies a new pod template (v2) to web"
    assert full.steps[0].environment
    assert full.steps[-1].summary == "creates web-v2-1"
    assert full.standstill


def test_a_story_says_what_stuck_pods_wait_for(full: Story) -> None:
    """It has the scheduler's own words, and what the node lacks."""
    message = "0/1 nodes are available: 1 Insufficient cpu."
    assert f"web-v2-1: {message}" in full.conclusion
    (waiting,) = full.waiting
    assert (waiting.pod, waiting.message) == ("web-v2-1", message)
    (review,) = waiting.nodes
    assert review.words == (
        "filtered by NodeResourcesFit: Insufficient cpu (cpu: 500m asked for, 0 of 1 left)"
    )


def test_a_story_has_the_numbers(full: Story) -> None:
    """The promise is held against what there is."""
    assert any("should have 2 available pods of v2" in line for line in full.conclusion)


def test_changes_are_fields_of_objects(full: Story) -> None:
    """Only what differs is told, as a field of an API object."""
    (change,) = full.steps[-1].changes
    assert (change.object, change.field, change.before, change.after) == (
        "Pod web-v2-1",
        "status",
        "<none>",
        "Pending",
    )


EVENTS = (
    "rollout=web",
    "scale=web:3",
    "node-crash=1",
    "drain=1",
    "delete-pod=web",
    "pause=web",
    "resume=web",
    "rollback=web",
    "probe-failure=web",
)


@pytest.mark.parametrize("seed", range(12))
def test_every_run_can_be_told(seed: int) -> None:
    """Along random runs no name is lost, used twice at once, or left in two places."""
    scenario = case(nodes=("count=3,cpu=2,memory=1Gi",), events=EVENTS).scenario
    trace = simulate(scenario.system, seed, 120)
    cast = opening(scenario, trace.initial)
    before = trace.initial
    for step in trace.steps:
        cast, moves = cast.follow(before, step.state)
        present = [name for names in cast.names.values() for name in names]
        assert len(present) == len(set(present))
        assert len({move.pod for move in moves}) == len(moves)
        before = step.state
    told = narrate_steps(scenario, trace)
    assert len(told) == len(trace.steps)
    assert not any("{" in step.summary or "?" in step.summary for step in told)
    assert {step.action for step in told} <= set(SENTENCES)


@pytest.mark.parametrize("seed", range(12))
def test_actions_are_unambiguous(seed: int) -> None:
    """Properties ask by action: each has one actor, and SCH-1 asks about all that touch pods."""
    found = case(nodes=("count=3,cpu=2,memory=1Gi",), events=EVENTS, properties=("SCH-1",))
    (bound_once,) = (p.formula for p in found.properties if p.id == "SCH-1")
    assert isinstance(bound_once, EachStep)
    nodes = found.scenario.system.positions[NODES]
    actors: dict[str, str] = {}
    trace = simulate(found.scenario.system, seed, 150)
    for before, step in zip(trace.states(), trace.steps, strict=False):
        action = step.outcome.action
        assert actors.setdefault(action, step.actor) == step.actor
        if any(without_marks(before[p]) != without_marks(step.state[p]) for p in nodes):
            assert action in bound_once.actions


def without_marks(node: NodeState) -> Counter[tuple[int, int]]:
    """The pods of a node by class and phase, whatever somebody has in mind for them."""
    found: Counter[tuple[int, int]] = Counter()
    for group in node.pods:
        found[group.pod_class, group.phase] += group.size
    return found


def test_names_follow_a_pod() -> None:
    """A pod keeps its name from creation to its node."""
    scenario = case(nodes=("count=2,cpu=4,memory=1Gi",), events=("rollout=web",)).scenario
    trace = simulate(scenario.system, 1, 60)
    bound = [
        (step, change)
        for step in narrate_steps(scenario, trace)
        for change in step.changes
        if step.action == "bind" and change.field == "spec.nodeName"
    ]
    assert bound
    for step, change in bound:
        assert change.object.removeprefix("Pod ") in step.summary
        assert change.after in step.summary


def test_pods_of_the_input_keep_their_names() -> None:
    """So are they called in stories, and no new pod is called like one of them."""
    owner = {"kind": "ReplicaSet", "name": "web-v1", "controller": True}
    (deployment,) = yaml.safe_load_all(WEB)
    spec = deployment["spec"]["template"]["spec"]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "web"}, "ownerReferences": [owner]},
            "spec": {**spec, "nodeName": node},
        }
        for name, node in (("web-v1-2", "node-1"), ("web-x", "node-2"), ("web-v1-1", "gone"))
    ]
    text = yaml.safe_dump_all([deployment, *pods])
    asked = {"nodes": ("count=2,cpu=4,memory=1Gi",), "events": ("delete-pod=web",)}
    (found,) = api.ask(Question(paths=(STDIN,), stdin=text, **asked)).cases
    scenario = found.scenario
    cast = opening(scenario, scenario.system.initial)
    assert sorted(name for names in cast.names.values() for name in names) == ["web-v1-2", "web-x"]
    told = narrate_steps(scenario, simulate(scenario.system, 1, 60))
    assert any(step.summary == "creates web-v1-3" for step in told)


def test_the_opening_names_every_pod() -> None:
    """All pods of the first state have names, those without a node too."""
    scenario = case(nodes=("count=1,cpu=700m,memory=1Gi",), events=("rollout=web",)).scenario
    names = opening(scenario, scenario.system.initial).names
    assert names[Place(0, NOWHERE, PENDING)] == ("web-v1-1",)
    assert sum(map(len, names.values())) == 2
