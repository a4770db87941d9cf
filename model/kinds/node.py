"""Node.

Sources: ``pkg/apis/core/v1/defaults.go``, ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.node import Node, NodeCondition, NodeSpec, NodeStatus, Taint

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant, not_modelled
from .parts.pod_defaults import given_or, in_milli
from .parts.resources import advice, quantities
from .parts.taints import taints


def _filled(thing: Node) -> Node:
    capacity = in_milli(thing.status.capacity)
    allocatable = in_milli(given_or(thing.status.allocatable, capacity))
    status = replace(thing.status, capacity=capacity, allocatable=allocatable)
    return replace(thing, status=status)


def _refused(thing: Node) -> Iterator[Finding]:
    yield from taints(thing.spec.taints or (), ("spec", "taints"))
    yield from quantities(thing.status.capacity, ("status", "capacity"))
    yield from quantities(thing.status.allocatable, ("status", "allocatable"))


def _advice(thing: Node) -> Iterator[Finding]:
    return advice(thing.status.allocatable, ("status", "allocatable"))


_STATUS = {
    **irrelevant(NO_EFFECT, "addresses", "daemonEndpoints", "nodeInfo", "phase", "config"),
    **irrelevant(NO_EFFECT, "runtimeHandlers", "features", "declaredFeatures"),
}
_VOLUMES = ("volumesInUse", "volumesAttached")

KIND = Kind(
    Node,
    "v1",
    namespaced=False,
    check=Use(
        fields={
            NodeSpec: irrelevant(
                NO_EFFECT, "podCIDR", "podCIDRs", "providerID", "externalID", "configSource"
            ),
            NodeStatus: {
                **_STATUS,
                **not_modelled(
                    "volumes are taken to be attached where the pods are that use them", *_VOLUMES
                ),
            },
            NodeCondition: irrelevant(
                NO_EFFECT, "lastHeartbeatTime", "lastTransitionTime", "reason", "message"
            ),
            Taint: irrelevant(NO_EFFECT, "timeAdded"),
        }
    ),
    placement=Use(fields={NodeStatus: {**_STATUS, **irrelevant(NOT_PLACING, *_VOLUMES)}}),
    filled=_filled,
    refused=_refused,
    advice=_advice,
)
