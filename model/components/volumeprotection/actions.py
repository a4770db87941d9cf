"""What the controllers that protect claims and volumes do, and users who delete them."""

from __future__ import annotations

from kubelemma.model.system import Action

DELETE_CLAIM = Action("delete-claim", "claim")
DELETE_VOLUME = Action("delete-volume", "volume")

REMOVE_CLAIM = Action("remove-claim", "claim")
REMOVE_VOLUME = Action("remove-volume", "volume")

ACTIONS = (REMOVE_CLAIM, REMOVE_VOLUME)
"""Without events, which have theirs."""
