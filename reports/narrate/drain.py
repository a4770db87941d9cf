"""``kubectl drain``."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import Marks, NodeState
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.disruption.rules import Guard, guards
from kubelemma.model.components.drain.rules import DRAIN, LISTED
from kubelemma.properties.drain import promised
from kubelemma.reports.story import Fact, Idle
from kubelemma.reports.style import plural

from .causes import event
from .scene import Belied, Claim, Standstill, about_workload
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
        f"{guard.cell} needs {plural(status.desired, 'healthy pod')} and has {status.healthy}"
        for guard in _asked(end.world, *end.seen.nodes().values())
        for status in (end.seen.value(guard.cell).status,)
        if not status.allowed
    ]
    why = f"{plural(left, 'pod')} may not be evicted: {'; '.join(refusing)}"
    yield Idle(DRAIN, why, held_up=True)


def _asked(world: World, *nodes: NodeState) -> Iterator[Guard]:
    """The budgets that cover pods which drains of these nodes are yet to remove."""
    listed = {g.pod_class for node in nodes for g in node.pods if g.marks & Marks.LISTED}
    return (guard for guard in guards(world) if listed & guard.classes)


def _unfinished(belied: Belied) -> Iterator[Claim]:
    """What is left of the list, node by node, and what the budgets say."""
    for name, node in belied.seen.nodes().items():
        left = sum(group.size for group in node.pods if group.marks & Marks.LISTED)
        if left:
            statuses = [
                Fact(f"disruptionsAllowed of {guard.cell}", str(state.status.allowed))
                for guard in _asked(belied.world, node)
                for state in (belied.seen.value(guard.cell),)
            ]
            yield Claim(
                f"The drain of {name} still waits for {plural(left, 'pod')}",
                (Fact(f"pods of {name} still to be evicted", str(left)), *statuses),
            )


@about_workload
def _taken(belied: Belied, workload: Workload) -> Iterator[Claim]:
    """How many are available, and who asks for more."""
    seen = belied.seen
    replicas = seen.deployment(workload).replicas
    left = sum(seen.counts(workload, "available"))
    least = promised(belied.world, workload, replicas)
    covered = any(set(guard.classes) & set(workload.classes) for guard in guards(belied.world))
    source = "with its budget" if covered else "even without a budget"
    yield Claim(
        f"The last step leaves {left} available, fewer than the {least} promised {source}",
        (
            Fact("available pods", str(left)),
            Fact("promised", str(least)),
            Fact("spec.replicas", str(replicas)),
        ),
    )


TELLER = Teller(
    name="drain",
    sentences={
        "drain": "starts to drain {node}",
        "drain-delete": "deletes {pod} of {node}",
        "give-up-eviction": "gives up the eviction of {pod} on {node}",
        "drain-times-out": "stops draining {node}",
    },
    causes={"drain": event("drain"), "drain-times-out": event("drain")},
    conditions=_conditions,
    idle=_idle,
    claims={"DRAIN-1": _unfinished, "DRAIN-2": _taken},
)
