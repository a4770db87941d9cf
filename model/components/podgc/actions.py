"""What the pod garbage collector does, and users who declare a node out of service."""

from __future__ import annotations

from kubelemma.model.system import Action

OUT_OF_SERVICE = Action("out-of-service", changes=("Node",))
IN_SERVICE = Action("in-service", changes=("Node",))

FORCE_DELETE = Action("force-delete", "class")

ACTIONS = (FORCE_DELETE,)
"""Without events, which have theirs."""
