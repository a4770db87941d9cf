# ruff: noqa: FBT001 - the values of columns are flags
"""Graceful node shutdown: a machine that is shut down, and what its kubelet does until it is off.

Source: pkg/kubelet/nodeshutdown/nodeshutdown_manager.go, ``processShutdownEvent`` and ``killPods``;
pkg/kubelet/nodestatus/setters.go, ``ReadyCondition``. Durations are order: the kubelet has enough
time, for what takes longer is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from kubelemma.model.cluster.columns import AILS, CORDONED, CUT_OFF, PODS, READY, UP, VOLUMES
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import ACTIVE, Ailment, Attachment, Phase, Pods, shifted, without
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Outcome, Rule

from .actions import END_POD, NODE_RETURN, NODE_SHUTDOWN, POWER_OFF
from .decision import next_to_end
from .volumes import after_boot


def may_begin(event: Event, pods: Pods, *, cordoned: bool) -> bool:
    """Whether somebody who waits for a node to be drained, or does not, goes on."""
    empty = all(group.phase in (Phase.FAILED, Phase.LINGERING) for group in pods)
    return (empty and cordoned) or not event.options


def _begins(
    _world: World, event: Event, up: bool, cordoned: bool, pods: Pods, *_seen: Any
) -> Iterator[tuple[Any, str, int]]:
    if up and may_begin(event, pods, cordoned=cordoned):
        why = "systemd asks the kubelet to end its pods; it admits no others"
        yield {UP: False, CUT_OFF: True, AILS: Ailment.SHUTTING_DOWN}, why, -1


EVENT = on_node(
    NODE_SHUTDOWN,
    _begins,
    (UP, CORDONED, PODS, CUT_OFF, AILS),
    writes=(UP, CUT_OFF, AILS),
    undone_by=NODE_RETURN,
)


def rules(setting: Setting, actor: str) -> tuple[Rule, ...]:
    """What a kubelet does while its node shuts down, where one may."""
    if not setting.may_happen(NODE_SHUTDOWN):
        return ()
    off = (AILS, READY, PODS, VOLUMES, CUT_OFF)
    ending = partial(_end, setting.world)
    return (
        Rule("end pods of a node that shuts down", actor, (AILS, PODS), ending, writes=(PODS,)),
        Rule("power off", actor, off, _power_off, writes=(AILS, CUT_OFF, VOLUMES)),
    )


def _end(world: World, ails: Ailment, pods: Pods) -> Iterator[Outcome]:
    """Pods end by priority, whatever budgets say; what is left of one is Failed, or nothing.

    One without an identity that is Failed makes no difference to anybody, so it is dropped.
    """
    if not ails & Ailment.SHUTTING_DOWN:
        return
    left = [group for group in pods if group.phase != Phase.FAILED]
    priorities = [world.classes[group.pod_class].pod.spec.priority or 0 for group in left]
    for at in next_to_end(priorities):
        group = left[at]
        pod_class = world.classes[group.pod_class]
        after = without(pods, group)
        if pod_class.ordinal >= 0 and Phase(group.phase) in ACTIVE:
            after = shifted(after, group.pod_class, Phase.FAILED, 1)
        why = "the node shuts down; budgets are not asked"
        yield Outcome(END_POD, {PODS: after}, (("class", group.pod_class),), why)


def _power_off(
    ails: Ailment, ready: bool, pods: Pods, volumes: tuple[Attachment, ...], *_seen: Any
) -> Iterator[Outcome]:
    """Once the API has it that the node is not Ready, which the kubelet reports at first."""
    ended = all(group.phase == Phase.FAILED for group in pods)
    if ails & Ailment.SHUTTING_DOWN and ended and not ready:
        writes = {AILS: Ailment.NONE, CUT_OFF: False, VOLUMES: after_boot(volumes)}
        yield Outcome(POWER_OFF, writes, (), "all its pods have ended")
