"""What stories call workloads, the owners of pods, and pods."""

from __future__ import annotations

from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.scenario.templates import revision_hash


def full_name(workload: Workload) -> str:
    """The name of a workload with its namespace, as in pictures."""
    return f"{workload.namespace}/{workload.name}"


def workload_name(world: World, workload: Workload) -> str:
    """The name of a workload; with its namespace where the scenario has several."""
    several = len({other.namespace for other in world.workloads}) > 1
    return full_name(workload) if several else workload.name


def revision_name(world: World, workload: Workload, template: int) -> str:
    """The name of what owns the pods of a template of a workload."""
    return f"{workload_name(world, workload)}-{revision_hash(template)}"


def owner_name(world: World, pod_class: int) -> str:
    """The name of what owns the pods of a class."""
    found = world.classes[pod_class]
    return revision_name(world, world.workloads[found.workload], found.template)


def pod_name(world: World, pod_class: int, number: int) -> str:
    """The name of a pod of a class: they are counted from 1."""
    return f"{owner_name(world, pod_class)}-{number}"
