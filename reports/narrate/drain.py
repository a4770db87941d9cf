"""``kubectl drain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.events import budget_names
from kubelemma.model.cluster.state import ACTIVE, Marks, NodeState
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.disruption.rules import Counts, Guard, guards
from kubelemma.model.components.drain.actions import (
    DRAIN_DELETE,
    DRAIN_TIMES_OUT,
    GIVE_UP_EVICTION,
    REFUSE_DRAIN,
    START_DRAIN,
)
from kubelemma.model.components.drain.rules import DRAIN
from kubelemma.properties.drain import available_name, covering, desired
from kubelemma.reports.story import Fact, Idle
from kubelemma.reports.style import enumeration, plural

from .causes import event
from .scene import Belied, Claim, Seen, Standstill, about_workload
from .scheduler.hindrances import spacing
from .teller import Teller


def _conditions(node: NodeState) -> Iterator[str]:
    if _left(node):
        yield "being drained"


def _idle(end: Standstill) -> Iterator[Idle]:
    if not end.acts(DRAIN):
        return
    reasons = [*_refused(end), *_awaited(end)]
    if reasons:
        yield Idle(DRAIN, "; ".join(reasons), held_up=True)
    else:
        yield Idle(DRAIN, "every pod that was listed is gone, or given up")


def _refused(end: Standstill) -> Iterator[str]:
    """What keeps pods from being evicted."""
    nodes = end.seen.nodes().values()
    left = sum(g.size for node in nodes for g in node.pods if g.marks & Marks.LISTED)
    if left:
        refusing = [
            _why_not(guard, status)
            for guard in _asked(end.world, *nodes)
            for status in (end.seen.value(guard.cell).status,)
            if not status.allowed
        ]
        yield f"{plural(left, 'pod')} may not be evicted: {'; '.join(refusing)}"


def _awaited(end: Standstill) -> Iterator[str]:
    """What keeps pods that were deleted from going."""
    for name, node in end.seen.nodes().items():
        left = sum(g.size for g in node.pods if g.marks & Marks.AWAITED and g.phase not in ACTIVE)
        if left and not node.up:
            why = "the container runtime does not answer" if node.ails else "the machine is down"
            yield f"{plural(left, 'pod')} on {name} cannot end, as {why}"


def _why_not(guard: Guard, status: Counts) -> str:
    """Why a budget allows nothing, in about the API server's own words."""
    if guard.scale is None:
        return (
            f"{guard.cell} allows nothing because its sync fails: it covers pods of a workload "
            "that does not implement the scale subresource"
        )
    needs = plural(status.desired, "healthy pod")
    return f"{guard.cell} needs {needs} and has {status.healthy}"


def _asked(world: World, *nodes: NodeState) -> Iterator[Guard]:
    """The budgets that cover pods which drains of these nodes are yet to remove."""
    listed = {g.pod_class for node in nodes for g in node.pods if g.marks & Marks.LISTED}
    return (guard for guard in guards(world) if listed & guard.classes)


def _unfinished(belied: Belied) -> Iterator[Claim]:
    """What is left of the list, node by node, and what the budgets say."""
    for name, node in belied.seen.nodes().items():
        if left := _left(node):
            statuses = [
                Fact(f"disruptionsAllowed of {guard.cell}", str(state.status.allowed))
                for guard in _asked(belied.world, node)
                for state in (belied.seen.value(guard.cell),)
            ]
            failing = [
                Fact(f"sync of {guard.cell}", "fails")
                for guard in _asked(belied.world, node)
                if guard.scale is None
            ]
            yield Claim(
                f"The drain of {name} still waits for {plural(left, 'pod')}",
                (Fact(f"pods of {name} that are still there", str(left)), *statuses, *failing),
            )


def _left(node: NodeState) -> int:
    """How many pods a drain of the node still waits for."""
    marked = (group for group in node.pods if group.marks & (Marks.LISTED | Marks.AWAITED))
    return sum(group.size for group in marked)


