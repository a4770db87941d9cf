"""Whether workloads that stand by may be in the way once a node is lost or drained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubelemma.model.manifests.check import EventEntry
from kubelemma.model.objects.node import Namespace, Node

from .lodging import Likeness
from .start import Given, place_all
from .templates import kind_of

MOST_NODES = 100
"""On larger clusters nothing is tried."""


def displaced(
    owners: Sequence[Any],
    nodes: Sequence[Node],
    namespaces: Iterable[Namespace],
    entries: Iterable[EventEntry],
    likeness: Likeness,
) -> bool:
    """Whether several workloads compete: some node may be lost without which fewer pods fit.

    Of nodes that are alike in the same zone, one is tried.
    """
    lost = any(entry.node_crash or entry.drain for entry in entries)
    if not lost or len(owners) < 2 or len(nodes) > MOST_NODES:  # noqa: PLR2004 - alone
        return False
    found = tuple(namespaces)
    moving = [owner for owner in owners if not _stays(owner)]
    most = _pending(moving, nodes, found)
    kinds, zones = likeness
    names = (node.metadata.name for node in nodes)
    tried = {(kinds[name], zones[name]): name for name in names}.values()
    return any(
        _pending(moving, [n for n in nodes if n.metadata.name != gone], found) > most
        for gone in tried
    )


def _stays(owner: Any) -> bool:
    """Whether the pods of an owner are of no concern to the scheduler."""
    spec = kind_of(owner).template(owner).spec
    return bool(spec.scheduling_gates or spec.node_name)


def _pending(
    owners: Sequence[Any], nodes: Sequence[Node], namespaces: tuple[Namespace, ...]
) -> int:
    """How many pods find no node where all are placed anew."""
    placed = place_all(Given(owners), nodes, namespaces).placed
    return sum(there.pending for there in placed.values())
