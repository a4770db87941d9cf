"""What befalls a machine, and the containers on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from kubelemma.model.cluster.columns import PODS, UP, VOLUMES
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Attachment, Phase, Pods, moved
from kubelemma.model.cluster.world import World

from .actions import NODE_CRASH, NODE_RETURN, PROBE_FAILURE
from .volumes import after_boot

Changed: TypeAlias = Iterator[tuple[dict[str, Any], str, int]]


def _crash(_world: World, _event: Event, up: bool) -> Changed:  # noqa: FBT001 - a column's value
    if up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield {UP: False}, why, -1


def _come_back(
    _world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
    volumes: tuple[Attachment, ...],
) -> Changed:
    """The machine boots: all containers start anew, no pod on it is Ready, nothing is mounted."""
    if up:
        return
    after = pods
    for group in pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            for _ in range(group.size):
                after = moved(after, group, Phase.STARTING)
    writes = {UP: True, PODS: after, VOLUMES: after_boot(volumes)}
    yield writes, "the machine boots; its containers restart", -1


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
    on_node(NODE_RETURN, _come_back, (UP, PODS, VOLUMES), fault=True),
    on_node(PROBE_FAILURE, _probe_failure, (UP, PODS), writes=(PODS,), fault=True, each=True),
)
