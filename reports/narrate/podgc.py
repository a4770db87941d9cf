"""The pod garbage collector, and nodes that users declare to be out of service."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import NodeState, Outage
from kubelemma.model.components.podgc.actions import DELETE_TERMINATING, TAINT_OUT_OF_SERVICE
from kubelemma.model.components.podgc.rules import POD_GC
from kubelemma.reports.story import Idle

from .causes import event
from .differing import flag
from .scene import Standstill
from .teller import Teller


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "taint out-of-service", flag(node.outage == Outage.OUT_OF_SERVICE)


def _conditions(node: NodeState) -> Iterator[str]:
    if node.outage == Outage.OUT_OF_SERVICE:
        yield "out of service"


def _idle(_end: Standstill) -> Iterator[Idle]:
    yield Idle(POD_GC, "no pod terminates on a node that is out of service")


TELLER = Teller(
    name="podgc",
    sentences={
        TAINT_OUT_OF_SERVICE: "switches {node} off, and taints it as out of service",
        DELETE_TERMINATING: "deletes {pod} of {node} by force",
    },
    causes={TAINT_OUT_OF_SERVICE: event("outOfService")},
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
)
