"""Nodes that hold more than they offer before anything is placed.

The scheduler counts what the pods on a node request, whoever put them there, and lets nothing more
of that onto it. The kubelet has a say of its own: it admits a pod only beside those that it has
admitted (``pkg/kubelet/lifecycle/predicate.go``), and one that does not fit fails with
``OutOfcpu`` or the like. Pods that run were admitted when the node offered more, or before they
were resized; whoever starts that kubelet again has it admit them anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import PODS, allocatable, is_extended
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .collapse import Requests
from .decision import Overfull, Refusal, Shortage
from .displaced import is_mirror
from .problem import Cluster


def overfull(cluster: Cluster) -> tuple[Overfull, ...]:
    """The nodes whose pods hold more than the node offers, in the order of the cluster's nodes."""
    requests = Requests()
    on: dict[str, list[Pod]] = {node.metadata.name: [] for node in cluster.nodes}
    for pod in cluster.pods:
        on[pod.spec.node_name].append(pod)
    found = (
        _of(number, node, on[node.metadata.name], requests)
        for number, node in enumerate(cluster.nodes)
    )
    return tuple(each for each in found if each is not None)


def _of(number: int, node: Node, pods: Sequence[Pod], requests: Requests) -> Overfull | None:
    held: dict[str, int] = {PODS: len(pods)}
    for pod in pods:
        for name, amount in requests.of(pod).items():
            held[name] = held.get(name, 0) + amount
    offered = allocatable(node.status.allocatable)
    short = tuple(
        Shortage(name, amount, offered.get(name, 0))
        for name, amount in held.items()
        if amount > offered.get(name, 0) and (name in offered or not is_extended(name))
    )
    if not short:
        return None
    names = {each.resource for each in short}
    holding = (p for p in pods if PODS in names or any(requests.of(p).get(n) for n in names))
    return Overfull(number, short, tuple(holding), tuple(_refused(node, pods)))


def _refused(node: Node, pods: Sequence[Pod]) -> Iterator[Refusal]:
    """The pods that the kubelet does not admit for lack of room, the oldest first."""
    info = NodeInfo(node, tuple(pod for pod in pods if _is_admitted(pod)))
    coming = (pod for pod in pods if not _is_admitted(pod))
    for pod in sorted(coming, key=lambda pod: pod.metadata.creation_timestamp or ""):
        reason = admit(pod, info)
        if reason is not None and reason.startswith("OutOf"):
            yield Refusal(pod, reason)
        else:
            info = info.with_pods(pod)


def _is_admitted(pod: Pod) -> bool:
    """Whether the kubelet has the pod already: it says when it started with it."""
    known = pod.status.phase == "Running" or pod.status.start_time is not None
    return known or is_mirror(pod) or pod.metadata.deletion_timestamp is not None
