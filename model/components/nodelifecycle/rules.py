"""The node lifecycle controller.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go. Ready, the NoSchedule taint and
the NoExecute taint of a node are written by three loops: the taints come in either order, and go in
two steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from kubelemma.model.cluster.component import NO_PARTS, Component, Crowd, Parts, Telling, never
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import NodeState, Phase, moved
from kubelemma.model.cluster.world import (
    NODES,
    UNREACHABLE_NO_EXECUTE,
    UNREACHABLE_NO_SCHEDULE,
    World,
    condition_taints,
)
from kubelemma.model.components.kubelet.actions import NODE_CRASH
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.objects.node import Taint
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from .actions import (
    ACTIONS,
    API_SERVER_OUTAGE,
    CATCH_UP,
    JUDGE_ZONES,
    KNOW_NODES,
    NODE_READY,
    NODE_UNKNOWN,
    POD_UNREADY,
    TAINT_NO_EXECUTE,
    TAINT_NO_SCHEDULE,
    UNTAINT,
)
from .decision import (
    TaintChange,
    Zone,
    ZoneNodes,
    ZoneState,
    handle_disruption,
    limited_no_execute,
    marks_pods_not_ready,
    no_execute_pass,
    no_schedule_change,
    silent_conditions,
)

NODE_LIFECYCLE = "node-lifecycle-controller"
LIFECYCLE = "memory of the node lifecycle controller"
"""The cell with a `Lifecycle`."""
CENSUS = "nodes by zone"
"""Tally: what a pass of the controller sees of all nodes, as a `Census`."""

TRUE = "True"
"""The status of a condition that holds."""


class Lifecycle(NamedTuple):
    """What the node lifecycle controller remembers; ``zones`` in the order of `zones`.

    ``fresh``: it has restarted, and takes every node for a new one in its first pass.
    ``outdated``: its caches have not seen a heartbeat since the API server was away.
    """

    zones: tuple[Zone, ...]
    fresh: bool = False
    outdated: bool = False

    @property
    def all_disrupted(self) -> bool:
        """Whether it takes all zones to be fully disrupted."""
        return all(zone.state is ZoneState.FULL_DISRUPTION for zone in self.zones)

    def evicts(self, zone: int) -> bool:
        """Whether nodes of this zone may get the NoExecute taint."""
        return not self.fresh and self.zones[zone].rate > 0


class Census(NamedTuple):
    """The nodes of each zone, and how many carry the NoExecute taint."""

    zones: tuple[ZoneNodes, ...]
    evicting: int


def zones(world: World) -> tuple[str, ...]:
    """All zones, sorted."""
    return tuple(sorted({shape.zone for shape in world.shapes}))


def tallies(world: World) -> tuple[Tally, ...]:
    """Ready and other nodes by zone, and nodes that evict."""
    width = 2 * len(zones(world)) + 1

    def measure(node: NodeState) -> tuple[int, ...]:
        parts = [0] * width
        parts[2 * _zone(world, node) + (0 if node.ready else 1)] = 1
        parts[-1] = int(node.evicting)
        return tuple(parts)

    return (Tally(CENSUS, {NODES: measure}, width, _census),)


def _census(counts: tuple[int, ...]) -> Census:
    pairs = zip(counts[:-1:2], counts[1::2], strict=True)
    return Census(tuple(ZoneNodes(*pair) for pair in pairs), counts[-1])


def _zone(world: World, node: NodeState) -> int:
    return zones(world).index(world.shapes[node.shape].zone)


def settled(world: World, nodes: Iterable[NodeState]) -> Lifecycle:
    """What the controller remembers that has known these nodes for long."""
    (tally,) = tallies(world)
    rows = [tally.measures[NODES](node) for node in nodes]
    census = _census(tuple(map(sum, zip(*rows, strict=True))))
    return Lifecycle(_judged(unknown(world), census))


def unknown(world: World) -> tuple[Zone, ...]:
    """The zones before their nodes are first counted."""
    return (Zone(ZoneState.NORMAL),) * len(zones(world))


def _judged(before: tuple[Zone, ...], census: Census) -> tuple[Zone, ...]:
    """The zones after a pass, without what makes no difference.

    Unless all are disrupted, a zone that is so wholly is worked on like a normal one.
    """
    after = handle_disruption(before, census.zones).zones
    if all(zone.state is ZoneState.FULL_DISRUPTION for zone in after):
        return after
    partial_only = (
        zone
        if zone.state is ZoneState.PARTIAL_DISRUPTION
        else zone._replace(state=ZoneState.NORMAL)
        for zone in after
    )
    return tuple(partial_only)


def rules(world: World) -> tuple[Rule, ...]:
    """Rules of the controller, and of the kubelets that report their nodes' health to it."""
    both = (LIFECYCLE, NODES)
    taint, lift = partial(_no_execute, world), _lift
    return (
        Rule("node turns Unknown", NODE_LIFECYCLE, (NODES,), _unknown),
        Rule("kubelet posts node status", KUBELET, (NODES,), _node_ready),
        Rule("node taint NoSchedule", NODE_LIFECYCLE, (NODES,), _no_schedule),
        Rule("node taint NoExecute", NODE_LIFECYCLE, both, taint),
        Rule("NoExecute taint is lifted", NODE_LIFECYCLE, both, lift),
        Rule("zones are judged", NODE_LIFECYCLE, (LIFECYCLE,), _judge, (CENSUS,)),
        Rule("pods of an unreachable node turn unready", NODE_LIFECYCLE, (NODES,), _unready),
    )


