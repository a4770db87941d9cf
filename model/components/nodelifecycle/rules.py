# ruff: noqa: FBT001 - the values of columns are flags
"""The node lifecycle controller.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go. Ready, the NoSchedule taint and
the NoExecute taint of a node are written by three loops: the taints come in either order, and go in
two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import (
    AILS,
    EVICTING,
    MACHINE,
    PODS,
    READY,
    REPORTED,
    SHAPE,
    TAINTED,
    TAINTS,
    UP,
)
from kubelemma.model.cluster.component import NO_PARTS, Component, Crowd, Parts, Telling, never
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.forgetting import Forgetting, Loss
from kubelemma.model.cluster.machines import NODELESS
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import Ailment, NodeState, Phase, Pods, Taints, moved
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import (
    NODE_FAILURES,
    NODE_SHUTDOWN,
    RUNTIME_OUTAGE,
)
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from . import faults, registration
from .actions import (
    ACTIONS,
    API_SERVER_OUTAGE,
    CATCH_UP,
    JUDGE_ZONES,
    KNOW_NODES,
    NODE_NOT_READY,
    NODE_READY,
    NODE_UNKNOWN,
    POD_UNREADY,
    SWAP_NO_EXECUTE,
    SWAP_NO_SCHEDULE,
    TAINT_NO_EXECUTE,
    TAINT_NO_SCHEDULE,
    UNTAINT,
)
from .decision import DEFAULTS, Zone, ZoneNodes, ZoneState, handle_disruption
from .health import (
    Health,
    is_silent,
    loses_pods,
    mirrored,
    next_no_execute,
    next_no_schedule,
    reachable,
    reported,
    silenced,
)

NODE_LIFECYCLE = "node-lifecycle-controller"
LIFECYCLE = "memory of the node lifecycle controller"
"""The cell with a `Lifecycle`."""
CENSUS = "nodes by zone"
"""Tally: what a pass of the controller sees of all nodes, as a `Census`."""


class Pace(IntEnum):
    """How fast nodes of a zone get the NoExecute taint, by the controller's flags."""

    STOPPED = 0
    SECONDARY = 1
    USUAL = 2


_RATES = {
    Pace.STOPPED: 0.0,
    Pace.SECONDARY: DEFAULTS.secondary_node_eviction_rate,
    Pace.USUAL: DEFAULTS.node_eviction_rate,
}
_PACES = {rate: pace for pace, rate in _RATES.items()}


class KnownZone(NamedTuple):
    """What the controller remembers of a zone: a `Zone` whose rate is one of few."""

    state: ZoneState
    pace: Pace = Pace.USUAL


class Lifecycle(NamedTuple):
    """What the node lifecycle controller remembers; ``zones`` in the order of `World.zones`.

    ``fresh``: it has restarted, and takes every node for a new one in its first pass.
    ``outdated``: its caches have not seen a heartbeat since the API server was away.
    """

    zones: tuple[KnownZone, ...]
    fresh: bool = False
    outdated: bool = False

    @property
    def all_disrupted(self) -> bool:
        """Whether it takes all zones to be fully disrupted."""
        return all(zone.state is ZoneState.FULL_DISRUPTION for zone in self.zones)

    def evicts(self, zone: int) -> bool:
        """Whether nodes of this zone may get the NoExecute taint."""
        return not self.fresh and self.zones[zone].pace is not Pace.STOPPED


class Census(NamedTuple):
    """The nodes of each zone, and how many carry the NoExecute taint."""

    zones: tuple[ZoneNodes, ...]
    evicting: int


def tallies(world: World) -> tuple[Tally, ...]:
    """Ready and other nodes by zone, and nodes that evict; a Node that is gone is none."""
    width = 2 * len(world.zones()) + 1

    def counted(shape: int, ready: bool, machine: int) -> tuple[int, ...]:
        at = 2 * _zone(world, shape) + (0 if ready else 1)
        there = machine not in NODELESS
        return tuple(int(there and place == at) for place in range(width))

    def evicts(evicting: Ailment) -> tuple[int, ...]:
        return (*(0 for _ in range(width - 1)), int(bool(evicting)))

    return (Tally(CENSUS, {COUNTED: counted, EVICTING: evicts}, width, _census),)


