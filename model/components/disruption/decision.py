"""The disruption controller: what one sync of a budget reports, and when it is stale.

A sync reads the budget, the pods that its selector matches and whatever controls them, each from a
cache of its own, and PUTs the status with the version of the budget that it had read; a conflict
has it start over. Of a workload that changes it hears nothing: a budget is synced after events of
the budget itself and of pods. Of several budgets that match a pod, any one is synced after its
event, and the others are not.

Source: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from kubelemma.model.objects.disruption import PodDisruptionBudgetSpec

from .budget import (
    SYNC_FAILED,
    Budget,
    Condition,
    Disrupted,
    Status,
    allowed_condition,
    tells_allowed,
)

DELETION_TIMEOUT = 120
"""Seconds in which a pod must terminate whose eviction was granted (``DeletionTimeout``)."""
STALE_DISRUPTION_TIMEOUT = 120
"""Seconds after which DisruptionTarget is taken back (``stalePodDisruptionTimeout``)."""
TERMINATION_BY_KUBELET = "TerminationByKubelet"


class Covered(NamedTuple):
    """The pods that a budget's selector matches.

    Attributes:
        pods: all of them, those that terminate too.
        healthy: those that are Ready and not being deleted.
        scale: Σ ``spec.replicas`` of the workloads that control them.
    """

    pods: int
    healthy: int
    scale: int


class Disruptions(NamedTuple):
    """``status`` of a budget, in pods."""

    expected_pods: int
    current_healthy: int
    desired_healthy: int
    disruptions_allowed: int


class MatchedPod(NamedTuple):
    """A pod that a budget's selector matches; ``controller`` is the UID of its controlling owner.

    Its phase is not looked at: a pod that is Pending, or has ended, is counted like any other.
    """

    name: str
    ready: bool
    terminating: bool = False
    controller: str | None = None


class Workload(NamedTuple):
    """What may control pods, under its UID in the caches.

    Attributes:
        replicas: ``spec.replicas``; None where the kind has no scale subresource (DaemonSet, Job).
        deployment: the UID of the Deployment that controls it, where it is a ReplicaSet.
    """

    replicas: int | None
    deployment: str | None = None


Workloads = Mapping[str, Workload]
"""Workloads by UID."""


class Unscaled(Enum):
    """Why the scale of a pod's controller is not known."""

    NOT_FOUND = "found no controllers for pod"
    NO_SCALE = "does not implement the scale subresource"


class Sync(NamedTuple):
    """What a sync comes to.

    Attributes:
        status: what the budget says afterwards, if the PUT succeeds.
        writes: whether there is a PUT.
        recheck_at: when the next entry of ``disrupted_pods`` runs out, and the budget is synced
            again; None where there is none.
        failure: why the sync failed. It is not tried again by itself, as long as its PUT succeeds.
    """

    status: Status
    writes: bool
    recheck_at: int | None = None
    failure: Unscaled | None = None


class DisruptionTarget(NamedTuple):
    """The condition DisruptionTarget of a pod where it is True, and since when."""

    reason: str
    since: int


def disruptions(spec: PodDisruptionBudgetSpec, covered: Covered) -> Disruptions:
    """The status that a sync computes; with neither bound it expects and allows nothing.

    A number as ``minAvailable`` expects as many pods as there are, all else as many as there should
    be. A share is rounded up, of ``maxUnavailable`` as well.

    Source: ``getExpectedPodCount`` and ``updatePdbStatus``.
    """
    expected, desired = 0, 0
    if spec.max_unavailable is not None:
        expected = covered.scale
        desired = max(0, expected - spec.max_unavailable.scaled(expected, round_up=True))
    elif spec.min_available is not None:
        expected = covered.scale if spec.min_available.percent else covered.pods
        desired = spec.min_available.scaled(expected, round_up=True)
    allowed = max(0, covered.healthy - desired) if expected > 0 else 0
    return Disruptions(expected, covered.healthy, desired, allowed)


def asks_scale(spec: PodDisruptionBudgetSpec) -> bool:
    """Whether a sync asks what the controllers of its pods should run, and fails if it cannot."""
    if spec.max_unavailable is not None:
        return True
    return spec.min_available is not None and spec.min_available.percent


