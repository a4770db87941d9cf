"""What a Check says of the cloud that the cluster runs in, and events of Services there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kubelemma.model.components.servicelb.decision import HEALTH_CHECK_SECONDS, ServiceName
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.kinds.parts.metadata import DEFAULT_NAMESPACE
from kubelemma.model.kinds.parts.names import dns_label, dns_subdomain
from kubelemma.model.kinds.parts.rules import at_least, problem
from kubelemma.model.objects.meta import ApiStruct

from .machines import MachineMissing, MachineStopped, MachineUnknown, RefuseRoutes


class CloudSpec(ApiStruct, frozen=True, kw_only=True):
    """The cloud that the cluster runs in.

    Attributes:
        health_check_seconds: within how long its load balancers send no more to a node whose health
            check fails.
        targets: to whom they send: to nodes, or to pods themselves.
    """

    health_check_seconds: int = HEALTH_CHECK_SECONDS
    targets: Literal["nodes", "pods"] = "nodes"


class OfService(ApiStruct, frozen=True, kw_only=True):
    """An event of a Service with a load balancer: the named one, or any of those of the pods."""

    name: str = ""
    namespace: str = DEFAULT_NAMESPACE
    max: int = 1

    @property
    def options(self) -> ServiceName | None:
        """Which one."""
        return ServiceName(self.namespace, self.name) if self.name else None


class DeleteService(OfService, frozen=True, kw_only=True):
    """Somebody deletes a Service."""


class StripFinalizer(OfService, frozen=True, kw_only=True):
    """Somebody takes the finalizer of its load balancer away by hand."""


class HoldLoadBalancer(OfService, frozen=True, kw_only=True):
    """The cloud refuses to delete its load balancer from then on."""


class ReleaseLoadBalancer(OfService, frozen=True, kw_only=True):
    """Nothing in the cloud holds its load balancer any more: at any time, and in the end."""


class CloudControllerRestart(ApiStruct, frozen=True, kw_only=True):
    """The cloud controller manager restarts, or another one of it leads from then on."""

    max: int = 1


def cloud_findings(cloud: CloudSpec | None, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with a cloud."""
    if cloud is not None:
        yield from at_least(1, cloud.health_check_seconds, (*path, "healthCheckSeconds"))


def service_findings(event: OfService, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with the names in such an event."""
    if event.name:
        yield from problem((*path, "name"), dns_subdomain(event.name))
    yield from problem((*path, "namespace"), dns_label(event.namespace))


def without_cloud(cloud: CloudSpec | None, given: object, path: FieldPath) -> Iterator[Finding]:
    """An event of what a cloud has, where none is stated."""
    what = next((what for kinds, what in _ABOUT if isinstance(given, kinds)), "")
    if cloud is None and what:
        spec = "write cloud: {} in the spec of a Check"
        yield Finding(path, f"needs a cloud, whose {what} it is about: {spec}")


_ABOUT = (
    (OfService, "load balancer"),
    (MachineMissing | MachineStopped | MachineUnknown, "machine"),
    (RefuseRoutes, "routes"),
    (CloudControllerRestart, "controllers"),
)
