"""The kubelet of each node: admission, start, readiness, termination; and its containers.

Source: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/kubelet.go, pkg/kubelet/status.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.node.admission import admit
from kubelemma.model.system import Outcome, Rule

from .state import ADMITTED, NodeState, Phase, moved, shifted
from .world import NODES, Behaviour, PodClass, World

KUBELET = "kubelet"
CONTAINER = "container"


def rules(world: World) -> tuple[Rule, ...]:
    """Rules of the kubelets of all nodes, and of the containers that crash by themselves."""

    def admission(node: NodeState) -> Iterator[Outcome]:
        return _admission(world, node)

    def readiness(node: NodeState) -> Iterator[Outcome]:
        return _readiness(world, node)

    def crash(node: NodeState) -> Iterator[Outcome]:
        return _container_crash(world, node)

    found = [
        Rule("kubelet admits or rejects a pod", KUBELET, (NODES,), admission),
        Rule("kubelet reports readiness", KUBELET, (NODES,), readiness),
    ]
    if world.follows_terminating:
        found.append(Rule("kubelet finishes a termination", KUBELET, (NODES,), _termination))
    if any(c.min_ready_seconds for c in world.classes):
        found.append(
            Rule("minReadySeconds pass", KUBELET, (NODES,), _availability),
        )
    if any(c.behaviour is Behaviour.CRASH_LOOPING for c in world.classes):
        found.append(Rule("container crashes", CONTAINER, (NODES,), crash))
    return tuple(found)


def _pod(pod_class: int) -> tuple[tuple[str, int], ...]:
    return (("class", pod_class),)


def _admission(world: World, node: NodeState) -> Iterator[Outcome]:
    """Admit a bound pod, or reject it for good: its phase becomes Failed and it holds nothing."""
    if not node.up:
        return
    for group in node.pods:
        if group.phase != Phase.ASSIGNED:
            continue
        reason = admit(world.classes[group.pod_class].pod, world.node_info(node, ADMITTED))
        if reason is None:
            pods = moved(node.pods, group.pod_class, Phase.ASSIGNED, Phase.STARTING)
            why = "it fits what the node has left, and the containers start"
            yield Outcome("admit", {NODES: node._replace(pods=pods)}, _pod(group.pod_class), why)
        else:
            pods = shifted(node.pods, group.pod_class, Phase.ASSIGNED, -1)
            why = f"admission fails: {reason}; the pod is Failed and is not rescheduled"
            yield Outcome("reject", {NODES: node._replace(pods=pods)}, _pod(group.pod_class), why)


def _readiness(world: World, node: NodeState) -> Iterator[Outcome]:
    if not node.up:
        return
    for group in node.pods:
        pod_class = world.classes[group.pod_class]
        if group.phase != Phase.STARTING or pod_class.behaviour is Behaviour.NEVER_READY:
            continue
        after = _ready_phase(pod_class)
        pods = moved(node.pods, group.pod_class, Phase.STARTING, after)
        why = "all containers run and the readiness probes succeed"
        if after is Phase.READY:
            why += f"; it counts as available after {pod_class.min_ready_seconds} s"
        yield Outcome("become-ready", {NODES: node._replace(pods=pods)}, _pod(group.pod_class), why)


def _ready_phase(pod_class: PodClass) -> Phase:
    return Phase.READY if pod_class.min_ready_seconds else Phase.AVAILABLE


def _availability(node: NodeState) -> Iterator[Outcome]:
    """Time passes also on a node that is down, as long as the API still shows its pods Ready."""
    for group in node.pods:
        if group.phase == Phase.READY:
            pods = moved(node.pods, group.pod_class, Phase.READY, Phase.AVAILABLE)
            why = "it has been Ready for minReadySeconds"
            writes = {NODES: node._replace(pods=pods)}
            yield Outcome("become-available", writes, _pod(group.pod_class), why)


def _termination(node: NodeState) -> Iterator[Outcome]:
    """After the containers have stopped, the kubelet deletes the API object with grace 0."""
    if not node.up:
        return
    for group in node.pods:
        if group.phase == Phase.TERMINATING:
            pods = shifted(node.pods, group.pod_class, Phase.TERMINATING, -1)
            writes = {NODES: node._replace(pods=pods)}
            why = "its containers have stopped"
            yield Outcome("finish-termination", writes, _pod(group.pod_class), why)


def _container_crash(world: World, node: NodeState) -> Iterator[Outcome]:
    if not node.up:
        return
    for group in node.pods:
        if world.classes[group.pod_class].behaviour is not Behaviour.CRASH_LOOPING:
            continue
        if group.phase in (Phase.READY, Phase.AVAILABLE):
            pods = moved(node.pods, group.pod_class, Phase(group.phase), Phase.STARTING)
            why = "this version crashes again and again (CrashLoopBackOff)"
            writes = {NODES: node._replace(pods=pods)}
            yield Outcome("container-crash", writes, _pod(group.pod_class), why)
