"""Pods whose requests somebody changes while they run, and what their kubelet makes of it.

Sources: ``dropDisallowedResizeFields`` and ``ValidatePodResize`` in
pkg/apis/core/validation/validation.go for what may be asked; pkg/kubelet/allocation/
allocation_manager.go, ``canResizePod``, for what is granted: a resize that the node could never
hold is Infeasible, one that it cannot hold beside the pods that it has admitted is Deferred, and
tried again. Until it is granted a pod holds what was allocated for it, and for the scheduler also
what is asked for, unless that is Infeasible (``AggregateContainerRequests``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from kubelemma.model.components.scheduler.decision.node_resources import (
    fit_request,
    insufficient_resources,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.objects.pod import (
    Container,
    ContainerStatus,
    Pod,
    PodCondition,
    PodStatus,
    ResourceRequirements,
)
from kubelemma.model.objects.quantity import Quantity

RESIZABLE = ("cpu", "memory")
PENDING = "PodResizePending"
INFEASIBLE = "Infeasible"


class Resizing(NamedTuple):
    """What somebody asks for: other requests of a container, by its name; of the first if empty."""

    container: str
    cpu: Quantity | None
    memory: Quantity | None

    @property
    def requests(self) -> Mapping[str, Quantity]:
        """What is asked for, by resource."""
        given = {"cpu": self.cpu, "memory": self.memory}
        return {name: amount for name, amount in given.items() if amount is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name} {amount}" for name, amount in self.requests.items())


class Answer(Enum):
    """What a kubelet makes of a resize."""

    GRANTED = "granted"
    DEFERRED = "Deferred"
    INFEASIBLE = "Infeasible"


def answer(pod: Pod, others: NodeInfo) -> Answer:
    """Of a pod as it is to be, beside the others that the kubelet has admitted."""
    asked = {name: n for name, n in fit_request(pod).items() if name in RESIZABLE}
    short = insufficient_resources(asked, others)
    if any(found.unresolvable for found in short):
        return Answer.INFEASIBLE
    return Answer.DEFERRED if any(found.name in RESIZABLE for found in short) else Answer.GRANTED


def waits(pod: Pod) -> bool:
    """Whether a resize of it has been asked for, and neither granted nor taken back."""
    return any(status.allocated_resources for status in pod.status.container_statuses or ())


def is_infeasible(pod: Pod) -> bool:
    """Whether its kubelet has said that its node can never hold it so."""
    return any(found.reason == INFEASIBLE for found in pod.status.conditions or ())


def resized(pod: Pod, change: Resizing) -> Pod:
    """The pod as the API shows it once the resize is asked for; what is allocated stays.

    Limits of one that is Guaranteed go along, as its quality of service may not change. One that is
    back to what is allocated waits for nothing.
    """
    allocated, asking = allocation(pod), _asking(pod, change).spec
    if asking == allocated.spec:
        return allocated
    statuses = tuple(
        ContainerStatus(
            name=each.name,
            allocated_resources=(each.resources or ResourceRequirements()).requests,
            resources=each.resources,
        )
        for each in allocated.spec.containers or ()
    )
    status = PodStatus(container_statuses=statuses)
    return msgspec.structs.replace(pod, spec=asking, status=status)


def _target(pod: Pod, change: Resizing) -> str:
    first = next(iter(pod.spec.containers or ()), None)
    return change.container or (first.name if first is not None else "")


def _asking(pod: Pod, change: Resizing) -> Pod:
    along = change.requests if quality(pod) == "Guaranteed" else {}

    def asking(container: Container) -> Container:
        given = container.resources or ResourceRequirements()
        requests = {**(given.requests or {}), **change.requests}
        limits = {**given.limits, **along} if given.limits else given.limits
        found = msgspec.structs.replace(given, requests=requests, limits=limits)
        return msgspec.structs.replace(container, resources=found)

    containers = tuple(
        asking(each) if each.name == _target(pod, change) else each
        for each in pod.spec.containers or ()
    )
    spec = msgspec.structs.replace(pod.spec, containers=containers)
    return msgspec.structs.replace(pod, spec=spec)


def quality(pod: Pod) -> str:
    """The class of its quality of service (``ComputePodQOS`` in pkg/apis/core/v1/helper/qos)."""
    every = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    found = [each.resources or ResourceRequirements() for each in every]
    amounts = [
        ((r.requests or {}).get(n), (r.limits or {}).get(n)) for r in found for n in RESIZABLE
    ]
    if not any(given is not None and given.amount for pair in amounts for given in pair):
        return "BestEffort"
    alike = all(limit is not None and request in (None, limit) for request, limit in amounts)
    return "Guaranteed" if alike else "Burstable"


def allocation(pod: Pod) -> Pod:
    """The pod as its kubelet has it: with what is allocated for it."""
    if not waits(pod):
        return pod
    allocated = {each.name: each.resources for each in pod.status.container_statuses or ()}
    containers = tuple(
        msgspec.structs.replace(each, resources=allocated[each.name])
        for each in pod.spec.containers or ()
    )
    spec = msgspec.structs.replace(pod.spec, containers=containers)
    return msgspec.structs.replace(pod, spec=spec, status=PodStatus())


def granted(pod: Pod) -> Pod:
    """The pod once it holds what it asks for."""
    return msgspec.structs.replace(pod, status=PodStatus())


def refused(pod: Pod) -> Pod:
    """The pod once its kubelet has said that its node can never hold it so."""
    condition = PodCondition(type=PENDING, status="True", reason=INFEASIBLE)
    status = msgspec.structs.replace(pod.status, conditions=(condition,))
    return msgspec.structs.replace(pod, status=status)


def stages(pod: Pod, change: Resizing) -> Iterator[Pod]:
    """What a pod may be next."""
    yield resized(pod, change)
    if waits(pod):
        yield granted(pod)
        if not is_infeasible(pod):
            yield refused(pod)


def refusal(pod: Pod, change: Resizing) -> tuple[str, str]:
    """The field, and why the API server does not store such a resize; empty where it does."""
    names = [each.name for each in pod.spec.containers or ()]
    if change.container and change.container not in names:
        said = f'"{change.container}" is no container of the pod, which has {", ".join(names)}'
        return "container", said
    after = _asking(pod, change)
    if quality(after) != quality(pod):
        which = f"it is {quality(pod)}, and would be {quality(after)}"
        return "", f"Pod QOS Class may not change as a result of resizing: {which}"
    target = next(e for e in after.spec.containers or () if e.name == _target(pod, change))
    asking = target.resources or ResourceRequirements()
    for name, amount in change.requests.items():
        limit = (asking.limits or {}).get(name)
        if limit is not None and amount.amount > limit.amount:
            return name, f"must be less than or equal to {name} limit of {limit}"
    return "", ""
