"""How one cell of a state is made to show something else, in every way that may be meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import takewhile
from operator import itemgetter
from typing import TypeAlias

from kubelemma.model.cluster.state import (
    Ailment,
    DeploymentState,
    Group,
    LoneState,
    Marks,
    NodeState,
    Phase,
    Pods,
    Queue,
    SetState,
    StatefulSetState,
    Verb,
    moved,
    shifted,
    until_conflict,
    without,
)
from kubelemma.model.cluster.world import World

from .seen import NodeSeen, OwnerSeen, QueueSeen, SetSeen, Stage

STAGES: Mapping[int, Stage] = {
    Phase.ASSIGNED: Stage.ASSIGNED,
    Phase.STARTING: Stage.UNREADY,
    Phase.READY: Stage.READY,
    Phase.AVAILABLE: Stage.READY,
    Phase.TERMINATING: Stage.TERMINATING,
    Phase.REVOKED: Stage.TERMINATING,
    Phase.CREATING: Stage.UNREADY,
    Phase.RESTARTING: Stage.UNREADY,
}


def node_seen(node: NodeState) -> NodeSeen:
    """What is seen of a node."""
    counts: Counter[tuple[int, int]] = Counter()
    for group in node.pods:
        if group.phase not in STAGES:  # only an object is left of it, or only containers
            continue
        counts[group.pod_class, int(STAGES[group.phase])] += group.size
    pods = tuple(sorted((c, stage, n) for (c, stage), n in counts.items()))
    tainted, evicting = bool(node.tainted), bool(node.evicting)
    return NodeSeen(node.ready, tainted, evicting, node.cordoned, node.out_of_service, pods)


def fitted_lone(wanted: OwnerSeen) -> LoneState:
    """An owner that is its own ReplicaSet, or is not there."""
    if not wanted.sets:
        return LoneState(-1)
    (itself,) = wanted.sets
    return LoneState(itself.replicas, itself.counted, itself.available)


def fitted_members(state: StatefulSetState, wanted: OwnerSeen) -> StatefulSetState:
    """A StatefulSet; its revisions are what its controller has made of it."""
    if wanted.paused:
        return StatefulSetState(-1, 0, 0, ())
    return state._replace(
        replicas=wanted.replicas, template=wanted.template, current=wanted.current
    )


def fitted_deployment(state: DeploymentState, wanted: OwnerSeen) -> DeploymentState:
    """ReplicaSets stay in the order of their creation; a plan ends where it would conflict."""
    by_template = {s.template: s for s in wanted.sets}
    known = [s.template for s in state.sets if s.template in by_template]
    new = sorted(t for t in by_template if t not in known)
    sets = tuple(_set_state(by_template[template]) for template in (*known, *new))
    plan = state.plan
    for before in state.sets:
        if before not in sets:
            plan = until_conflict(plan, before.template)
    return DeploymentState(wanted.replicas, wanted.template, wanted.paused, sets, plan)


def with_possible_plan(state: DeploymentState) -> DeploymentState:
    """The rest of a sync up to a write of a ReplicaSet that is not there, or is there already."""
    there = {s.template for s in state.sets}
    possible = ((w.template in there) != (w.verb == Verb.CREATE) for w in state.plan)
    plan = tuple(
        write for write, _ in takewhile(itemgetter(1), zip(state.plan, possible, strict=True))
    )
    return state._replace(plan=plan)


def _set_state(seen: SetSeen) -> SetState:
    return SetState(
        template=seen.template,
        revision=seen.revision,
        replicas=seen.replicas,
        desired=seen.desired,
        maximum=seen.maximum,
        status_replicas=seen.counted,
        status_available=seen.available,
    )


def fitted_queues(queue: Queue, wanted: QueueSeen) -> Iterator[Queue]:
    """Whether a pod that goes was chosen as a victim is open."""
    ways = {queue}
    for template, number in enumerate(wanted.pending):
        rise = number - queue.waiting[template]
        for _ in range(abs(rise)):
            ways = {after for way in ways for after in _one_pending(way, template, rise)}
    yield from sorted(ways)


def _one_pending(queue: Queue, template: int, rise: int) -> Iterator[Queue]:
    if rise > 0:
        yield queue.with_free(template, 1)
        return
    if queue.free[template]:
        yield queue.with_free(template, -1)
    if queue.chosen[template]:
        yield queue.with_chosen(template, -1)


Place: TypeAlias = tuple[int, int]
"""A class of pods, and a stage."""


def fitted_nodes(world: World, node: NodeState, wanted: NodeSeen) -> Iterator[NodeState]:
    """Which of several groups that look alike a pod leaves is open."""
    before = Counter({(c, stage): n for c, stage, n in node_seen(node).pods})
    after = Counter({(c, stage): n for c, stage, n in wanted.pods})
    ways: set[Pods] = {node.pods}
    for source, target in _moves(before, after):
        ways = {pods for way in ways for pods in _one_pod(world, way, source, target)}
    for pods in sorted(ways):
        yield node._replace(
            ready=wanted.ready,
            tainted=Ailment(wanted.tainted),
            evicting=Ailment(wanted.evicting),
            cordoned=wanted.cordoned,
            out_of_service=wanted.out_of_service,
            pods=pods,
        )


def _moves(
    before: Counter[Place], after: Counter[Place]
) -> Iterator[tuple[Place | None, Place | None]]:
    """From where to where pods go: to another stage, else to another class, else away, or come."""
    leaving, coming = (sorted(c.elements()) for c in (before - after, after - before))
    for part in (itemgetter(0), itemgetter(1)):
        for source in tuple(leaving):
            target = next((place for place in coming if part(place) == part(source)), None)
            if target is not None:
                leaving.remove(source)
                coming.remove(target)
                yield source, target
    yield from ((source, None) for source in leaving)
    yield from ((None, target) for target in coming)


def _one_pod(
    world: World, pods: Pods, source: Place | None, target: Place | None
) -> Iterator[Pods]:
    """One pod goes from one place, or from nowhere, to another, or to nowhere."""
    if source is None:
        if target is not None:
            yield shifted(pods, target[0], _phase(world, target), 1)
        return
    for group in pods:
        if (group.pod_class, STAGES.get(group.phase)) != source:
            continue
        rest = without(pods, group)
        if target is None:
            yield rest
        elif target[0] != source[0]:
            yield shifted(rest, target[0], group.phase, 1, _still_marked(world, group, target[0]))
        elif target[1] == Stage.TERMINATING:
            yield shifted(rest, target[0], Phase.TERMINATING, 1)
        else:
            yield moved(pods, group, _phase(world, target))


def _phase(world: World, place: Place) -> Phase:
    pod_class, stage = place
    ready = Phase.READY if world.classes[pod_class].min_ready_seconds else Phase.AVAILABLE
    phases: Mapping[int, Phase] = {
        Stage.ASSIGNED: Phase.ASSIGNED,
        Stage.UNREADY: Phase.STARTING,
        Stage.READY: ready,
        Stage.TERMINATING: Phase.TERMINATING,
    }
    return phases[stage]


def _still_marked(world: World, group: Group, after: int) -> int:
    """The marks of a pod that becomes one of another class: a victim is so for its own owner."""
    same = world.classes[group.pod_class].workload == world.classes[after].workload
    return group.marks if same else group.marks & ~Marks.CHOSEN
