"""What a sync of the Deployment controller reads and writes, reduced to numbers.

ReplicaSets are named by their position in the tuple that is passed around, and the *new* one (whose
template is the Deployment's) by its position or None.

Source: pkg/controller/deployment/sync.go, pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from kubelemma.model.objects.quantity import IntOrPercent


class RollingUpdate(NamedTuple):
    """``spec.strategy.rollingUpdate``; an absent bound counts as 0, as in the controller."""

    max_surge: IntOrPercent | None
    max_unavailable: IntOrPercent | None


class DeploymentView(NamedTuple):
    """The Deployment. ``rolling_update`` is None for the strategy Recreate.

    ``status_replicas`` is the stored ``status.replicas``, ``complete`` whether the stored status
    shows a complete rollout; ``revision_history_limit`` is None where all revisions are kept.
    """

    replicas: int
    rolling_update: RollingUpdate | None
    paused: bool = False
    status_replicas: int = 0
    complete: bool = False
    revision_history_limit: int | None = None


class ReplicaSetView(NamedTuple):
    """A ReplicaSet as the controller's cache shows it.

    ``replicas`` is of the spec; ``status_replicas`` and ``available`` are of the status.
    ``desired`` and ``max_replicas`` are the annotations desired-replicas and max-replicas of
    ``deployment.kubernetes.io``, None where absent or not a number. ``created`` orders by creation,
    ties go by ``name``. ``observed``: the status is of the current generation.
    """

    replicas: int
    status_replicas: int = 0
    available: int = 0
    desired: int | None = None
    max_replicas: int | None = None
    created: int = 0
    name: str = ""
    revision: int = 0
    observed: bool = True
    deleting: bool = False


Sets: TypeAlias = tuple[ReplicaSetView, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One PUT of the ReplicaSet at ``index``: its new size and both annotations."""

    index: int
    replicas: int
    desired: int
    max_replicas: int


class CreateNew(NamedTuple):
    """The POST of the new ReplicaSet: its size and both annotations."""

    replicas: int
    desired: int
    max_replicas: int


class Step(NamedTuple):
    """What a strategy writes in one sync: the POST if any, then the PUTs in order.

    ``ended``: the sync goes straight to the status and does not look at the revision history.
    """

    create: CreateNew | None = None
    puts: tuple[Write, ...] = ()
    ended: bool = False


def applied(sets: Sets, puts: Iterable[Write]) -> Sets:
    """The ReplicaSets as the API server returns them after these PUTs: the status stays stale."""
    after = list(sets)
    for put in puts:
        after[put.index] = after[put.index]._replace(
            replicas=put.replicas, desired=put.desired, max_replicas=put.max_replicas
        )
    return tuple(after)


def old_sets(sets: Sets, new: int | None) -> tuple[int, ...]:
    """All but the new one, oldest first (``ReplicaSetsByCreationTimestamp``)."""
    old = (i for i in range(len(sets)) if i != new)
    return tuple(sorted(old, key=lambda i: age_key(sets[i])))


def age_key(replica_set: ReplicaSetView) -> tuple[int, str]:
    """Sorts the oldest first."""
    return (replica_set.created, replica_set.name)


def total_replicas(sets: Iterable[ReplicaSetView]) -> int:
    """Σ ``spec.replicas``."""
    return sum(s.replicas for s in sets)
