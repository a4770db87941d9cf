"""Which nodes the volumes of a pod leave it where it is placed before anything happens.

A claim that has a volume has it; of any other it is left open where its volume is until a pod that
uses it is placed: then it is there. A volume that goes to one node at a time keeps all its pods on
that node, since those elsewhere would never have started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubelemma.model.cluster.stocking import storage_of, used_claims
from kubelemma.model.components.persistentvolume.decision import (
    Backing,
    backing_of,
    is_attached,
    is_exclusive,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.status import Status, unresolvable, unschedulable
from kubelemma.model.components.scheduler.decision.volumes import (
    ONE_POD,
    Asked,
    ClaimKey,
    Shelf,
    can_be_made,
    filter_binding,
    filter_limits,
    filter_zone,
    handles,
    has_capacity,
    smallest_match,
    unusable,
)
from kubelemma.model.objects.pod import Pod

Refusals = Mapping[str, Status]
"""Of nodes that a pod cannot go to because of its volumes, what the scheduler says, by name."""


class Reach:
    """The storage objects of an input, as far as they decide where pods are placed."""

    def __init__(self, objects: Iterable[Any]) -> None:
        self._shelf = Shelf(storage_of(objects))

    def refusals(self, pod: Pod, infos: Mapping[str, NodeInfo]) -> Refusals:
        """What keeps a pod off nodes that have these pods."""
        keys = used_claims(pod)
        if not keys:
            return {}
        found: dict[str, Status] = {}
        for key in keys:
            users = [i for i in infos.values() if any(key in used_claims(p) for p in i.pods)]
            for name, info in infos.items():
                status = self._refusal(key, info, users)
                if status is not None:
                    found.setdefault(name, status)
        asked = Asked(pod, None, handles=handles(pod, self._shelf))
        for name, info in infos.items():
            limited = filter_limits(asked, info, self._shelf)
            if not limited.ok:
                found.setdefault(name, limited)
        return found

    def _refusal(self, key: ClaimKey, info: NodeInfo, users: list[NodeInfo]) -> Status | None:
        claim = self._shelf.claims.get(key)
        reason = unusable(key[1], claim)
        if claim is None or reason:
            return unresolvable(reason)
        modes = claim.spec.access_modes or ()
        if users and ONE_POD in modes:
            return unschedulable("node has pod using the claim")
        backing = backing_of(claim, self._shelf)
        volume = self._shelf.volumes.get(claim.spec.volume_name)
        attached = backing.attaches if volume is None else is_attached(volume, self._shelf)
        if users and attached and is_exclusive(modes):
            elsewhere = info.name != users[0].name
            return unschedulable("volume is exclusively attached elsewhere") if elsewhere else None
        if claim.spec.volume_name:
            asked = Asked(Pod(), None, bound=(claim,) if volume is not None else ())
            statuses = (
                filter_binding(asked, info.node, self._shelf),
                filter_zone(asked, info.node, self._shelf),
            )
            return next((status for status in statuses if not status.ok), None)
        if smallest_match(claim, info.node, self._shelf, set()) is not None:
            return None
        made = self._shelf.classes.get(self._shelf.class_of(claim))
        allowed = made is None or (
            can_be_made(made, info.node) and has_capacity(claim, made, info.node, self._shelf)
        )
        near = not users or set(_segment(backing, users[0])) == set(_segment(backing, info))
        if backing.makes and allowed and near:
            return None
        return unresolvable("node(s) didn't find available persistent volumes to bind")


def _segment(backing: Backing, info: NodeInfo) -> Iterator[tuple[str, str]]:
    return ((key, info.labels[key]) for key in backing.keys if key in info.labels)
