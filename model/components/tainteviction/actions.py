"""What the taint eviction controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

EVICT = Action("evict", "class")

ACTIONS = (EVICT,)
