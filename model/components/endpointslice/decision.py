"""What the EndpointSlices of a Service say of a pod.

Source: pkg/controller/endpointslice/endpointslice_controller.go and
staging/src/k8s.io/endpointslice/{reconciler.go,utils.go,util/controller_utils.go}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.objects.pod import ContainerPort, Pod, PodSpec
from kubelemma.model.objects.service import Service, ServicePort

TERMINAL = ("Succeeded", "Failed")
"""Phases of pods that have ended."""


class Conditions(NamedTuple):
    """The conditions of an endpoint."""

    ready: bool
    serving: bool
    terminating: bool


def selects(service: Service, pod: Pod) -> bool:
    """Whether a Service is about a pod; without a selector others write its slices, or nobody."""
    wanted = (service.spec.selector or {}).items()
    labels = pod.metadata.label_map()
    same = service.metadata.namespace == pod.metadata.namespace
    return bool(wanted) and same and all(labels.get(key) == value for key, value in wanted)


def is_endpoint(phase: str, *, has_address: bool) -> bool:
    """Whether a pod is in the slices at all, be it on its way out.

    It needs an address of the type that the slices are of. Source: ``ShouldPodBeInEndpoints``.
    """
    return phase not in TERMINAL and has_address


def conditions(*, ready: bool, terminating: bool, publish_not_ready: bool = False) -> Conditions:
    """The conditions of a pod whose condition Ready is, or is not, True (``podToEndpoint``)."""
    shown = publish_not_ready or (ready and not terminating)
    return Conditions(ready=shown, serving=ready, terminating=terminating)


class EndpointPort(NamedTuple):
    """A port of a slice: that of the Service by name, and the number at the pod."""

    name: str
    number: int
    protocol: str


def endpoint_ports(service: Service, spec: PodSpec) -> Iterator[EndpointPort]:
    """The ports of a pod that traffic goes to; one that no container has is left out.

    Source: ``getEndpointPorts`` and ``findPort``.
    """
    for port in service.spec.ports or ():
        number = target_of(port, spec)
        if number is not None:
            yield EndpointPort(port.name, number, port.protocol)


def target_of(port: ServicePort, spec: PodSpec) -> int | None:
    """The number of the port at a pod; None where it is named and no container has that name."""
    if isinstance(port.target_port, int):
        return port.target_port or port.port
    named = (
        found.container_port
        for found in ports_of(spec)
        if (found.name, found.protocol) == (port.target_port, port.protocol)
    )
    return next(named, None)


def ports_of(spec: PodSpec) -> Iterator[ContainerPort]:
    """The ports of containers, and of sidecars, which are init containers that go on."""
    sidecars = (c for c in spec.init_containers or () if c.restart_policy == "Always")
    for container in (*(spec.containers or ()), *sidecars):
        yield from container.ports or ()
