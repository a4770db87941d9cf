"""Adoption and release: what a sync does first of all, before it counts its pods.

Source: pkg/controller/controller_ref_manager.go, ``ClaimPods``. Every claim is a PATCH of one pod,
which others may come before: the API server takes no second controller, and a pod that somebody
else has adopted is nothing to claim any more. A sync that has counted already goes on, and claims
wait for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.cluster.claims import Labelling, disowned, owned, relabelled
from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import EventKind
from kubelemma.model.cluster.events import on_node, on_workload
from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    Group,
    Marks,
    Phase,
    Pods,
    Queue,
    Sync,
    shifted,
    without,
)
from kubelemma.model.cluster.world import PodClass, Workload, World
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Named, Outcome, Rule, Tally

from .actions import ADOPT_POD, RELABEL, RELEASE_POD
from .decision import Claim, claim
from .keys import Key, Owned, Shown, actor_of, owned_name, shown_name, under_way

_ACTIONS = {Claim.RELEASE: RELEASE_POD, Claim.ADOPT: ADOPT_POD}
_WHY = {
    Claim.RELEASE: "its labels do not match the selector any more",
    Claim.ADOPT: "it has no controller, and its labels match the selector",
}


class Claiming(NamedTuple):
    """Pods of a class that a ReplicaSet would claim, and the class that they are of afterwards."""

    verdict: Claim
    before: PodClass
    after: PodClass


def claimings(key: Key) -> tuple[Claiming, ...]:
    """All that one ReplicaSet may claim."""
    return tuple(_claimings(key))


def _claimings(key: Key) -> Iterator[Claiming]:
    world = key.world
    for found in world.classes:
        verdict = _verdict(key, found)
        if verdict in _ACTIONS:
            after = _after(key, found, verdict)
            if after is not None:
                yield Claiming(verdict, found, after)


def _verdict(key: Key, found: PodClass) -> Claim:
    """What is made of the pods of a class, as long as they do not terminate."""
    like = key.world.classes[key.pod_class]
    same = found.pod.metadata.namespace == key.workload.namespace
    return claim(
        owned=found.index in key.members,
        matches=same and like.selector.matches(found.pod.metadata.label_map()),
        has_controller=controller_of(found.pod.metadata) is not None,
    )


def _after(key: Key, found: PodClass, verdict: Claim) -> PodClass | None:
    world = key.world
    if verdict is Claim.RELEASE:
        free = (c for w in world.workloads if not w.templates for c in w.classes)
        return _like(world, free, disowned(found.pod))
    controller = controller_of(world.classes[key.pod_class].pod.metadata)
    if controller is None:
        return None
    return _like(world, key.members, owned(found.pod, controller))


def _like(world: World, among: Iterator[int] | tuple[int, ...], pod: Pod) -> PodClass | None:
    """The class of such pods."""
    found = (world.classes[index] for index in among)
    return next((each for each in found if each.pod == pod), None)


# What a sync waits for


def claims_name(workload: Workload, template: int) -> str:
    """The name of the tally of the pods that are to be claimed."""
    return workload.tally(f"pods to claim of template {template}")


def tally(key: Key) -> Tally:
    """How many pods there are to claim."""
    found = claimings(key)
    before = frozenset(each.before.index for each in found)

    def on_node(pods: Pods) -> tuple[int]:
        active = (g for g in pods if g.phase in ACTIVE and g.pod_class in before)
        return (sum(group.size for group in active),)

    measures: dict[Named, Callable[..., tuple[int]]] = {PODS: on_node}
    for workload in key.world.workloads:
        slots = [workload.slot(c) for c in workload.classes if c in before]
        if slots:
            measures[workload.queue] = partial(_waiting, slots)
    name = claims_name(key.workload, key.template)
    return Tally(name, measures, 1, lambda total: total[0], each=PODS)


def _waiting(slots: list[int], queue: Queue) -> tuple[int]:
    return (sum(queue.waiting[slot] for slot in slots),)


# Claims


def rules(key: Key) -> Iterator[Rule]:
    """The rules by which one ReplicaSet claims pods."""
    found = claimings(key)
    reads = (
        shown_name(key.workload, key.template),
        owned_name(key.workload, key.template),
    )
    if found:
        name = f"claim a pod for {key.workload.crowd(key.pod_class)}"
        act = partial(_on_node, found)
        cells, actor = (key.cell, PODS), actor_of(key.workload)
        yield Rule(name, actor, cells, act, reads, writes=(PODS,), each=PODS)
    for each in found:
        source, target = (_workload_of(key, c) for c in (each.before, each.after))
        name = (
            f"claim a pending pod of {source.crowd(each.before.index)} "
            f"for {key.workload.crowd(key.pod_class)}"
        )
        pending = _pending(each, source, target)
        yield Rule(
            name, actor_of(key.workload), (key.cell, source.queue, target.queue), pending, reads
        )


def _workload_of(key: Key, found: PodClass) -> Workload:
    return key.world.workloads[found.workload]


def _may(sync: Sync, shown: Shown, own: Owned) -> bool:
    """Whether a new sync of the ReplicaSet may begin."""
    return shown.replicas >= 0 and not under_way(sync, own)


def _on_node(
    found: tuple[Claiming, ...], sync: Sync, pods: Pods, shown: Shown, own: Owned
) -> Iterator[Outcome]:
    if not _may(sync, shown, own):
        return
    for group in pods:
        for each in found:
            if group.pod_class == each.before.index and Phase(group.phase) in ACTIVE:
                yield _outcome(each, {PODS: claimed(pods, group, each.after.index)})


def claimed(pods: Pods, group: Group, after: int) -> Pods:
    """The pods with one of this group in another class; nobody has chosen it as a victim now."""
    marks = group.marks & ~Marks.CHOSEN
    return shifted(without(pods, group), after, group.phase, 1, marks)


def _pending(each: Claiming, source: Workload, target: Workload) -> Callable[..., Any]:
    """The claim of a pod that has no node, from one queue to another."""
    slot, to = source.slot(each.before.index), target.slot(each.after.index)

    def outcomes(
        sync: Sync, left: Queue, reached: Queue, *seen: *tuple[Shown, Owned]
    ) -> Iterator[Outcome]:
        if _may(sync, *seen) and left.free[slot]:
            writes = {
                source.queue: left.with_free(slot, -1),
                target.queue: reached.with_free(to, 1),
            }
            yield _outcome(each, writes)

    return outcomes


def _outcome(each: Claiming, writes: Mapping[str, Any]) -> Outcome:
    about = (("class", each.before.index), ("becomes", each.after.index))
    return Outcome(_ACTIONS[each.verdict], writes, about, _WHY[each.verdict])


# What users do to labels


def _targets(world: World, event: Event) -> dict[int, int]:
    """What classes of a workload's pods become what others."""
    workload, change = world.workloads[event.workload], event.options
    if not isinstance(change, Labelling):
        return {}
    found = {}
    for index in workload.classes:
        own = world.classes[index]
        after = relabelled(own.pod, change)
        among = workload.members(own.template)
        target = _like(world, among, after) if after != own.pod else None
        if target is not None:
            found[index] = target.index
    return found