COUNTED = (SHAPE, READY, MACHINE)
"""By what a node is counted in its zone."""


def _census(counts: tuple[int, ...]) -> Census:
    pairs = zip(counts[:-1:2], counts[1::2], strict=True)
    return Census(tuple(ZoneNodes(*pair) for pair in pairs), counts[-1])


def _zone(world: World, shape: int) -> int:
    return world.zones().index(world.shapes[shape].zone)


def settled(world: World, nodes: Iterable[NodeState]) -> Lifecycle:
    """What the controller remembers that has known these nodes for long."""
    (tally,) = tallies(world)
    rows = []
    for node in nodes:
        rows.append(tally.measures[COUNTED](node.shape, node.ready, node.machine))
        rows.append(tally.measures[EVICTING](node.evicting))
    census = _census(tuple(map(sum, zip(*rows, strict=True))))
    return Lifecycle(judged(unknown(world), census))


def unknown(world: World) -> tuple[KnownZone, ...]:
    """The zones before their nodes are first counted."""
    return (KnownZone(ZoneState.NORMAL),) * len(world.zones())


def judged(before: tuple[KnownZone, ...], census: Census) -> tuple[KnownZone, ...]:
    """The zones after a pass, without what makes no difference.

    Unless all are disrupted, a zone that is so wholly is worked on like a normal one. A zone of
    which all Nodes are gone is as disrupted as all others.
    """
    known = [Zone(zone.state, _RATES[zone.pace]) for zone in before]
    zones = handle_disruption(known, census.zones).zones
    after = tuple(KnownZone(zone.state, _PACES[zone.rate]) for zone in zones)
    full = ZoneState.FULL_DISRUPTION
    if all(z.state is full for z, nodes in zip(after, census.zones, strict=True) if sum(nodes)):
        return tuple(zone._replace(state=full) for zone in after)
    partial_only = (
        zone
        if zone.state is ZoneState.PARTIAL_DISRUPTION
        else zone._replace(state=ZoneState.NORMAL)
        for zone in after
    )
    return tuple(partial_only)


def rules(world: World) -> tuple[Rule, ...]:
    """Rules of the controller, and of the kubelets that report their nodes' health to it."""
    health = (READY, REPORTED)
    silence = (UP, AILS, *health)

    def rule(
        name: str,
        cells: tuple[str, ...],
        act: Callable[..., Iterator[Outcome]],
        writes: tuple[str, ...],
        actor: str = NODE_LIFECYCLE,
    ) -> Rule:
        return Rule(name, actor, cells, act, writes=writes)

    back = (UP, *health, *TAINTS)
    written, shown = (*health, TAINTED), (*health, *TAINTS)
    taint = partial(_no_execute, world)
    return (
        rule("node turns Unknown", silence, _unknown, health),
        rule("kubelet posts node status", back, _node_ready, written, KUBELET),
        rule("node taint NoSchedule", shown, _no_schedule, (TAINTED,)),
        rule("node taint NoExecute", (LIFECYCLE, SHAPE, *shown), taint, (EVICTING,)),
        rule("NoExecute taint is lifted", (LIFECYCLE, READY, *TAINTS), _lift, (EVICTING,)),
        Rule("zones are judged", NODE_LIFECYCLE, (LIFECYCLE,), _judge, (CENSUS,)),
        Rule(
            "pods of an unreachable node turn unready",
            NODE_LIFECYCLE,
            (*silence, PODS),
            _unready,
            writes=(PODS,),
            each=PODS,
        ),
    )


def ailing_rules() -> tuple[Rule, ...]:
    """What kubelets report that find something wrong with their node."""
    cells, writes = (AILS, READY, REPORTED), (READY, REPORTED)
    return (Rule("kubelet posts what ails it", KUBELET, cells, _node_not_ready, writes=writes),)


