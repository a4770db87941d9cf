"""What stories call workloads, the owners of pods, and pods."""

from __future__ import annotations

from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.objects.meta import OwnerReference


def full_name(workload: Workload) -> str:
    """The name of a workload with its namespace, as in pictures."""
    return workload.label


def workload_name(world: World, workload: Workload) -> str:
    """The name of a workload; with its namespace where the scenario has several."""
    several = len({other.namespace for other in world.workloads}) > 1
    return full_name(workload) if several or workload.qualified else workload.name


def revision_name(world: World, workload: Workload, template: int) -> str:
    """The name of what owns the pods of a template of a workload."""
    name = _controller(world, workload, template).name
    several = workload_name(world, workload) != workload.name
    return f"{workload.namespace}/{name}" if several else name


def set_title(world: World, workload: Workload, template: int) -> str:
    """The same with its kind before it."""
    kind = _controller(world, workload, template).kind
    return f"{kind} {revision_name(world, workload, template)}"


def _controller(world: World, workload: Workload, template: int) -> OwnerReference:
    pod = world.classes[workload.one_of(template)].pod
    found = controller_of(pod.metadata)
    return found or OwnerReference(name=workload.name)


def owner_name(world: World, pod_class: int) -> str:
    """The name of what owns the pods of a class; of one that nobody owns, its own."""
    found = world.classes[pod_class]
    workload = world.workloads[found.workload]
    if not workload.templates:
        return workload_name(world, workload)
    return revision_name(world, workload, found.template)


def given_name(world: World, pod_class: int, name: str) -> str:
    """The name of a pod of the input; with its namespace where the scenario has several."""
    workload = world.workloads[world.classes[pod_class].workload]
    several = workload_name(world, workload) != workload.name
    return f"{workload.namespace}/{name}" if several else name


def pod_name(world: World, pod_class: int, number: int) -> str:
    """The name of a pod of a class: they are counted from 1, but for those with an identity."""
    name, ordinal = owner_name(world, pod_class), world.classes[pod_class].ordinal
    if ordinal >= 0:
        return f"{name}-{ordinal}"
    lone = not world.workloads[world.classes[pod_class].workload].templates
    return name if lone and number == 1 else f"{name}-{number}"
