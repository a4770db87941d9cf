"""What a scenario assumes, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.cluster.setting import Event, Start
from kubelemma.model.cluster.world import SAID_BY_NONE, Workload, World
from kubelemma.model.components.scheduler.decision.topology_spread import ZONE
from kubelemma.model.objects.node import Node

from .templates import kind_called


class Assumptions(NamedTuple):
    """What `setting` cannot read off the world itself."""

    nodes: tuple[Node, ...]
    cluster_reason: str
    standing: tuple[str, ...]
    pending: tuple[str, ...]
    scoring: bool
    max_pods: int
    follows_terminating: bool
    start: tuple[str, ...]


def setting(
    world: World, start: Start, events: tuple[Event, ...], words: Assumptions
) -> tuple[str, ...]:
    """The sentences that go on top of a report; without workloads there are no pods to speak of."""
    if not world.workloads:
        return (_cluster(words), _events(world, events), version(world))
    return (
        _cluster(words),
        *_workloads(world, start),
        *words.start,
        *_standing(words),
        _events(world, events),
        _scheduler(words),
        _bound(words),
        version(world),
    )


def version(world: World) -> str:
    """Whose behaviour is taken for granted."""
    release = world.kubernetes.release
    return f"version: {world.kubernetes} (as of {release}), feature gates as they are by default"


def _bound(words: Assumptions) -> str:
    bound = f"bound: at most {words.max_pods} pods of a workload at once"
    if words.follows_terminating:
        return f"{bound}, terminating ones included"
    return f"{bound}; every node has room for all of them, so terminating pods are not followed"


def _cluster(words: Assumptions) -> str:
    sizes = Counter(_size(node) for node in words.nodes)
    kinds = "; ".join(
        f"{number} {'node' if number == 1 else 'nodes'} with {size}"
        for size, number in sizes.items()
    )
    zones = {node.metadata.label_map().get(ZONE, "") for node in words.nodes} - {""}
    where = f" in {len(zones)} zones" if len(zones) > 1 else ""
    return f"cluster: {kinds}{where}, {words.cluster_reason}"


def _size(node: Node) -> str:
    amounts = sorted((node.status.allocatable or {}).items(), key=lambda item: _rank(item[0]))
    parts = [f"{name} {amount}" for name, amount in amounts]
    taints = [f"taint {t.key}:{t.effect}" for t in node.spec.taints or ()]
    cordoned = ["unschedulable"] if node.spec.unschedulable else []
    return ", ".join(parts + taints + cordoned)


def _rank(resource: str) -> tuple[int, str]:
    """Sorts cpu and memory to the front and the number of pods to the end."""
    return ({"cpu": 0, "memory": 1, "pods": 3}.get(resource, 2), resource)


def _workloads(world: World, start: Start) -> Iterator[str]:
    starts = zip(world.workloads, start.owners, start.queues, strict=True)
    for workload, state, queue in starts:
        if state is None:
            if sum(queue.waiting) or workload.index in _present(world, start):
                yield f"{workload.cell}: has no controller, and nobody re-creates it"
            continue
        if state.absent:
            continue
        pending = sum(queue.waiting)
        find = "finds" if pending == 1 else "find"
        lacking = f", of which {pending} {find} no node at the start" if pending else ""
        said = kind_called(workload.kind).says(workload, state)
        yield f"{workload.cell}: {', '.join((f'replicas {state.replicas}{lacking}', *said))}"


def _present(world: World, start: Start) -> frozenset[int]:
    """The workloads that have pods on nodes."""
    groups = (group for node in start.nodes for group in node.pods)
    return frozenset(world.classes[group.pod_class].workload for group in groups)


def _standing(words: Assumptions) -> Iterator[str]:
    if words.standing:
        yield f"standing by as load that never moves: {', '.join(words.standing)}"
    if words.pending:
        yield f"of these, not all pods found a node: {', '.join(words.pending)}"


def _events(world: World, events: tuple[Event, ...]) -> str:
    if not events:
        return "events: none, the control plane runs by itself"
    parts = [_event(world, event) for event in events]
    actions = {event.action for event in events}
    if "node-crash" in actions and "node-return" not in actions:
        parts.append("a crashed node may come back or not")
    if "node-partition" in actions and "node-return" not in actions:
        parts.append("a node that is cut off may be reached again or not")
    if "runtime-outage" in actions and "runtime-return" not in actions:
        parts.append("a container runtime that does not answer may answer again or not")
    if "out-of-service" in actions:
        parts.append("a node that does not answer is switched off and tainted in the end")
    if "user-delete-node" in actions and "register-node" not in actions:
        parts.append("a Node that is deleted may be registered again or not")
    if actions & {"cordon", "drain"} and "uncordon" not in actions:
        parts.append("a cordoned node may be uncordoned or not")
    return "events, at any time: " + ", ".join(parts)


def _event(world: World, event: Event) -> str:
    often = "once" if event.budget == 1 else f"up to {event.budget} times"
    target = ""
    if event.workload >= 0:
        target = f" of {_name(world, world.workloads[event.workload])}"
        if event.action == "scale":
            target += f" to {event.value}"
    elif event.node:
        target = f" of {event.node}"
    how = _behaviours(world, event) + _options(event)
    return f"{event.action.removeprefix('user-')}{target} {often}{how}"


def _options(event: Event) -> str:
    """The options of a command, as they are given to it."""
    return f" ({event.options})" if event.options is not None else ""


def _name(world: World, workload: Workload) -> str:
    """The name of a workload; with its namespace where there are several."""
    several = len({other.namespace for other in world.workloads}) > 1
    return workload.label if several or workload.qualified else workload.name


def _behaviours(world: World, event: Event) -> str:
    if event.action != "rollout":
        return ""
    classes = (world.classes[c] for c in world.workloads[event.workload].classes)
    behaviours = {c.template: c.behaviour for c in classes if c.template}
    odd = [each for each in behaviours.values() if each not in SAID_BY_NONE]
    return f" ({', '.join(odd)})" if odd else ""


def _scheduler(words: Assumptions) -> str:
    if words.scoring:
        return "scheduler: takes any of the nodes with the best score"
    return "scheduler: may take any feasible node (scores are left open)"
