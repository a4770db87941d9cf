"""All tellers, and what they have to say, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from . import (
    attachdetach,
    cloudnode,
    cloudnodelifecycle,
    cloudroute,
    controllermanager,
    deployment,
    disruption,
    dns,
    drain,
    endpointslice,
    eviction,
    garbagecollector,
    ingress,
    kubelet,
    kubeproxy,
    network,
    nodelifecycle,
    persistentvolume,
    podgc,
    reconcile,
    replicaset,
    scheduler,
    serviceaccount,
    servicelb,
    statefulset,
    tainteviction,
    targets,
    users,
    volumeprotection,
)
from .teller import Teller

TELLERS: tuple[Teller, ...] = (
    deployment.TELLER,
    replicaset.TELLER,
    statefulset.TELLER,
    scheduler.TELLER,
    persistentvolume.TELLER,
    attachdetach.TELLER,
    kubelet.TELLER,
    volumeprotection.TELLER,
    nodelifecycle.TELLER,
    tainteviction.TELLER,
    podgc.TELLER,
    cloudnodelifecycle.TELLER,
    cloudnode.TELLER,
    cloudroute.TELLER,
    controllermanager.TELLER,
    disruption.TELLER,
    eviction.TELLER,
    garbagecollector.TELLER,
    serviceaccount.TELLER,
    endpointslice.TELLER,
    kubeproxy.TELLER,
    dns.TELLER,
    ingress.TELLER,
    network.TELLER,
    servicelb.TELLER,
    targets.TELLER,
    reconcile.TELLER,
    users.TELLER,
    drain.TELLER,
)
"""In the order in which they are asked."""

NameT = TypeVar("NameT", bound=str)
SaidT = TypeVar("SaidT")


def together(part: Callable[[Teller], Mapping[NameT, SaidT]]) -> Mapping[NameT, SaidT]:
    """What all tellers say of one thing, by action, property or word.

    Raises:
        ValueError: two of them have something to say of the same.
    """
    found: dict[NameT, SaidT] = {}
    for teller in TELLERS:
        twice = found.keys() & part(teller).keys()
        if twice:
            raise ValueError(f'"{min(twice)}" of {teller.name} is told by another teller, too')
        found |= part(teller)
    return MappingProxyType(found)
