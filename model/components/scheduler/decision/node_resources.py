"""Plugins NodeResourcesFit and NodeResourcesBalancedAllocation.

Source: pkg/scheduler/framework/plugins/noderesources/: fit.go, resource_allocation.go,
least_allocated.go, most_allocated.go, requested_to_capacity_ratio.go, balanced_allocation.go; and
pkg/scheduler/apis/config/validation/validation_pluginargs.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt
from typing import Literal, NamedTuple

from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .normalize import MAX_NODE_SCORE
from .resources import (
    CPU,
    EPHEMERAL_STORAGE,
    MEMORY,
    PODS,
    Resources,
    as_resources,
    is_extended,
    is_scalar,
    pod_requests,
    scored_requests,
)
from .status import SKIP, SUCCESS, Code, Status


class InsufficientResource(NamedTuple):
    """A resource of which a node has too little left, in the units of its vector."""

    name: str
    reason: str
    requested: int
    used: int
    capacity: int

    @property
    def unresolvable(self) -> bool:
        """Whether even the empty node has too little."""
        return self.name != PODS and self.requested > self.capacity


class Ignored(NamedTuple):
    """Extended resources that the filter leaves to an extender, by name and by domain."""

    names: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def covers(self, name: str) -> bool:
        """Whether the resource is not looked at."""
        domain, _, _ = name.partition("/")
        return is_extended(name) and (name in self.names or domain in self.groups)


NOTHING_IGNORED = Ignored()


def fit_request(pod: Pod) -> dict[str, int]:
    """PreFilter: what the incoming pod needs."""
    return as_resources(pod_requests(pod))


def _checked(request: Resources, ignored: Ignored) -> list[str]:
    """The requested resources in the order of the reasons.

    The scheduler gives those of scalar resources in any order; here they are sorted.
    """
    native = (CPU, MEMORY, EPHEMERAL_STORAGE)
    scalars = sorted(n for n in request if n not in native and not ignored.covers(n))
    return [name for name in (*native, *scalars) if request.get(name, 0) > 0]


def insufficient_resources(
    request: Resources, info: NodeInfo, ignored: Ignored = NOTHING_IGNORED
) -> tuple[InsufficientResource, ...]:
    """What the node lacks for a pod with this request; a place for the pod itself comes first."""
    lacking: list[InsufficientResource] = []
    places, taken = info.allocatable.get(PODS, 0), len(info.pods)
    if taken + 1 > places:
        lacking.append(InsufficientResource(PODS, "Too many pods", 1, taken, places))
    for name in _checked(request, ignored):
        used, capacity = info.requested.get(name, 0), info.allocatable.get(name, 0)
        if request[name] > capacity - used:
            reason = f"Insufficient {name}"
            lacking.append(InsufficientResource(name, reason, request[name], used, capacity))
    return tuple(lacking)


def filter_fit(request: Resources, info: NodeInfo, ignored: Ignored = NOTHING_IGNORED) -> Status:
    """NodeResourcesFit: enough of everything must be left; all reasons are given."""
    lacking = insufficient_resources(request, info, ignored)
    if not lacking:
        return SUCCESS
    hopeless = any(resource.unresolvable for resource in lacking)
    code = Code.UNRESOLVABLE if hopeless else Code.UNSCHEDULABLE
    return Status(code, tuple(resource.reason for resource in lacking))


class ResourceWeight(NamedTuple):
    """A resource that a strategy scores, and its weight, 1 to 100."""

    name: str
    weight: int = 1


CPU_AND_MEMORY = (ResourceWeight(CPU), ResourceWeight(MEMORY))


class ShapePoint(NamedTuple):
    """A point of the broken line of RequestedToCapacityRatio: per cent used, score 0 to 10."""

    utilization: int
    score: int


@dataclass(frozen=True, slots=True)
class ScoringStrategy:
    """How NodeResourcesFit scores; ``shape`` is read by RequestedToCapacityRatio only.

    Raises:
        ValueError: a weight is outside 1 to 100.
    """

    type: Literal["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"] = "LeastAllocated"
    resources: tuple[ResourceWeight, ...] = CPU_AND_MEMORY
    shape: tuple[ShapePoint, ...] = ()

    def __post_init__(self) -> None:
        for resource in self.resources:
            if not 1 <= resource.weight <= MAX_NODE_SCORE:
                raise ValueError(f"weight {resource.weight} of {resource.name} is not in 1..100")

    def score(self, requested: int, capacity: int) -> int:
        """The score, 0..100, of one resource; the capacity is above 0."""
        if self.type == "LeastAllocated":
            return max(0, capacity - requested) * MAX_NODE_SCORE // capacity
        if self.type == "MostAllocated":
            return min(requested, capacity) * MAX_NODE_SCORE // capacity
        used = 100 if requested > capacity else requested * 100 // capacity
        return _on_line(self.shape, used)


LEAST_ALLOCATED = ScoringStrategy()


def _on_line(shape: tuple[ShapePoint, ...], used: int) -> int:
    """The height of the broken line at so many per cent, 0..100, cut off towards 0 as in Go."""
    before = shape[0]
    for point in shape:
        if used <= point.utilization:
            rise = (point.score - before.score) * 10 * (used - before.utilization)
            run = point.utilization - before.utilization
            return before.score * 10 + (int(rise / run) if run else 0)
        before = point
    return before.score * 10


class Usage(NamedTuple):
    """One resource of a node as it would be with the pod on it."""

    weight: int
    requested: int
    capacity: int


def _usages(
    resources: tuple[ResourceWeight, ...], info: NodeInfo, request: Resources, used: Resources
) -> list[Usage]:
    """The resources that count: those the node has, and scalar ones only if the pod asks."""
    usages: list[Usage] = []
    for name, weight in resources:
        own, capacity = request.get(name, 0), info.allocatable.get(name, 0)
        if capacity and (own or not is_scalar(name)):
            usages.append(Usage(weight, used.get(name, 0) + own, capacity))
    return usages


def score_fit(pod: Pod, info: NodeInfo, strategy: ScoringStrategy = LEAST_ALLOCATED) -> int:
    """NodeResourcesFit: the weighted mean of the scores of the resources, 0..100.

    RequestedToCapacityRatio leaves out resources that score 0 and rounds; the others cut off.
    """
    request = as_resources(scored_requests(pod))
    used = {**info.requested, **info.non_zero_requested}
    usages = _usages(strategy.resources, info, request, used)
    scores = [(u.weight, strategy.score(u.requested, u.capacity)) for u in usages]
    if strategy.type == "RequestedToCapacityRatio":
        scores = [(weight, score) for weight, score in scores if score > 0]
    weights = sum(weight for weight, _ in scores)
    if not weights:
        return 0
    weighted = sum(weight * score for weight, score in scores)
    if strategy.type == "RequestedToCapacityRatio":
        return (2 * weighted + weights) // (2 * weights)
    return weighted // weights


def balanced_request(pod: Pod) -> dict[str, int]:
    """What BalancedAllocation takes the incoming pod to request: no defaults."""
    return as_resources(pod_requests(pod, "held"))


def pre_score_balanced(pod: Pod, resources: tuple[ResourceWeight, ...] = CPU_AND_MEMORY) -> Status:
    """NodeResourcesBalancedAllocation: skip where the pod requests none of the resources."""
    request = balanced_request(pod)
    return SUCCESS if any(request.get(r.name, 0) for r in resources) else SKIP


def score_balanced(
    pod: Pod, info: NodeInfo, resources: tuple[ResourceWeight, ...] = CPU_AND_MEMORY
) -> int:
    """NodeResourcesBalancedAllocation: 100 less the standard deviation of the used shares."""
    usages = _usages(resources, info, balanced_request(pod), info.requested)
    shares = [min(1.0, u.requested / u.capacity) for u in usages]
    return floor((1 - _deviation(shares)) * MAX_NODE_SCORE)


def _deviation(shares: list[float]) -> float:
    if not shares:
        return 0.0
    if len(shares) == len(CPU_AND_MEMORY):
        # The general formula gives the same up to rounding, and rounding shows in the score.
        return abs((shares[0] - shares[1]) / 2)
    mean = sum(shares) / len(shares)
    return sqrt(sum((share - mean) * (share - mean) for share in shares) / len(shares))
