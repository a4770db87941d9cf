# ruff: noqa: FBT001 - the values of columns are flags
"""The cloud node lifecycle controller, and pods whose Node is gone.

The cloud says of a machine that it does not exist any more; the controller asks of Nodes that are
not Ready, and deletes them. The pod garbage collector then removes their pods, whatever a kubelet
says. Where the cloud is wrong, and the machine is merely cut off, what runs there runs on.

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
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import (
    IN_API,
    NODELESS,
    STARTED,
    Ailment,
    Machine,
    Phase,
    Pods,
    shifted,
    without,
)
from kubelemma.model.cluster.world import NODES, World
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

from .actions import ACTIONS, COLLECT_ORPHAN, DELETE_NODE, MACHINE_MISSING
from .decision import is_orphan, node_goes

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
_STANDING = (Machine.THERE, Machine.UNREGISTERED)


def followed(setting: Setting) -> bool:
    """Whether the cloud may say of any machine that it does not exist."""
    return setting.may_happen(MACHINE_MISSING)


def nodes_go(setting: Setting) -> bool:
    """Whether a Node may be deleted, by its cloud or by somebody."""
    return setting.may_happen(MACHINE_MISSING, REMOVE_NODE)


def delete(ready: bool, machine: int, _cordoned: bool, _evicting: Ailment) -> Iterator[Outcome]:
    """The Node goes, and all that it said with it."""
    there = machine not in NODELESS
    if there and node_goes(ready=ready, exists=machine == Machine.THERE):
        writes = {MACHINE: Machine.DELETED, CORDONED: False, EVICTING: Ailment.NONE}
        why = "the Node is not Ready, and the cloud says that its machine does not exist"
        yield Outcome(DELETE_NODE, writes, (), why)


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
    return tuple(_unless_gone(rule) if _of_a_node(rule) else rule for rule in rules)


def _of_a_node(rule: Rule) -> bool:
    return MACHINE not in rule.cells and any(c.startswith(f"{NODES}.") for c in rule.writable)


def _unless_gone(rule: Rule) -> Rule:
    width = len(rule.cells)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        seen, machine, reads = values[:width], values[width], values[width + 1 :]
        for outcome in rule.outcomes(*seen, *reads):
            gone = machine in NODELESS and outcome.action in OF_NODES
            if not gone and (machine in _STANDING or outcome.action not in RETURNS):
                yield outcome

    return replace(rule, cells=(*rule.cells, MACHINE), writes=rule.writable, outcomes=outcomes)


# What the cloud does


def _misses(
    _world: World, _event: Event, up: bool, machine: int
) -> Iterator[tuple[dict[str, int], str, int]]:
    if not up and machine == Machine.THERE:
        yield {MACHINE: Machine.MISSING}, "it was deleted there, or the cloud is mistaken", -1


_MISSING = on_node(MACHINE_MISSING, _misses, (UP, MACHINE), writes=(MACHINE,), fault=True)


def _in_the_end(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Of a machine that is gone the cloud says so: at any time, but in the end."""
    for rule in _MISSING.rules(setting, event, budget):
        yield replace(rule, actor=CLOUD, environment=False, task=rule.name)


# The component


def _parts(setting: Setting) -> Parts:
    if not nodes_go(setting):
        return NO_PARTS
    about = (READY, MACHINE, CORDONED, EVICTING)
    told = (MACHINE, CORDONED, EVICTING)
    deletes = Rule("delete a Node", CLOUD_NODE_LIFECYCLE, about, delete, writes=told)
    collects = Rule(
        ORPHANS,
        POD_GC,
        (MACHINE, UP, CUT_OFF, PODS),
        collect,
        writes=(PODS,),
        each=PODS,
    )
    return Parts(rules=(*((deletes,) if followed(setting) else ()), collects))


COMPONENT = Component(
    name="cloudnodelifecycle",
    distinguishes=all_nodes_alike,
    needs_terminating=nodes_go,
    parts=_parts,
    actions=ACTIONS,
    events=(EventKind(MACHINE_MISSING, _in_the_end),),
    overhears=_hidden,
)
