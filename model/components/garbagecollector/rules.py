"""The garbage collector: pods whose ReplicaSet is gone are deleted, each at any time.

Somebody who deletes an owner of pods does so with background propagation, as ``kubectl apply
--prune`` and ``kubectl delete`` do: the object is gone at once. The ReplicaSets of a Deployment go
with it in one step here. Until they are collected themselves, their controllers do what they could
have done before the Deployment was deleted, when its controller was slow; and a sync of the
Deployment that is under way finds nothing that it would write, or creates what is collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import on_workload
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import ACTIVE, IDLE, OwnerState, Phase, Pods, Queue, Specs
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, COLLECT_POD, PRUNE
from .decision import Owner, Verdict, attempt_to_delete

GARBAGE_COLLECTOR = "garbage-collector"

_WHY = "what controls it is gone, and nobody re-creates it"


# What users do


def _prune(
    world: World, event: Event, owner: OwnerState, *_syncs: Any
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The object is gone, and whatever its ReplicaSets had in hand."""
    if not owner.absent:
        idle = (IDLE,) * len(world.workloads[event.workload].syncs)
        yield (owner.deleted(), *idle), "kubectl apply --prune, or kubectl delete"


def _cells(workload: Workload) -> tuple[str, ...]:
    return (workload.cell, *workload.syncs)


_PRUNING = on_workload(PRUNE, _prune, _cells)


def _in_the_end(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Whoever asks what becomes of a change means to make it: at any time, but in the end."""
    for rule in _PRUNING.rules(setting, event, budget):
        yield replace(rule, environment=False, task=rule.name)


# What is collected


def _rules(world: World, workload: Workload) -> Iterator[Rule]:
    reads = (workload.tally("specs"),)

    def pending(queue: Queue, specs: Specs) -> Iterator[Outcome]:
        """A pod without a node is gone at once."""
        for pod_class in _collected(workload, specs):
            slot = workload.slot(pod_class)
            about = (("class", pod_class),)
            if queue.free[slot]:
                writes = {workload.queue: queue.with_free(slot, -1)}
                yield Outcome(COLLECT_POD, writes, about, _WHY)
            if queue.chosen[slot]:
                writes = {workload.queue: queue.with_chosen(slot, -1)}
                yield Outcome(COLLECT_POD, writes, about, _WHY)

    def on_node(pods: Pods, specs: Specs) -> Iterator[Outcome]:
        collected = _collected(workload, specs)
        for group in pods:
            if group.pod_class in collected and Phase(group.phase) in ACTIVE:
                writes = {PODS: world.deleted(pods, group)}
                yield Outcome(COLLECT_POD, writes, (("class", group.pod_class),), _WHY)

    name = f"collect pods of {workload.label}"
    yield Rule(f"{name} without a node", GARBAGE_COLLECTOR, (workload.queue,), pending, reads)
    yield Rule(f"{name} on a node", GARBAGE_COLLECTOR, (PODS,), on_node, reads, each=PODS)


def _collected(workload: Workload, specs: Specs) -> tuple[int, ...]:
    """The classes of the pods that go: those whose only owner is not there any more."""
    return tuple(
        pod_class
        for template, size in enumerate(specs.sets)
        for owner in (Owner.SOLID if size >= 0 else Owner.DANGLING,)
        if attempt_to_delete((owner,)) is Verdict.DELETE
        for pod_class in workload.members(template)
    )


# The component


def _parts_of(setting: Setting, workload: Workload) -> Parts:
    pruned = {event.workload for event in setting.events if event.action == PRUNE}
    if workload.index not in pruned:
        return NO_PARTS
    return Parts(rules=tuple(_rules(setting.world, workload)))


COMPONENT = Component(
    name="garbagecollector",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts_of=_parts_of,
    actions=ACTIONS,
    events=(EventKind(PRUNE, _in_the_end),),
)
