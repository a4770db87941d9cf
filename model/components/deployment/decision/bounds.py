"""How many pods a Deployment may have, and must have, while it rolls.

Source: pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from kubelemma.model.objects.quantity import IntOrPercent

from .view import DeploymentView, ReplicaSetView, Sets, Write

_NONE = IntOrPercent(0)


def resolve_fenceposts(
    max_surge: IntOrPercent | None, max_unavailable: IntOrPercent | None, desired: int
) -> tuple[int, int]:
    """(surge, unavailable) in pods: surge rounds up, unavailable down, and never are both 0.

    Where both come to 0, one pod may be unavailable, as the rollout could not move otherwise.
    """
    surge = (max_surge or _NONE).scaled(desired, round_up=True)
    unavailable = (max_unavailable or _NONE).scaled(desired, round_up=False)
    return (0, 1) if surge == unavailable == 0 else (surge, unavailable)


def max_surge(deployment: DeploymentView) -> int:
    """Pods above ``spec.replicas`` that a rolling update may have; 0 for Recreate."""
    bounds = deployment.rolling_update
    return resolve_fenceposts(*bounds, deployment.replicas)[0] if bounds else 0


def max_unavailable(deployment: DeploymentView) -> int:
    """Pods that may be unavailable, at most ``spec.replicas``; 0 for Recreate."""
    bounds = deployment.rolling_update
    if bounds is None or deployment.replicas == 0:
        return 0
    return min(resolve_fenceposts(*bounds, deployment.replicas)[1], deployment.replicas)


def new_rs_new_replicas(deployment: DeploymentView, total: int, new_replicas: int) -> int:
    """The size of the new ReplicaSet (now ``new_replicas``) when all together have ``total``.

    It grows as far as the surge allows and never beyond ``spec.replicas``; Recreate wants it full.
    """
    if deployment.rolling_update is None:
        return deployment.replicas
    room = deployment.replicas + max_surge(deployment) - total
    if room <= 0:
        return new_replicas
    return new_replicas + min(room, deployment.replicas - new_replicas)


def replicas_annotations_need_update(
    replica_set: ReplicaSetView, desired: int, max_replicas: int
) -> bool:
    """Whether either annotation of the ReplicaSet differs from what it ought to be."""
    return (replica_set.desired, replica_set.max_replicas) != (desired, max_replicas)


def write(deployment: DeploymentView, index: int, replicas: int) -> Write:
    """The PUT that gives the ReplicaSet this size, and the annotations that go with it."""
    desired = deployment.replicas
    return Write(index, replicas, desired, desired + max_surge(deployment))


def resized(deployment: DeploymentView, sets: Sets, index: int, replicas: int) -> tuple[Write, ...]:
    """The PUT of a new size, or none if the size is the same: stale annotations alone stay.

    Source: pkg/controller/deployment/sync.go, ``scaleReplicaSetAndRecordEvent``.
    """
    if sets[index].replicas == replicas:
        return ()
    return (write(deployment, index, replicas),)
