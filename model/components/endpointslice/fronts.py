"""The Services that send to pods in focus, each by each way that leads to it."""

from __future__ import annotations

from dataclasses import dataclass

from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.dns.route import BY_NAME
from kubelemma.model.components.ingress.route import BY_INGRESS
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

from .decision import endpoint_ports, is_endpoint, selects
from .pause import outlasts
from .route import Route, Subject

ROUTES: tuple[Route, ...] = (BY_PROXY, BY_NAME, BY_INGRESS)
"""All ways that lead to the pods of Services."""


@dataclass(frozen=True, slots=True)
class Front:
    """A Service that selects pods in focus, and a way to it.

    ``classes`` are those of its pods, ``lasting`` those of pods that serve until all who send by
    this way know of their deletion; ``beside`` is how many Ready pods it has that stand by.
    """

    label: str
    service: Service
    route: Route
    classes: frozenset[int]
    lasting: frozenset[int]
    beside: int

    @property
    def tally(self) -> str:
        """The name of the tally of its ready endpoints."""
        return f"ready endpoints of {self.label}"

    @property
    def pods(self) -> str:
        """The name of the tally of its pods by class, where none is followed."""
        return f"pods of {self.label} by class"

    def workloads(self, world: World) -> tuple[Workload, ...]:
        """The owners of its pods that are in focus."""
        own = {world.classes[index].workload for index in self.classes}
        return tuple(world.workloads[i] for i in sorted(own) if world.workloads[i].templates)


def fronts(world: World) -> tuple[Front, ...]:
    """The Services that lead to pods in focus, way by way."""
    found = (
        _front(world, route, subject)
        for route in ROUTES
        for subject in route.subjects(world.objects)
    )
    return tuple(front for front in found if front.classes)


def _front(world: World, route: Route, subject: Subject) -> Front:
    service = subject.service
    own = [c for c in world.classes if selects(service, c.pod) and _offers(service, c.pod)]
    beside = sum(
        size
        for shape, size in zip(world.shapes, world.sizes, strict=True)
        for pod in shape.standing
        if stands_ready(service, pod)
    )
    lasting = (c.index for c in own if outlasts(service, c.pod.spec, route.lag_seconds))
    classes = frozenset(c.index for c in own)
    return Front(subject.label, service, route, classes, frozenset(lasting), beside)


def _offers(service: Service, pod: Pod) -> bool:
    """Whether a pod has any of the ports; one that is headless need not have ports at all."""
    return not service.spec.ports or any(True for _ in endpoint_ports(service, pod.spec))


def stands_ready(service: Service, pod: Pod) -> bool:
    """Whether a pod that stands by is an endpoint; it has an address, and is Ready by default."""
    if not selects(service, pod):
        return False
    conditions = pod.status.conditions or ()
    ready = all(c.status == "True" for c in conditions if c.type == "Ready")
    return ready and is_endpoint(pod.status.phase, has_address=True)
