"""Pictures of the cluster: how they differ, and that those of a run follow the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.cluster.world import NODES
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question
from kubelemma.reports.narrate import narrate_steps
from kubelemma.reports.narrate.cast import Cast, opening
from kubelemma.reports.narrate.picture import observer
from kubelemma.reports.narrate.written import Written
from kubelemma.reports.picture import (
    NodeBox,
    ObjectBox,
    Picture,
    PictureChange,
    PodBox,
    SetBox,
    WorkloadBox,
    apply,
    difference,
)
from kubelemma.solver.simulate import simulate

NAMES = st.sampled_from(["a/1", "a/2", "b/1", "b/2"])


def boxes(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """Boxes of distinct names, in order."""
    return st.lists(strategy, unique_by=lambda box: box.name).map(  # type: ignore[attr-defined]
        lambda found: tuple(sorted(found, key=lambda box: box.name))  # type: ignore[attr-defined]
    )


def all_boxes(kind: type, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A box of a fixed name for each name, so that none of that kind appears or goes away."""
    return st.tuples(*(st.builds(kind, st.just(name), **fields) for name in ("a/1", "b/1")))


SMALL = st.integers(0, 2)
PICTURES = st.builds(
    Picture,
    workloads=all_boxes(WorkloadBox, replicas=SMALL, version=st.just("v1")),
    sets=boxes(st.builds(SetBox, NAMES, st.just("a/1"), st.just("v1"), SMALL)),
    nodes=all_boxes(NodeBox, standing=SMALL),
    pods=boxes(st.builds(PodBox, NAMES, st.just("a/1"), st.just("v1"), st.just("ready"), NAMES)),
    objects=boxes(st.builds(ObjectBox, NAMES, st.just("Shop"), deleting=st.booleans())),
)


@given(PICTURES, PICTURES)
def test_a_difference_leads_from_one_to_the_other(before: Picture, after: Picture) -> None:
    """A change applied to where it starts gives where it ends."""
    assert apply(before, difference(before, after)) == after


@given(PICTURES)
def test_nothing_differs_from_itself(picture: Picture) -> None:
    """Equal pictures have an empty difference."""
    change = difference(picture, picture)
    assert change == PictureChange()


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
EVENTS = ("rollout=web", "scale=web:3", "node-crash=1", "drain=1", "delete-pod=web", "pause=web")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Two replicas on three nodes, and much that may happen to them."""
    question = Question(
        paths=(STDIN,),
        stdin=WEB,
        nodes=("count=3,cpu=2,memory=1Gi,labels.gpu=none",),
        events=EVENTS,
    )
    (case,) = api.ask(question).cases
    return case.scenario


def counted(scenario: Scenario, picture: Picture) -> dict[str, int]:
    """How many pods the picture has on each node."""
    names = scenario.node_names
    return {name: sum(pod.node == name for pod in picture.pods) for name in names}


@pytest.mark.parametrize("seed", range(8))
def test_pictures_follow_the_run(scenario: Scenario, seed: int) -> None:
    """The changes of the steps, one after the other, give the picture of every state."""
    trace = simulate(scenario.system, seed, 100)
    cast = opening(scenario, trace.initial)
    observe = observer(scenario)
    shown = observe(trace.initial, cast)
    states = trace.states()
    for before, step, told in zip(
        states, trace.steps, narrate_steps(scenario, trace), strict=False
    ):
        cast, _ = cast.follow(before, step.state)
        assert told.picture is not None
        shown = apply(shown, told.picture)
        assert shown == observe(step.state, cast)
        positions = scenario.system.positions[NODES]
        sizes = {
            scenario.node_names[at]: sum(group.size for group in step.state[position].pods)
            for at, position in enumerate(positions)
        }
        assert counted(scenario, shown) == sizes


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def loaded() -> Scenario:
    """The repaired operator of the examples, which restarts, and whose caches lag."""
    folder = EXAMPLES / "own-controller-repaired"
    files = (folder / "shop_operator.py", EXAMPLES / "own-controller" / "promises.py")
    question = Question(paths=(str(folder),), load=tuple(map(str, files)))
    (case,) = api.ask(question).cases
    return case.scenario


@pytest.mark.parametrize("seed", range(4))
def test_pictures_follow_loaded_controllers(loaded: Scenario, seed: int) -> None:
    """Objects, syncs and caches are those of the state, step by step."""
    trace = simulate(loaded.system, seed, 60)
    cast = opening(loaded, trace.initial)
    observe = observer(loaded)
    shown = observe(trace.initial, cast)
    for step, told in zip(trace.steps, narrate_steps(loaded, trace), strict=True):
        assert told.picture is not None
        shown = apply(shown, told.picture)
        assert shown == observe(step.state, cast)
        (worker,) = shown.workers
        assert bool(worker.subject) is bool(worker.next)
        late = {change.object for cache in shown.caches for change in cache.outdated}
        assert bool(late) is any(cache.behind for cache in shown.caches)
        buckets = [box for box in shown.objects if box.kind == "Bucket"]
        assert [box.owners for box in buckets] == [("Shop default/corner",)] * len(buckets)


def test_nodes_show_what_is_used(scenario: Scenario) -> None:
    """A node's box has what its pods request of what it has, as Kubernetes writes it."""
    state = scenario.system.initial
    picture = observer(scenario)(state, opening(scenario, state))
    busy = next(node for node in picture.nodes if any(p.node == node.name for p in picture.pods))
    used = {usage.resource: usage for usage in busy.usage}
    cpu = used["cpu"]
    here = counted(scenario, picture)[busy.name]
    assert (cpu.requested, cpu.allocatable, cpu.share) == (f"{500 * here}m", "2", 0.25 * here)
    assert used["pods"].requested == str(here)
    assert busy.conditions == ()


def test_a_crashed_node_is_shown_down(scenario: Scenario) -> None:
    """What is out of the ordinary about a node stands in its box."""
    positions = scenario.system.positions[NODES]
    state = list(scenario.system.initial)
    changes = {"up": False, "ready": False, "tainted": True, "cordoned": True}
    state[positions[0]] = state[positions[0]]._replace(**changes)
    empty = Cast(scenario, {}, {})
    picture = observer(scenario)(tuple(state), empty)
    conditions = {node.name: node.conditions for node in picture.nodes}
    assert conditions[scenario.node_names[0]] == ("down", "Unknown", "NoSchedule", "cordoned")
    assert conditions[scenario.node_names[1]] == ()


SERVED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: beside-1, labels: {app: web}}
spec: {nodeName: node, containers: [{name: web, image: "web:1"}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: beside-2, labels: {app: web}}
spec: {nodeName: node, containers: [{name: web, image: "web:1"}]}
status: {phase: Running, conditions: [{type: Ready, status: "False"}]}
"""


def test_pods_that_stand_by_receive_traffic_if_they_are_ready() -> None:
    """Of two pods beside those that are checked, the one that is not Ready gets nothing."""
    asked = Question(paths=(STDIN,), stdin=SERVED, nodes=("name=node,cpu=4",), events=("none",))
    (case,) = api.ask(asked).cases
    scenario, initial = case.scenario, case.scenario.system.initial
    picture = observer(scenario, Written(case.manifests))(initial, opening(scenario, initial))
    (service,) = picture.services
    assert (len(service.endpoints), service.others) == (1, 1)
