"""The network of a cluster, as far as it gives addresses to pods.

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
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import FAULT
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Leaving
from kubelemma.model.components.endpointslice.rules import follows
from kubelemma.model.system import Outcome, Rule

from .actions import REUSE_ADDRESS


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


def _parts(_setting: Setting) -> Parts:
    return NO_PARTS


COMPONENT = Component(
    name="network",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    events=(EventKind(REUSE_ADDRESS, _reuses, fault=True),),
)
