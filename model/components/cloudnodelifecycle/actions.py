"""What becomes of Nodes whose machines are gone in the cloud, and of their pods."""

from __future__ import annotations

from kubelemma.model.system import Action

MACHINE_MISSING = Action("machine-missing")

DELETE_NODE = Action("delete-node", changes=("Node",))
COLLECT_ORPHAN = Action("collect-orphan", "class")

ACTIONS = (DELETE_NODE, COLLECT_ORPHAN)
"""Without events, which have theirs."""
