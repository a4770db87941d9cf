"""When a claim or a volume that somebody has deleted is gone.

The finalizers ``kubernetes.io/pvc-protection`` and ``kubernetes.io/pv-protection`` keep it until
then. Source: pkg/controller/volume/pvcprotection/pvc_protection_controller.go (``podUsesPVC``: only
pods that are bound to a node count), pkg/controller/volume/pvprotection/pv_protection_controller.go
(``isBeingUsed``).
"""

from __future__ import annotations

from typing import NamedTuple


class ClaimName(NamedTuple):
    """The namespace and name of a claim."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def claim_goes(*, deleted: bool, pods_on_nodes: int) -> bool:
    """Whether a claim goes: it has been deleted, and no pod on a node uses it."""
    return deleted and not pods_on_nodes


def volume_goes(*, deleted: bool, bound: bool) -> bool:
    """Whether a volume goes: it has been deleted, and is not Bound."""
    return deleted and not bound
