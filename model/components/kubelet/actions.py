"""What befalls machines and containers, and what kubelets do."""

from __future__ import annotations

from kubelemma.model.system import Action

NODE_CRASH = Action("node-crash")
NODE_PARTITION = Action("node-partition")
NODE_RETURN = Action("node-return")
FORCE_DELETE_POD = Action("force-delete-pod", "class")
RUNTIME_OUTAGE = Action("runtime-outage")
RUNTIME_RETURN = Action("runtime-return")
NODE_SHUTDOWN = Action("node-shutdown")
MEMORY_SHORT = Action("memory-pressure")
REMOVE_NODE = Action("user-delete-node", changes=("Node",))
NODE_FAILURES = (
    NODE_CRASH,
    NODE_PARTITION,
    RUNTIME_OUTAGE,
    NODE_SHUTDOWN,
    REMOVE_NODE,
    MEMORY_SHORT,
)
"""What takes the pods of a node, or keeps them from working; after the first two it is silent."""

PROBE_FAILURE = Action("probe-failure", "class")
LATE_CLEANUP = Action("late-cleanup", "class")

ADMIT = Action("admit", "class")
REJECT = Action("reject", "class")
BECOME_READY = Action("become-ready", "class")
BECOME_AVAILABLE = Action("become-available", "class")
FINISH_TERMINATION = Action("finish-termination", "class")
CONTAINER_CRASH = Action("container-crash", "class")
END_POD = Action("end-pod", "class")
POWER_OFF = Action("power-off")
EVICT_SHORT = Action("evict-for-memory", "class")
MEMORY_FREED = Action("memory-freed")
REPORT_MEMORY = Action("report-memory-pressure", changes=("Node",))
MEMORY_EASES = Action("memory-pressure-ends", changes=("Node",))
MOUNT = Action("mount", "volume")
UNMOUNT = Action("unmount", "volume")

RESIZE = Action("resize", "class")
RESIZE_POD = Action("resize-pod", "class")
REFUSE_RESIZE = Action("refuse-resize", "class")
RESIZES = (RESIZE, RESIZE_POD, REFUSE_RESIZE)
"""What takes a pod from one class to another that asks for other amounts."""

START = Action("start", "class")
KILL = Action("kill-starting", "class")

DELETE_CONFIG_MAP = Action("delete-configmap", "object")
CREATE_CONFIG_MAP = Action("create-configmap", "object")
DELETE_SECRET = Action("delete-secret", "object")
CREATE_SECRET = Action("create-secret", "object")

REGISTRY_OUTAGE = Action("registry-outage")
REGISTRY_RETURN = Action("registry-return")

ACTIONS = (
    *(ADMIT, REJECT, START, BECOME_READY, BECOME_AVAILABLE),
    *(FINISH_TERMINATION, CONTAINER_CRASH, KILL),
    *(MOUNT, UNMOUNT),
    *(RESIZE_POD, REFUSE_RESIZE),
    *(END_POD, POWER_OFF),
    *(EVICT_SHORT, MEMORY_FREED, REPORT_MEMORY, MEMORY_EASES),
)
"""Without events, which have theirs."""
