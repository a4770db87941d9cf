"""Where a scenario starts: every workload rolled out, its pods where the scheduler prefers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment

from .templates import pod_of


class Placed(NamedTuple):
    """A Deployment's pods at the start: how many on each node, by name, and how many on none."""

    on_nodes: Mapping[str, int]
    pending: int


class Placement(NamedTuple):
    """All pods at the start.

    ``placed``: of each Deployment by (namespace, name). ``existing``: pods of nobody's, by node.
    ``homeless``: such pods that found no node.
    """

    placed: Mapping[tuple[str, str], Placed]
    existing: Mapping[str, tuple[Pod, ...]]
    homeless: tuple[Pod, ...]


def key_of(deployment: Deployment) -> tuple[str, str]:
    """What identifies a Deployment."""
    return (deployment.metadata.namespace, deployment.metadata.name)


def place_all(
    deployments: Sequence[Deployment],
    nodes: Iterable[Node],
    pods: Iterable[Pod],
    namespaces: Iterable[Namespace],
) -> Placement:
    """Where all pods are at the start.

    Pods that are bound stay where they are, those of a Deployment as its replicas. All others are
    scheduled one after the other on the node that the scheduler's scores favour; of several best
    nodes the first by name is taken.
    """
    names = {n.metadata.name: n.metadata.label_map() for n in namespaces}
    floor = _Floor({node.metadata.name: NodeInfo(node) for node in nodes}, names)
    alive = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
    bound = [pod for pod in alive if floor.stands(pod)]
    for pod in bound:
        floor.add(pod, pod.spec.node_name)
    existing: dict[str, tuple[Pod, ...]] = dict.fromkeys(floor.infos, ())
    homeless: list[Pod] = []
    owners = {id(pod): _owner(pod, deployments) for pod in alive}
    for pod in alive:
        if owners[id(pod)] is None:
            node = pod.spec.node_name if floor.stands(pod) else floor.place(pod)
            if node is None:
                homeless.append(pod)
            else:
                existing[node] += (pod,)
    placed = {}
    for deployment in deployments:
        own = [pod.spec.node_name for pod in bound if owners[id(pod)] is deployment]
        placed[key_of(deployment)] = _place(deployment, own, floor)
    return Placement(placed, existing, tuple(homeless))


def _owner(pod: Pod, deployments: Iterable[Deployment]) -> Deployment | None:
    """The Deployment that the pod belongs to, by way of a ReplicaSet."""
    owners = pod.metadata.owner_references or ()
    if not any(owner.controller and owner.kind == "ReplicaSet" for owner in owners):
        return None
    labels = pod.metadata.label_map()
    for deployment in deployments:
        selector = deployment.spec.selector
        same = deployment.metadata.namespace == pod.metadata.namespace
        if same and selector is not None and selector.matches(labels):
            return deployment
    return None


class _Floor:
    """The nodes while they fill up."""

    def __init__(
        self, infos: dict[str, NodeInfo], namespaces: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.infos = infos
        self._namespaces = namespaces
        self._bound: dict[tuple[int, str], tuple[Pod, Pod]] = {}

    def stands(self, pod: Pod) -> bool:
        """Whether the pod is bound to a node of the cluster."""
        return pod.spec.node_name in self.infos

    def add(self, pod: Pod, node: str) -> None:
        """Put a pod on a node.

        Equal pods of a node are one object, of which is added up once what it requests.
        """
        key = (id(pod), node)
        if key not in self._bound:
            spec = msgspec.structs.replace(pod.spec, node_name=node)
            self._bound[key] = (pod, msgspec.structs.replace(pod, spec=spec))
        _, bound = self._bound[key]
        self.infos[node] = self.infos[node].with_pods(bound)

    def place(self, pod: Pod) -> str | None:
        """Put a pod where the scheduler would, and give the node; None where nothing fits."""
        node = self._choice(pod)
        if node is not None:
            self.add(pod, node)
        return node

    def _choice(self, pod: Pod) -> str | None:
        if pod.spec.node_name:
            stays = self.stands(pod) and admit(pod, self.infos[pod.spec.node_name]) is None
            return pod.spec.node_name if stays else None
        if pod.spec.scheduling_gates:
            return None
        snapshot = Snapshot(
            tuple(self.infos[name] for name in sorted(self.infos)), self._namespaces
        )
        return min(decide(pod, snapshot).choices, default=None)


def _place(deployment: Deployment, own: Sequence[str], floor: _Floor) -> Placed:
    """The replicas of one Deployment: those that are there, and new ones for the rest."""
    replicas = deployment.spec.replicas or 0
    on_nodes = Counter(own[:replicas])
    pod = pod_of(deployment, 0)
    for done in range(len(own[:replicas]), replicas):
        node = floor.place(pod)
        if node is None:
            # A pod that the kubelet rejects is no replica, and one that names its node never waits.
            return Placed(on_nodes, 0 if floor.stands(pod) else replicas - done)
        on_nodes[node] += 1
    return Placed(on_nodes, 0)
