"""What people are told of where a pod stands."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubelemma.model.cluster.snapshot import PENDING
from kubelemma.model.cluster.state import Phase

PHASES: Mapping[int, str] = MappingProxyType(
    {
        PENDING: "pending",
        Phase.ASSIGNED: "bound",
        Phase.STARTING: "not ready",
        Phase.READY: "ready",
        Phase.AVAILABLE: "available",
        Phase.TERMINATING: "terminating",
        Phase.REVOKED: "terminating",
        Phase.LINGERING: "lingering",
        Phase.FAILED: "failed",
        Phase.CREATING: "not ready",
        Phase.RESTARTING: "not ready",
        Phase.ENDED: "terminating",
    }
)
"""In a picture."""

STATUSES: Mapping[int, str] = MappingProxyType(
    {
        PENDING: "Pending",
        Phase.ASSIGNED: "Pending (bound)",
        Phase.STARTING: "not Ready",
        Phase.READY: "Ready",
        Phase.AVAILABLE: "Ready, available",
        Phase.TERMINATING: "terminating",
        Phase.REVOKED: "terminating",
        Phase.LINGERING: "deleted by force, still running",
        Phase.FAILED: "Failed",
        Phase.CREATING: "Pending (containers to be created)",
        Phase.RESTARTING: "not Ready (containers to be created again)",
        Phase.ENDED: "ended, not cleaned up",
    }
)
"""As a field of a Pod that changes."""

SHOWN_READY = (Phase.READY, Phase.AVAILABLE)
"""Of pods that the API shows as Ready."""
