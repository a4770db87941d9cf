"""The ReplicaSet controller: how many pods to create or delete, and which to delete first.

Source: pkg/controller/replicaset/replica_set.go, pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

BURST_REPLICAS = 500
"""Pods that one sync creates or deletes at most."""

POD_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_PHASES = {"Running": 0, "Unknown": 1, "Pending": 2}
_COST_BITS = 32
_COLOCATED_BITS = 24


def manage_replicas(active: int, desired: int, burst: int = BURST_REPLICAS) -> int:
    """How many pods one sync creates (positive) or deletes (negative).

    ``active`` pods are neither terminal nor terminating.
    """
    return max(-burst, min(burst, desired - active))


class Claim(Enum):
    """What a sync makes of a pod of its namespace."""

    KEEP = "keep"
    RELEASE = "release"
    """PATCH it without the reference to its controller."""
    ADOPT = "adopt"
    """PATCH it with a reference to this one, once the API server has confirmed that it exists."""
    IGNORE = "ignore"


def claim(
    *,
    owned: bool,
    matches: bool,
    has_controller: bool,
    deleting: bool = False,
    terminating: bool = False,
) -> Claim:
    """What becomes of a pod, by whether it is this ReplicaSet's own, or anybody's at all.

    ``deleting`` is said of the ReplicaSet, ``terminating`` of the pod.

    Source: pkg/controller/controller_ref_manager.go, ``ClaimObject``.
    """
    if owned:
        if matches:
            return Claim.KEEP
        return Claim.IGNORE if deleting else Claim.RELEASE
    if has_controller or deleting or not matches or terminating:
        return Claim.IGNORE
    return Claim.ADOPT


def rank_key(*, assigned: bool, phase: str, ready: bool, deletion_cost: int, colocated: int) -> int:
    """The part of the deletion ranking that no time enters, as one number: greater goes first.

    In order: pods without a node; phase Pending, then Unknown, then Running; not ready; lower
    deletion cost; more co-located pods. Of pods with equal keys any may go, by times and UIDs.
    The number fits 63 bits for any 32-bit cost.

    Raises:
        ValueError: the count of co-located pods is negative or needs more than 24 bits.
    """
    if not 0 <= colocated < 1 << _COLOCATED_BITS:
        raise ValueError(f"{colocated} co-located pods are out of range")
    key = int(not assigned)
    key = key << 2 | _PHASES.get(phase, _PHASES["Pending"])
    key = key << 1 | int(not ready)
    key = (key << _COST_BITS) + (1 << _COST_BITS - 1) - 1 - deletion_cost
    return key << _COLOCATED_BITS | colocated


def deletion_cost_of(annotations: Mapping[str, str]) -> int:
    """The deletion cost of a pod with these annotations.

    One that is no 32-bit integer, or starts with a plus or a superfluous 0, counts as 0.

    Source: pkg/apis/core/helper/helpers.go, ``GetDeletionCostFromPodAnnotations``.
    """
    text = annotations.get(POD_DELETION_COST, "")
    if not re.fullmatch(r"0|[1-9][0-9]*|-[0-9]+", text):
        return 0
    cost = int(text)
    return cost if -(2**31) <= cost < 2**31 else 0
