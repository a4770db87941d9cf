"""Requests, limits and amounts on nodes.

Sources: ``pkg/apis/core/validation/validation.go`` (resource requirements),
``pkg/apis/core/helper/helpers.go`` (which resources may be overcommitted),
``pkg/api/pod/warnings.go`` (what the API server accepts with a warning).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from kubelemma.model.components.scheduler.decision.resources import is_extended
from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.objects.pod import PodSpec, ResourceRequirements
from kubelemma.model.objects.quantity import Quantity

from .names import label_key
from .pod_defaults import aggregate_requests

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_POD_LEVEL = ("cpu", "memory")
_HUGE_PAGES = "hugepages-"
_WHOLE_BYTES = ("memory", "ephemeral-storage")
_MILLI = Fraction(1, 1000)


def quantities(amounts: Mapping[str, Quantity] | None, path: FieldPath) -> Iterator[Finding]:
    """Amounts are not negative, and whole where a resource cannot be shared."""
    for name, quantity in (amounts or {}).items():
        if quantity.amount < 0:
            yield Finding((*path, name), f'"{quantity}" is negative')
        elif (name == "pods" or is_extended(name)) and quantity.amount.denominator != 1:
            yield Finding((*path, name), f'"{quantity}" is not a whole number')


def container_resources(
    resources: ResourceRequirements | None, path: FieldPath
) -> Iterator[Finding]:
    """Requests and limits of one container."""
    if resources is None:
        return
    for field, amounts in (("requests", resources.requests), ("limits", resources.limits)):
        for name in amounts or {}:
            yield from _resource_name(name, (*path, field, name))
        yield from quantities(amounts, (*path, field))
    yield from _within_limits(resources, path)


def pod_resources(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """Requests and limits of a pod as a whole, which hold its containers' together."""
    if spec.resources is None:
        return
    requests, limits = spec.resources.requests or {}, spec.resources.limits or {}
    for field, amounts in (("requests", requests), ("limits", limits)):
        for name in amounts:
            if name not in _POD_LEVEL and not name.startswith(_HUGE_PAGES):
                yield Finding((*path, field, name), "a pod as a whole has only cpu and memory")
        yield from quantities(amounts, (*path, field))
    yield from _within_limits(spec.resources, path)
    for name, total in aggregate_requests(spec).items():
        if name in requests and requests[name].amount < total.amount:
            message = f'"{requests[name]}" is less than its containers request together: {total}'
            yield Finding((*path, "requests", name), message)
    for index, container in enumerate(spec.containers or ()):
        own = (container.resources and container.resources.limits) or {}
        for name in own.keys() & limits.keys():
            if own[name].amount > limits[name].amount:
                where = (*path[:-1], "containers", index, "resources", "limits", name)
                yield Finding(where, f'"{own[name]}" is more than the pod\'s limit: {limits[name]}')


def _resource_name(name: str, path: FieldPath) -> Iterator[Finding]:
    if "/" in name:
        message = label_key(name)
        if message is not None:
            yield Finding(path, message)
    elif name not in _STANDARD and not name.startswith(_HUGE_PAGES):
        yield Finding(
            path, f'"{name}" is no resource of a container{did_you_mean(name, _STANDARD)}'
        )


def _within_limits(resources: ResourceRequirements, path: FieldPath) -> Iterator[Finding]:
    limits = resources.limits or {}
    for name, request in (resources.requests or {}).items():
        shared = not is_extended(name) and not name.startswith(_HUGE_PAGES)
        here: FieldPath = (*path, "requests", name)
        if name not in limits:
            if not shared:
                yield Finding(here, "needs a limit of the same amount: it cannot be overcommitted")
        elif request.amount > limits[name].amount:
            yield Finding(here, f'"{request}" is more than the limit: {limits[name]}')
        elif not shared and request != limits[name]:
            yield Finding(here, f'"{request}" is not the limit, {limits[name]}, as it must be')


def advice(amounts: Mapping[str, Quantity] | None, path: FieldPath) -> Iterator[Finding]:
    """Amounts that are accepted but hardly meant: rounded-up shares of a milli-core or a byte."""
    for name, quantity in (amounts or {}).items():
        if name in _WHOLE_BYTES and quantity.amount.denominator != 1:
            yield Finding(
                (*path, name),
                f'"{quantity}" is a fraction of a byte: "m" means thousandths ("Mi" or "M"?)',
            )
        elif name == "cpu" and quantity.amount % _MILLI:
            yield Finding((*path, name), f"is finer than 1m, and is rounded up to {quantity}")
