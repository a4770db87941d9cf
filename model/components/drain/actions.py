"""What ``kubectl drain`` does."""

from __future__ import annotations

from kubelemma.model.system import Action

START_DRAIN = Action("drain", changes=("Node",))
REFUSE_DRAIN = Action("drain-refuses", changes=("Node",))

DRAIN_DELETE = Action("drain-delete", "class")
GIVE_UP_EVICTION = Action("give-up-eviction", "class")
DRAIN_TIMES_OUT = Action("drain-times-out")

ACTIONS = (REFUSE_DRAIN, DRAIN_DELETE, GIVE_UP_EVICTION, DRAIN_TIMES_OUT)
"""Without events, which have theirs."""
