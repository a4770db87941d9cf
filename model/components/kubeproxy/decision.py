"""Which endpoints a node's kube-proxy sends traffic to.

Source: pkg/proxy/topology.go, ``CategorizeEndpoints``, and pkg/proxy/serviceport.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

LOCAL = "Local"
"""The traffic policy by which traffic stays on its node."""


class Endpoint(NamedTuple):
    """An endpoint as a slice has it, in the eyes of one node."""

    address: str
    ready: bool
    serving: bool
    terminating: bool
    local: bool = False
    for_zones: frozenset[str] = frozenset()
    for_nodes: frozenset[str] = frozenset()

    @property
    def last_resort(self) -> bool:
        """Whether it may be used where nobody is ready."""
        return self.serving and self.terminating


class Policy(NamedTuple):
    """What decides about the traffic of a Service; whether it can be reached from outside."""

    internal_local: bool = False
    external_local: bool = False
    external: bool = False

    @property
    def uses_cluster(self) -> bool:
        """Whether traffic may go to other nodes.

        Whatever comes from outside may, if it comes from a pod of the cluster after all.
        """
        return not self.internal_local or self.external

    @property
    def uses_local(self) -> bool:
        """Whether some traffic stays on its node."""
        return self.internal_local or (self.external_local and self.external)


class Place(NamedTuple):
    """A node, and its zone; empty where it has none."""

    node: str = ""
    zone: str = ""


ANYWHERE = Place()


class Chosen(NamedTuple):
    """Where traffic goes: that which may leave its node, that which may not, and either.

    ``has_any``: whether there is an endpoint anywhere that could be used.
    """

    cluster: tuple[Endpoint, ...] = ()
    local: tuple[Endpoint, ...] = ()
    reachable: tuple[Endpoint, ...] = ()
    has_any: bool = False


class Hints(StrEnum):
    """By which hints endpoints are chosen."""

    NONE = ""
    NODE = "PreferSameNode"
    ZONE = "PreferSameZone"


def categorize(endpoints: Sequence[Endpoint], policy: Policy, at: Place = ANYWHERE) -> Chosen:
    """The endpoints that a proxy chooses among, at a node."""
    if not endpoints:
        return Chosen()
    hints = Hints.NONE
    cluster: tuple[Endpoint, ...] = ()
    last_resort, has_any = False, False
    if policy.uses_cluster:
        hints = hints_used(endpoints, at)
        ready = (e for e in endpoints if e.ready)
        cluster = tuple(e for e in ready if _available(e, hints, at))
        if not cluster:
            cluster = tuple(e for e in endpoints if e.last_resort)
            last_resort = bool(cluster)
        has_any = bool(cluster)
    if not policy.uses_local:
        return Chosen(cluster, (), cluster, has_any)
    has_any = has_any or any(e.ready or e.last_resort for e in endpoints)
    local = tuple(e for e in endpoints if e.local and e.ready)
    if not local:
        local = tuple(e for e in endpoints if e.local and e.last_resort)
        last_resort = last_resort or bool(local)
    if not policy.uses_cluster:
        return Chosen(cluster, local, local, has_any)
    if hints is Hints.NONE and not last_resort:
        return Chosen(cluster, local, cluster, has_any)
    return Chosen(cluster, local, tuple(dict.fromkeys((*cluster, *local))), has_any)


def hints_used(endpoints: Sequence[Endpoint], at: Place) -> Hints:
    """Hints count only where every ready endpoint has one, and one of them is for this place."""
    ready = [e for e in endpoints if e.ready]
    if _all_hinted(ready, lambda e: e.for_nodes, at.node):
        return Hints.NODE
    if at.zone and _all_hinted(ready, lambda e: e.for_zones, at.zone):
        return Hints.ZONE
    return Hints.NONE


def _all_hinted(
    ready: Sequence[Endpoint], hints: Callable[[Endpoint], frozenset[str]], own: str
) -> bool:
    return all(hints(e) for e in ready) and any(own in hints(e) for e in ready)


def _available(endpoint: Endpoint, hints: Hints, at: Place) -> bool:
    if hints is Hints.NODE:
        return at.node in endpoint.for_nodes
    return hints is Hints.NONE or at.zone in endpoint.for_zones
