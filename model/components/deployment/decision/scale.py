"""Scaling a Deployment that is paused, or whose size has changed: ReplicaSets keep their shares.

Source: pkg/controller/deployment/sync.go (``scale``, ``isScalingEvent``) and
pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from .bounds import max_surge, replicas_annotations_need_update, resized, write
from .view import DeploymentView, Sets, Write, age_key, old_sets, total_replicas


def is_scaling_event(deployment: DeploymentView, sets: Sets) -> bool:
    """Whether a ReplicaSet with replicas was last written for another ``spec.replicas``."""
    return any(
        s.replicas > 0 and s.desired is not None and s.desired != deployment.replicas for s in sets
    )


def scale(deployment: DeploymentView, sets: Sets, new: int | None) -> tuple[Write, ...]:
    """The PUTs of a sync that only scales, in order.

    The only ReplicaSet with replicas, or the latest if none has any, gets them all; if it has them
    already, its annotations stay stale. A saturated new ReplicaSet empties the others. Otherwise a
    rolling update shares out the difference, and Recreate does nothing.
    """
    newest_first = old_sets(sets, new)[::-1]
    active = [i for i in newest_first if sets[i].replicas > 0]
    if new is not None and sets[new].replicas > 0:
        active.append(new)
    if len(active) <= 1:
        latest = newest_first[0] if new is None and newest_first else new
        only = active[0] if active else latest
        return () if only is None else resized(deployment, sets, only, deployment.replicas)
    if _saturated(deployment, sets, new):
        old = [i for i in active if i != new]
        return tuple(put for i in old for put in resized(deployment, sets, i, 0))
    return () if deployment.rolling_update is None else _proportional(deployment, sets, active)


def replica_set_fraction(
    deployment: DeploymentView, replicas: int, max_replicas: int | None
) -> int:
    """By how many pods a ReplicaSet of ``replicas`` grows (or shrinks) to keep its share.

    Its share is of ``max_replicas`` (its annotation), or of the Deployment's stored
    ``status.replicas`` where that is absent or 0; 0 where both are. Halves round away from 0.
    """
    if deployment.replicas == 0:
        return -replicas
    before = max_replicas or deployment.status_replicas
    if before == 0:
        return 0
    size = Fraction(replicas * (deployment.replicas + max_surge(deployment)), before)
    rounded = floor(abs(size) + Fraction(1, 2))
    return (rounded if size >= 0 else -rounded) - replicas


def _saturated(deployment: DeploymentView, sets: Sets, new: int | None) -> bool:
    if new is None:
        return False
    sizes = {sets[new].replicas, sets[new].desired, sets[new].available}
    return sizes == {deployment.replicas}


def _proportional(
    deployment: DeploymentView, sets: Sets, active: Sequence[int]
) -> tuple[Write, ...]:
    """Every active ReplicaSet gets its share, and the first in order what rounding leaves over."""
    allowed = deployment.replicas + max_surge(deployment) if deployment.replicas > 0 else 0
    to_add = allowed - total_replicas(sets[i] for i in active)
    order = _by_size(sets, active, growing=to_add > 0) if to_add else tuple(active)
    sizes = _shares(deployment, sets, order, to_add)
    return tuple(
        write(deployment, i, size)
        for i, size in zip(order, sizes, strict=True)
        if size != sets[i].replicas or _stale(deployment, sets, i)
    )


def _by_size(sets: Sets, active: Sequence[int], *, growing: bool) -> tuple[int, ...]:
    """Largest first; of equals, the newer one when growing and the older one when shrinking."""
    by_age = sorted(active, key=lambda i: age_key(sets[i]), reverse=growing)
    return tuple(sorted(by_age, key=lambda i: -sets[i].replicas))


def _shares(deployment: DeploymentView, sets: Sets, order: Sequence[int], to_add: int) -> list[int]:
    sizes = []
    left = to_add
    for i in order:
        share = replica_set_fraction(deployment, sets[i].replicas, sets[i].max_replicas)
        share = min(share, left) if to_add > 0 else max(share, left)
        if left == 0:
            share = 0
        sizes.append(sets[i].replicas + share)
        left -= share
    if to_add:
        sizes[0] = max(0, sizes[0] + left)
    return sizes


def _stale(deployment: DeploymentView, sets: Sets, index: int) -> bool:
    desired = deployment.replicas
    return replicas_annotations_need_update(sets[index], desired, desired + max_surge(deployment))