def outage_rules() -> tuple[Rule, ...]:
    """What the controller does while it does not know that the API server is back.

    It has missed the heartbeats since, and takes live nodes for silent ones. Its caches start to
    watch again only after a back-off.
    """
    health = (READY, REPORTED)
    seen = (LIFECYCLE, UP, AILS, *health)
    return (
        Rule("live node turns Unknown", NODE_LIFECYCLE, seen, _unknown_to_it, writes=health),
        Rule(
            "pods of a live node turn unready",
            NODE_LIFECYCLE,
            (*seen, PODS),
            _unready_to_it,
            writes=(PODS,),
            each=PODS,
        ),
        Rule("heartbeats arrive again", NODE_LIFECYCLE, (LIFECYCLE,), _catch_up),
    )


# Ready


def _unknown(up: bool, ails: Ailment, *shown: Any) -> Iterator[Outcome]:
    if is_silent(up, ails):
        yield from _turn_unknown(Health(*shown), "no heartbeat for the grace period (50 s)")


def _unknown_to_it(memory: Lifecycle, up: bool, ails: Ailment, *shown: Any) -> Iterator[Outcome]:
    if memory.outdated and not is_silent(up, ails):
        why = "its cache has shown no heartbeat for the grace period (50 s), as it still lags"
        yield from _turn_unknown(Health(*shown), why)


def _turn_unknown(health: Health, why: str) -> Iterator[Outcome]:
    after = silenced(health)
    if after != health:
        yield Outcome(NODE_UNKNOWN, {READY: after.ready, REPORTED: after.reported}, (), why)


def _catch_up(memory: Lifecycle) -> Iterator[Outcome]:
    if memory.outdated:
        why = "its caches watch the API server again"
        yield Outcome(CATCH_UP, {LIFECYCLE: memory._replace(outdated=False)}, (), why)


def _node_ready(up: bool, ready: bool, _said: Ailment, *taints: Any) -> Iterator[Outcome]:
    """Ready turns True and the NoSchedule taint goes at once.

    Both are one step: while it is still there nothing happens that could not happen before it goes,
    and whoever may be bound once it is gone could as well have been bound a little later.
    """
    if up and not ready:
        why = "the node is back, and its heartbeat arrives; its NoSchedule taint goes"
        after = reported(Ailment.NONE)
        shows = {READY: after.ready, REPORTED: after.reported}
        tainted = mirrored(after, Taints(*taints))
        yield Outcome(NODE_READY, {**shows, TAINTED: tainted}, (), why)


def _node_not_ready(ails: Ailment, *shown: Any) -> Iterator[Outcome]:
    after = reported(ails)
    if ails and after != Health(*shown):
        why = "its container runtime does not answer, so it works on no pod"
        if ails & Ailment.SHUTTING_DOWN:
            why = "node is shutting down"
        yield Outcome(NODE_NOT_READY, {READY: after.ready, REPORTED: after.reported}, (), why)


def _unready(up: bool, ails: Ailment, *shown: Any) -> Iterator[Outcome]:
    *health, pods = shown
    if is_silent(up, ails):
        yield from _turn_unready(Health(*health), pods)


def _unready_to_it(memory: Lifecycle, up: bool, ails: Ailment, *shown: Any) -> Iterator[Outcome]:
    *health, pods = shown
    if memory.outdated and not is_silent(up, ails):
        yield from _turn_unready(Health(*health), pods)


def _turn_unready(health: Health, pods: Pods) -> Iterator[Outcome]:
    """The end of the pass that wrote Unknown: before it the node was Ready, as its pods were."""
    if not loses_pods(health):
        return
    for group in pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            writes = {PODS: moved(pods, group, Phase.STARTING)}
            why = "its node is Unknown, so the controller sets its Ready condition to False"
            yield Outcome(POD_UNREADY, writes, (("class", group.pod_class),), why)


# Taints


def _no_schedule(ready: bool, said: Ailment, *taints: Any) -> Iterator[Outcome]:
    """``doNoScheduleTaintingPass``: whenever the Node changes."""
    health, before = Health(ready, said), Taints(*taints)
    after = next_no_schedule(health, before)
    pressed = (after ^ before.tainted) & Ailment.MEMORY_PRESSURE
    if after != before.tainted and (pressed or not ready):
        status = health.conditions.get("MemoryPressure", "False")
        why = f"the node's Ready is {health.status}"
        if pressed:
            why = f"the node's MemoryPressure is {status}"
        action = TAINT_NO_SCHEDULE if after & ~before.tainted else SWAP_NO_SCHEDULE
        yield Outcome(action, {TAINTED: after}, (), why)


