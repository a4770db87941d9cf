"""Which placements differ in what may follow, where some are equal in all that they have room for.

What stands by takes room. Where every node has room for all that may come all the same, it does
not matter how it is spread over the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kubelemma.model.cluster.room import has_room
from kubelemma.model.cluster.world import World
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .likeness import Looks
from .lodging import Likeness
from .start import Placement, Starts


class Taken(NamedTuple):
    """A placement: what stands by on each node, and what is there of those in focus."""

    placement: Placement
    standing: Mapping[str, tuple[Pod, ...]]
    own: Mapping[str, Any]


class Room(NamedTuple):
    """What may come, and at most how many pods of each workload."""

    world: World
    most: int
    nodes: Sequence[Node]

    def is_in(self, node: Node, pods: Iterable[Pod]) -> bool:
        """Whether a node with these pods has room for all of them."""
        return has_room(self.world, NodeInfo(node, tuple(pods)), self.most)


def that_differ(
    taken: Sequence[Taken],
    looks: Looks,
    likeness: Likeness,
    room: Room,
    *,
    anywhere: bool,
) -> Sequence[Placement]:
    """One of each that differ in more than in how room is taken that nobody needs.

    It does not matter where those in focus are if they are placed ``anywhere`` afterwards.
    """
    found: dict[Any, Placement] = {}
    for each in taken:
        domains: dict[str, list[Any]] = {}
        for node in room.nodes:
            name = node.metadata.name
            pods = each.standing.get(name, ())
            free = looks.room_alone and room.is_in(node, pods)
            seen = looks.beside_room(pods) if free else looks.whole(pods)
            own = () if anywhere else tuple(each.own.get(name, ()))
            mark = (likeness.kinds[name], free, seen, own)
            domains.setdefault(likeness.domains[name], []).append(mark)
        form = tuple(sorted(tuple(sorted(marks)) for marks in domains.values()))
        found.setdefault(form, each.placement)
    return tuple(found.values())


def kept(starts: Starts, placements: Sequence[Placement], most: int) -> Starts:
    """So many of these; there are more if there were."""
    return Starts(tuple(placements[:most]), starts.more or len(placements) > most)
