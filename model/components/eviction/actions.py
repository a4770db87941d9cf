"""What becomes of requests to evict pods."""

from __future__ import annotations

from kubelemma.model.system import Action

LOST_REQUEST = Action("lost-request", "class")

GRANT_EVICTION = Action("grant-eviction", "class")
EVICT_POD = Action("evict-pod", "class")
EVICT_UNREADY_POD = Action("evict-unready-pod", "class")

ACTIONS = (GRANT_EVICTION, EVICT_POD, EVICT_UNREADY_POD)
"""Without events, which have theirs."""
