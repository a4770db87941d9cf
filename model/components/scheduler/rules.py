"""The scheduler: one pod is bound at a time, to any feasible node, or to one that scores best.

Source: pkg/scheduler/schedule_one.go. Filtering, choice and binding are one step: a binding depends
on nothing that happens after the choice, and the pod counts on its node from the choice on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.cluster.columns import PODS, SHOWN
from kubelemma.model.cluster.component import Component, Parts
from kubelemma.model.cluster.room import lacks_room
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import AnyNode, Marks, Phase, Pods, Queue, ShownNode, shifted
from kubelemma.model.cluster.world import PodClass, Workload, World
from kubelemma.model.components.apiserver.decision import StoredPod, binding_conflict
from kubelemma.model.components.cloudnodelifecycle.actions import MACHINE_MISSING
from kubelemma.model.components.kubelet.actions import REMOVE_NODE
from kubelemma.model.system import Outcome, Rule

from . import scoring
from .actions import ACTIONS, BIND
from .decision import node_affinity, node_name, node_ports, node_resources, taints
from .decision.nodeinfo import NodeInfo
from .decision.status import Status
from .gone import not_counted, not_scored
from .scoring import Scoring, scoring_of
from .telling import distinguishes, needs_terminating
from .topology import ALONE, Topology, filter_status, summaries, topology_of

SCHEDULER = "scheduler"


def feasibility(world: World, topology: Topology, node: AnyNode, *seen: Any) -> Status:
    """The first filter that rejects the class's next pod on this node, or success.

    ``seen`` are the summaries named by ``topology.reads``.
    """
    info = world.node_info(node)
    status = local_filters(topology.pod_class, info)
    split = len(topology.spread_reads)
    if status.ok:
        status = topology.wants.status(info, *seen[split:])
    if not status.ok or not topology.concerned:
        return status
    domains, *least = seen[:split] or (ALONE,)
    return filter_status(topology, info, domains, least)


def local_filters(pod_class: PodClass, info: NodeInfo) -> Status:
    """The filters that need no other node, in the default order."""
    pod = pod_class.pod
    for check in _LOCAL:
        status = check(pod, info)
        if not status.ok:
            return status
    return node_resources.filter_fit(node_resources.fit_request(pod), info)


_LOCAL = (
    taints.filter_unschedulable,
    node_name.filter_node_name,
    taints.filter_taints,
    node_affinity.filter_affinity,
    node_ports.filter_ports,
)


def rules(
    world: World,
    workload: Workload,
    topologies: Mapping[int, Topology],
    scorings: Mapping[int, Scoring],
    *,
    roomy: bool = False,
) -> tuple[Rule, ...]:
    """One rule for each template of the workload that pods can be scheduled from.

    ``topologies`` and ``scorings`` are by class; where there is no scoring the choice is open.
    Where it is ``roomy``, what is on a node makes a difference by rules of topology alone.
    """
    return tuple(
        _bind_rule(world, workload, topologies[c], scorings.get(c), roomy=roomy)
        for c in workload.classes
        if _is_queued(world.classes[c])
    )


def _is_queued(pod_class: PodClass) -> bool:
    """Whether pods of the class enter the scheduling queue, and can be bound from it."""
    stored = StoredPod(bound=bool(pod_class.node_name), gated=pod_class.gated)
    return binding_conflict(stored) is None and node_name.pre_enqueue(pod_class.pod).ok


def _bind_rule(
    world: World,
    workload: Workload,
    topology: Topology,
    scores: Scoring | None,
    *,
    roomy: bool,
) -> Rule:
    pod_class = topology.pod_class
    name, slot = f"bind a pod of {workload.crowd(pod_class.index)}", workload.slot(pod_class.index)
    wants, told = topology.wants, len(SHOWN)
    kept = told + len(wants.cells)

    def outcomes(queue: Queue, *values: Any) -> Iterator[Outcome]:
        if not queue.waiting[slot]:
            return
        node, seen = ShownNode(*values[:told]), values[kept:]
        filters, found = seen[: len(topology.reads)], seen[len(topology.reads) :]
        if not feasibility(world, topology, node, *filters).ok:
            return
        if scores is not None and not scores.is_best(node, *found):
            return
        reserved = wants.reserved(node.shape, values[told:kept], *filters)
        for outcome in _bind(workload, pod_class, queue, node.pods, scored=scores is not None):
            yield outcome._replace(writes={**outcome.writes, **reserved})

    reads = topology.reads + (scores.reads if scores else ())
    cells = (workload.queue, *SHOWN, *wants.cells)
    writes = (workload.queue, PODS, *wants.cells)
    free = roomy and scores is None and not topology.concerned and not wants.counts
    onto = PODS if free else ""
    return Rule(name, SCHEDULER, cells, outcomes, reads, writes=writes, onto=onto)


def _bind(
    workload: Workload,
    pod_class: PodClass,
    queue: Queue,
    pods: Pods,
    *,
    scored: bool,
) -> Iterator[Outcome]:
    """Bind a pod, be it one that its ReplicaSet is about to delete or another."""
    why = "every filter passes"
    if scored:
        why += ", and no feasible node scores higher"
    slot, arguments = workload.slot(pod_class.index), (("class", pod_class.index),)
    for left, marks in (
        (queue.with_free(slot, -1), Marks.NONE),
        (queue.with_chosen(slot, -1), Marks.CHOSEN),
    ):
        if min(left.free[slot], left.chosen[slot]) >= 0:
            after = shifted(pods, pod_class.index, Phase.ASSIGNED, 1, marks)
            writes = {workload.queue: left, PODS: after}
            yield Outcome(BIND, writes, arguments, why)


# The component


def _scoring_of(world: World, topology: Topology) -> Scoring:
    def feasible(node: AnyNode, *seen: object) -> bool:
        return feasibility(world, topology, node, *seen).ok

    return scoring_of(topology, feasible)


def _parts_of(setting: Setting, workload: Workload) -> Parts:
    world = setting.world
    topologies = {c: topology_of(world, world.classes[c]) for c in workload.classes}
    scorings: dict[int, Scoring] = {}
    if setting.choices.scoring:
        scorings = {c: _scoring_of(world, topology) for c, topology in topologies.items()}
    pairs = [
        *(summaries(topology) for topology in topologies.values()),
        *(scoring.summaries(scores) for scores in scorings.values()),
    ]
    tallies = tuple(tally for tallies, _ in pairs for tally in tallies)
    bests = tuple(best for _, bests in pairs for best in bests)
    if setting.may_happen(MACHINE_MISSING, REMOVE_NODE):
        tallies, bests = tuple(map(not_counted, tallies)), tuple(map(not_scored, bests))
    return Parts(
        tallies=tallies,
        bests=bests,
        rules=rules(
            world,
            workload,
            topologies,
            scorings,
            roomy=not lacks_room(world, setting.choices.max_pods),
        ),
    )


COMPONENT = Component(
    name="scheduler",
    distinguishes=distinguishes,
    needs_terminating=needs_terminating,
    parts_of=_parts_of,
    actions=ACTIONS,
)
