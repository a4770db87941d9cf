"""Where a scenario starts: every workload rolled out, its pods where the scheduler prefers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scheduler.nodeinfo import NodeInfo
from kubelemma.model.scheduler.profile import Snapshot, decide

from .templates import pod_of


class Placed(NamedTuple):
    """A Deployment's pods at the start: how many on each node, by name, and how many on none."""

    on_nodes: Mapping[str, int]
    pending: int


class Placement(NamedTuple):
    """All pods at the start: of each Deployment by (namespace, name), and what was there before."""

    placed: Mapping[tuple[str, str], Placed]
    existing: Mapping[str, tuple[Pod, ...]]


def key_of(deployment: Deployment) -> tuple[str, str]:
    """What identifies a Deployment."""
    return (deployment.metadata.namespace, deployment.metadata.name)


def place_all(
    deployments: Iterable[Deployment],
    nodes: Iterable[Node],
    pods: Iterable[Pod],
    namespaces: Iterable[Namespace],
) -> Placement:
    """Schedule every replica, one after the other, on the node that the scheduler's scores favour.

    Of several best nodes the first by name is taken. Pods that are bound already stay.
    """
    names = {n.metadata.name: n.metadata.label_map() for n in namespaces}
    infos = {node.metadata.name: NodeInfo(node) for node in nodes}
    existing: dict[str, tuple[Pod, ...]] = dict.fromkeys(infos, ())
    for pod in pods:
        if pod.spec.node_name in infos and pod.status.phase not in ("Succeeded", "Failed"):
            existing[pod.spec.node_name] += (pod,)
            infos[pod.spec.node_name] = infos[pod.spec.node_name].with_pods(pod)
    placed = {d_key: _place(d, infos, names) for d in deployments for d_key in [key_of(d)]}
    return Placement(placed, existing)


def _place(
    deployment: Deployment, infos: dict[str, NodeInfo], namespaces: Mapping[str, Mapping[str, str]]
) -> Placed:
    """Place the replicas of one Deployment, and put them into ``infos``."""
    pod = pod_of(deployment, 0)
    on_nodes: dict[str, int] = {}
    replicas = deployment.spec.replicas or 0
    for done in range(replicas):
        name = _choice(pod, infos, namespaces)
        if name is None:
            return Placed(on_nodes, replicas - done)
        on_nodes[name] = on_nodes.get(name, 0) + 1
        infos[name] = infos[name].with_pods(_bound(pod, name))
    return Placed(on_nodes, 0)


def _choice(
    pod: Pod, infos: Mapping[str, NodeInfo], namespaces: Mapping[str, Mapping[str, str]]
) -> str | None:
    if pod.spec.node_name:
        return pod.spec.node_name if pod.spec.node_name in infos else None
    if pod.spec.scheduling_gates:
        return None
    snapshot = Snapshot(tuple(infos[name] for name in sorted(infos)), namespaces)
    return min(decide(pod, snapshot).choices, default=None)


def _bound(pod: Pod, node: str) -> Pod:
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node))
