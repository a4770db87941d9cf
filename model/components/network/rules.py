"""The network of a cluster: it gives addresses to pods, and may break between zones.

A pod's address is free once its sandbox is gone, and the plugin that hands addresses out on that
node may give it to the next pod at once. Whoever still believes in the pod that is gone then sends
to another one.

Source: the CNI specification, version 1.1.0, ``DEL``; the plugin ``host-local``
(https://www.cni.dev/plugins/current/ipam/host-local/) comes round to an address last, others do
not.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    never,
)
from kubelemma.model.cluster.events import FAULT
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Leaving
from kubelemma.model.components.endpointslice.rules import follows
from kubelemma.model.system import Cell, Outcome, Rule

from . import zones
from .actions import REUSE_ADDRESS, ZONE_SPLIT


def reuse(leaving: Leaving) -> Leaving | None:
    """The pod that is followed once its address is another's; None where it is not free."""
    if leaving == NOBODY or leaving.serving or leaving.reused:
        return None
    return leaving._replace(reused=True)


def _reuses(setting: Setting, _event: Event, budget: str) -> Iterator[Rule]:
    if not follows(setting):
        return

    def outcomes(left: int, leaving: Leaving) -> Iterator[Outcome]:
        after = reuse(leaving) if left else None
        if after is not None:
            about = (("class", leaving.pod_class),)
            why = "its sandbox is gone, so the address is free"
            yield Outcome(REUSE_ADDRESS, {budget: left - 1, LEAVING: after}, about, why)

    cells = (budget, LEAVING)
    yield Rule(f"{budget} in the network", FAULT, cells, outcomes, environment=True)


def _parts(setting: Setting) -> Parts:
    if not setting.may_happen(ZONE_SPLIT):
        return NO_PARTS
    found = zones.followed(setting)
    return Parts(
        cells=(Cell(zones.BETWEEN, zones.Between(), zones.Between),),
        tallies=tuple(zones.by_zone(setting.world, front) for front in found),
    )


COMPONENT = Component(
    name="network",
    distinguishes=zones.own_zone,
    needs_terminating=never,
    parts=_parts,
    events=(EventKind(REUSE_ADDRESS, _reuses, fault=True), zones.EVENT),
)
