"""Amounts of resources: what a pod requests, what a node offers.

A vector of resources is a mapping from resource name to a whole number: cpu in millicores, memory
and ephemeral storage in bytes, everything else in its own unit. Amounts are added exactly and
rounded up once for each pod.

Source: staging/src/k8s.io/component-helpers/resource/helpers.go and
pkg/scheduler/framework/types.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

from kubelemma.model.objects.pod import Container, ContainerStatus, Pod, ResourceRequirements
from kubelemma.model.objects.quantity import Quantity

CPU = "cpu"
MEMORY = "memory"
EPHEMERAL_STORAGE = "ephemeral-storage"
PODS = "pods"

Resources = Mapping[str, int]
Amounts = Mapping[str, Fraction]

NON_ZERO_DEFAULTS: Amounts = {CPU: Fraction(1, 10), MEMORY: Fraction(200 * 1024 * 1024)}
"""What scoring assumes for a container that requests none: 100 millicores and 200 MiB
(``pkg/scheduler/util/pod_resources.go``)."""


def is_scalar(name: str) -> bool:
    """Whether a resource beyond cpu, memory and ephemeral storage is accounted for at all.

    These are extended resources, huge pages, attachable volumes and prefixed native resources
    (``pkg/apis/core/v1/helper/helpers.go`` and ``pkg/scheduler/util/utils.go``).
    """
    if name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name:
        return True
    return is_extended(name)


def is_extended(name: str) -> bool:
    """Whether the name belongs to a vendor: it has a domain, and that is not Kubernetes' own."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def _is_accounted(name: str) -> bool:
    return name in (CPU, MEMORY, EPHEMERAL_STORAGE) or is_scalar(name)


