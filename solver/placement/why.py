"""What each node says to one pod, in the scheduler's own words."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision import volumes
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot, filter_node, pre_filter
from kubelemma.model.objects.pod import Pod

from .problem import Placement, Problem

Words = tuple[str, ...]
"""Why a node does not take a pod; empty if it does."""


def said_by_nodes(
    problem: Problem, placement: Placement, pod: Pod, at: tuple[int, int] | None = None
) -> tuple[Words, ...]:
    """What each node says to the pod, were it scheduled as the last one.

    All other pods lie where they lie: an existing pod is not counted itself, nor is one of those
    placed ``at`` (workload, node) if it is one of them.
    """
    there = Counter({(a.workload, a.node): a.count for a in placement.assignments})
    if at is not None:
        there[at] -= 1
    by_node: dict[str, list[Pod]] = {n.metadata.name: [] for n in problem.cluster.nodes}
    for other in problem.cluster.pods:
        if other is not pod:
            by_node[other.spec.node_name].append(other)
    kinds = [merge_label_keys(workload.pod) for workload in problem.workloads]
    for (workload, node), count in there.items():
        by_node[problem.cluster.nodes[node].metadata.name] += [kinds[workload]] * count
    infos = tuple(
        NodeInfo(node, tuple(by_node[node.metadata.name])) for node in problem.cluster.nodes
    )
    return tuple(_said(problem, infos, pod))


def _said(problem: Problem, infos: tuple[NodeInfo, ...], pod: Pod) -> list[Words]:
    gated = pre_enqueue(pod)
    if gated.rejects:
        return [gated.reasons] * len(infos)
    # Where it is now is no wish of the pod's.
    merged = merge_label_keys(replace(pod, spec=replace(pod.spec, node_name="")))
    cycle = pre_filter(merged, Snapshot(infos, problem.cluster.namespaces))
    said = [filter_node(cycle, info).status.reasons for info in infos]
    if not merged.spec.volumes:
        return said
    shelf = volumes.Shelf(problem.cluster.storage)
    asked = volumes.pre_filter(merged, shelf)
    users = volumes.users_of((other for info in infos for other in info.pods), shelf)
    return [
        words or volumes.filter_node(asked, info, users, shelf).reasons
        for words, info in zip(said, infos, strict=True)
    ]
