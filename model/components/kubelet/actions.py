"""What befalls machines and containers, and what kubelets do."""

from __future__ import annotations

from kubelemma.model.system import Action

NODE_CRASH = Action("node-crash")
NODE_RETURN = Action("node-return")
PROBE_FAILURE = Action("probe-failure", "class")

ADMIT = Action("admit", "class")
REJECT = Action("reject", "class")
BECOME_READY = Action("become-ready", "class")
BECOME_AVAILABLE = Action("become-available", "class")
FINISH_TERMINATION = Action("finish-termination", "class")
CONTAINER_CRASH = Action("container-crash", "class")
MOUNT = Action("mount", "volume")
UNMOUNT = Action("unmount", "volume")

ACTIONS = (
    ADMIT,
    REJECT,
    BECOME_READY,
    BECOME_AVAILABLE,
    FINISH_TERMINATION,
    CONTAINER_CRASH,
    MOUNT,
    UNMOUNT,
)
"""Without events, which have theirs."""
