"""The node lifecycle controller: conditions of silent nodes, taints, and disruption of zones.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from kubelemma.model.objects.node import Taint

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
MEMORY_PRESSURE = "node.kubernetes.io/memory-pressure"

CONDITION_TAINTS: Mapping[tuple[str, str], str] = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): MEMORY_PRESSURE,
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
"""The key of the NoSchedule taint for a condition and its status."""

REPORTED_BY_KUBELET = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""Conditions that turn Unknown when the kubelet falls silent."""


class Settings(NamedTuple):
    """Flags of the controller. Rates are nodes per second that get the NoExecute taint."""

    node_eviction_rate: float = 0.1
    secondary_node_eviction_rate: float = 0.01
    large_cluster_size_threshold: int = 50
    unhealthy_zone_threshold: float = 0.55


DEFAULTS = Settings()

_FEWEST_NOT_READY = 3
"""A zone with fewer nodes that are not ready is not partly disrupted, whatever their share."""


class ZoneState(StrEnum):
    """How far a zone is disrupted; Initial until its nodes are first counted."""

    INITIAL = "Initial"
    NORMAL = "Normal"
    PARTIAL_DISRUPTION = "PartialDisruption"
    FULL_DISRUPTION = "FullDisruption"


class Zone(NamedTuple):
    """What the controller remembers of a zone: its state, and the rate set when it took it."""

    state: ZoneState = ZoneState.INITIAL
    rate: float = DEFAULTS.node_eviction_rate


class ZoneNodes(NamedTuple):
    """The nodes of a zone: with condition Ready True, and all others."""

    ready: int
    not_ready: int


class Disruption(NamedTuple):
    """The zones after a pass, and what else it does.

    ``stopped``: all zones have become fully disrupted, so the NoExecute taints are taken off every
    node and evictions stop. ``resumed``: that is over, and every node's grace period starts anew.
    """

    zones: tuple[Zone, ...]
    stopped: bool = False
    resumed: bool = False


class TaintChange(NamedTuple):
    """Taints to add in one PATCH, then taints to remove in another; others may act in between."""

    add: tuple[Taint, ...] = ()
    remove: tuple[Taint, ...] = ()


class NoExecutePass(NamedTuple):
    """What monitoring does about a node's NoExecute taints at once, and whether it queues it.

    A queued node waits for the rate limiter of its zone, then `limited_no_execute` applies.
    """

    change: TaintChange = TaintChange()
    queued: bool = False


def compute_zone_state(
    ready: int, not_ready: int, threshold: float = DEFAULTS.unhealthy_zone_threshold
) -> ZoneState:
    """The state of a zone with so many ready and other nodes.

    The share is compared in single precision, as there.
    """
    if ready == 0 and not_ready > 0:
        return ZoneState.FULL_DISRUPTION
    if not_ready < _FEWEST_NOT_READY:
        return ZoneState.NORMAL
    share = _single(not_ready / (ready + not_ready))
    return ZoneState.PARTIAL_DISRUPTION if share >= _single(threshold) else ZoneState.NORMAL


def eviction_rate(state: ZoneState, size: int, settings: Settings = DEFAULTS) -> float:
    """Nodes per second that are tainted in a zone of ``size`` nodes which enters this state."""
    if state is not ZoneState.PARTIAL_DISRUPTION:
        return settings.node_eviction_rate
    if size > settings.large_cluster_size_threshold:
        return settings.secondary_node_eviction_rate
    return 0.0


