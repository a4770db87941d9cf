"""The pod garbage collector, as far as it deletes pods of nodes that are out of service.

Somebody who taints a node as out of service has made sure that it is switched off: only then is it
true that nothing runs there any more. Whoever brings it back takes the taint away.

Source: pkg/controller/podgc/gc_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kubelemma.model.cluster.columns import OUTAGE, PODS, READY, TAINTED, UP
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import Outage, Phase, Pods, without
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, DELETE_TERMINATING, TAINT_OUT_OF_SERVICE
from .decision import gc_terminating

POD_GC = "pod-garbage-collector"


def _collect(ready: bool, outage: int, pods: Pods) -> Iterator[Outcome]:  # noqa: FBT001
    for group in pods:
        gone = gc_terminating(
            terminating=group.phase in (Phase.TERMINATING, Phase.REVOKED),
            node_ready=ready,
            out_of_service=outage == Outage.OUT_OF_SERVICE,
        )
        if gone:
            why = "it terminates on a node that is out of service"
            about = (("class", group.pod_class),)
            yield Outcome(DELETE_TERMINATING, {PODS: without(pods, group)}, about, why)


def _taint(
    _world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    ready: bool,  # noqa: FBT001 - a column's value
    tainted: bool,  # noqa: FBT001 - a column's value
    outage: int,
) -> Iterator[tuple[dict[str, int], str, int]]:
    if not up and not ready and tainted and outage != Outage.OUT_OF_SERVICE:
        why = "the machine is switched off, and its Node tainted out-of-service:NoExecute"
        yield {OUTAGE: Outage.OUT_OF_SERVICE}, why, -1


_TAINTING = on_node(TAINT_OUT_OF_SERVICE, _taint, (UP, READY, TAINTED, OUTAGE), writes=(OUTAGE,))


def _in_the_end(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Whoever asks what a repair comes to means to make it: at any time, but in the end."""
    for rule in _TAINTING.rules(setting, event, budget):
        yield replace(rule, environment=False, task=rule.name)


def _parts(setting: Setting) -> Parts:
    if not setting.may_happen(TAINT_OUT_OF_SERVICE):
        return NO_PARTS
    name = "pods of a node out of service are deleted"
    columns = (READY, OUTAGE, PODS)
    return Parts(rules=(Rule(name, POD_GC, columns, _collect, writes=(PODS,), each=PODS),))


COMPONENT = Component(
    name="podgc",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(EventKind(TAINT_OUT_OF_SERVICE, _in_the_end),),
)