def expected_scale(pods: Iterable[MatchedPod], workloads: Workloads) -> int | Unscaled:
    """Σ replicas of all that control the pods, each once; pods without a controller do not count.

    Source: ``getExpectedScale``.
    """
    scales: dict[str, int] = {}
    for pod in pods:
        if pod.controller is None:
            continue
        top = _scaled(pod.controller, workloads)
        replicas = workloads[top].replicas if top in workloads else None
        if replicas is None:
            return Unscaled.NO_SCALE if top in workloads else Unscaled.NOT_FOUND
        scales[top] = replicas
    return sum(scales.values())


def _scaled(controller: str, workloads: Workloads) -> str:
    """Whose scale stands for a controller's: a ReplicaSet's Deployment's, where it is found.

    Where it is not, ``getScaleController`` comes last and asks for the scale of the ReplicaSet.
    """
    found = workloads.get(controller)
    deployment = found.deployment if found is not None else None
    return deployment if deployment is not None and deployment in workloads else controller


def still_disrupted(
    entries: Iterable[Disrupted], pods: Iterable[MatchedPod], now: int
) -> tuple[Disrupted, ...]:
    """The entries that a sync keeps: of pods that are there and do not terminate, in their time.

    Source: ``buildDisruptedPodMap``.
    """
    staying = {pod.name for pod in pods if not pod.terminating}
    return tuple(e for e in entries if e.pod in staying and e.since + DELETION_TIMEOUT >= now)


def healthy_pods(pods: Iterable[MatchedPod], entries: Iterable[Disrupted], now: int) -> int:
    """The pods that are Ready and expected to stay (``countHealthyPods``).

    In the very second in which its time runs out a pod is healthy again, and its entry still there.
    """
    leaving = {entry.pod for entry in entries if entry.since + DELETION_TIMEOUT > now}
    return sum(p.ready and not p.terminating and p.name not in leaving for p in pods)


def sync(budget: Budget, pods: Sequence[MatchedPod], workloads: Workloads, now: int) -> Sync:
    """One sync of a budget (``trySync``), and what it does when it fails."""
    scale = expected_scale(pods, workloads) if asks_scale(budget.spec) else 0
    if isinstance(scale, Unscaled):
        return Sync(failed(budget.status, scale.value), writes=True, failure=scale)
    kept = still_disrupted(budget.status.disrupted_pods, pods, now)
    healthy = healthy_pods(pods, kept, now)
    counts = disruptions(budget.spec, Covered(len(pods), healthy, scale))
    status = reported(budget, counts, kept)
    recheck = min((entry.since + DELETION_TIMEOUT for entry in kept), default=None)
    return Sync(status, writes=status != budget.status, recheck_at=recheck)


def reported(budget: Budget, counts: Disruptions, kept: tuple[Disrupted, ...]) -> Status:
    """The status after a sync that succeeds; the very same where nothing is to be written.

    A condition that tells the right thing is left as it is, with any message that it may have.

    Source: ``updatePdbStatus``.
    """
    status = Status(budget.generation, *counts, kept, budget.status.condition)
    if status == budget.status and tells_allowed(status.condition, status.disruptions_allowed):
        return budget.status
    return status._replace(condition=allowed_condition(status.disruptions_allowed))


def failed(status: Status, message: str) -> Status:
    """The status after a sync that fails (``failSafe``): nothing is allowed, all else stays.

    The generation is not observed. The PUT is sent in any case, and stores nothing new the second
    time.
    """
    condition = Condition(holds=False, reason=SYNC_FAILED, message=message)
    return status._replace(disruptions_allowed=0, condition=condition)


def stale_in(
    target: DisruptionTarget, *, terminating: bool, terminal: bool, now: int
) -> int | None:
    """Seconds until the controller sets a pod's DisruptionTarget to False; None if it never does.

    That a pod terminates or has ended makes good what the condition said. What the kubelet said
    is left alone.

    Source: ``nonTerminatingPodHasStaleDisruptionCondition``.
    """
    if terminating or terminal or target.reason == TERMINATION_BY_KUBELET:
        return None
    return max(0, target.since + STALE_DISRUPTION_TIMEOUT - now)
