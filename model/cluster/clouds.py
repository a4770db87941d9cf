"""Nodes that a cloud has yet to settle: what the API shows of one until then.

Source: staging/src/k8s.io/cloud-provider/api/well_known_taints.go,
staging/src/k8s.io/api/core/v1/well_known_taints.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from kubelemma.model.objects.node import Node, Taint

from .machines import Unsettled
from .zones import REGIONS, ZONES

UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
SHUTDOWN = "node.cloudprovider.kubernetes.io/shutdown"
NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable"

TAINTS: Mapping[Unsettled, Taint] = {
    Unsettled.UNINITIALIZED: Taint(key=UNINITIALIZED, value="true", effect="NoSchedule"),
    Unsettled.NETWORK: Taint(key=NETWORK_UNAVAILABLE, effect="NoSchedule"),
    Unsettled.SHUTDOWN: Taint(key=SHUTDOWN, effect="NoSchedule"),
}
"""The taints that say so."""
_KEYS = frozenset(taint.key for taint in TAINTS.values())
_TYPES = ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type")
LABELS = frozenset((*ZONES, *REGIONS, *_TYPES))
"""The labels that a Node gets with its initialisation."""
CONDITION = "NetworkUnavailable"


def at_start(node: Node) -> Unsettled:
    """What is yet to be done, by the taints and conditions of a Node.

    A condition counts before the taint that follows it; without one the taint is taken for both.
    """
    keys = {taint.key for taint in node.spec.taints or ()}
    found = Unsettled.NONE
    for flag, taint in TAINTS.items():
        if taint.key in keys:
            found |= flag
    said = {c.type: c.status for c in node.status.conditions or ()}.get(CONDITION)
    if said == "True" or (said is None and found & Unsettled.NETWORK):
        found |= Unsettled.WITHOUT_ROUTE
    return found


def settled(node: Node) -> Node:
    """The same Node once all of that is done: labels that were given are those it gets."""
    spec = msgspec.structs.replace(node.spec, taints=_others(node.spec.taints or ()))
    return msgspec.structs.replace(node, spec=spec)


def unsettled(node: Node, flags: Unsettled) -> Node:
    """A settled Node as the API shows it while this is yet to be done."""
    own = (taint for flag, taint in TAINTS.items() if flags & flag)
    spec = msgspec.structs.replace(node.spec, taints=(*(node.spec.taints or ()), *own))
    if not flags & Unsettled.UNINITIALIZED:
        return msgspec.structs.replace(node, spec=spec)
    labels = {k: v for k, v in node.metadata.label_map().items() if k not in LABELS}
    metadata = msgspec.structs.replace(node.metadata, labels=labels)
    return msgspec.structs.replace(node, metadata=metadata, spec=spec)


def shown(node: Node) -> Node:
    """A Node as it was given, without labels that it has yet to get."""
    return unsettled(settled(node), at_start(node))


def _others(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    return tuple(taint for taint in taints if taint.key not in _KEYS)
