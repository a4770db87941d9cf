"""Whether workloads that stand by may be in the way once a node is lost or drained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubelemma.model.manifests.check import EventEntry
from kubelemma.model.objects.node import Node

from .application import Application
from .crowding import crowded
from .moving import floor_of, lost_by, movers_of, strays
from .start import Placement
from .templates import Key, key_of


def displaced(
    application: Application,
    placement: Placement,
    nodes: Iterable[Node],
    entries: Sequence[EventEntry],
    *,
    scoring: bool,
) -> frozenset[Key]:
    """The owners whose pods may find no node because others move, too, when a node is lost.

    All owners move then, from where they are, as they are and as they are to be; what nobody owns
    stays.
    """
    if not any(entry.loses_node or entry.drain for entry in entries):
        return frozenset()
    keys = tuple(map(key_of, application.owners))
    own = tuple(movers_of(application, placement, entries, application.owners))
    others = tuple(strays(application, placement))
    floor = floor_of(application, placement, nodes, keys)
    found = crowded((*own, *others), floor, lost_by(entries), scoring=scoring)
    return frozenset(keys[index] for index in found if index < len(keys))
