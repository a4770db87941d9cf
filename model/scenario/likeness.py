"""Which nodes are alike before anything is placed on them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.scheduler.decision.topology_spread import ZONE
from kubelemma.model.components.scheduler.telling import selected_keys
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .lodging import Likeness


def likeness_of(
    crowd: Crowd, roles: Mapping[str, Hashable], kubelets: Mapping[str, Node]
) -> Likeness:
    """The likeness of the nodes of a crowd.

    ``roles`` are of nodes that something refers to by name: what it is that does. Nodes in
    different zones are alike unless a pod asks for a zone by its name.
    """
    asked = any(ZONE in selected_keys(pod) for pod in crowd.pods)
    zoned = () if asked else (ZONE,)
    plain = {node.metadata.name: _without(node, zoned) for node in crowd.nodes}
    tellings = [c.distinguishes(crowd) for c in COMPONENTS]
    there = _pods_by_node(crowd.pods)
    identities: dict[str, Hashable] = {}
    for name, node in plain.items():
        pods = there.get(name, ())
        shape = NodeShape(node, tuple(pods), "", kubelet=kubelets.get(name))
        told = tuple(telling(shape) for telling in tellings)
        identities[name] = (roles.get(name), told, tuple(sorted(map(_seen, pods))))
    ranks = {text: i for i, text in enumerate(sorted({repr(i) for i in identities.values()}))}
    kinds = {name: ranks[repr(identity)] for name, identity in identities.items()}
    domains = {
        node.metadata.name: "" if asked else node.metadata.label_map().get(ZONE, "")
        for node in crowd.nodes
    }
    return Likeness(kinds, domains)


def _without(node: Node, keys: Iterable[str]) -> Node:
    labels = {k: v for k, v in node.metadata.label_map().items() if k not in keys}
    metadata = msgspec.structs.replace(node.metadata, labels=labels)
    return msgspec.structs.replace(node, metadata=metadata)


def _pods_by_node(pods: Iterable[Pod]) -> dict[str, Sequence[Pod]]:
    found: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.spec.node_name:
            found.setdefault(pod.spec.node_name, []).append(pod)
    return dict(found.items())


def _seen(pod: Pod) -> bytes:
    parts: tuple[Any, ...] = (pod.metadata.namespace, pod.metadata.labels, pod.status.phase)
    return msgspec.json.encode(parts, enc_hook=str, order="sorted")
