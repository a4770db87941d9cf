"""Whether every node has room for all pods that there may be."""

from __future__ import annotations

from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import PODS, held_requests

from .world import World


def lacks_room(world: World, most: int) -> bool:
    """Whether some node may lack room, or a free host port, for so many pods of each workload.

    It may do so in the eyes of the scheduler, or of its own kubelet.
    """
    if any(any(host_ports(c.pod)) for c in world.classes):
        return True
    seen = ((shape, node) for shape in world.shapes for node in (shape.node, shape.kubelet) if node)
    return not all(has_room(world, NodeInfo(node, s.standing), most) for s, node in seen)


def has_room(world: World, info: NodeInfo, most: int) -> bool:
    """Whether a node has room for so many pods of each workload beside what is on it.

    Of those whose pods have an identity there is one of each.
    """
    numbers = {workload.index: len(workload.ordinals) or most for workload in world.workloads}
    if info.allocatable.get(PODS, 0) - len(info.pods) < sum(numbers.values()):
        return False
    wanted: dict[str, int] = {}
    for workload in world.workloads:
        for name, amount in _largest(world, workload.classes).items():
            wanted[name] = wanted.get(name, 0) + amount * numbers[workload.index]
    return all(
        info.allocatable.get(name, 0) - info.requested.get(name, 0) >= amount
        for name, amount in wanted.items()
    )


def _largest(world: World, classes: tuple[int, ...]) -> dict[str, int]:
    """The most that a pod of a workload asks of each resource, or holds once it is on a node."""
    largest: dict[str, int] = {}
    for index in classes:
        pod = world.classes[index].pod
        for name, amount in (*fit_request(pod).items(), *held_requests(pod)[0].items()):
            largest[name] = max(largest.get(name, 0), amount)
    return largest
