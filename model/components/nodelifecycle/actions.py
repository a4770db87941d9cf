"""What the node lifecycle controller does, and the kubelets that report to it."""

from __future__ import annotations

from kubelemma.model.system import Action

API_SERVER_OUTAGE = Action("api-server-outage")
REGISTER_NODE = Action("register-node", changes=("Node",))

NODE_READY = Action("node-ready", changes=("Node",))
NODE_UNKNOWN = Action("node-unknown", changes=("Node",))
NODE_NOT_READY = Action("node-not-ready", changes=("Node",))
TAINT_NO_SCHEDULE = Action("taint-no-schedule")
TAINT_NO_EXECUTE = Action("taint-no-execute")
SWAP_NO_SCHEDULE = Action("swap-no-schedule")
SWAP_NO_EXECUTE = Action("swap-no-execute")
UNTAINT = Action("untaint")
JUDGE_ZONES = Action("judge-zones")
KNOW_NODES = Action("know-nodes")
CATCH_UP = Action("catch-up")
POD_UNREADY = Action("pod-unready", "class")

ACTIONS = (
    NODE_READY,
    NODE_UNKNOWN,
    NODE_NOT_READY,
    TAINT_NO_SCHEDULE,
    TAINT_NO_EXECUTE,
    SWAP_NO_SCHEDULE,
    SWAP_NO_EXECUTE,
    UNTAINT,
    JUDGE_ZONES,
    KNOW_NODES,
    CATCH_UP,
    POD_UNREADY,
)
"""Without events, which have theirs."""
