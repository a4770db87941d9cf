"""The cells of a workload: what belongs together, what is blank, and how far tables grow."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from kubelemma.model.cluster.state import IDLE, DeploymentState, Marks, Queue, Sync
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.controllermanager.rules import RESTART
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import State, Transition
from kubelemma.properties.select import properties_for
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits

Raw = dict[str, Any]
STEPS = 60


def scenario_of(
    spec: Raw, *, history: int = 10, replicas: int = 2, room: str = "110", nodes: int = 2
) -> Scenario:
    """The scenario of one Deployment on nodes with room for so many pods."""
    deployment = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": history,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{}]}},
        },
    }
    raws = [
        {
            "metadata": {"name": f"n{i}"},
            "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": room}},
        }
        for i in range(nodes)
    ]
    application = Application(
        (with_defaults(decode(deployment, Deployment)),),
        tuple(with_defaults(decode(raw, Node)) for raw in raws),
    )
    (scenario,) = build(application, decode({"spec": spec}, Check))
    return scenario


def walk(scenario: Scenario, seed: int) -> Iterator[tuple[State, list[Transition]]]:
    """States of one random run with their successors."""
    draw = random.Random(seed)  # noqa: S311 - a walk that repeats, no secret
    state = scenario.system.initial
    for _ in range(STEPS):
        steps = list(scenario.system.successors(state))
        yield state, steps
        if not steps:
            return
        state = draw.choice(steps).state


def cells(scenario: Scenario, state: State) -> tuple[DeploymentState, Queue, tuple[Sync, ...]]:
    """What the cells of the one workload hold."""
    (workload,) = scenario.world.workloads
    deployment, queue, *syncs = (
        state[scenario.system.positions[name].start] for name in workload.cells
    )
    return deployment, queue, tuple(syncs)


ROLLOUTS = {"rollout": {"deployment": "web", "max": 2}}
SCALES = [{"scale": {"deployment": "web", "replicas": n, "max": 2}} for n in (0, 3)]
DELETIONS = {"deletePod": {"deployment": "web", "max": 3}}


@settings(max_examples=60)
@given(st.integers(0, 2), st.sampled_from(["1", "2"]), st.integers(0, 2**32))
def test_what_has_no_replica_set_is_blank(history: int, room: str, seed: int) -> None:
    """A template without a ReplicaSet has no pods that wait for a node, and no sync."""
    spec = {"events": [ROLLOUTS, *SCALES]}
    scenario = scenario_of(spec, history=history, room=room)
    for state, steps in walk(scenario, seed):
        deployment, queue, syncs = cells(scenario, state)
        absent = set(range(len(syncs))) - {s.template for s in deployment.sets}
        assert {(queue.waiting[t], syncs[t]) for t in absent} <= {(0, IDLE)}
        if any(step.outcome.action == "delete-replicaset" for step in steps):
            event("a ReplicaSet goes")


def forgotten(scenario: Scenario, state: State) -> State:
    """The state once the controller manager is up again: nobody else can act before."""
    while (steps := list(scenario.system.successors(state)))[0].rule.urgent:
        state = steps[0].state
    return state


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_restart_loses_what_is_in_memory_alone(seed: int) -> None:
    """A restart ends syncs of both controllers, forgets victims, and touches nothing else."""
    spec = {"events": [ROLLOUTS, *SCALES], "faults": {"controllerRestarts": 1}}
    scenario = scenario_of(spec)
    budget = next(p for p, c in enumerate(scenario.system.cells) if "restart" in c.name)
    nodes = scenario.system.positions[NODES]
    for state, steps in walk(scenario, seed):
        deployment, queue, syncs = cells(scenario, state)
        found = [step for step in steps if step.outcome.action == "controller-restart"]
        for step in found:
            after = forgotten(scenario, step.state)
            event("something to lose" if set(syncs) != {IDLE} else "nothing to lose")
            lost = (deployment._replace(plan=()), Queue.of(queue.waiting), (IDLE,) * len(syncs))
            assert cells(scenario, after) == lost
            assert after[scenario.system.positions[RESTART].start] == 0
            for p in nodes:
                assert not any(group.marks & Marks.CHOSEN for group in after[p].pods)
                assert active(after[p].pods) == active(state[p].pods)
            assert after[budget] == state[budget] - 1


def active(pods: Any) -> dict[tuple[int, int], int]:
    """The pods of a node by class and phase, whatever marks they have."""
    found: dict[tuple[int, int], int] = {}
    for group in pods:
        key = (group.pod_class, group.phase)
        found[key] = found.get(key, 0) + group.size
    return found


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_users_may_delete_each_pod_without_a_node(seed: int) -> None:
    """Of each template that has such pods one may go, as long as the budget lasts."""
    scenario = scenario_of({"events": [ROLLOUTS, DELETIONS]}, room="1")
    (workload,) = scenario.world.workloads
    position = scenario.system.positions[workload.queue].start
    budget = scenario.system.positions["event 2: user-delete-pod default/web"].start
    for state, steps in walk(scenario, seed):
        queue = state[position]
        gone = {
            step.state[position]
            for step in steps
            if step.outcome.action == "user-delete-pod" and position in step.positions
        }
        fewer = {queue.with_free(t, -1) for t, n in enumerate(queue.free) if n}
        fewer |= {queue.with_chosen(t, -1) for t, n in enumerate(queue.chosen) if n}
        event(f"{len(fewer)} ways")
        pressing = any(step.rule.urgent for step in steps)
        assert gone == (fewer if state[budget] and not pressing else set())


def test_tables_grow_slower_than_states() -> None:
    """The model is asked about small values only: less often than there are states."""
    rollout = {"rollout": {"deployment": "web"}}
    scenario = scenario_of({"events": [rollout, {"nodeCrash": {}}]}, nodes=3)
    few, many = (
        check(scenario.system, properties_for(scenario), Limits(max_states=most)).statistics
        for most in (10_000, 20_000)
    )
    assert many.model_calls < many.states == 20_000
    assert many.model_calls < 2 * few.model_calls