def outage_rules() -> tuple[Rule, ...]:
    """What the controller does while it does not know that the API server is back.

    It has missed the heartbeats since, and takes live nodes for silent ones. Its caches start to
    watch again only after a back-off.
    """
    both = (LIFECYCLE, NODES)
    return (
        Rule("live node turns Unknown", NODE_LIFECYCLE, both, _unknown_to_it),
        Rule("pods of a live node turn unready", NODE_LIFECYCLE, both, _unready_to_it),
        Rule("heartbeats arrive again", NODE_LIFECYCLE, (LIFECYCLE,), _catch_up),
    )


# What the controller decides of a node, in terms of its conditions and taints


def _ready(node: NodeState) -> str:
    """The status of Ready; no kubelet here reports it as False."""
    return TRUE if node.ready else "Unknown"


def _conditions(node: NodeState) -> Mapping[str, str]:
    return {"Ready": _ready(node)}


def _silenced(node: NodeState) -> NodeState:
    """The node once its grace period ran out in silence."""
    return node._replace(ready=silent_conditions(_conditions(node))["Ready"] == TRUE)


def _mirrored(node: NodeState) -> NodeState:
    """The node once its NoSchedule taints show its conditions."""
    change = no_schedule_change(
        condition_taints(node), _conditions(node), unschedulable=node.cordoned
    )
    return _retainted(node, change)


def _reachable(node: NodeState) -> NodeState:
    """The node once it is marked as reachable: as one that is Ready, whatever it is."""
    return _retainted(node, no_execute_pass(TRUE, condition_taints(node)).change)


def _limited(node: NodeState) -> NodeState:
    """The node once its zone's rate limiter has let it through, if it waits for that."""
    if not no_execute_pass(_ready(node), condition_taints(node)).queued:
        return node
    return _retainted(node, limited_no_execute(_ready(node)))


def _retainted(node: NodeState, change: TaintChange) -> NodeState:
    def after(taint: Taint, *, there: bool) -> bool:
        return (there or taint in change.add) and taint not in change.remove

    return node._replace(
        tainted=after(UNREACHABLE_NO_SCHEDULE, there=node.tainted),
        evicting=after(UNREACHABLE_NO_EXECUTE, there=node.evicting),
    )


# Ready


def _unknown(node: NodeState) -> Iterator[Outcome]:
    after = _silenced(node)
    if not node.up and after != node:
        why = "no heartbeat for the grace period (50 s)"
        yield Outcome(NODE_UNKNOWN, {NODES: after}, (), why)


def _unknown_to_it(memory: Lifecycle, node: NodeState) -> Iterator[Outcome]:
    after = _silenced(node)
    if memory.outdated and node.up and after != node:
        why = "its cache has shown no heartbeat for the grace period (50 s), as it still lags"
        yield Outcome(NODE_UNKNOWN, {NODES: after}, (), why)


def _catch_up(memory: Lifecycle) -> Iterator[Outcome]:
    if memory.outdated:
        why = "its caches watch the API server again"
        yield Outcome(CATCH_UP, {LIFECYCLE: memory._replace(outdated=False)}, (), why)