def _relabel(world: World, event: Event, pods: Pods) -> Iterator[tuple[dict[str, Pods], str, int]]:
    targets = _targets(world, event)
    for group in pods:
        if group.pod_class in targets and Phase(group.phase) in ACTIVE:
            left = without(pods, group)
            after = shifted(left, targets[group.pod_class], group.phase, 1, group.marks)
            yield {PODS: after}, f"kubectl label pod {event.options}", group.pod_class


def _relabel_pending(
    world: World, event: Event, queue: Queue
) -> Iterator[tuple[tuple[Queue], str]]:
    workload = world.workloads[event.workload]
    for before, after in _targets(world, event).items():
        slot, target = workload.slot(before), workload.slot(after)
        why = f"kubectl label pod {event.options}, of one without a node"
        if queue.free[slot]:
            yield (queue.with_free(slot, -1).with_free(target, 1),), why
        if queue.chosen[slot]:
            yield (queue.with_chosen(slot, -1).with_chosen(target, 1),), why


def _queue(workload: Workload) -> tuple[str, ...]:
    return (workload.queue,)


_ON_A_NODE = on_node(RELABEL, _relabel, (PODS,))
_WITHOUT_A_NODE = on_workload(RELABEL, _relabel_pending, _queue)


def _either(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    yield from _WITHOUT_A_NODE.rules(setting, event, budget)
    yield from _ON_A_NODE.rules(setting, event, budget)


RELABELLING = EventKind(RELABEL, _either)
