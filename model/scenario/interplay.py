"""Whether workloads that change at once may be asked about one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.manifests.check import Check, EventEntry
from kubelemma.model.objects.pod import Pod

from .application import Application
from .cluster import Sizing
from .crowding import Mover, crowded
from .events import Change, undone_by
from .moving import floor_of, lost_by, movers_of, strangers
from .neighbours import concern, looks
from .start import Placement, place_all
from .templates import key_of

AFTER = "-after"
"""What an owner as it is to be is called where it stands beside itself."""


def apart(application: Application, check: Check, sizing: Sizing) -> bool:
    """Whether what changes does not want the same room, and does not look at each other.

    That is so where no order in which its pods are placed, before and after and with every surge,
    has one of them lack room because of another's (`crowded`), whichever nodes events take away;
    where no rule of one is about pods of another; where no object counts pods of several; and where
    none adopts pods of another whose labels somebody changes.
    """
    if application.arriving:
        return False
    admitted, entries = application.admitted(), check.spec.events or ()
    known = bool(application.nodes or check.spec.cluster.nodes)
    given = admitted.given(nodes_known=known, undone=undone_by(admitted.owners, entries))
    placement = place_all(given, sizing.nodes, application.namespaces)
    changing = tuple(owner for owner in admitted.owners if key_of(owner) in admitted.change_of)
    movers = tuple(movers_of(admitted, placement, entries, changing))
    lost = lost_by(entries)
    if _look(movers) or (lost and _counted_together(movers, admitted.objects)):
        return False
    if _adopts(admitted, placement, entries, changing):
        return False
    floor = floor_of(admitted, placement, sizing.nodes, tuple(map(key_of, changing)))
    return not crowded(movers, floor, lost, scoring=bool(check.spec.scheduler.scoring))


def beside_itself(change: Change) -> Any:
    """An owner as it is to be, as if it was another one: a cluster has room for both."""
    owner = change.owner
    named = structs.replace(owner.metadata, name=f"{owner.metadata.name}{AFTER}")
    return structs.replace(owner, metadata=named)


def _look(movers: Sequence[Mover]) -> bool:
    """Whether a rule of a pod is about another's."""
    looking = [(mover, pod) for mover in movers for pod in mover.pods if looks(pod)]
    return any(
        concern(pod, other)
        for own, pod in looking
        for mover in movers
        if mover is not own
        for other in mover.pods
    )


def _adopts(
    application: Application,
    placement: Placement,
    entries: Sequence[EventEntry],
    changing: Sequence[Any],
) -> bool:
    """Whether an owner selects a pod that another one loses, for its labels are changed."""
    lost = [(o, pod) for o in changing for pod in strangers(application, placement, entries, o)]
    return any(
        template.selector(number).matches(pod.metadata.label_map())
        for owner, pod in lost
        for other in changing
        if other is not owner and other.metadata.namespace == owner.metadata.namespace
        for number, template in enumerate(placement.histories[key_of(other)].templates)
    )


def _counted_together(movers: Sequence[Mover], objects: tuple[Any, ...]) -> bool:
    """Whether an object counts pods of several: what one has spent, another lacks."""
    seen: set[Any] = set()
    for mover in movers:
        own = {found for pod in mover.pods for found in _counting(objects, pod)}
        if not seen.isdisjoint(own):
            return True
        seen |= own
    return False


def _counting(objects: tuple[Any, ...], pod: Pod) -> Sequence[Any]:
    return [found for component in COMPONENTS for found in component.counting(objects, pod)]
