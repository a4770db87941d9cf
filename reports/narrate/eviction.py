"""The eviction subresource."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import Marks, NodeState
from kubelemma.model.components.disruption.rules import Guard, guards
from kubelemma.model.components.eviction.actions import (
    EVICT_POD,
    EVICT_UNREADY_POD,
    GRANT_EVICTION,
    LOST_REQUEST,
)
from kubelemma.model.components.eviction.rules import API_SERVER
from kubelemma.reports.story import Fact, Idle
from kubelemma.reports.style import plural

from .causes import faults
from .scene import Scene, Standstill
from .teller import Teller


def _covering(scene: Scene) -> Iterator[Guard]:
    """Each budget that covers the pod."""
    for guard in guards(scene.world):
        if scene.pod_class is not None and scene.pod_class.index in guard.classes:
            yield guard


def _budgets(scene: Scene) -> Iterator[Fact]:
    for guard in _covering(scene):
        status = scene.before.value(guard.cell).status
        yield Fact(f"disruptionsAllowed of {guard.cell}", str(status.allowed))
        yield Fact(f"currentHealthy of {guard.cell}", str(status.healthy))
        yield Fact(f"desiredHealthy of {guard.cell}", str(status.desired))


def _unseen(scene: Scene) -> Iterator[str]:
    """A status allows more than the pods that are healthy now."""
    for guard in _covering(scene) if scene.action == GRANT_EVICTION else ():
        status = scene.before.value(guard.cell).status
        _, healthy, *_ = scene.before.summed(guard.tally)
        if healthy - status.desired < status.allowed:
            pods = plural(healthy, "healthy pod")
            yield f"{guard.cell} has {pods}; its status still says {status.healthy}"


def _conditions(node: NodeState) -> Iterator[str]:
    if any(g.marks & Marks.EVICTED and not g.marks & Marks.LOST for g in node.pods):
        yield "pods being evicted"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(API_SERVER):
        yield Idle(API_SERVER, "no eviction that was granted is left to carry out")


TELLER = Teller(
    name="eviction",
    sentences={
        GRANT_EVICTION: "is granted the eviction of {pod} on {node}",
        EVICT_POD: "evicts {pod} from {node}",
        EVICT_UNREADY_POD: "evicts {pod}, which is not Ready, from {node}",
        LOST_REQUEST: "the eviction of {pod} on {node} gets lost",
    },
    causes={LOST_REQUEST: faults},
    facts={GRANT_EVICTION: _budgets, EVICT_UNREADY_POD: _budgets},
    unseen=_unseen,
    conditions=_conditions,
    idle=_idle,
)
