"""What befalls a machine, and the containers on it."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import NodeState, Phase, moved
from kubelemma.model.cluster.world import World

from .actions import NODE_CRASH, NODE_RETURN, PROBE_FAILURE


def _crash(_world: World, _event: Event, node: NodeState) -> Iterator[tuple[NodeState, str, int]]:
    if node.up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield node._replace(up=False), why, -1


def _come_back(
    _world: World, _event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    """The machine boots: all containers start anew, so no pod on it is Ready."""
    if node.up:
        return
    pods = node.pods
    for group in node.pods:
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            for _ in range(group.size):
                pods = moved(pods, group, Phase.STARTING)
    yield node._replace(up=True, pods=pods), "the machine boots; its containers restart", -1


def _probe_failure(
    world: World, event: Event, node: NodeState
) -> Iterator[tuple[NodeState, str, int]]:
    own = world.workloads[event.workload].classes
    for group in node.pods:
        if node.up and group.pod_class in own and group.phase in (Phase.READY, Phase.AVAILABLE):
            pods = moved(node.pods, group, Phase.STARTING)
            yield node._replace(pods=pods), "its readiness probe fails", group.pod_class


EVENTS = (
    on_node(NODE_CRASH, _crash, fault=True, undone_by=NODE_RETURN),
    on_node(NODE_RETURN, _come_back, fault=True),
    on_node(PROBE_FAILURE, _probe_failure, fault=True),
)
