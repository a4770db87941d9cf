"""What the pod garbage collector does, and what users do for it."""

from __future__ import annotations

from kubelemma.model.system import Action

TAINT_OUT_OF_SERVICE = Action("out-of-service")

DELETE_TERMINATING = Action("delete-terminating", "class")

ACTIONS = (DELETE_TERMINATING,)
"""Without events, which have theirs."""
