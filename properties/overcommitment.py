"""Whether pods fit a node, counted here from the rules of the documentation alone.

The scheduler's and the kubelet's own code is not used, so that a mistake there shows.
Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ and
https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from msgspec.structs import replace

from kubelemma.model.cluster.state import AnyNode, Phase
from kubelemma.model.cluster.world import World
from kubelemma.model.objects.pod import Container, Pod
from kubelemma.model.objects.quantity import Quantity

Amounts = dict[str, Fraction]


def overcommitted(world: World, node: AnyNode, phases: tuple[Phase, ...]) -> tuple[str, ...]:
    """The resources of which the pods in these phases ask for more than there is, sorted."""
    shape = world.shapes[node.shape]
    counted = [(pod, 1) for pod in shape.standing]
    groups = (group for group in node.pods if Phase(group.phase) in phases)
    counted += [(world.classes[group.pod_class].pod, group.size) for group in groups]
    used = _sum(_times(effective_requests(_as_allocated(pod)), size) for pod, size in counted)
    used["pods"] = Fraction(sum(size for _, size in counted))
    allocatable = shape.node.status.allocatable or {}
    room = {name: quantity.amount for name, quantity in allocatable.items()}
    return tuple(sorted(name for name, amount in used.items() if amount > room.get(name, 0)))


def is_extended(name: str) -> bool:
    """Whether a resource is somebody's own: a name with a domain, outside of kubernetes.io."""
    return "/" in name and "kubernetes.io/" not in name


def effective_requests(pod: Pod) -> Amounts:
    """What a pod asks for: the larger of its containers together and its costliest start."""
    running = _sum(_requests(c) for c in pod.spec.containers or ())
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in pod.spec.init_containers or ():
        if container.restart_policy == "Always":
            sidecars = _sum((sidecars, _requests(container)))
            start = _larger(start, sidecars)
        else:
            start = _larger(start, _sum((sidecars, _requests(container))))
    total = _larger(_sum((running, sidecars)), start)
    if pod.spec.resources is not None:
        total |= _amounts(pod.spec.resources.requests)
    return _sum((total, _amounts(pod.spec.overhead)))


def _requests(container: Container) -> Amounts:
    return _amounts(container.resources.requests if container.resources else None)


def _as_allocated(pod: Pod) -> Pod:
    """The pod with what is allocated for it where it waits for a resize: that is what it holds.

    Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/.
    """
    allocated = {
        status.name: status.resources
        for status in pod.status.container_statuses or ()
        if status.allocated_resources
    }
    containers = tuple(
        replace(each, resources=allocated.get(each.name, each.resources))
        for each in pod.spec.containers or ()
    )
    return replace(pod, spec=replace(pod.spec, containers=containers)) if allocated else pod


def _amounts(quantities: Mapping[str, Quantity] | None) -> Amounts:
    return {name: quantity.amount for name, quantity in (quantities or {}).items()}


def _times(amounts: Amounts, size: int) -> Amounts:
    return {name: amount * size for name, amount in amounts.items()}


def _sum(parts: Iterable[Mapping[str, Fraction]]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, Fraction(0)) + amount
    return total


def _larger(a: Mapping[str, Fraction], b: Mapping[str, Fraction]) -> Amounts:
    return {name: max(a.get(name, Fraction(0)), b.get(name, Fraction(0))) for name in {*a, *b}}
