"""What the API server adds to a pod on its way in.

Sources: ``pkg/apis/core/v1/defaults.go``; sums of requests:
``staging/src/k8s.io/component-helpers/resource/helpers.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.resources import container_requests
from kubelemma.model.objects.pod import (
    Container,
    ContainerPort,
    Pod,
    PodSpec,
    ResourceRequirements,
)
from kubelemma.model.objects.quantity import Quantity

_GRACE_SECONDS = 30
_OVERCOMMITTED_POD_LEVEL = ("cpu", "memory")

Amounts = Mapping[str, Quantity]
ValueT = TypeVar("ValueT")


def pod_defaults(spec: PodSpec) -> PodSpec:
    """A pod's specification as the API server stores it."""
    containers = tuple(_container(c, spec) for c in spec.containers or ())
    init_containers = tuple(_container(c, spec) for c in spec.init_containers or ())
    filled = replace(
        spec,
        containers=containers,
        init_containers=init_containers or spec.init_containers,
        restart_policy=spec.restart_policy or "Always",
        scheduler_name=spec.scheduler_name or "default-scheduler",
        termination_grace_period_seconds=given_or(
            spec.termination_grace_period_seconds, _GRACE_SECONDS
        ),
        overhead=in_milli(spec.overhead),
    )
    return replace(filled, resources=_pod_level(filled))


def aggregate_requests(spec: PodSpec) -> dict[str, Quantity]:
    """What a pod's containers request together, at most at any moment."""
    needed = container_requests(Pod(spec=spec), "wanted", {})
    return {name: Quantity(amount) for name, amount in needed.items()}


def _container(container: Container, spec: PodSpec) -> Container:
    return replace(
        container,
        resources=_requests_from_limits(container.resources),
        ports=_host_ports(container.ports) if spec.host_network else container.ports,
    )


def _requests_from_limits(resources: ResourceRequirements | None) -> ResourceRequirements | None:
    if resources is None:
        return None
    limits = in_milli(resources.limits)
    requests = in_milli(resources.requests)
    if limits is not None:
        requests = {**limits, **(requests or {})}
    return ResourceRequirements(requests=requests, limits=limits)


def _host_ports(ports: tuple[ContainerPort, ...] | None) -> tuple[ContainerPort, ...] | None:
    """On the host's network every port of a container is a port of the host."""
    if ports is None:
        return None
    return tuple(p if p.host_port else replace(p, host_port=p.container_port) for p in ports)


def _pod_level(spec: PodSpec) -> ResourceRequirements | None:
    """Requests of the pod as a whole: its containers' together, or else its own limits."""
    if spec.resources is None:
        return None
    limits = in_milli(spec.resources.limits)
    requests = dict(in_milli(spec.resources.requests) or {})
    if limits:
        for name, total in aggregate_requests(spec).items():
            if name in _OVERCOMMITTED_POD_LEVEL:
                requests.setdefault(name, total)
        requests = {**limits, **requests}
    return ResourceRequirements(requests=requests or None, limits=limits)


def in_milli(amounts: Amounts | None) -> Amounts | None:
    """Amounts rounded up to thousandths, as they are stored."""
    if amounts is None:
        return None
    return {name: Quantity(Fraction(q.milli_value(), 1000)) for name, q in amounts.items()}


def given_or(value: ValueT | None, default: ValueT) -> ValueT:
    """What is given, or else the default."""
    return default if value is None else value
