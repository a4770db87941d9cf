"""Nodes whose machines are gone in the cloud."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import NODELESS, Machine, NodeState
from kubelemma.model.components.cloudnodelifecycle.actions import (
    COLLECT_ORPHAN,
    DELETE_NODE,
    MACHINE_MISSING,
)
from kubelemma.model.components.cloudnodelifecycle.rules import CLOUD_NODE_LIFECYCLE
from kubelemma.reports.story import Idle

from .causes import event
from .scene import Standstill
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if node.machine == Machine.MISSING:
        yield "missing in the cloud"
    if node.machine in NODELESS:
        yield "Node deleted"


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    words = {
        Machine.THERE: "there",
        Machine.MISSING: "missing",
        Machine.DELETED: "Node deleted",
        Machine.UNREGISTERED: "there, Node deleted",
    }
    yield "in the cloud", words[Machine(node.machine)]


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(CLOUD_NODE_LIFECYCLE):
        yield Idle(
            CLOUD_NODE_LIFECYCLE, "the cloud has the machine of every Node that is not Ready"
        )


TELLER = Teller(
    name="cloudnodelifecycle",
    sentences={
        MACHINE_MISSING: "says that the machine of {node} does not exist any more",
        DELETE_NODE: "deletes the Node {node}",
        COLLECT_ORPHAN: "removes {pod}, whose Node {node} is gone",
    },
    causes={MACHINE_MISSING: event("machineMissing")},
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
)