def _since(states: Sequence[Seen]) -> int:
    """After how many steps the drain has begun that does not end, whatever came of others."""
    left = [{name: _left(node) for name, node in seen.nodes().items()} for seen in states]
    begun = [
        max((at + 1 for at, nodes in enumerate(left) if not nodes[name]), default=0)
        for name, pods in left[-1].items()
        if pods
    ]
    return min(begun, default=len(states) - 1)


@about_workload
def _taken(belied: Belied, workload: Workload) -> Iterator[Claim]:
    """How many pods are left, and who asks for more."""
    found = covering(belied.world, workload)
    name = available_name(belied.seen.scenario, workload)
    left = sum(belied.seen.summed(name))
    if not found:
        sentence = f"The last step leaves {left} available, and no budget covers them"
        yield Claim(sentence, (Fact("available pods", str(left)), *_apart(belied, workload)))
    elif belied.before.summed(name) != belied.seen.summed(name) and _fails(belied):
        names = enumeration(guard.cell for guard in found)
        sentence = f"The machine takes its pods with it and leaves {left} available: no budget "
        terms = (Fact("available pods", str(left)), *_apart(belied, workload))
        yield Claim(f"{sentence}is asked, be it {names}", terms)
        return
    for guard in found:
        pods = belied.seen.summed(guard.tally)
        specs = (belied.seen.summed(w.tally("specs")) for w in guard.workloads(belied.world))
        least = desired(guard, pods, *specs)
        if pods[1] >= least:
            continue
        yield Claim(
            f"The last step leaves {plural(pods[1], 'healthy pod')}, fewer than the {least} "
            f"that {guard.cell} desires",
            (
                Fact("healthy pods", str(pods[1])),
                Fact("desired", str(least)),
                *_told(belied, guard),
                *_apart(belied, workload),
            ),
        )


def _told(belied: Belied, guard: Guard) -> Iterator[Fact]:
    """What the status of a budget said, where anybody may ask it."""
    if guard.cell in belied.seen.scenario.system.positions:
        status = belied.before.value(guard.cell).status
        yield Fact("currentHealthy by the status that was read", str(status.healthy))


def _apart(belied: Belied, workload: Workload) -> Iterator[Fact]:
    """How many pods there are, and what keeps them apart, or does not."""
    return spacing(belied.seen, workload, belied.written)


def _fails(belied: Belied) -> bool:
    """Whether the last step is that a machine fails."""
    before = belied.before.nodes()
    return any(before[name].up and not node.up for name, node in belied.seen.nodes().items())


def _failed(belied: Belied) -> Iterator[Claim]:
    """Where pods stay that were to go."""
    if _begins(belied):
        nodes = belied.seen.nodes().items()
        new = (name for name, n in nodes if n.cordoned and not belied.before.nodes()[name].cordoned)
        its = next(new, "the node")
        yield Claim(f"The drain removes no pod, and leaves {its} cordoned", ())
    else:
        yield Claim("The drain goes on without this pod, fails in the end, and leaves it there", ())


def _begins(belied: Belied) -> bool:
    """Whether the last step is that somebody drains a node."""
    events = belied.seen.scenario.events
    names = zip(budget_names(belied.world, events), events, strict=True)
    drains = (name for name, event in names if event.action == START_DRAIN)
    return any(belied.before.value(name) != belied.seen.value(name) for name in drains)


TELLER = Teller(
    name="drain",
    sentences={
        START_DRAIN: "starts to drain {node}",
        REFUSE_DRAIN: "starts to drain {node}",
        DRAIN_DELETE: "deletes {pod} from {node}",
        GIVE_UP_EVICTION: "gives up the eviction of {pod} on {node}",
        DRAIN_TIMES_OUT: "stops draining {node}",
    },
    causes={
        START_DRAIN: event("drain"),
        REFUSE_DRAIN: event("drain"),
        DRAIN_TIMES_OUT: event("drain"),
    },
    conditions=_conditions,
    idle=_idle,
    since={"DRAIN-1": _since},
    claims={"DRAIN-1": _unfinished, "DRAIN-2": _taken, "DRAIN-3": _failed},
)
