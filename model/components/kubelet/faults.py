"""What befalls a machine, and the containers on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from kubelemma.model.cluster.columns import CUT_OFF, PODS, UP, VOLUMES
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import (
    ADMITTED,
    Attachment,
    Phase,
    Pods,
    moved,
    shifted,
    without,
)
from kubelemma.model.cluster.world import World

from .actions import FORCE_DELETE_POD, NODE_CRASH, NODE_PARTITION, NODE_RETURN, PROBE_FAILURE
from .volumes import after_boot

Changed: TypeAlias = Iterator[tuple[dict[str, Any], str, int]]


def _crash(_world: World, _event: Event, up: bool) -> Changed:  # noqa: FBT001 - a column's value
    if up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield {UP: False}, why, -1


def _cut_off(_world: World, _event: Event, up: bool, _cut: bool) -> Changed:  # noqa: FBT001
    if up:
        why = "nothing can be reached from there any more; what runs there runs on"
        yield {UP: False, CUT_OFF: True}, why, -1


def _come_back(
    _world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    cut_off: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
    volumes: tuple[Attachment, ...],
) -> Changed:
    """The machine boots: all containers start anew, no pod on it is Ready, nothing is mounted.

    One that was merely cut off goes on; what has been deleted meanwhile its kubelet stops.
    """
    if up:
        return
    if cut_off:
        back: dict[str, Any] = {UP: True, CUT_OFF: False}
        yield back, "the network is there again; what has run there runs on", -1
        return
    after = tuple(group for group in pods if group.phase != Phase.LINGERING)
    for group in pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            for _ in range(group.size):
                after = moved(after, group, Phase.STARTING)
    writes = {UP: True, PODS: after, VOLUMES: after_boot(volumes)}
    yield writes, "the machine boots; its containers restart", -1


def _force_delete(
    world: World,
    event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    cut_off: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    """The object is gone at once; nobody asks the kubelet, which stops its containers later.

    Source: pkg/registry/core/pod/strategy.go, a grace period of 0.
    """
    own = world.workloads[event.workload].classes
    for group in pods:
        if group.pod_class not in own or group.phase == Phase.LINGERING:
            continue
        running = group.phase in ADMITTED and (up or cut_off)
        left = without(pods, group)
        after = shifted(left, group.pod_class, Phase.LINGERING, 1) if running else left
        yield {PODS: after}, "kubectl delete pod --force --grace-period=0", group.pod_class


def _probe_failure(
    world: World,
    event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    own = world.workloads[event.workload].classes
    for group in pods:
        if up and group.pod_class in own and group.phase in (Phase.READY, Phase.AVAILABLE):
            after = moved(pods, group, Phase.STARTING)
            yield {PODS: after}, "its readiness probe fails", group.pod_class


EVENTS = (
    on_node(NODE_CRASH, _crash, (UP,), fault=True, undone_by=NODE_RETURN),
    on_node(NODE_PARTITION, _cut_off, (UP, CUT_OFF), fault=True, undone_by=NODE_RETURN),
    on_node(NODE_RETURN, _come_back, (UP, CUT_OFF, PODS, VOLUMES), fault=True),
    on_node(FORCE_DELETE_POD, _force_delete, (UP, CUT_OFF, PODS), writes=(PODS,), each=True),
    on_node(PROBE_FAILURE, _probe_failure, (UP, PODS), writes=(PODS,), fault=True, each=True),
)
