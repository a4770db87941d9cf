"""Pods that somebody asks to resize in place."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import ADMITTED
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.kubelet.decision.resizing import is_infeasible, waits
from kubelemma.model.components.kubelet.resizing import HELD
from kubelemma.reports.story import Fact
from kubelemma.reports.style import few

from .amounts import requests, usages
from .scene import Belied, Claim, Scene, Seen, Standstill, about_workload


@about_workload
def asked(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """What the pod asked for before, and what its node has."""
    if scene.pod_class is None:
        return
    yield Fact("requests", requests(scene.pod_class.pod), scene.written.requests(workload))
    if scene.node is not None:
        name, node = scene.node
        for used in usages(scene.world.node_info(node, ADMITTED)):
            if used.resource in ("cpu", "memory"):
                value = f"{used.requested} of {used.allocatable}"
                yield Fact(f"{used.resource} of admitted pods on {name}", value)


def unresized(belied: Belied) -> Iterator[Claim]:
    """Who waits for a resize, and why."""
    seen = belied.seen
    found: dict[str, None] = {}
    for name, node in sorted(seen.nodes().items()):
        for group in node.pods:
            pod_class = seen.world.classes[group.pod_class]
            if node.up and group.phase in HELD and waits(pod_class.pod):
                owner = seen.world.workloads[pod_class.workload].label
                why = _why(seen, pod_class.index)
                found[f"a pod of {owner} on {name} waits for its resize: {why}"] = None
    yield from (Claim(text, ()) for text in found)


def unsettled(end: Standstill) -> str:
    """Why the kubelet does nothing about pods that wait for a resize; empty where none does."""
    waiting = [
        (place, pod)
        for place, pods in sorted(end.last.names.items())
        if _waits(end.seen, place)
        for pod in pods
    ]
    if not waiting:
        return ""
    names = few([pod for _, pod in waiting])
    return f"resizes of {names} wait: {_why(end.seen, waiting[0][0].pod_class)}"


def _waits(seen: Seen, place: Place) -> bool:
    held = place.phase in HELD and waits(seen.world.classes[place.pod_class].pod)
    return bool(place.node) and held and seen.nodes()[place.node].up


def _why(seen: Seen, pod_class: int) -> str:
    if is_infeasible(seen.world.classes[pod_class].pod):
        return "the node could not hold that without any other pod (Infeasible)"
    return "the node has no room for it beside the pods that are admitted (Deferred)"
