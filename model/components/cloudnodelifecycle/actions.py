"""What becomes of Nodes whose machines are gone in the cloud, and of their pods."""

from __future__ import annotations

from kubelemma.model.system import Action

MACHINE_MISSING = Action("machine-missing")
MACHINE_STOPPED = Action("machine-stopped")

DELETE_NODE = Action("delete-node", changes=("Node",))
COLLECT_ORPHAN = Action("collect-orphan", "class")
TAINT_SHUTDOWN = Action("taint-shutdown")
UNTAINT_SHUTDOWN = Action("untaint-shutdown")

ACTIONS = (DELETE_NODE, COLLECT_ORPHAN, TAINT_SHUTDOWN, UNTAINT_SHUTDOWN)
"""Without events, which have theirs."""
