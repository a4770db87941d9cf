"""Which nodes nothing tells apart, so that the search may treat them as one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.cluster.zones import zone_of
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod


class Grouping(NamedTuple):
    """The shapes, how many nodes have each, and the shape of each node by name."""

    shapes: tuple[NodeShape, ...]
    sizes: tuple[int, ...]
    shape_of: Mapping[str, int]


def group_nodes(
    crowd: Crowd,
    standing: Mapping[str, tuple[Pod, ...]],
    kubelets: Mapping[str, Node] = MappingProxyType({}),
) -> Grouping:
    """Group nodes by what any component can tell of them, and by whether they are named.

    ``standing`` are the pods that stand by on each node, by its name; ``kubelets`` has the nodes in
    their kubelets' eyes where the API shows something else.
    """
    tellings = [component.distinguishes(crowd) for component in COMPONENTS]
    shapes: dict[Hashable, NodeShape] = {}
    members: dict[Hashable, list[str]] = {}
    for node in crowd.nodes:
        name = node.metadata.name
        shape = NodeShape(
            node,
            standing.get(name, ()),
            zone_of(node.metadata.label_map()),
            name=name if name in crowd.named else "",
            kubelet=kubelets.get(name),
        )
        identity = (shape.name, *(telling(shape) for telling in tellings))
        shapes.setdefault(identity, shape)
        members.setdefault(identity, []).append(name)
    order = {name: i for i, names in enumerate(members.values()) for name in names}
    sizes = tuple(len(names) for names in members.values())
    return Grouping(tuple(shapes.values()), sizes, order)
