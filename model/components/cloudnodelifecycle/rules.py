# ruff: noqa: FBT001 - the values of columns are flags
"""The cloud node lifecycle controller, and pods whose Node is gone.

The cloud says of a machine that it does not exist any more; the controller asks of Nodes that are
not Ready, and deletes them. The pod garbage collector then removes their pods, whatever a kubelet
says. Where the cloud is wrong, and the machine is merely cut off, what runs there runs on. A
machine that exists and is switched off keeps its Node, which gets a taint until it is Ready again.

Source: staging/src/k8s.io/cloud-provider/controllers/nodelifecycle/node_lifecycle_controller.go,
pkg/controller/podgc/gc_controller.go (``gcOrphaned``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.cluster.columns import (
    CORDONED,
    CUT_OFF,
    EVICTING,
    MACHINE,
    PODS,
    READY,
    UNSETTLED,
    UP,
)
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
)
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import IN_API, STARTED, Ailment, Phase, Pods, shifted, without
from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.components.cloudnode.actions import MACHINE_UNKNOWN
from kubelemma.model.components.drain.actions import START_DRAIN
from kubelemma.model.components.kubelet.actions import NODE_RETURN, REMOVE_NODE, RUNTIME_RETURN
from kubelemma.model.components.nodelifecycle.actions import (
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
from kubelemma.model.components.podgc.actions import IN_SERVICE, OUT_OF_SERVICE
from kubelemma.model.components.podgc.rules import POD_GC
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.tainteviction.actions import EVICT
from kubelemma.model.components.users.actions import CORDON, UNCORDON
from kubelemma.model.system import Action, Outcome, Rule

from .actions import (
    ACTIONS,
    COLLECT_ORPHAN,
    DELETE_NODE,
    MACHINE_MISSING,
    MACHINE_STOPPED,
    TAINT_SHUTDOWN,
    UNTAINT_SHUTDOWN,
)
from .decision import is_orphan, is_tainted, is_untainted, node_goes

CLOUD = "cloud"
ORPHANS = "remove from a Node that is gone"
"""The task of the pod garbage collector that is about pods without a Node."""
CLOUD_NODE_LIFECYCLE = "cloud-node-lifecycle-controller"

OF_NODES: frozenset[Action] = frozenset(
    {
        *(BIND, EVICT, CORDON, UNCORDON, START_DRAIN, OUT_OF_SERVICE, IN_SERVICE),
        *(NODE_READY, NODE_UNKNOWN, NODE_NOT_READY, POD_UNREADY, UNTAINT),
        *(TAINT_NO_EXECUTE, TAINT_NO_SCHEDULE, SWAP_NO_EXECUTE, SWAP_NO_SCHEDULE),
    }
)
"""What nobody does to a Node that is not there."""
RETURNS = frozenset({NODE_RETURN, RUNTIME_RETURN})
"""How kubelets work again, which none does on a machine that is gone."""


def followed(setting: Setting) -> bool:
    """Whether the cloud may say of any machine that it does not exist, or is switched off."""
    return setting.may_happen(MACHINE_MISSING, MACHINE_UNKNOWN, MACHINE_STOPPED) or any(
        node.unsettled & Unsettled.SHUTDOWN for node in setting.start.nodes
    )


def nodes_go(setting: Setting) -> bool:
    """Whether a Node may be deleted, by its cloud or by somebody."""
    return followed(setting) or setting.may_happen(REMOVE_NODE)


def delete(ready: bool, machine: int, _cordoned: bool, _evicting: Ailment) -> Iterator[Outcome]:
    """The Node goes, and all that it said with it."""
    there = machine not in NODELESS
    if there and node_goes(ready=ready, exists=machine != Machine.MISSING):
        writes = {MACHINE: Machine.DELETED, CORDONED: False, EVICTING: Ailment.NONE}
        why = "the Node is not Ready, and the cloud says that its machine does not exist"
        yield Outcome(DELETE_NODE, writes, (), why)


def taint(ready: bool, machine: int, unsettled: Unsettled) -> Iterator[Outcome]:
    """The taint comes where the cloud has switched the machine off, and goes with Ready."""
    shut = bool(unsettled & Unsettled.SHUTDOWN)
    exists, stopped = machine != Machine.MISSING, machine == Machine.STOPPED
    if machine not in NODELESS and is_untainted(ready=ready, tainted=shut):
        writes = {UNSETTLED: unsettled & ~Unsettled.SHUTDOWN}
        yield Outcome(UNTAINT_SHUTDOWN, writes, (), "the Node is Ready again")
    if is_tainted(ready=ready, exists=exists, stopped=stopped, tainted=shut):
        why = "the Node is not Ready, and the cloud says that its machine is switched off"
        yield Outcome(TAINT_SHUTDOWN, {UNSETTLED: unsettled | Unsettled.SHUTDOWN}, (), why)


def collect(machine: int, up: bool, cut_off: bool, pods: Pods) -> Iterator[Outcome]:
    """Its pods are removed by force: where the machine runs after all, their containers run on."""
    if not is_orphan(node_exists=machine not in NODELESS):
        return
    for group in pods:
        if group.phase not in IN_API:
            continue
        left = without(pods, group)
        if (up or cut_off) and group.phase in STARTED:
            left = shifted(left, group.pod_class, Phase.LINGERING, 1)
        why = "its Node does not exist any more"
        yield Outcome(COLLECT_ORPHAN, {PODS: left}, (("class", group.pod_class),), why)


# A Node that is not there


def _hidden(setting: Setting, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Nobody does anything to a Node that is gone, and a machine that is gone does not return."""
    if not nodes_go(setting):
        return rules
    stops = setting.may_happen(MACHINE_STOPPED)
    return tuple(_unless_gone(r, stops=stops) if _of_a_node(r) else r for r in rules)


