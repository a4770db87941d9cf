"""The node lifecycle and taint eviction controllers.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go,
pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.controllers.nodelifecycle import ZoneState, compute_zone_state, eviction_rate
from kubelemma.model.system import Outcome, Rule, Tally

from .kubelet import KUBELET
from .state import ACTIVE, NodeState, Phase, moved
from .world import NODES, World

NODE_LIFECYCLE = "node-lifecycle-controller"
TAINT_EVICTION = "taint-eviction-controller"
EVICTING = "zones that evict"
"""Tally: for each zone, in the order of `zones`, whether its nodes may get the NoExecute taint."""


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
    return tuple(eviction_rate(state, size) > 0 for state, size in zip(states, sizes, strict=True))


def rules(world: World) -> tuple[Rule, ...]:
    """Rules of both controllers, and of the kubelets that report their nodes' health to them."""
    names = zones(world)

    def allowed(node: NodeState, evicting: tuple[bool, ...]) -> bool:
        return evicting[names.index(world.shapes[node.shape].zone)]

    def evict(node: NodeState) -> Iterator[Outcome]:
        return _evict(world, node)

    reads = (EVICTING,)
    return (
        Rule("node turns Unknown", NODE_LIFECYCLE, (NODES,), _unknown),
        Rule("kubelet posts node status", KUBELET, (NODES,), _node_ready),
        Rule("node taint NoExecute", NODE_LIFECYCLE, (NODES,), _no_execute(allowed), reads),
        Rule("zone disruption lifts taints", NODE_LIFECYCLE, (NODES,), _lift, reads),
        Rule("pods of an unreachable node turn unready", NODE_LIFECYCLE, (NODES,), _unready),
        Rule("tolerationSeconds run out", TAINT_EVICTION, (NODES,), evict),
    )


def _unknown(node: NodeState) -> Iterator[Outcome]:
    """Ready turns Unknown and the NoSchedule taint follows at once.

    Both are one step: a pod bound between them is no different from one bound just before.
    """
    if node.ready and not node.up:
        why = "no heartbeat for the grace period (50 s)"
        yield Outcome("node-unknown", {NODES: node._replace(ready=False)}, (), why)


def _node_ready(node: NodeState) -> Iterator[Outcome]:
    """The node reports Ready, and the unreachable taints go.

    Both are one step: until the last taint is gone, evictions that were due may still happen, as
    they may before it.
    """
    if node.up and not node.ready:
        back = node._replace(ready=True, evicting=False)
        why = "the node is back, its heartbeat arrives, and its taints are removed"
        yield Outcome("node-ready", {NODES: back}, (), why)


def _no_execute(
    allowed: Callable[[NodeState, tuple[bool, ...]], bool],
) -> Callable[[NodeState, tuple[bool, ...]], Iterator[Outcome]]:
    def outcomes(node: NodeState, evicting: tuple[bool, ...]) -> Iterator[Outcome]:
        if not node.ready and not node.evicting and allowed(node, evicting):
            tainted = node._replace(evicting=True)
            why = "the node's Ready is Unknown and its zone still evicts"
            yield Outcome("taint-no-execute", {NODES: tainted}, (), why)

    return outcomes


def _lift(node: NodeState, evicting: tuple[bool, ...]) -> Iterator[Outcome]:
    if node.evicting and not any(evicting):
        why = "all zones are disrupted: the fault is taken to be the control plane's own"
        yield Outcome("untaint", {NODES: node._replace(evicting=False)}, (), why)


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
        seconds = world.evicted_after(group.pod_class, node)
        if seconds is None or Phase(group.phase) not in ACTIVE:
            continue
        pods = world.deleted(node.pods, group.pod_class, Phase(group.phase))
        why = f"it tolerates the node's NoExecute taint for {seconds} s only, and they are over"
        if seconds == 0:
            why = "it does not tolerate the node's NoExecute taint"
        writes = {NODES: node._replace(pods=pods)}
        yield Outcome("evict", writes, (("class", group.pod_class),), why)
