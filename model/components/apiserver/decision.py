"""Writes to pods: binding and deletion.

Source: pkg/registry/core/pod/storage/storage.go, pkg/registry/core/pod/strategy.go,
staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

DEFAULT_GRACE_SECONDS = 30
"""``terminationGracePeriodSeconds`` where a pod does not say."""


class StoredPod(NamedTuple):
    """What a write looks at.

    ``grace_seconds`` is the remaining grace of a pod that terminates, else that of its spec.
    """

    bound: bool
    gated: bool = False
    terminal: bool = False
    terminating: bool = False
    grace_seconds: int = DEFAULT_GRACE_SECONDS


def binding_conflict(pod: StoredPod) -> str | None:
    """Why a Binding is refused with 409 Conflict; None if it is stored.

    Whether the node exists and has room is not asked.
    """
    if pod.terminating:
        return "pod is being deleted, cannot be assigned to a host"
    if pod.bound:
        return "pod is already assigned to a node"
    if pod.gated:
        return "pod has non-empty .spec.schedulingGates"
    return None


class Deletion(Enum):
    """What a DELETE does to the object."""

    REMOVED = "removed"
    TERMINATING = "terminating"
    UNCHANGED = "unchanged"


def delete(pod: StoredPod, grace_seconds: int | None = None) -> Deletion:
    """What becomes of a pod without finalizers; ``grace_seconds`` is what the client asks for.

    A pod that has no node or is terminal has nobody to wait for. A pod that terminates already can
    only be given less time.
    """
    wanted = pod.grace_seconds if grace_seconds is None else max(grace_seconds, -1)
    if wanted < 0:
        wanted = 1
    if not pod.bound or pod.terminal:
        wanted = 0
    if wanted == 0:
        return Deletion.REMOVED
    if pod.terminating and wanted >= pod.grace_seconds:
        return Deletion.UNCHANGED
    return Deletion.TERMINATING
