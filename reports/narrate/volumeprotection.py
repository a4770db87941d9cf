"""The controllers that keep claims and volumes in use, and users who delete these."""

from __future__ import annotations

from kubelemma.model.components.volumeprotection.actions import (
    DELETE_CLAIM,
    DELETE_VOLUME,
    REMOVE_CLAIM,
    REMOVE_VOLUME,
)

from .causes import event
from .teller import Teller

TELLER = Teller(
    name="volumeprotection",
    sentences={
        DELETE_CLAIM: "deletes {claim}",
        DELETE_VOLUME: "deletes {volume}",
        REMOVE_CLAIM: "takes the finalizer of {claim} away: it is gone",
        REMOVE_VOLUME: "takes the finalizer of {volume} away: it is gone",
    },
    causes={DELETE_CLAIM: event("deleteClaim"), DELETE_VOLUME: event("deleteVolume")},
)
