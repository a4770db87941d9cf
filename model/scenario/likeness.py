"""Which nodes are alike before anything is placed on them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.component import Component, Crowd
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.cluster.zones import zone_of
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.components.scheduler.decision.topology_spread import ZONE
from kubelemma.model.components.scheduler.telling import (
    distinguishes,
    label_keys,
    minds_pods,
    selected_keys,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .lodging import Likeness


def likeness_of(
    crowd: Crowd, roles: Mapping[str, Hashable], kubelets: Mapping[str, Node], *, failing: bool
) -> Likeness:
    """The likeness of the nodes of a crowd.

    ``roles`` are of nodes that something refers to by name: what it is that does. Nodes in
    different zones are alike unless a pod asks for a zone by its name. Which of them share a zone
    matters where pods go by it, and where nodes may be ``failing``, which is counted by zones.
    """
    asked = any(ZONE in selected_keys(pod) for pod in crowd.pods)
    minded = crowd.scoring or any(ZONE in label_keys(pod) for pod in crowd.pods)
    plain = {n.metadata.name: n if asked else _without(n, (ZONE,)) for n in crowd.nodes}
    labels = {node.metadata.name: node.metadata.label_map() for node in crowd.nodes}
    label = {name: found.get(ZONE, "") for name, found in labels.items()}
    zones = {name: zone_of(found) if failing else "" for name, found in labels.items()}
    one = not failing or _is_renaming({(label[name], zones[name]) for name in labels})
    tellings = [c.distinguishes(crowd) for c in COMPONENTS]
    there = _pods_by_node(crowd.pods)
    identities: dict[str, Hashable] = {}
    for name, node in plain.items():
        pods = there.get(name, ())
        shape = NodeShape(node, tuple(pods), "" if one else zones[name], kubelet=kubelets.get(name))
        told = (ZONE in labels[name], *(telling(shape) for telling in tellings))
        identities[name] = (roles.get(name), told, tuple(sorted(map(_seen, pods))))
    ranks = {text: i for i, text in enumerate(sorted({repr(i) for i in identities.values()}))}
    kinds = {name: ranks[repr(identity)] for name, identity in identities.items()}
    domains = label if (minded or failing) and not asked else dict.fromkeys(label, "")
    return Likeness(kinds, domains)


def _is_renaming(pairs: set[tuple[str, str]]) -> bool:
    """Whether each goes with one other."""
    return len({a for a, _ in pairs}) == len(pairs) == len({b for _, b in pairs})


class Looks(NamedTuple):
    """By what pods that stay on a node differ from others to everybody else.

    ``whole`` is all of it, ``beside_room`` all but the room that they take, and ``during`` some
    events all but that and what objects make of them that count pods; ``room_alone`` says whether
    nobody who looks for a node minds anything else.
    """

    whole: Callable[[tuple[Pod, ...]], str]
    beside_room: Callable[[tuple[Pod, ...]], str]
    during: Callable[[tuple[Event, ...]], Callable[[tuple[Pod, ...]], str]]
    room_alone: bool


def looks_of(crowd: Crowd, *, drained: bool) -> Looks:
    """The looks of pods in a crowd; what drains look at counts where nodes may be ``drained``."""
    ports = any(True for pod in crowd.pods for _ in host_ports(pod))
    own = [
        component
        for component in COMPONENTS
        if component.distinguishes is not distinguishes
        if drained or component.name != "drain"
    ]
    return Looks(
        whole=_look(crowd, COMPONENTS),
        beside_room=_look(crowd, own),
        during=lambda events: _look(crowd._replace(objects=(), events=events), own),
        room_alone=not (ports or minds_pods(crowd)),
    )


def _look(crowd: Crowd, components: Iterable[Component]) -> Callable[[tuple[Pod, ...]], str]:
    tellings = [component.distinguishes(crowd) for component in components]

    def look(pods: tuple[Pod, ...]) -> str:
        shape = NodeShape(crowd.nodes[0], pods, "")
        return repr(tuple(telling(shape) for telling in tellings))

    return look


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