def _whole(name: str, amount: Fraction) -> int:
    scaled = amount * 1000 if name == CPU else amount
    return -(-scaled.numerator // scaled.denominator)


def as_resources(amounts: Amounts) -> dict[str, int]:
    """Exact amounts as whole numbers, rounded up; only resources that are accounted for."""
    return {n: _whole(n, a) for n, a in amounts.items() if _is_accounted(n)}


def allocatable(raw: Mapping[str, Quantity] | None) -> dict[str, int]:
    """What a node offers, by its status; the number of pods is under ``pods``."""
    return {
        name: _whole(name, quantity.amount)
        for name, quantity in (raw or {}).items()
        if name == PODS or _is_accounted(name)
    }


def added(vectors: Iterable[Resources]) -> dict[str, int]:
    """The sum of vectors of resources."""
    sums: dict[str, int] = {}
    for vector in vectors:
        for name, amount in vector.items():
            sums[name] = sums.get(name, 0) + amount
    return sums


def _add(into: dict[str, Fraction], amounts: Amounts) -> None:
    for name, amount in amounts.items():
        into[name] = into[name] + amount if name in into else amount


def _raise(into: dict[str, Fraction], amounts: Amounts) -> None:
    for name, amount in amounts.items():
        if name not in into or amount > into[name]:
            into[name] = amount


def _amounts(raw: Mapping[str, Quantity] | None) -> dict[str, Fraction]:
    return {name: quantity.amount for name, quantity in (raw or {}).items()}


def _requests(resources: ResourceRequirements | None) -> dict[str, Fraction]:
    return _amounts(resources.requests) if resources else {}


def _statuses(pod: Pod) -> dict[str, ContainerStatus]:
    status = pod.status
    listed = (status.container_statuses or ()) + (status.init_container_statuses or ())
    return {s.name: s for s in listed if s.resources is not None}


def _resize_is_infeasible(pod: Pod) -> bool:
    pending = next((c for c in pod.status.conditions or () if c.type == "PodResizePending"), None)
    return pending is not None and pending.reason == "Infeasible"


def _resized_requests(pod: Pod, container: Container, status: ContainerStatus) -> Amounts:
    """What a container under a resize holds: the most of what is wanted, actuated, allocated.

    A resize that the kubelet called infeasible will not happen, so the wish no longer counts.
    """
    held = _requests(status.resources)
    _raise(held, _amounts(status.allocated_resources))
    if not _resize_is_infeasible(pod):
        _raise(held, _requests(container.resources))
    return held


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"


Accounting = Literal["wanted", "held"]
"""Whether requests are read from the spec alone (``wanted``), or for a pod on a node also from its
status, which a resize in progress may have left higher (``held``)."""


def _peak_of_start(steps: Iterable[tuple[bool, Amounts]]) -> dict[str, Fraction]:
    """What the init containers need at most, each beside the sidecars started before it.

    A step is whether the container is a sidecar, and what it requests.
    """
    sidecars: dict[str, Fraction] = {}
    peak: dict[str, Fraction] = {}
    for sidecar, amounts in steps:
        running = dict(sidecars)
        _add(running, amounts)
        _raise(peak, running)
        if sidecar:
            sidecars = running
    return peak


def container_requests(pod: Pod, accounting: Accounting, defaults: Amounts) -> dict[str, Fraction]:
    """What the containers of a pod need at most at any moment (``AggregateContainerRequests``).

    That is the sum over containers and sidecars, or the peak of the start, whichever is higher.
    ``defaults`` stand for what a container does not request.
    """
    statuses = _statuses(pod) if accounting == "held" else {}

    def own(container: Container, *, resizable: bool) -> Amounts:
        status = statuses.get(container.name) if resizable else None
        if status is None:
            return {**defaults, **_requests(container.resources)}
        return {**defaults, **_resized_requests(pod, container, status)}

    steps = [
        (_is_sidecar(container), own(container, resizable=_is_sidecar(container)))
        for container in pod.spec.init_containers or ()
    ]
    needed: dict[str, Fraction] = {}
    for container in pod.spec.containers or ():
        _add(needed, own(container, resizable=True))
    for sidecar, amounts in steps:
        if sidecar:
            _add(needed, amounts)
    _raise(needed, _peak_of_start(steps))
    return needed


def _pod_level(pod: Pod) -> dict[str, Fraction]:
    """The requests of the pod as a whole, of the resources that may be given there."""
    return {
        name: amount
        for name, amount in _requests(pod.spec.resources).items()
        if name in (CPU, MEMORY) or name.startswith("hugepages-")
    }


def pod_requests(
    pod: Pod, accounting: Accounting = "wanted", defaults: Amounts | None = None
) -> dict[str, Fraction]:
    """What a pod requests, exactly: its containers, or the pod level where given, and overhead."""
    needed = container_requests(pod, accounting, defaults or {})
    needed.update(_pod_level(pod))
    _add(needed, _amounts(pod.spec.overhead))
    return needed


def scored_requests(pod: Pod) -> dict[str, Fraction]:
    """What NodeResourcesFit's score takes an incoming pod to request.

    The defaults stand in for what is missing, and pod-level requests are not looked at: the plugin
    does not hand that feature on to its scorer (``noderesources/resource_allocation.go``).
    """
    needed = container_requests(pod, "held", NON_ZERO_DEFAULTS)
    _add(needed, _amounts(pod.spec.overhead))
    return needed


def held_requests(pod: Pod) -> tuple[dict[str, int], dict[str, int]]:
    """What a pod on a node counts as: for filters, and (cpu and memory only) for scores.

    The defaults of the second stand in for a container without a request; with pod-level requests
    only for resources that neither the pod nor any of its containers requests
    (``PodInfo.CalculateResource``).
    """
    exact = pod_requests(pod, "held")
    absent = {n: a for n, a in NON_ZERO_DEFAULTS.items() if n not in exact}
    defaults = absent if _pod_level(pod) else NON_ZERO_DEFAULTS
    scored = pod_requests(pod, "held", defaults)
    return as_resources(exact), {n: _whole(n, scored.get(n, Fraction(0))) for n in (CPU, MEMORY)}
