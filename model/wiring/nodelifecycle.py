"""The node lifecycle and taint eviction controllers.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go,
pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.controllers.nodelifecycle import ZoneState, compute_zone_state
from kubelemma.model.system import Outcome, Rule, Tally

from .state import ACTIVE, NO_EXECUTE, NO_SCHEDULE, NodeState, Phase, moved
from .world import NODES, World

NODE_LIFECYCLE = "node-lifecycle-controller"
TAINT_EVICTION = "taint-eviction-controller"
EVICTING = "zones that evict"
"""Tally: for each zone, in the order of `zones`, whether its nodes may get the NoExecute taint."""

LARGE_CLUSTER = 50
"""``LargeClusterSizeThreshold``: a partly disrupted zone up to this size stops evicting."""


def zones(world: World) -> tuple[str, ...]:
    """All zones, sorted."""
    return tuple(sorted({shape.zone for shape in world.shapes}))


def tallies(world: World) -> tuple[Tally, ...]:
    """Ready and not ready nodes by zone, reduced to what the zones' states allow."""
    names = zones(world)

    def measure(node: NodeState) -> tuple[int, ...]:
        parts = [0] * (2 * len(names))
        zone = names.index(world.shapes[node.shape].zone)
        parts[2 * zone + (0 if node.ready else 1)] = 1
        return tuple(parts)

    return (Tally(EVICTING, {NODES: measure}, 2 * len(names), evicting_zones),)


def evicting_zones(counts: tuple[int, ...]) -> tuple[bool, ...]:
    """From (ready, not ready) for each zone: where tainting for eviction goes on."""
    states = [
        compute_zone_state(ready, bad) for ready, bad in zip(counts[::2], counts[1::2], strict=True)
    ]
    if all(state is ZoneState.FULL_DISRUPTION for state in states):
        return (False,) * len(states)
    sizes = [a + b for a, b in zip(counts[::2], counts[1::2], strict=True)]
    return tuple(
        state is not ZoneState.PARTIAL_DISRUPTION or size > LARGE_CLUSTER
        for state, size in zip(states, sizes, strict=True)
    )


def rules(world: World) -> tuple[Rule, ...]:
    """Rules of both controllers."""
    names = zones(world)

    def allowed(node: NodeState, evicting: tuple[bool, ...]) -> bool:
        return evicting[names.index(world.shapes[node.shape].zone)]

    def evict(node: NodeState) -> Iterator[Outcome]:
        return _evict(world, node)

    reads = (EVICTING,)
    return (
        Rule("node turns Unknown", NODE_LIFECYCLE, (NODES,), _unknown),
        Rule("node taint NoSchedule", NODE_LIFECYCLE, (NODES,), _no_schedule),
        Rule("node taint NoExecute", NODE_LIFECYCLE, (NODES,), _no_execute(allowed), reads),
        Rule("node taints removed", NODE_LIFECYCLE, (NODES,), _untaint),
        Rule("zone disruption lifts taints", NODE_LIFECYCLE, (NODES,), _lift, reads),
        Rule("pods of an unreachable node turn unready", NODE_LIFECYCLE, (NODES,), _unready),
        Rule("tolerationSeconds run out", TAINT_EVICTION, (NODES,), evict),
    )


def _unknown(node: NodeState) -> Iterator[Outcome]:
    if node.ready and not node.up:
        why = "no heartbeat for the grace period (50 s)"
        yield Outcome("node-unknown", {NODES: node._replace(ready=False)}, (), why)


def _no_schedule(node: NodeState) -> Iterator[Outcome]:
    if not node.ready and not node.unreachable & NO_SCHEDULE:
        tainted = node._replace(unreachable=node.unreachable | NO_SCHEDULE)
        yield Outcome("taint-no-schedule", {NODES: tainted}, (), "the node's Ready is Unknown")


def _no_execute(
    allowed: Callable[[NodeState, tuple[bool, ...]], bool],
) -> Callable[[NodeState, tuple[bool, ...]], Iterator[Outcome]]:
    def outcomes(node: NodeState, evicting: tuple[bool, ...]) -> Iterator[Outcome]:
        if not node.ready and not node.unreachable & NO_EXECUTE and allowed(node, evicting):
            tainted = node._replace(unreachable=node.unreachable | NO_EXECUTE)
            why = "the node's Ready is Unknown and its zone still evicts"
            yield Outcome("taint-no-execute", {NODES: tainted}, (), why)

    return outcomes


def _untaint(node: NodeState) -> Iterator[Outcome]:
    """NoSchedule goes first, NoExecute with a later pass; pods may be bound in between."""
    if node.ready and node.unreachable:
        keep = 0 if node.unreachable == NO_EXECUTE else node.unreachable & NO_EXECUTE
        after = node._replace(unreachable=keep)
        yield Outcome("untaint", {NODES: after}, (), "the node is Ready again")


def _lift(node: NodeState, evicting: tuple[bool, ...]) -> Iterator[Outcome]:
    if not node.ready and node.unreachable & NO_EXECUTE and not any(evicting):
        after = node._replace(unreachable=node.unreachable & ~NO_EXECUTE)
        why = "all zones are disrupted: the fault is taken to be the control plane's own"
        yield Outcome("untaint", {NODES: after}, (), why)


def _unready(node: NodeState) -> Iterator[Outcome]:
    if node.up or node.ready:
        return
    for group in node.pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            pods = moved(node.pods, group.pod_class, Phase(group.phase), Phase.STARTING)
            why = "its node is Unknown, so the controller sets its Ready condition to False"
            writes = {NODES: node._replace(pods=pods)}
            yield Outcome("pod-unready", writes, (("class", group.pod_class),), why)


def _evict(world: World, node: NodeState) -> Iterator[Outcome]:
    """Delete a pod that does not tolerate a NoExecute taint for ever; time is order."""
    for group in node.pods:
        if Phase(group.phase) not in ACTIVE:
            continue
        seconds = world.evicted_after(group.pod_class, node)
        if seconds is None:
            continue
        pods = moved(node.pods, group.pod_class, Phase(group.phase), Phase.TERMINATING)
        why = f"it tolerates the node's NoExecute taint for {seconds} s only, and they are over"
        if seconds == 0:
            why = "it does not tolerate the node's NoExecute taint"
        writes = {NODES: node._replace(pods=pods)}
        yield Outcome("evict", writes, (("class", group.pod_class),), why)
