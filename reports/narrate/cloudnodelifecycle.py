"""Nodes whose machines are gone in the cloud."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.components.cloudnodelifecycle.actions import (
    COLLECT_ORPHAN,
    DELETE_NODE,
    MACHINE_MISSING,
    MACHINE_STOPPED,
    TAINT_SHUTDOWN,
    UNTAINT_SHUTDOWN,
)
from kubelemma.model.components.cloudnodelifecycle.rules import CLOUD_NODE_LIFECYCLE
from kubelemma.reports.story import Idle

from .causes import event
from .scene import Standstill
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if node.machine == Machine.MISSING:
        yield "missing in the cloud"
    if node.machine == Machine.STOPPED:
        yield "switched off in the cloud"
    if node.unsettled & Unsettled.SHUTDOWN:
        yield "tainted shutdown"
    if node.machine in NODELESS:
        yield "Node deleted"


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    words = {
        Machine.THERE: "there",
        Machine.MISSING: "missing",
        Machine.DELETED: "Node deleted",
        Machine.UNREGISTERED: "there, Node deleted",
        Machine.STOPPED: "switched off",
    }
    yield "in the cloud", words[Machine(node.machine)]
    yield "taint shutdown", "present" if node.unsettled & Unsettled.SHUTDOWN else "absent"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(CLOUD_NODE_LIFECYCLE):
        yield Idle(
            CLOUD_NODE_LIFECYCLE,
            "no Node that is not Ready lacks its machine, and taints are as the cloud says",
        )


TELLER = Teller(
    name="cloudnodelifecycle",
    sentences={
        MACHINE_MISSING: "says that the machine of {node} does not exist any more",
        MACHINE_STOPPED: "says that the machine of {node} is switched off",
        TAINT_SHUTDOWN: "taints {node} shutdown, and keeps the Node",
        UNTAINT_SHUTDOWN: "takes the taint shutdown away from {node}",
        DELETE_NODE: "deletes the Node {node}",
        COLLECT_ORPHAN: "removes {pod}, whose Node {node} is gone",
    },
    causes={
        MACHINE_MISSING: event("machineMissing"),
        MACHINE_STOPPED: event("machineStopped"),
    },
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
)
