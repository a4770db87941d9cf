"""The pod garbage collector, and nodes out of service."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import NodeState
from kubelemma.model.components.podgc.actions import FORCE_DELETE, IN_SERVICE, OUT_OF_SERVICE
from kubelemma.model.components.podgc.rules import POD_GC
from kubelemma.reports.story import Idle

from .causes import event
from .scene import Standstill
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if node.out_of_service:
        yield "out of service"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(POD_GC):
        yield Idle(POD_GC, "no pod that is being deleted is on a node out of service")


TELLER = Teller(
    name="podgc",
    sentences={
        OUT_OF_SERVICE: "taints {node} out-of-service",
        IN_SERVICE: "takes the taint out-of-service away from {node}",
        FORCE_DELETE: "removes {pod} from {node}, which is out of service",
    },
    causes={
        OUT_OF_SERVICE: event("outOfService"),
        IN_SERVICE: event("inService", "outOfService"),
    },
    conditions=_conditions,
    idle=_idle,
)
