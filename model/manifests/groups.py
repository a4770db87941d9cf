"""The nodes of a Check: groups of one shape, and the nodes one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.kinds.parts.names import dns_subdomain
from kubelemma.model.kinds.parts.resources import quantities
from kubelemma.model.kinds.parts.rules import at_least, labels, problem
from kubelemma.model.kinds.parts.taints import taints
from kubelemma.model.objects.meta import ApiStruct, ObjectMeta
from kubelemma.model.objects.node import Node, NodeSpec, NodeStatus, Taint
from kubelemma.model.objects.quantity import Quantity

HOSTNAME_LABEL = "kubernetes.io/hostname"
ZONE_LABEL = "topology.kubernetes.io/zone"
_BETA = {
    "kubernetes.io/os": "beta.kubernetes.io/os",
    "kubernetes.io/arch": "beta.kubernetes.io/arch",
}
"""Labels that every node has under a second name, too, which the node lifecycle controller keeps
alike (``labelReconcileInfo`` in ``pkg/controller/nodelifecycle/node_lifecycle_controller.go``)."""
_PLATFORM = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
"""What nearly every kubelet says of its machine (``pkg/kubelet/kubelet_node_status.go``)."""
_DEFAULT_NODE_NAME = "node"
_DEFAULT_PODS = Quantity(110)
"""The kubelet's ``maxPods`` (``pkg/kubelet/apis/config/v1beta1/defaults.go``)."""
_MOST_NODES = 15_000
"""Three times what Kubernetes supports: more is a slip of the keyboard."""


class NodeGroup(ApiStruct, frozen=True, kw_only=True):
    """Nodes of one shape.

    Attributes:
        count: how many.
        name: of the one node, or the stem of all their names; ``node`` where none is given.
        allocatable: cores, bytes, pods, ...; 110 pods where nothing is said.
        zones: how many zones they are dealt out to in turn (0: they get no zone label).
        kubelet_allocatable: what the kubelets themselves find, where that is not what the API shows
            and the scheduler goes by.
        static_pods: Pods of the input that each of their kubelets runs from a file.
    """

    count: int = 1
    name: str = ""
    allocatable: Mapping[str, Quantity] | None = None
    labels: Mapping[str, str] | None = None
    taints: tuple[Taint, ...] | None = None
    unschedulable: bool = False
    zones: int = 0
    kubelet_allocatable: Mapping[str, Quantity] | None = None
    static_pods: tuple[str, ...] = ()


class Cluster(ApiStruct, frozen=True, kw_only=True):
    """The nodes of the check, beside those given as ``kind: Node``."""

    nodes: tuple[NodeGroup, ...] = ()


def validate_nodes(group: NodeGroup, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with one group of nodes."""
    yield from at_least(1, group.count, (*path, "count"))
    if group.count > _MOST_NODES:
        yield Finding((*path, "count"), f"{group.count} nodes are more than {_MOST_NODES}")
    if group.name:
        yield from problem((*path, "name"), dns_subdomain(group.name))
    yield from quantities(group.allocatable, (*path, "allocatable"))
    yield from quantities(group.kubelet_allocatable, (*path, "kubeletAllocatable"))
    yield from labels(group.labels or {}, (*path, "labels"))
    yield from taints(group.taints or (), (*path, "taints"))
    yield from at_least(0, group.zones, (*path, "zones"))
    if group.zones > group.count >= 1:
        message = f"{group.zones} zones cannot be filled by {group.count} nodes"
        yield Finding((*path, "zones"), message)
    if group.zones and ZONE_LABEL in (group.labels or {}):
        yield Finding((*path, "zones"), f"is not allowed beside the label {ZONE_LABEL}")


def distinct_names(groups: tuple[NodeGroup, ...], path: FieldPath) -> Iterator[Finding]:
    """Names that two nodes of a cluster have."""
    if any(group.count > _MOST_NODES for group in groups):
        return
    seen: set[str] = set()
    for index, names in enumerate(_names(groups)):
        taken = next((name for name in names if name in seen), None)
        if taken is not None:
            yield Finding((*path, index, "name"), f'"{taken}" is the name of another node too')
        seen.update(names)


def nodes_of(cluster: Cluster) -> tuple[Node, ...]:
    """The nodes one by one, with the labels that a cloud provider and the kubelet set."""
    return tuple(
        _node(group, name, index)
        for group, names in zip(cluster.nodes, _names(cluster.nodes), strict=True)
        for index, name in enumerate(names)
    )


def static_pods(cluster: Cluster) -> Mapping[str, tuple[str, ...]]:
    """The static pods of each node that has any, by its name."""
    return {
        name: group.static_pods
        for group, names in zip(cluster.nodes, _names(cluster.nodes), strict=True)
        for name in names
        if group.static_pods
    }


def kubelet_views(cluster: Cluster) -> Mapping[str, Node]:
    """The nodes whose kubelets find something else than the API shows, in their eyes, by name."""
    groups = (
        msgspec.structs.replace(group, allocatable={**(group.allocatable or {}), **own})
        if (own := group.kubelet_allocatable)
        else group
        for group in cluster.nodes
    )
    seen = nodes_of(Cluster(nodes=tuple(groups)))
    return {
        own.metadata.name: own
        for own, shown in zip(seen, nodes_of(cluster), strict=True)
        if own.status != shown.status
    }


def _names(groups: tuple[NodeGroup, ...]) -> Iterator[tuple[str, ...]]:
    """The names of each group's nodes; those without a name are numbered across groups."""
    unnamed = 0
    for group in groups:
        if group.name and group.count == 1:
            yield (group.name,)
        elif group.name:
            yield tuple(f"{group.name}-{i + 1}" for i in range(group.count))
        else:
            yield tuple(f"{_DEFAULT_NODE_NAME}-{unnamed + i + 1}" for i in range(group.count))
            unnamed += group.count


def _node(group: NodeGroup, name: str, index: int) -> Node:
    zone = {ZONE_LABEL: f"zone-{index % group.zones + 1}"} if group.zones else {}
    own_labels = {HOSTNAME_LABEL: name, **_PLATFORM, **zone, **(group.labels or {})}
    own_labels |= {beta: own_labels[key] for key, beta in _BETA.items()}
    allocatable = {"pods": _DEFAULT_PODS, **(group.allocatable or {})}
    return Node(
        metadata=ObjectMeta(name=name, labels=own_labels),
        spec=NodeSpec(unschedulable=group.unschedulable, taints=group.taints),
        status=NodeStatus(capacity=allocatable, allocatable=allocatable),
    )
