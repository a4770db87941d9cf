"""The eviction subresource."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import Marks, NodeState
from kubelemma.model.components.disruption.rules import guards
from kubelemma.model.components.eviction.rules import API_SERVER
from kubelemma.reports.story import Fact, Idle

from .scene import Scene, Standstill
from .teller import Teller


def _budgets(scene: Scene) -> Iterator[Fact]:
    """The status of each budget that covers the pod."""
    for guard in guards(scene.world):
        if scene.pod_class is not None and scene.pod_class.index in guard.classes:
            status = scene.before.value(guard.cell).status
            yield Fact(f"disruptionsAllowed of {guard.cell}", str(status.allowed))
            yield Fact(f"currentHealthy of {guard.cell}", str(status.healthy))
            yield Fact(f"desiredHealthy of {guard.cell}", str(status.desired))


def _conditions(node: NodeState) -> Iterator[str]:
    if any(group.marks & Marks.EVICTED for group in node.pods):
        yield "pods being evicted"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(API_SERVER):
        yield Idle(API_SERVER, "no eviction that was granted is left to carry out")


TELLER = Teller(
    name="eviction",
    sentences={
        "grant-eviction": "has the eviction of {pod} on {node} granted by its budget",
        "evict-pod": "evicts {pod} from {node}",
        "evict-unready-pod": "evicts {pod}, which is not Ready, from {node}",
    },
    facts={"grant-eviction": _budgets, "evict-unready-pod": _budgets},
    conditions=_conditions,
    idle=_idle,
)
