"""``kubectl drain``."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import Marks, NodeState
from kubelemma.model.components.disruption.rules import guards
from kubelemma.model.components.drain.rules import DRAIN, LISTED
from kubelemma.reports.story import Fact, Idle
from kubelemma.reports.style import plural

from .causes import event
from .scene import Belied, Claim, Standstill
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if any(group.marks & Marks.LISTED for group in node.pods):
        yield "being drained"


def _idle(end: Standstill) -> Iterator[Idle]:
    if not end.acts(DRAIN):
        return
    (left,) = end.seen.summed(LISTED)
    if not left:
        yield Idle(DRAIN, "every pod that was listed is gone, or given up")
        return
    refusing = [
        f"{guard.cell} has {status.healthy} healthy and desires {status.desired}"
        for guard in guards(end.world)
        for status in (end.seen.value(guard.cell).status,)
        if not status.allowed
    ]
    why = f"{plural(left, 'pod')} may not be evicted: {'; '.join(refusing)}"
    yield Idle(DRAIN, why, held_up=True)


def _unfinished(belied: Belied) -> Iterator[Claim]:
    """What is left of the list, node by node, and what the budgets say."""
    for name, node in belied.seen.nodes().items():
        left = sum(group.size for group in node.pods if group.marks & Marks.LISTED)
        if left:
            statuses = [
                Fact(f"disruptionsAllowed of {guard.cell}", str(state.status.allowed))
                for guard in guards(belied.world)
                for state in (belied.seen.value(guard.cell),)
            ]
            yield Claim(
                f"The drain of {name} still waits for {plural(left, 'pod')}",
                (Fact(f"pods of {name} still to be evicted", str(left)), *statuses),
            )


TELLER = Teller(
    name="drain",
    sentences={
        "drain": "starts to drain {node}",
        "give-up-eviction": "gives up the eviction of {pod} on {node}",
        "drain-times-out": "stops draining {node}",
    },
    causes={"drain": event("drain"), "drain-times-out": event("drain")},
    conditions=_conditions,
    idle=_idle,
    claims={"DRAIN-1": _unfinished},
)
