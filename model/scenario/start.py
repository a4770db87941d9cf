"""Where a scenario starts: every workload rolled out, its pods where the scheduler prefers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod

from .templates import Key, key_of, kind_of, pod_of, replicas_of


class Placed(NamedTuple):
    """An owner's pods at the start: how many on each node, by name, and how many on none."""

    on_nodes: Mapping[str, int]
    pending: int


NOWHERE = Placed({}, 0)


class Placement(NamedTuple):
    """All pods at the start.

    ``placed``: of each owner by what identifies it. ``existing``: pods of nobody's, by node.
    ``homeless``: such pods that found no node.
    """

    placed: Mapping[Key, Placed]
    existing: Mapping[str, tuple[Pod, ...]]
    homeless: tuple[Pod, ...]

    @property
    def lone(self) -> tuple[Pod, ...]:
        """The pods of nobody's that are on a node, or wait for one."""
        placed = (pod for pods in self.existing.values() for pod in pods)
        return (*placed, *(pod for pod in self.homeless if not pod.spec.node_name))

    def place_of(self, pod: Pod) -> Placed:
        """Where one of them is."""
        nodes = (name for name, pods in self.existing.items() if any(p is pod for p in pods))
        node = next(nodes, None)
        return Placed({}, 1) if node is None else Placed({node: 1}, 0)


def place_all(
    owners: Sequence[Any],
    nodes: Iterable[Node],
    pods: Iterable[Pod],
    namespaces: Iterable[Namespace],
) -> Placement:
    """Where all pods are at the start.

    Pods that are bound stay where they are, those of an owner as its replicas. All others are
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
    owner_of = {id(pod): _owner(pod, owners) for pod in alive}
    for pod in alive:
        if owner_of[id(pod)] is None:
            node = pod.spec.node_name if floor.stands(pod) else floor.place(pod)
            if node is None:
                homeless.append(pod)
            else:
                existing[node] += (pod,)
    placed = {}
    for owner in owners:
        own = [pod.spec.node_name for pod in bound if owner_of[id(pod)] is owner]
        placed[key_of(owner)] = _place(owner, own, floor)
    return Placement(placed, existing, tuple(homeless))


def _owner(pod: Pod, owners: Sequence[Any]) -> Any | None:
    """The owner that the pod belongs to: first of all one that it names itself."""
    found = [owner for owner in owners if kind_of(owner).owns(owner, pod)]
    return min(found, key=lambda owner: bool(kind_of(owner).through), default=None)


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


def _place(owner: Any, own: Sequence[str], floor: _Floor) -> Placed:
    """The replicas of one owner: those that are there, and new ones for the rest."""
    replicas = replicas_of(owner)
    on_nodes = Counter(own[:replicas])
    pod = pod_of(owner, 0)
    for done in range(len(own[:replicas]), replicas):
        node = floor.place(pod)
        if node is None:
            # A pod that the kubelet rejects is no replica, and one that names its node never waits.
            return Placed(on_nodes, 0 if floor.stands(pod) else replicas - done)
        on_nodes[node] += 1
    return Placed(on_nodes, 0)
