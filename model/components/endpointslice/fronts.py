"""The Services that send to pods in focus, each by each way that leads to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubelemma.model.cluster.world import PodClass, Workload, World
from kubelemma.model.components.dns.route import BY_NAME
from kubelemma.model.components.ingress.route import BY_INGRESS
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.servicelb.decision import Cloud, Targets, checks_nodes
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
    ``checked``: whether a load balancer sends by this way that goes by where ready pods are;
    ``outlasting`` are the classes of pods that serve until that one knows, too.
    """

    label: str
    service: Service
    route: Route
    classes: frozenset[int]
    lasting: frozenset[int]
    beside: int
    checked: bool = False
    outlasting: frozenset[int] = frozenset()

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
    lasting = _outlasting(service, own, route.lag_seconds)
    classes = frozenset(c.index for c in own)
    found = Front(subject.label, service, route, classes, lasting, beside)
    clouds = world.objects_of(Cloud) if route == BY_PROXY and checks_nodes(service) else ()
    if not clouds or beside or clouds[0].targets is Targets.PODS:
        return found
    lag = route.lag_seconds + clouds[0].health_check_seconds
    return replace(found, checked=True, outlasting=_outlasting(service, own, lag))


def _outlasting(service: Service, own: list[PodClass], seconds: int) -> frozenset[int]:
    return frozenset(c.index for c in own if outlasts(service, c.pod.spec, seconds))


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
