"""What is not at rest at the start: the control plane goes on with it, whatever users do."""

from __future__ import annotations

from typing import Any

from kubelemma.model.cluster.state import Phase
from kubelemma.model.manifests.check import Check

from .application import Application
from .cluster import Sizing
from .history import History
from .initial import is_ready
from .start import Placed, place_all
from .templates import key_of, replicas_of


def under_way(application: Application, check: Check | None, sizing: Sizing) -> tuple[Any, ...]:
    """The owners whose pods are not as they want them, in the order in which they are given.

    Of one of which the input has no pods all is taken to be rolled out: it is at rest, unless the
    nodes that are given have no room for that.
    """
    admitted = application.admitted()
    nodes_known = bool(application.nodes or (check is not None and check.spec.cluster.nodes))
    given = admitted.given(nodes_known=nodes_known)
    placement = place_all(given, sizing.nodes, application.namespaces)
    unready = frozenset(node.metadata.name for node in sizing.nodes if not is_ready(node))
    return tuple(
        owner
        for owner in application.owners
        for history in (placement.histories[key_of(owner)],)
        for placed in (placement.placed[key_of(owner)],)
        if (nodes_known or history.told) and not _rests(owner, history, placed.beside(unready))
    )


def _rests(owner: Any, history: History, placed: Placed) -> bool:
    """Whether all pods that there are, are of the current template, available, and wanted."""
    numbers = range(len(history.templates))
    wanted = {number: history.wanted(number) for number in numbers}
    available = {number: placed.count(number, Phase.AVAILABLE) for number in numbers}
    there = {number: placed.count(number, *Phase) + _waiting(placed, number) for number in numbers}
    whole = {n: replicas_of(owner) if n == history.current else 0 for n in numbers}
    absent = history.unmade and len(history.templates) == 1
    return absent or wanted == available == there == whole


def _waiting(placed: Placed, number: int) -> int:
    return placed.waiting[number] if number < len(placed.waiting) else 0
