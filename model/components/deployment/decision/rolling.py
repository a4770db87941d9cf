"""The strategy RollingUpdate.

Sizes come from the specs, availability from the statuses of the ReplicaSets in the cache, which may
be stale. Source: pkg/controller/deployment/rolling.go.
"""

from __future__ import annotations

from typing import NamedTuple

from .bounds import max_surge, max_unavailable, new_rs_new_replicas, resized
from .view import (
    CreateNew,
    DeploymentView,
    ReplicaSetView,
    Sets,
    Step,
    Write,
    applied,
    old_sets,
    total_replicas,
)


class Cleanup(NamedTuple):
    """What was taken from unhealthy old ReplicaSets.

    ``failed``: one of them reports more available pods than it asks for, which the controller
    takes for an invalid request. ``puts`` were sent before that; ``removed`` is 0 then.
    """

    puts: tuple[Write, ...]
    removed: int
    failed: bool = False


def new_replica_set(deployment: DeploymentView, sets: Sets) -> CreateNew:
    """The new ReplicaSet as ``getNewReplicaSet`` creates it, beside the old ones in ``sets``."""
    desired = deployment.replicas
    replicas = new_rs_new_replicas(deployment, total_replicas(sets), 0)
    return CreateNew(replicas, desired, desired + max_surge(deployment))


def reconcile_new(deployment: DeploymentView, sets: Sets, new: int) -> tuple[Write, ...]:
    """Scale the new ReplicaSet down to ``spec.replicas`` at once, or up as the surge allows."""
    size = sets[new].replicas
    if size > deployment.replicas:
        return resized(deployment, sets, new, deployment.replicas)
    size = new_rs_new_replicas(deployment, total_replicas(sets), size)
    return resized(deployment, sets, new, size)


def cleanup_unhealthy(
    deployment: DeploymentView, sets: Sets, new: int | None, limit: int
) -> Cleanup:
    """Take at most ``limit`` unavailable replicas from the old ReplicaSets, oldest first.

    The ReplicaSet controller deletes unready pods first, so this costs no availability.
    """
    puts: tuple[Write, ...] = ()
    removed = 0
    for i in old_sets(sets, new):
        unhealthy = sets[i].replicas - sets[i].available
        if removed >= limit:
            break
        if sets[i].replicas == 0 or unhealthy == 0:
            continue
        if unhealthy < 0:
            return Cleanup(puts, 0, failed=True)
        fewer = min(limit - removed, unhealthy)
        puts += resized(deployment, sets, i, sets[i].replicas - fewer)
        removed += fewer
    return Cleanup(puts, removed)


def scale_down_old(deployment: DeploymentView, sets: Sets, new: int | None) -> tuple[Write, ...]:
    """Take from the old ReplicaSets, oldest first, what is available beyond the minimum.

    Old ReplicaSets of size 0 do not count as available, whatever their status still says.
    """
    old = [i for i in old_sets(sets, new) if sets[i].replicas > 0]
    available = sum(sets[i].available for i in (*old, *([] if new is None else [new])))
    spare = available - _least(deployment)
    puts: tuple[Write, ...] = ()
    for i in old:
        if spare <= 0:
            break
        fewer = min(sets[i].replicas, spare)
        puts += resized(deployment, sets, i, sets[i].replicas - fewer)
        spare -= fewer
    return puts


def reconcile_old(deployment: DeploymentView, sets: Sets, new: int) -> Step:
    """Scale the old ReplicaSets down; a ReplicaSet may be written twice, each a PUT of its own.

    A failing clean-up is swallowed: nothing more is scaled down in this sync, and the sync goes on
    as if nothing had been.
    """
    if total_replicas(sets) == sets[new].replicas:
        return Step()
    new_unavailable = sets[new].replicas - sets[new].available
    limit = total_replicas(sets) - _least(deployment) - new_unavailable
    if limit <= 0:
        return Step()
    cleanup = cleanup_unhealthy(deployment, sets, new, limit)
    if cleanup.failed:
        return Step(puts=cleanup.puts)
    puts = cleanup.puts + scale_down_old(deployment, applied(sets, cleanup.puts), new)
    return Step(puts=puts, ended=bool(puts))


def rolling_step(deployment: DeploymentView, sets: Sets, new: int | None) -> Step:
    """One sync: create the new ReplicaSet where it is missing; scale it, else the old ones.

    A ReplicaSet created here has all the surge allows, so the same sync goes on to the old ones.
    """
    if new is None:
        create = new_replica_set(deployment, sets)
        return reconcile_old(deployment, (*sets, _created(create)), len(sets))._replace(
            create=create
        )
    puts = reconcile_new(deployment, sets, new)
    return Step(puts=puts, ended=True) if puts else reconcile_old(deployment, sets, new)


def _created(create: CreateNew) -> ReplicaSetView:
    return ReplicaSetView(create.replicas, desired=create.desired, max_replicas=create.max_replicas)


def _least(deployment: DeploymentView) -> int:
    """The controller computes this itself and not by ``MinAvailable``, which is 0 for Recreate."""
    return deployment.replicas - max_unavailable(deployment)
