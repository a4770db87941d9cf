"""The status of a Deployment, in pods.

Source: pkg/controller/deployment/sync.go (``calculateStatus``) and
pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from typing import NamedTuple

from .view import Sets


class Status(NamedTuple):
    """``status`` in pods; ``observed``: it is of the current generation of the spec."""

    replicas: int = 0
    updated: int = 0
    available: int = 0
    observed: bool = True


def calculate_status(sets: Sets, new: int | None) -> Status:
    """The status that a sync computes, from the statuses of all ReplicaSets in its cache."""
    return Status(
        replicas=sum(s.status_replicas for s in sets),
        updated=0 if new is None else sets[new].status_replicas,
        available=sum(s.available for s in sets),
    )


def deployment_complete(replicas: int, status: Status) -> bool:
    """Whether all ``replicas`` wanted are updated and available, and no other pod is left."""
    counts = {status.updated, status.replicas, status.available}
    return counts == {replicas} and status.observed
