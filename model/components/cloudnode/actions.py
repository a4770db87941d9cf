"""What the cloud node controller does, and a cloud that does not know a machine."""

from __future__ import annotations

from kubelemma.model.system import Action

MACHINE_UNKNOWN = Action("machine-unknown")

INITIALIZE_NODE = Action("initialize-node", changes=("Node",))

ACTIONS = (INITIALIZE_NODE,)
"""Without events, which have theirs."""
