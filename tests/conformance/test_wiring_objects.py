"""The controllers on counts against their decisions on API objects, in states met at random.

Every ReplicaSet and every pod is written out as an object of its own; what the wiring does must be
what the controller decides on these.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from recorded.deployments import deployment_view, replica_set_view
from recorded.ranking import colocation, is_active, less, victim

from kubelemma.model.cluster.state import (
    ACTIVE,
    DeploymentState,
    Marks,
    NodeState,
    Phase,
    Queue,
    SetState,
)
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.components.deployment.decision import old_pods_running, sync
from kubelemma.model.components.deployment.owner import rollout_of
from kubelemma.model.components.deployment.rules import decide, old_pods
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import State, Transition

Raw = dict[str, Any]
STEPS = 40
PENDING = -1
"""Stands for the place of a pod without a node."""

ROLLOUT = {"rollout": {"deployment": "web", "max": 2}}
HAPPENINGS: tuple[Raw, ...] = (
    {"scale": {"deployment": "web", "replicas": 1, "max": 2}},
    {"scale": {"deployment": "web", "replicas": 5, "max": 2}},
    {"scale": {"deployment": "web", "replicas": 0}},
    {"pause": {"deployment": "web"}},
    {"resume": {"deployment": "web"}},
    {"rollback": {"deployment": "web"}},
    {"drain": {}},
    {"nodeCrash": {}},
    {"probeFailure": {"deployment": "web", "max": 2}},
)


@st.composite
def scenarios(draw: st.DrawFn, *, recreate: bool = False) -> Scenario:
    """A Deployment on a few small nodes, with rollouts and two more kinds of events; one start."""
    rolling = () if recreate else (("25%", "25%"), (1, 0), (0, 1), (2, 1))
    bounds = draw(st.sampled_from([*rolling, None]))
    strategy: Raw = {"type": "Recreate"}
    if bounds is not None:
        strategy = {"rollingUpdate": {"maxSurge": bounds[0], "maxUnavailable": bounds[1]}}
    deployment = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": draw(st.integers(1, 4)),
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": strategy,
            "revisionHistoryLimit": draw(st.sampled_from([0, 1, 10])),
            "minReadySeconds": draw(st.sampled_from([0, 5])),
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{}]}},
        },
    }
    nodes = tuple(
        with_defaults(
            decode(
                {
                    "metadata": {"name": f"n{i}"},
                    "status": {"allocatable": {"pods": str(draw(st.integers(1, 4)))}},
                },
                Node,
            )
        )
        for i in range(draw(st.integers(1, 3)))
    )
    events = draw(st.lists(st.sampled_from(HAPPENINGS), max_size=3, unique_by=str))
    check = decode({"spec": {"events": [ROLLOUT, *events]}}, Check)
    return build(Application((with_defaults(decode(deployment, Deployment)),), nodes), check)[0]


def walk(scenario: Scenario, seed: int) -> Iterator[tuple[State, list[Transition]]]:
    """States of one random run with their successors; nodes keep their positions."""
    draw = random.Random(seed)  # noqa: S311 - a walk that repeats, no secret
    state = scenario.system.initial
    for _ in range(STEPS):
        steps = list(scenario.system.successors(state))
        yield state, steps
        if not steps:
            return
        state = draw.choice(steps).state


# Pods


def pod_object(pod_class: int, place: int, phase: Phase | None) -> Pod:
    """A pod of a template on a node (by position), or without one where ``phase`` is None."""
    ready = phase in (Phase.READY, Phase.AVAILABLE)
    running = phase is not None and phase is not Phase.ASSIGNED
    raw: Raw = {
        "metadata": {"name": f"{pod_class}"},
        "spec": {} if phase is None else {"nodeName": f"n{place}"},
        "status": {
            "phase": "Running" if running else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }
    if phase is not None and phase not in ACTIVE:
        raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return decode(raw, Pod)


def pods_of(scenario: Scenario, state: State) -> Iterator[tuple[int, int, Pod, bool]]:
    """All pods of the Deployment: class, position of the node, object, and whether it is chosen."""
    (workload,) = scenario.world.workloads
    queue: Queue = state[scenario.system.positions[workload.queue].start]
    for chosen, counts in enumerate(queue):
        for template, pending in enumerate(counts):
            for _ in range(pending):
                yield template, PENDING, pod_object(template, PENDING, None), bool(chosen)
    for position in scenario.system.positions[NODES]:
        node: NodeState = state[position]
        for group in node.pods:
            for _ in range(group.size):
                pod = pod_object(group.pod_class, position, Phase(group.phase))
                yield group.pod_class, position, pod, bool(group.marks & Marks.CHOSEN)


def first_victims(scenario: Scenario, state: State, template: int) -> set[int]:
    """Where the pods are before which no other of the ReplicaSet is chosen."""
    everyone = list(pods_of(scenario, state))
    own = [
        (at, pod)
        for c, at, pod, chosen in everyone
        if c == template and is_active(pod) and not chosen
    ]
    ranks = colocation([pod for _, pod in own], [pod for _, _, pod, _ in everyone])
    victims = [victim(pod, rank) for (_, pod), rank in zip(own, ranks, strict=True)]
    return {
        at
        for (at, _), mine in zip(own, victims, strict=True)
        if not any(less(other, mine, None) for other in victims)
    }


@settings(max_examples=200)
@given(scenarios(), st.integers(0, 2**32))
def test_victims_are_those_of_the_ranking(scenario: Scenario, seed: int) -> None:
    """A ReplicaSet that has to shrink may choose exactly the pods that rank first."""
    for state, steps in walk(scenario, seed):
        places: dict[int, set[int]] = {}
        for step in steps:
            if step.outcome.action in ("choose-pod", "choose-pending-pods"):
                template = int(str(dict(step.outcome.arguments)["class"]))
                nodes = scenario.system.positions[NODES]
                place = next((p for p in step.positions if p in nodes), PENDING)
                places.setdefault(template, set()).add(place)
        for template, found in places.items():
            event(f"{len(found)} places")
            assert found == first_victims(scenario, state, template)


def chosen_pods(state: State, scenario: Scenario) -> int:
    """How many pods are marked as victims."""
    (workload,) = scenario.world.workloads
    queue: Queue = state[scenario.system.positions[workload.queue].start]
    nodes = (state[p] for p in scenario.system.positions[NODES])
    marked = (g.size for node in nodes for g in node.pods if g.marks & Marks.CHOSEN)
    return sum(queue.chosen) + sum(marked)


@settings(max_examples=200)
@given(scenarios(), st.integers(0, 2**32))
def test_exactly_the_chosen_are_deleted(scenario: Scenario, seed: int) -> None:
    """The ReplicaSet controller deletes whom a sync has chosen, and nobody else."""
    for state, steps in walk(scenario, seed):
        before = chosen_pods(state, scenario)
        found = [step for step in steps if step.outcome.action == "delete-pod"]
        assert bool(found) <= (before > 0)
        for step in found:
            event("a victim is deleted")
            assert chosen_pods(step.state, scenario) == before - 1


# Deployments


def replica_set_object(replica_set: SetState, age: int, replicas: int) -> ReplicaSet:
    """The ReplicaSet, whose status counts so many replicas."""
    prefix = "deployment.kubernetes.io"
    raw = {
        "metadata": {
            "name": f"web-{replica_set.template}",
            "creationTimestamp": f"2026-01-01T00:00:{age:02}Z",
            "annotations": {
                f"{prefix}/desired-replicas": str(replica_set.desired),
                f"{prefix}/max-replicas": str(replica_set.maximum),
                f"{prefix}/revision": str(replica_set.revision),
            },
        },
        "spec": {"replicas": replica_set.replicas},
        "status": {"replicas": replicas, "availableReplicas": replica_set.status_available},
    }
    return decode(raw, ReplicaSet)


def deployment_object(
    workload: Workload, state: DeploymentState, sets: list[ReplicaSet]
) -> Deployment:
    """The Deployment, whose status adds up those of its ReplicaSets.

    It is behind as long as the template, which is then new, has no ReplicaSet.
    """
    rollout = rollout_of(workload, state.strategy)
    bounds = RollingUpdateDeployment(
        max_surge=rollout.max_surge, max_unavailable=rollout.max_unavailable
    )
    strategy = DeploymentStrategy(type="RollingUpdate", rolling_update=bounds)
    newest = [s for s in sets if s.metadata.name == f"web-{state.template}"]
    return Deployment(
        metadata=ObjectMeta(generation=0 if newest else 1),
        spec=DeploymentSpec(
            replicas=state.replicas,
            paused=state.paused,
            strategy=DeploymentStrategy(type="Recreate") if rollout.recreate else strategy,
            revision_history_limit=rollout.revision_history_limit,
        ),
        status=DeploymentStatus(
            replicas=sum(s.status.replicas for s in sets),
            updated_replicas=sum(s.status.replicas for s in newest),
            available_replicas=sum(s.status.available_replicas for s in sets),
        ),
    )


def newest_of(state: DeploymentState, sets: list[ReplicaSet]) -> int | None:
    """The position of the ReplicaSet of the current template."""
    names = [s.metadata.name for s in sets]
    mine = f"web-{state.template}"
    return names.index(mine) if mine in names else None


@settings(max_examples=200)
@given(scenario=scenarios(), seed=st.integers(0, 2**32), running=st.booleans())
def test_syncs_are_those_of_the_objects(scenario: Scenario, seed: int, *, running: bool) -> None:
    """A sync decides on the cell what it decides on the objects.

    Where the model does not keep ``status.replicas`` of ReplicaSets, its value must not matter.
    """
    (workload,) = scenario.world.workloads
    for state, _ in walk(scenario, seed):
        deployment: DeploymentState = state[0]
        everyone = list(pods_of(scenario, state))
        sets = []
        for age, replica_set in enumerate(deployment.sets):
            seen = sum(c == replica_set.template and is_active(pod) for c, _, pod, _ in everyone)
            if workload.status_replicas_matter:
                seen = replica_set.status_replicas
            sets.append(replica_set_object(replica_set, age, seen))
        new = newest_of(deployment, sets)
        expected = sync(
            deployment_view(deployment_object(workload, deployment, sets)),
            tuple(replica_set_view(s) for s in sets),
            new,
            old_running=running,
        )
        event(f"{len(expected.puts)} puts")
        assert decide(workload, deployment, old_running=running) == expected


@given(scenarios(recreate=True), st.integers(0, 2**32))
def test_recreate_waits_as_on_the_objects(scenario: Scenario, seed: int) -> None:
    """Recreate waits for old pods that are there, and as long as a status still tells of them."""
    for state, _ in walk(scenario, seed):
        deployment: DeploymentState = state[0]
        sets = [
            replica_set_object(replica_set, age, replica_set.status_replicas)
            for age, replica_set in enumerate(deployment.sets)
        ]
        old = {s.template for s in deployment.sets} - {deployment.template}
        phases = [pod.status.phase for c, _, pod, _ in pods_of(scenario, state) if c in old]
        counts = Counter(c for c, *_ in pods_of(scenario, state))
        views = tuple(replica_set_view(s) for s in sets)
        expected = old_pods_running(views, newest_of(deployment, sets), phases)
        event(f"waits: {expected}, pods: {bool(phases)}")
        alive = tuple(counts[template] for template in range(len(scenario.world.classes)))
        assert old_pods(deployment, (alive,)) is expected
