"""Users and faults. Every one of them is budgeted, and none has to act.

Each event of a scenario is a cell with the number of times it may still happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.cluster.state import (
    ACTIVE,
    DeploymentState,
    Marks,
    NodeState,
    Phase,
    Queue,
    moved,
    remarked,
)
from kubelemma.model.cluster.world import NODES, Workload, World
from kubelemma.model.components.controllermanager.rules import RESTART, parts
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, Lifecycle
from kubelemma.model.system import Cell, Outcome, Rule

USER = "user"
FAULT = "fault"
FAULTS = frozenset(
    {"node-crash", "node-return", "probe-failure", "controller-restart", "api-server-outage"}
)
"""Actions that nobody wants; all others are a user's."""


class Event(NamedTuple):
    """Something that users or faults may do, at most ``budget`` times.

    ``action`` is a key of `WORKLOAD_EVENTS`, `NODE_EVENTS` or `CONTROL_PLANE_EVENTS`; ``workload``
    the index of the Deployment meant, or -1; ``node`` the name of the node meant, empty for any;
    ``value`` the new number of replicas for ``scale``.
    """

    action: str
    budget: int
    workload: int = -1
    node: str = ""
    value: int = 0


WorkloadChange = Callable[..., Iterator[tuple[tuple[Any, ...], str]]]
"""Of the world, the event, and the cells that it touches: their new values, and why."""
NodeChange = Callable[[World, Event, NodeState], Iterator[tuple[NodeState, str, int]]]


def cells_and_rules(
    world: World, events: tuple[Event, ...], *, failing: bool
) -> tuple[list[Cell], list[Rule]]:
    """The budgets and the rules of all events, and what follows from them without a budget.

    ``failing``: nodes may fail, and the node lifecycle controller has to know of them.
    """
    cells: list[Cell] = []
    rules: list[Rule] = []
    for number, event in enumerate(events, 1):
        cell = Cell(f"event {number}: {describe(world, event)}", event.budget)
        cells.append(cell)
        rules.extend(_rules(world, event, cell.name, failing=failing))
    actions = {event.action for event in events}
    if "drain" in actions:
        rules.append(_drain_rule(world))
    if actions & {"drain", "cordon"} and "uncordon" not in actions:
        rules.append(_unlimited(world, "uncordon"))
    if "node-crash" in actions and "node-return" not in actions:
        rules.append(_unlimited(world, "node-return"))
    return cells, rules


def describe(world: World, event: Event) -> str:
    """The event in a few words, such as ``rollout of default/web``."""
    if event.workload >= 0:
        workload = world.workloads[event.workload]
        text = f"{event.action} {workload.namespace}/{workload.name}"
        return f"{text} to {event.value}" if event.action == "scale" else text
    return f"{event.action} {event.node}" if event.node else event.action


def _unlimited(world: World, action: str) -> Rule:
    """What undoes another event may happen as often as it, if the scenario names no number."""

    def outcomes(node: NodeState) -> Iterator[Outcome]:
        for after, why, _ in NODE_EVENTS[action](world, Event(action, 1), node):
            yield Outcome(action, {NODES: after}, (), why)

    return Rule(action, _actor(action), (NODES,), outcomes, environment=True)


def _actor(action: str) -> str:
    return FAULT if action in FAULTS else USER


def _rules(world: World, event: Event, budget: str, *, failing: bool) -> Iterator[Rule]:
    if event.action in WORKLOAD_EVENTS:
        yield _workload_rule(world, event, budget, WORKLOAD_EVENTS[event.action])
    if event.action in NODE_EVENTS:
        yield _node_rule(world, event, budget, NODE_EVENTS[event.action])
    if event.action in CONTROL_PLANE_EVENTS:
        forgetful = len(parts(world, failing=failing))
        yield _control_plane_rule(event, budget, forgetful)


def _workload_rule(world: World, event: Event, budget: str, change: WorkloadChange) -> Rule:
    cells = _touched(event.action, world.workloads[event.workload])

    def outcomes(left: int, *values: Any) -> Iterator[Outcome]:
        if left:
            for after, why in change(world, event, *values):
                writes = {budget: left - 1, **dict(zip(cells, after, strict=True))}
                yield Outcome(event.action, writes, (), why)

    actor = _actor(event.action)
    return Rule(f"{budget} on its cell", actor, (budget, *cells), outcomes, environment=True)


def _touched(action: str, workload: Workload) -> tuple[str, ...]:
    """The cells of a workload that an event may change."""
    return (workload.queue,) if action == "user-delete-pod" else (workload.cell,)


def _node_rule(world: World, event: Event, budget: str, change: NodeChange) -> Rule:
    def outcomes(left: int, node: NodeState) -> Iterator[Outcome]:
        if not left or (event.node and world.shapes[node.shape].name != event.node):
            return
        for after, why, pod_class in change(world, event, node):
            arguments = (("class", pod_class),) if pod_class >= 0 else ()
            yield Outcome(event.action, {budget: left - 1, NODES: after}, arguments, why)

    actor = _actor(event.action)
    return Rule(f"{budget} on a node", actor, (budget, NODES), outcomes, environment=True)


# Events of workloads


