"""By what the scheduler can tell nodes apart, and whether terminating pods are in its way."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

import msgspec

from kubelemma.model.cluster.component import Crowd, Telling
from kubelemma.model.cluster.room import lacks_room
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import NodeSelectorTerm, Pod

from .decision.node_ports import host_ports
from .decision.nodeinfo import NodeInfo
from .decision.topology_spread import HOSTNAME, SYSTEM_DEFAULT_CONSTRAINTS

DEFAULT_KEYS = frozenset(c.topology_key for c in SYSTEM_DEFAULT_CONSTRAINTS)
"""What scores spread pods over that have no constraints of their own."""


def distinguishes(crowd: Crowd) -> Telling:
    """All that some filter, or some score where scores decide, may read of a node."""
    keys = _label_keys(crowd.pods) | (DEFAULT_KEYS if crowd.scoring else frozenset())
    keys -= unique_keys(crowd.nodes, crowd.pods)
    visible = minds_pods(crowd)
    by_name = any(_asks_by_name(pod) for pod in crowd.pods)

    def telling(shape: NodeShape) -> Hashable:
        return (
            _of_node(shape.node, keys, scoring=crowd.scoring),
            _of_pods(shape.node, shape.standing, visible=visible),
            shape.node.metadata.name if by_name else "",
        )

    return telling


def minds_pods(crowd: Crowd) -> bool:
    """Whether anybody looks at pods on nodes for more than the room that they take."""
    # Scores spread the pods of a Service or ReplicaSet by default, so they look at pods too.
    return crowd.scoring or any(_looks_at_pods(pod) for pod in crowd.pods)


def needs_terminating(setting: Setting) -> bool:
    """Whether a terminating pod may keep another from a node.

    It holds resources and host ports, repels and attracts by affinity, and counts in scores. It
    does none of this if nobody uses the latter three and every node has room for as many pods of
    each workload as the search is bounded by.
    """
    world, choices = setting.world, setting.choices
    if choices.scoring or any(any(pod_affinity_keys(pod)) for pod in world.all_pods()):
        return True
    return lacks_room(world, choices.max_pods)


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


def unique_keys(nodes: Sequence[Node], pods: tuple[Pod, ...]) -> frozenset[str]:
    """The host name, if every node has one of its own and no pod asks for one by value."""
    values = [node.metadata.label_map().get(HOSTNAME) for node in nodes]
    asked = any(HOSTNAME in selected_keys(pod) for pod in pods)
    distinct = None not in values and len(set(values)) == len(values)
    return frozenset({HOSTNAME}) if distinct and not asked else frozenset()


def _label_keys(pods: Iterable[Pod]) -> frozenset[str]:
    """Every label of nodes that some pod's scheduling depends on."""
    return frozenset(key for pod in pods for key in label_keys(pod))


def label_keys(pod: Pod) -> set[str]:
    """The labels of nodes that the scheduling of a pod depends on."""
    spread = {c.topology_key for c in pod.spec.topology_spread_constraints or ()}
    return selected_keys(pod) | spread | set(pod_affinity_keys(pod))


def selected_keys(pod: Pod) -> set[str]:
    """The labels of nodes of which a pod asks for certain values."""
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


def pod_affinity_keys(pod: Pod) -> Iterator[str]:
    """The topology keys of all pod (anti-)affinity terms of a pod."""
    if pod.spec.affinity is None:
        return
    for part in (pod.spec.affinity.pod_affinity, pod.spec.affinity.pod_anti_affinity):
        for term in (part.required if part else None) or ():
            yield term.topology_key
        for weighted in (part.preferred if part else None) or ():
            yield weighted.pod_affinity_term.topology_key
