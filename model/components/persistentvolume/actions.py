"""What the PersistentVolume controller does, provisioners, and users who delete claims."""

from __future__ import annotations

from kubelemma.model.system import Action

PROVISION = Action("provision-volume", "claim", "volume")
RESERVE_VOLUME = Action("reserve-volume", "claim", "volume")
VOLUME_BOUND = Action("volume-bound", "claim", "volume")
BIND_CLAIM = Action("bind-claim", "claim", "volume")
CLAIM_BOUND = Action("claim-bound", "claim", "volume")
RELEASE_VOLUME = Action("release-volume", "volume")
RECLAIM_VOLUME = Action("reclaim-volume", "volume")

ACTIONS = (
    PROVISION,
    RESERVE_VOLUME,
    VOLUME_BOUND,
    BIND_CLAIM,
    CLAIM_BOUND,
    RELEASE_VOLUME,
    RECLAIM_VOLUME,
)
