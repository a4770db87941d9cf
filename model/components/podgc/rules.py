# ruff: noqa: FBT001 - the values of columns are flags
"""The pod garbage collector, and nodes that are declared to be out of service.

Source: pkg/controller/podgc/gc_controller.go; KEP-2268 (non-graceful node shutdown).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.cluster.columns import AILS, CUT_OFF, PODS, READY, UP
from kubelemma.model.cluster.columns import OUT_OF_SERVICE as TAINTED_OUT
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
from kubelemma.model.cluster.state import Ailment, Phase, Pods, without
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, FORCE_DELETE, IN_SERVICE, OUT_OF_SERVICE
from .decision import is_collected

POD_GC = "pod-garbage-collector"

ENDING = (Phase.TERMINATING, Phase.REVOKED, Phase.ENDED)


def _collect(ready: bool, out_of_service: bool, pods: Pods) -> Iterator[Outcome]:
    for group in pods:
        if is_collected(
            terminating=group.phase in ENDING, ready=ready, out_of_service=out_of_service
        ):
            writes = {PODS: without(pods, group)}
            why = "it is being deleted, and its node is not Ready and out of service"
            yield Outcome(FORCE_DELETE, writes, (("class", group.pod_class),), why)


# What users do


def _taint(
    _world: World, _event: Event, up: bool, ready: bool, tainted: bool, *_seen: Any
) -> Iterator[tuple[dict[str, Any], str, int]]:
    if not (up or ready or tainted):
        why = "somebody has made sure that the machine is off, and taints the node"
        yield {CUT_OFF: False, AILS: Ailment.NONE, TAINTED_OUT: True}, why, -1


def _untaint(
    _world: World, _event: Event, up: bool, tainted: bool
) -> Iterator[tuple[dict[str, bool], str, int]]:
    if up and tainted:
        yield {TAINTED_OUT: False}, "the machine is back, and somebody takes the taint away", -1


_TAINTING = on_node(
    OUT_OF_SERVICE,
    _taint,
    (UP, READY, TAINTED_OUT, CUT_OFF, AILS),
    writes=(CUT_OFF, AILS, TAINTED_OUT),
    undone_by=IN_SERVICE,
)


def _in_the_end(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Whoever asks for it sees to it: at any time, but in the end."""
    for rule in _TAINTING.rules(setting, event, budget):
        yield replace(rule, environment=False, task=rule.name)


# The component


def _parts(setting: Setting) -> Parts:
    there = any(node.out_of_service for node in setting.start.nodes)
    if not (there or setting.may_happen(OUT_OF_SERVICE)) or not setting.world.follows_terminating:
        return NO_PARTS
    cells = (READY, TAINTED_OUT, PODS)
    rule = Rule("remove from a node out of service", POD_GC, cells, _collect, writes=(PODS,))
    return Parts(rules=(replace(rule, each=PODS),))


COMPONENT = Component(
    name="podgc",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(
        EventKind(OUT_OF_SERVICE, _in_the_end, undone_by=IN_SERVICE),
        on_node(IN_SERVICE, _untaint, (UP, TAINTED_OUT), writes=(TAINTED_OUT,)),
    ),
)