def handle_disruption(
    zones: Sequence[Zone], nodes: Sequence[ZoneNodes], settings: Settings = DEFAULTS
) -> Disruption:
    """One pass over all zones: ``nodes[i]`` are now in the zone remembered as ``zones[i]``.

    A rate is set when a zone changes its state and stays when only its size changes. A zone without
    nodes is forgotten. (Where another zone is disrupted the real controller may keep it for a
    while, by the order of a Go map; that matters only if the zone returns.)
    """
    states = [compute_zone_state(*n, settings.unhealthy_zone_threshold) for n in nodes]
    present = [i for i, n in enumerate(nodes) if sum(n)]
    all_full = all(states[i] is ZoneState.FULL_DISRUPTION for i in present)
    were_full = all(zones[i].state is ZoneState.FULL_DISRUPTION for i in present)
    stopped, resumed = all_full and not were_full, were_full and not all_full
    after = [Zone(rate=settings.node_eviction_rate)] * len(zones)
    for i in present:
        if stopped:
            after[i] = Zone(states[i], 0.0)
        elif resumed or states[i] is not zones[i].state:
            after[i] = Zone(states[i], eviction_rate(states[i], sum(nodes[i]), settings))
        else:
            after[i] = zones[i]
    return Disruption(tuple(after), stopped, resumed)


def silent_conditions(conditions: Mapping[str, str]) -> Mapping[str, str]:
    """The statuses of a node's conditions, by type, after its grace period ran out in silence.

    Nothing is written while Ready is Unknown already.
    """
    if conditions.get("Ready") == "Unknown":
        return conditions
    return {**conditions, **dict.fromkeys(REPORTED_BY_KUBELET, "Unknown")}


def marks_pods_not_ready(observed: str, current: str) -> bool:
    """Whether a pass sets the condition Ready of all pods on a node to False.

    ``observed`` and ``current`` are the node's Ready before and after the pass's own write: only
    a node that falls silent loses its pods' readiness, not one whose kubelet reports Ready False.
    (A pod that is first seen on a node which is not Ready is marked as well.) A pod without the
    condition stays without.
    """
    return observed == "True" and current != "True"


def no_schedule_change(
    taints: Sequence[Taint], conditions: Mapping[str, str], *, unschedulable: bool
) -> TaintChange:
    """How the NoSchedule taints are made to mirror the conditions (type to status), at once."""
    keys = [
        key for (kind, status), key in CONDITION_TAINTS.items() if conditions.get(kind) == status
    ]
    if unschedulable:
        keys.append(UNSCHEDULABLE)
    managed = {*CONDITION_TAINTS.values(), UNSCHEDULABLE}
    present = {t.key: t for t in taints if t.effect == "NoSchedule" and t.key in managed}
    return TaintChange(
        add=tuple(Taint(key=key, effect="NoSchedule") for key in keys if key not in present),
        remove=tuple(taint for key, taint in present.items() if key not in keys),
    )


def no_execute_pass(ready: str, taints: Sequence[Taint]) -> NoExecutePass:
    """What monitoring does about NoExecute taints, given the status of Ready that it observed.

    A node that is ready loses both; one that carries the opposite taint is swapped at once; any
    other is queued.
    """
    present = [t for t in taints if t.effect == "NoExecute"]
    if ready == "True":
        gone = [t for key in (UNREACHABLE, NOT_READY) for t in present if t.key == key]
        return NoExecutePass(TaintChange(remove=tuple(gone)))
    swap = limited_no_execute(ready)
    opposite = {t.key for t in swap.remove}
    if any(t.key in opposite for t in present):
        return NoExecutePass(swap)
    return NoExecutePass(queued=True)


def limited_no_execute(ready: str) -> TaintChange:
    """What a queued node gets when its zone's rate limiter lets it through.

    One that is ready by then gets nothing.
    """
    if ready == "True":
        return TaintChange()
    not_ready = Taint(key=NOT_READY, effect="NoExecute")
    unreachable = Taint(key=UNREACHABLE, effect="NoExecute")
    if ready == "False":
        return TaintChange((not_ready,), (unreachable,))
    return TaintChange((unreachable,), (not_ready,))


def _single(number: float) -> float:
    """The number in single precision (Go's float32)."""
    value: float = struct.unpack("f", struct.pack("f", number))[0]
    return value