def _no_execute(
    world: World, memory: Lifecycle, shape: int, ready: bool, said: Ailment, *taints: Any
) -> Iterator[Outcome]:
    """``doNoExecuteTaintingPass``: as soon as the zone's rate limiter lets the node through.

    A taint that says what was wrong before is swapped without that.
    """
    if ready:
        return
    health, before = Health(ready, said), Taints(*taints)
    evicts = memory.evicts(_zone(world, shape))
    after = next_no_execute(health, before, evicts=evicts)
    if after == before.evicting:
        return
    why = f"the node's Ready is {health.status}"
    if before.evicting:
        why += ", and its taint says something else"
    else:
        why += " and its zone still evicts"
    action = TAINT_NO_EXECUTE if after & ~before.evicting else SWAP_NO_EXECUTE
    yield Outcome(action, {EVICTING: after}, (), why)


def _lift(memory: Lifecycle, ready: bool, *taints: Any) -> Iterator[Outcome]:
    """``markNodeAsReachable``: for one reason or another."""
    before = Taints(*taints)
    after = reachable(before)
    if after == before.evicting:
        return
    why = ""
    if ready:
        why = "the node's Ready is True again"
    elif memory.fresh:
        why = "the controller has restarted, and takes the node for a new one"
    elif memory.all_disrupted:
        why = "all zones are disrupted: the fault is taken to be the control plane's own"
    if why:
        yield Outcome(UNTAINT, {EVICTING: after}, (), why)


def _judge(memory: Lifecycle, census: Census) -> Iterator[Outcome]:
    """``handleDisruption`` at the end of a pass. A first pass lifts all taints before."""
    if memory.fresh:
        if not census.evicting:
            why = "it has seen all nodes after its restart"
            yield Outcome(KNOW_NODES, {LIFECYCLE: memory._replace(fresh=False)}, (), why)
        return
    after = memory._replace(zones=judged(memory.zones, census))
    if after != memory:
        counts = ", ".join(f"{n.ready} of {sum(n)}" for n in census.zones)
        why = f"nodes that are Ready, by zone: {counts}"
        yield Outcome(JUDGE_ZONES, {LIFECYCLE: after}, (), why)


# The component


_FAILURES = (*NODE_FAILURES, API_SERVER_OUTAGE)


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
    ill = setting.may_happen(RUNTIME_OUTAGE, NODE_SHUTDOWN) or any(
        node.ails for node in setting.start.nodes
    )
    ailing = ailing_rules() if ill else ()
    return Parts(
        cells=(Cell(LIFECYCLE, settled(world, setting.start.nodes), Lifecycle),),
        tallies=tallies(world),
        rules=(*rules(world), *ailing, *outage) if nodes_fail(setting) else (),
    )


def _forgets(setting: Setting) -> tuple[Forgetting, ...]:
    if not nodes_fail(setting):
        return ()

    def lose(memory: Lifecycle) -> Iterator[Loss]:
        after = memory._replace(zones=unknown(setting.world), fresh=True)
        yield Loss({LIFECYCLE: after}, "it takes all nodes for new ones")

    return (Forgetting(what="nodes", actor=NODE_LIFECYCLE, cells=(LIFECYCLE,), lose=lose),)


def _outage(_setting: Setting, memory: Lifecycle) -> tuple[Lifecycle, str]:
    return memory._replace(outdated=True), "nobody can reach the API server for a while"


def _by_zone(_crowd: Crowd) -> Telling:
    return lambda shape: shape.zone


COMPONENT = Component(
    name="nodelifecycle",
    distinguishes=_by_zone,
    needs_terminating=never,
    parts=_parts,
    forgets=_forgets,
    actions=ACTIONS,
    events=(
        on_cell(API_SERVER_OUTAGE, LIFECYCLE, _outage, fault=True)._replace(
            given="apiServerOutages"
        ),
        *faults.EVENTS,
        *registration.EVENTS,
    ),
)
