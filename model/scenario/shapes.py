"""Which nodes nothing tells apart, so that the search may treat them as one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.components.nodelifecycle.decision import zone_of
from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.topology_spread import (
    HOSTNAME,
    SYSTEM_DEFAULT_CONSTRAINTS,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import NodeSelectorTerm, Pod

from .cluster import pod_affinity_keys

DEFAULT_KEYS = frozenset(c.topology_key for c in SYSTEM_DEFAULT_CONSTRAINTS)
"""What scores spread pods over that have no constraints of their own."""


class Grouping(NamedTuple):
    """The shapes, how many nodes have each, and the shape of each node by name."""

    shapes: tuple[NodeShape, ...]
    sizes: tuple[int, ...]
    shape_of: Mapping[str, int]
    unique_keys: frozenset[str]


def group_nodes(
    nodes: Sequence[Node],
    standing: Mapping[str, tuple[Pod, ...]],
    pods: Iterable[Pod],
    named: frozenset[str],
    *,
    scoring: bool,
    kubelets: Mapping[str, Node] = MappingProxyType({}),
) -> Grouping:
    """Group nodes by what any rule may ever read of them.

    ``standing`` are the pods that stand by on each node, by its name; ``pods`` one of each kind
    that may come; ``named`` the nodes that an event or a template refers to; ``kubelets`` has the
    nodes in their kubelets' eyes where the API shows something else.
    """
    everyone = (*pods, *(pod for group in standing.values() for pod in group))
    unique = _unique_keys(nodes, everyone)
    keys = (_label_keys(everyone) | (DEFAULT_KEYS if scoring else frozenset())) - unique
    # Scores spread the pods of a Service or ReplicaSet by default, so they look at pods too.
    visible = scoring or any(_looks_at_pods(pod) for pod in everyone)
    by_name = any(_asks_by_name(pod) for pod in everyone)
    shapes: dict[Hashable, NodeShape] = {}
    members: dict[Hashable, list[str]] = {}
    for node in nodes:
        name = node.metadata.name
        pods_here = standing.get(name, ())
        own = name if by_name or name in named else ""
        zone = zone_of(node.metadata.label_map())
        identity = (
            _of_node(node, keys, scoring=scoring),
            _of_pods(node, pods_here, visible=visible),
            own,
            zone,
            msgspec.json.encode(kubelets.get(name) and kubelets[name].status, enc_hook=str),
        )
        shapes.setdefault(identity, NodeShape(node, pods_here, zone, own, kubelets.get(name)))
        members.setdefault(identity, []).append(name)
    order = {name: i for i, names in enumerate(members.values()) for name in names}
    sizes = tuple(len(names) for names in members.values())
    return Grouping(tuple(shapes.values()), sizes, order, unique)


def _of_node(node: Node, keys: frozenset[str], *, scoring: bool) -> Hashable:
    labels = node.metadata.label_map()
    return (
        msgspec.json.encode(node.spec, enc_hook=str, order="sorted"),
        msgspec.json.encode(node.status.allocatable, enc_hook=str, order="sorted"),
        tuple(sorted((key, value) for key, value in labels.items() if key in keys)),
        msgspec.json.encode(node.status.images, order="sorted") if scoring else b"",
    )


def _of_pods(node: Node, pods: tuple[Pod, ...], *, visible: bool) -> Hashable:
    """Standing pods: what they hold, and themselves where some pod looks at labels of others."""
    info = NodeInfo(node, pods)
    held = tuple(sorted(info.requested.items())), tuple(sorted(info.non_zero_requested.items()))
    ports = tuple(sorted(port for pod in pods for port in host_ports(pod)))
    seen = sorted(_told(pod) for pod in pods) if visible else []
    return (held, len(pods), ports, tuple(seen))


def _told(pod: Pod) -> bytes:
    terminating = pod.metadata.deletion_timestamp is not None
    parts = (pod.metadata.namespace, pod.metadata.labels, pod.spec.affinity, terminating)
    return msgspec.json.encode(parts, enc_hook=str, order="sorted")


def _looks_at_pods(pod: Pod) -> bool:
    return bool(pod.spec.topology_spread_constraints) or any(pod_affinity_keys(pod))


def _unique_keys(nodes: Sequence[Node], pods: tuple[Pod, ...]) -> frozenset[str]:
    """The host name, if every node has one of its own and no pod asks for one by value."""
    values = [node.metadata.label_map().get(HOSTNAME) for node in nodes]
    asked = any(HOSTNAME in _selected_keys(pod) for pod in pods)
    distinct = None not in values and len(set(values)) == len(values)
    return frozenset({HOSTNAME}) if distinct and not asked else frozenset()


def _label_keys(pods: Iterable[Pod]) -> frozenset[str]:
    """Every label of nodes that some pod's scheduling depends on."""
    keys: set[str] = set()
    for pod in pods:
        keys |= _selected_keys(pod)
        keys |= {c.topology_key for c in pod.spec.topology_spread_constraints or ()}
        keys |= set(pod_affinity_keys(pod))
    return frozenset(keys)


def _selected_keys(pod: Pod) -> set[str]:
    terms = (term.match_expressions or () for term in _node_terms(pod))
    return set(pod.spec.node_selector or {}) | {r.key for found in terms for r in found}


def _asks_by_name(pod: Pod) -> bool:
    """Whether node affinity looks at a field, of which the name is the only one there is."""
    return any(term.match_fields for term in _node_terms(pod))


def _node_terms(pod: Pod) -> Iterator[NodeSelectorTerm]:
    """All terms of node affinity, required or preferred."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    if affinity is None:
        return
    yield from affinity.required.node_selector_terms if affinity.required else ()
    yield from (preferred.preference for preferred in affinity.preferred or ())