def _rollout(
    world: World, event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    """Apply the next template: every one is a new revision."""
    newest = max((deployment.template, *(s.template for s in deployment.sets)))
    if newest + 1 < len(world.workloads[event.workload].classes):
        yield (deployment._replace(template=newest + 1),), "kubectl apply, or rollout restart"


def _scale(
    _world: World, event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    if deployment.replicas != event.value:
        after = deployment._replace(replicas=event.value)
        yield (after,), f"spec.replicas was {deployment.replicas}"


def _pause(
    _world: World, _event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    if not deployment.paused:
        yield (deployment._replace(paused=True),), "kubectl rollout pause"


def _resume(
    _world: World, _event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    if deployment.paused:
        yield (deployment._replace(paused=False),), "kubectl rollout resume"


def _rollback(
    _world: World, _event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    """``kubectl rollout undo``: back to the second highest revision; refused while paused."""
    history = sorted(deployment.sets, key=lambda s: s.revision)
    if not deployment.paused and len(history) > 1 and history[-2].template != deployment.template:
        after = deployment._replace(template=history[-2].template)
        yield (after,), "kubectl rollout undo"


def _delete_pending(
    _world: World, _event: Event, queue: Queue
) -> Iterator[tuple[tuple[Queue], str]]:
    why = "kubectl delete pod, of one without a node"
    for template, (free, chosen) in enumerate(zip(*queue, strict=True)):
        if free:
            yield (queue.with_free(template, -1),), why
        if chosen:
            yield (queue.with_chosen(template, -1),), why


WORKLOAD_EVENTS: dict[str, WorkloadChange] = {
    "rollout": _rollout,
    "scale": _scale,
    "pause": _pause,
    "resume": _resume,
    "rollback": _rollback,
    "user-delete-pod": _delete_pending,
}


# Events of nodes


def _crash(_world: World, _event: Event, node: NodeState) -> Iterator[tuple[NodeState, str, int]]:
    if node.up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield node._replace(up=False), why, -1


def _cordon(_world: World, _event: Event, node: NodeState) -> Iterator[tuple[NodeState, str, int]]:
    if not node.cordoned:
        yield node._replace(cordoned=True), "kubectl cordon", -1


def _drain(_world: World, _event: Event, node: NodeState) -> Iterator[tuple[NodeState, str, int]]:
    """It cordons the node, then lists its pods, once: whatever arrives later is left alone.

    Source: staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go, ``RunDrain``. Both are one step: no
    pod that respects the cordon arrives in between, and others might have been there before.
    """
    pods = node.pods
    for group in node.pods:
        if Phase(group.phase) in ACTIVE:
            for _ in range(group.size):
                pods = remarked(pods, group, group.marks | Marks.LISTED)
    after = node._replace(cordoned=True, pods=pods)
    if after != node:
        yield after, "kubectl drain cordons the node and lists its pods", -1


def _delete_pod(
    world: World, event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    own = world.workloads[event.workload].classes
    for group in node.pods:
        if group.pod_class in own and Phase(group.phase) in ACTIVE:
            pods = world.deleted(node.pods, group)
            yield node._replace(pods=pods), "kubectl delete pod", group.pod_class


def _probe_failure(
    world: World, event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    own = world.workloads[event.workload].classes
    for group in node.pods:
        if node.up and group.pod_class in own and group.phase in (Phase.READY, Phase.AVAILABLE):
            pods = moved(node.pods, group, Phase.STARTING)
            yield node._replace(pods=pods), "its readiness probe fails", group.pod_class


def _come_back(
    _world: World, _event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    """The machine boots: all containers start anew, so no pod on it is Ready."""
    if node.up:
        return
    pods = node.pods
    for group in node.pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            for _ in range(group.size):
                pods = moved(pods, group, Phase.STARTING)
    yield node._replace(up=True, pods=pods), "the machine boots; its containers restart", -1


def _uncordon(
    _world: World, _event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    if node.cordoned:
        yield node._replace(cordoned=False), "kubectl uncordon", -1


NODE_EVENTS: dict[str, NodeChange] = {
    "node-crash": _crash,
    "node-return": _come_back,
    "cordon": _cordon,
    "uncordon": _uncordon,
    "drain": _drain,
    "user-delete-pod": _delete_pod,
    "probe-failure": _probe_failure,
}


# The rest of a drain


def _drain_rule(world: World) -> Rule:
    outcomes = partial(_drain_delete, world)
    return Rule("drain deletes a pod", USER, (NODES,), outcomes, environment=True)


def _drain_delete(world: World, node: NodeState) -> Iterator[Outcome]:
    for group in node.pods:
        if group.marks & Marks.LISTED:
            writes = {NODES: node._replace(pods=world.deleted(node.pods, group))}
            why = "kubectl drain had listed it"
            yield Outcome("drain-delete", writes, (("class", group.pod_class),), why)


# Events of the control plane


def _restart(_left: int, parts: int) -> tuple[int, str]:
    return parts, "the controller manager restarts, and forgets what it had in hand"


def _outage(memory: Lifecycle, _parts: int) -> tuple[Lifecycle, str]:
    return memory._replace(outdated=True), "nobody can reach the API server for a while"


CONTROL_PLANE_EVENTS: dict[str, tuple[str, Callable[[Any, int], tuple[Any, str]]]] = {
    "controller-restart": (RESTART, _restart),
    "api-server-outage": (LIFECYCLE, _outage),
}
"""The cell that an event changes, and how; the number is that of the parts of a restart."""


def _control_plane_rule(event: Event, budget: str, parts: int) -> Rule:
    cell, change = CONTROL_PLANE_EVENTS[event.action]

    def outcomes(left: int, value: Any) -> Iterator[Outcome]:
        if left:
            after, why = change(value, parts)
            yield Outcome(event.action, {budget: left - 1, cell: after}, (), why)

    name = f"{budget} to the control plane"
    return Rule(name, _actor(event.action), (budget, cell), outcomes, environment=True)