def _node_ready(node: NodeState) -> Iterator[Outcome]:
    """Ready turns True and the NoSchedule taint goes at once.

    Both are one step: while it is still there nothing happens that could not happen before it goes,
    and whoever may be bound once it is gone could as well have been bound a little later.
    """
    if node.up and not node.ready:
        why = "the node is back, and its heartbeat arrives; its NoSchedule taint goes"
        back = _mirrored(node._replace(ready=True))
        yield Outcome(NODE_READY, {NODES: back}, (), why)


def _unready(node: NodeState) -> Iterator[Outcome]:
    if not node.up:
        yield from _turn_unready(node)


def _unready_to_it(memory: Lifecycle, node: NodeState) -> Iterator[Outcome]:
    if memory.outdated and node.up:
        yield from _turn_unready(node)


def _turn_unready(node: NodeState) -> Iterator[Outcome]:
    """The end of the pass that wrote Unknown: before it the node was Ready, as its pods were."""
    if not marks_pods_not_ready(TRUE, _ready(node)):
        return
    for group in node.pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            writes = {NODES: node._replace(pods=moved(node.pods, group, Phase.STARTING))}
            why = "its node is Unknown, so the controller sets its Ready condition to False"
            yield Outcome(POD_UNREADY, writes, (("class", group.pod_class),), why)


# Taints


def _no_schedule(node: NodeState) -> Iterator[Outcome]:
    """``doNoScheduleTaintingPass``: whenever the Node changes."""
    after = _mirrored(node)
    if after.tainted and not node.tainted:
        why = "the node's Ready is Unknown"
        yield Outcome(TAINT_NO_SCHEDULE, {NODES: after}, (), why)


def _no_execute(world: World, memory: Lifecycle, node: NodeState) -> Iterator[Outcome]:
    """``doNoExecuteTaintingPass``: as soon as the zone's rate limiter lets the node through."""
    after = _limited(node)
    if after != node and memory.evicts(_zone(world, node)):
        why = "the node's Ready is Unknown and its zone still evicts"
        yield Outcome(TAINT_NO_EXECUTE, {NODES: after}, (), why)


def _lift(memory: Lifecycle, node: NodeState) -> Iterator[Outcome]:
    """``markNodeAsReachable``: for one reason or another."""
    after = _reachable(node)
    if after == node:
        return
    why = ""
    if node.ready:
        why = "the node's Ready is True again"
    elif memory.fresh:
        why = "the controller has restarted, and takes the node for a new one"
    elif memory.all_disrupted:
        why = "all zones are disrupted: the fault is taken to be the control plane's own"
    if why:
        yield Outcome(UNTAINT, {NODES: after}, (), why)


def _judge(memory: Lifecycle, census: Census) -> Iterator[Outcome]:
    """``handleDisruption`` at the end of a pass. A first pass lifts all taints before."""
    if memory.fresh:
        if not census.evicting:
            why = "it has seen all nodes after its restart"
            yield Outcome(KNOW_NODES, {LIFECYCLE: memory._replace(fresh=False)}, (), why)
        return
    after = memory._replace(zones=_judged(memory.zones, census))
    if after != memory:
        counts = ", ".join(f"{n.ready} of {sum(n)}" for n in census.zones)
        why = f"nodes that are Ready, by zone: {counts}"
        yield Outcome(JUDGE_ZONES, {LIFECYCLE: after}, (), why)


# The component


_FAILURES = (NODE_CRASH, API_SERVER_OUTAGE)


def nodes_fail(setting: Setting) -> bool:
    """Whether the node lifecycle controller ever has anything to do."""
    nodes = setting.start.nodes
    down = any(not (node.up and node.ready) or node.evicting for node in nodes)
    return bool(nodes) and (down or setting.may_happen(*_FAILURES))


def _parts(setting: Setting) -> Parts:
    world = setting.world
    if not world.shapes:
        return NO_PARTS
    outage = outage_rules() if setting.may_happen(API_SERVER_OUTAGE) else ()
    return Parts(
        cells=(Cell(LIFECYCLE, settled(world, setting.start.nodes)),),
        tallies=tallies(world),
        rules=(*rules(world), *outage) if nodes_fail(setting) else (),
    )


def _outage(_setting: Setting, memory: Lifecycle) -> tuple[Lifecycle, str]:
    return memory._replace(outdated=True), "nobody can reach the API server for a while"


def _by_zone(_crowd: Crowd) -> Telling:
    return lambda shape: shape.zone


COMPONENT = Component(
    name="nodelifecycle",
    distinguishes=_by_zone,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(on_cell(API_SERVER_OUTAGE, LIFECYCLE, _outage, fault=True),),
)