def _of_a_node(rule: Rule) -> bool:
    return MACHINE not in rule.cells and any(c.startswith(f"{NODES}.") for c in rule.writable)


def _unless_gone(rule: Rule, *, stops: bool) -> Rule:
    width = len(rule.cells)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        seen, machine, reads = values[:width], values[width], values[width + 1 :]
        for outcome in rule.outcomes(*seen, *reads):
            gone = machine in NODELESS and outcome.action in OF_NODES
            if gone or (machine in _AWAY and outcome.action in RETURNS):
                continue
            starts = machine == Machine.STOPPED and outcome.action in RETURNS
            runs = {**outcome.writes, MACHINE: Machine.THERE}
            yield outcome._replace(writes=runs) if starts else outcome

    returns = stops and UP in rule.writable
    writes = (*rule.writable, MACHINE) if returns else rule.writable
    return replace(rule, cells=(*rule.cells, MACHINE), writes=writes, outcomes=outcomes)


_AWAY = (Machine.MISSING, Machine.DELETED)
"""Of a machine that does not return."""


# What the cloud does


def _misses(
    _world: World, _event: Event, up: bool, machine: int
) -> Iterator[tuple[dict[str, int], str, int]]:
    if not up and machine in (Machine.THERE, Machine.STOPPED):
        yield {MACHINE: Machine.MISSING}, "it was deleted there, or the cloud is mistaken", -1


def _stops(
    _world: World, _event: Event, up: bool, cut_off: bool, machine: int
) -> Iterator[tuple[dict[str, int], str, int]]:
    if not (up or cut_off) and machine == Machine.THERE:
        yield {MACHINE: Machine.STOPPED}, "it is off, and still there", -1


_MISSING = on_node(MACHINE_MISSING, _misses, (UP, MACHINE), writes=(MACHINE,), fault=True)
_STOPPED = on_node(MACHINE_STOPPED, _stops, (UP, CUT_OFF, MACHINE), writes=(MACHINE,), fault=True)


def _in_the_end(kind: EventKind) -> EventKind:
    """What has become of a machine the cloud says: at any time, but in the end."""

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        for rule in kind.rules(setting, event, budget):
            yield replace(rule, actor=CLOUD, environment=False, task=rule.name)

    return EventKind(kind.action, rules)


# The component


def _parts(setting: Setting) -> Parts:
    if not nodes_go(setting):
        return NO_PARTS
    about = (READY, MACHINE, CORDONED, EVICTING)
    told = (READY, MACHINE, UNSETTLED)
    tells = (
        Rule(
            "taint a Node for its machine", CLOUD_NODE_LIFECYCLE, told, taint, writes=(UNSETTLED,)
        ),
        Rule("delete a Node", CLOUD_NODE_LIFECYCLE, about, delete, writes=about[1:]),
    )
    collects = Rule(
        ORPHANS,
        POD_GC,
        (MACHINE, UP, CUT_OFF, PODS),
        collect,
        writes=(PODS,),
        each=PODS,
    )
    return Parts(rules=(*(tells if followed(setting) else ()), collects))


COMPONENT = Component(
    name="cloudnodelifecycle",
    distinguishes=all_nodes_alike,
    needs_terminating=nodes_go,
    parts=_parts,
    actions=ACTIONS,
    events=(_in_the_end(_MISSING), _in_the_end(_STOPPED)),
    overhears=_hidden,
)
