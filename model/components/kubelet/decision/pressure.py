"""Whom a kubelet evicts when its node is short of memory, and whom it admits then.

Source: pkg/kubelet/eviction/helpers.go, ``rankMemoryPressure``; ``Admit`` and ``evictPod`` of
eviction_manager.go there; pkg/apis/core/v1/helper/qos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

from kubelemma.model.components.nodelifecycle.decision import MEMORY_PRESSURE
from kubelemma.model.components.scheduler.decision.resources import MEMORY, pod_requests
from kubelemma.model.components.scheduler.decision.taints import is_tolerated
from kubelemma.model.objects.node import Taint
from kubelemma.model.objects.pod import Pod, ResourceRequirements

from .shutdown import SYSTEM_CRITICAL_PRIORITY

PRESSURE_TAINT = Taint(key=MEMORY_PRESSURE, effect="NoSchedule")


class Use(IntEnum):
    """Whether a pod may use more memory than it requests, by its manifest alone."""

    WITHIN = 0
    """Never: its limits are its requests."""
    OPEN = 1
    EXCEEDS = 2
    """Always: it requests none."""


class Candidate(NamedTuple):
    """What is known of a pod before anybody has measured it."""

    use: Use
    priority: int

    @property
    def critical(self) -> bool:
        """Whether it is never evicted."""
        return self.priority >= SYSTEM_CRITICAL_PRIORITY


def candidate(pod: Pod) -> Candidate:
    """A pod as its manifest says."""
    return Candidate(_use(pod), pod.spec.priority or 0)


def next_to_evict(pods: Sequence[Candidate]) -> tuple[int, ...]:
    """The places of those that may be evicted first, whatever each of them uses."""
    return tuple(i for i, pod in enumerate(pods) if _may_go(pod, pods))


def _may_go(pod: Candidate, among: Sequence[Candidate]) -> bool:
    if pod.critical:
        return False
    certain = [other.priority for other in among if other.use is Use.EXCEEDS and not other.critical]
    if pod.use is not Use.WITHIN:
        return all(pod.priority <= priority for priority in certain)
    others = (other.priority for other in among if not other.critical)
    return not certain and all(pod.priority <= priority for priority in others)


def admits_under_pressure(pod: Pod) -> bool:
    """Whether a pod is admitted to a node that is short of memory, and of nothing else."""
    critical = (pod.spec.priority or 0) >= SYSTEM_CRITICAL_PRIORITY
    return critical or not is_best_effort(pod) or is_tolerated(pod, PRESSURE_TAINT)


def is_best_effort(pod: Pod) -> bool:
    """Whether its QoS class is BestEffort: nothing of it requests or limits cpu or memory."""
    return not any(
        amount.amount
        for resources in _resources(pod)
        for amounts in (resources.requests, resources.limits)
        for name, amount in (amounts or {}).items()
        if name in ("cpu", MEMORY)
    )


def _resources(pod: Pod) -> Iterator[ResourceRequirements]:
    if pod.spec.resources is not None:
        yield pod.spec.resources
    for container in (*(pod.spec.init_containers or ()), *(pod.spec.containers or ())):
        if container.resources is not None:
            yield container.resources


def _use(pod: Pod) -> Use:
    """By its containers; init containers have ended while it runs."""
    request = pod_requests(pod).get(MEMORY, Fraction(0))
    if not request:
        return Use.EXCEEDS
    containers = pod.spec.containers or ()
    limits = [(c.resources.limits or {}).get(MEMORY) if c.resources else None for c in containers]
    given = [limit.amount for limit in limits if limit is not None]
    return Use.WITHIN if len(given) == len(limits) and sum(given) <= request else Use.OPEN
