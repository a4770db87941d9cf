"""The way through the virtual address of a Service, by the kube-proxy of some node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.components.endpointslice.route import (
    SLICES_SECONDS,
    Route,
    Subject,
    service_label,
)
from kubelemma.model.objects.service import EXTERNAL_NAME, HEADLESS, Service

from .actions import HEAR_OF_ENDPOINTS
from .decision import Endpoint, Policy, categorize


def sends(heard: Entry) -> bool:
    """Whether a proxy may choose the pod, beside others that are ready."""
    own = Endpoint(
        "leaving",
        ready=heard is Entry.READY,
        serving=heard is not Entry.ABSENT,
        terminating=heard is not Entry.ABSENT,
    )
    other = Endpoint("another", ready=True, serving=True, terminating=False)
    return own in categorize((own, other), Policy()).reachable


def subjects(objects: Sequence[Any]) -> Iterator[Subject]:
    """The Services that have a virtual address."""
    for service in objects:
        if isinstance(service, Service) and _has_address(service):
            yield Subject(service_label(service), service)


def _has_address(service: Service) -> bool:
    return service.spec.type != EXTERNAL_NAME and service.spec.cluster_ip != HEADLESS


BY_PROXY = Route(
    senders="kube-proxies",
    lag_seconds=SLICES_SECONDS,
    assumed=f"every kube-proxy has heard of it within {SLICES_SECONDS} s",
    hears=HEAR_OF_ENDPOINTS,
    why="its watch shows the slices as they are now",
    sends=sends,
    subjects=subjects,
)
