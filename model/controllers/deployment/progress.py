"""The status of a Deployment and its conditions, without their times.

Source: pkg/controller/deployment/progress.go, pkg/controller/deployment/sync.go and
pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from typing import NamedTuple

from .bounds import max_unavailable
from .view import DeploymentView, Sets, total_replicas

NEW_RS_AVAILABLE = "NewReplicaSetAvailable"
REPLICA_SET_UPDATED = "ReplicaSetUpdated"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"


class Status(NamedTuple):
    """``status`` in pods; ``observed``: it is of the current generation of the spec."""

    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    observed: bool = True


class Progressing(NamedTuple):
    """The condition Progressing: ``status`` is "True", "False" or "Unknown"."""

    status: str
    reason: str


def calculate_status(sets: Sets, new: int | None) -> Status:
    """The status that a sync computes, from the statuses of all ReplicaSets in its cache."""
    return Status(
        replicas=sum(s.status_replicas for s in sets),
        updated=0 if new is None else sets[new].status_replicas,
        ready=sum(s.ready for s in sets),
        available=sum(s.available for s in sets),
    )


def unavailable_replicas(sets: Sets) -> int:
    """``status.unavailableReplicas``: asked for in the specs but not available, at least 0."""
    return max(0, total_replicas(sets) - sum(s.available for s in sets))


def minimum_available(deployment: DeploymentView, status: Status) -> bool:
    """The condition Available: enough pods are, by the bound of the rolling update."""
    return status.available >= deployment.replicas - max_unavailable(deployment)


def deployment_complete(replicas: int, status: Status) -> bool:
    """Whether all ``replicas`` wanted are updated and available, and no other pod is left."""
    counts = {status.updated, status.replicas, status.available}
    return counts == {replicas} and status.observed


def deployment_progressing(before: Status, after: Status) -> bool:
    """Whether something moved: more updated, ready or available pods, or fewer old ones."""
    return (
        after.updated > before.updated
        or after.replicas - after.updated < before.replicas - before.updated
        or after.ready > before.ready
        or after.available > before.available
    )


def rollout_condition(
    replicas: int,
    before: Status,
    after: Status,
    condition: Progressing | None,
    *,
    deadline: bool,
    overdue: bool,
) -> Progressing | None:
    """The condition Progressing after a sync of the strategy that computed the status ``after``.

    ``deadline``: ``progressDeadlineSeconds`` is set. ``overdue``: it has passed since the condition
    was last updated: by progress, or by the creation of the new ReplicaSet, which itself sets it to
    "True". A rollout that has once completed is not judged again until there are old pods.
    """
    if not deadline:
        return None
    if condition and condition.reason == NEW_RS_AVAILABLE and after.replicas == after.updated:
        return condition
    if deployment_complete(replicas, after):
        return Progressing("True", NEW_RS_AVAILABLE)
    if deployment_progressing(before, after):
        return Progressing("True", REPLICA_SET_UPDATED)
    return Progressing("False", TIMED_OUT) if _timed_out(condition, overdue=overdue) else condition


def paused_condition(
    condition: Progressing | None, *, paused: bool, deadline: bool
) -> Progressing | None:
    """The condition Progressing after the start of a sync, which notes a pause or its end.

    A reported lack of progress is not overwritten.
    """
    reason = condition.reason if condition else ""
    if not deadline or reason == TIMED_OUT or paused == (reason == PAUSED):
        return condition
    return Progressing("Unknown", PAUSED if paused else RESUMED)


def _timed_out(condition: Progressing | None, *, overdue: bool) -> bool:
    if condition is None or condition.reason == NEW_RS_AVAILABLE:
        return False
    return overdue or condition.reason == TIMED_OUT
