"""What the service controller of a cloud does next about a Service, and how late balancers are.

Source: staging/src/k8s.io/cloud-provider/controllers/service/controller.go
(``syncLoadBalancerIfNeeded``, ``wantsLoadBalancer``, ``needsCleanup``, ``processServiceDeletion``).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from kubelemma.model.objects.node import Node
from kubelemma.model.objects.service import Service

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
BALANCED = "LoadBalancer"
"""The type of a Service that a cloud makes a load balancer for."""
LOCAL = "Local"
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
"""The label of Nodes that no load balancer sends to; kubeadm gives it to the control plane's."""
HEALTH_CHECK_SECONDS = 24
"""Three failed checks, 8 s apart, as the health checks of a Google cloud have it
(``gceHcCheckIntervalSeconds`` and ``gceHcUnhealthyThreshold`` in
k8s.io/cloud-provider-gcp/providers/gce/gce_healthchecks.go)."""


class Targets(StrEnum):
    """To whom load balancers send: to nodes, whose kube-proxies send on, or to pods themselves."""

    NODES = "nodes"
    PODS = "pods"


class Cloud(NamedTuple):
    """A cloud in which the cluster runs.

    ``health_check_seconds``: within how long its load balancers send no more to a node whose health
    check fails. ``targets``: to whom they send.
    """

    health_check_seconds: int = HEALTH_CHECK_SECONDS
    targets: Targets = Targets.NODES


class ServiceName(NamedTuple):
    """The namespace and name of a Service."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Next(IntEnum):
    """The next write of the controller, to the API server or to the cloud."""

    NOTHING = 0
    ADD_FINALIZER = 1
    ENSURE = 2
    """Have the cloud make the load balancer."""
    WRITE_ADDRESS = 3
    """Write ``status.loadBalancer``."""
    DELETE = 4
    """Have the cloud delete it."""
    REMOVE_FINALIZER = 5


class Known(NamedTuple):
    """What the controller goes by: the Service, its own memory, and what the cloud says.

    ``remembered``: it has worked on the Service, which counts once there is none any more.
    """

    present: bool
    deleted: bool
    finalizer: bool
    address: bool
    remembered: bool
    balancer: bool


def wants_balancer(service: Service) -> bool:
    """Whether the controller of the cloud makes one; of another class somebody else does."""
    return service.spec.type == BALANCED and not service.spec.load_balancer_class


def next_step(known: Known) -> Next:
    """What it does next about a Service that wants a load balancer, or has wanted one.

    The finalizer is written before the load balancer is made, and taken away once it is gone. Of a
    Service that is gone with its load balancer still there it deletes that, if it remembers it.
    """
    if not known.present:
        return Next.DELETE if known.remembered and known.balancer else Next.NOTHING
    if known.deleted:
        if not known.finalizer:
            return Next.NOTHING
        return Next.DELETE if known.balancer else Next.REMOVE_FINALIZER
    if not known.finalizer:
        return Next.ADD_FINALIZER
    if not known.balancer:
        return Next.ENSURE
    return Next.NOTHING if known.address else Next.WRITE_ADDRESS


def comes_to_know(known: Known) -> bool:
    """Whether a controller that has just started keeps a Service in mind once it works on it."""
    return known.present and known.finalizer and not known.remembered


def checks_nodes(service: Service) -> bool:
    """Whether its load balancer sends only to nodes that say that they have a ready pod of it."""
    spec = service.spec
    return spec.type == BALANCED and spec.external_traffic_policy == LOCAL


def is_behind(node: Node) -> bool:
    """Whether load balancers send to a node; what the label says makes no difference.

    Source: ``nodeIncludedPredicate`` and its likes in service/controller.go.
    """
    return EXCLUDED not in node.metadata.label_map()
