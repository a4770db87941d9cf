"""The strategy Recreate. Source: pkg/controller/deployment/recreate.go."""

from __future__ import annotations

from collections.abc import Iterable

from .bounds import resized
from .rolling import new_replica_set
from .view import DeploymentView, Sets, Step, Write, old_sets


def old_pods_running(sets: Sets, new: int | None, phases: Iterable[str]) -> bool:
    """Whether the new ReplicaSet has to wait for pods of the others.

    ``phases`` are those of all cached pods of this Deployment that the new ReplicaSet does not own,
    terminating ones included. Any but Succeeded and Failed counts as running, and so does a status
    of an old ReplicaSet that still reports pods.
    """
    if any(sets[i].status_replicas > 0 for i in old_sets(sets, new)):
        return True
    return any(phase not in ("Succeeded", "Failed") for phase in phases)


def recreate_step(
    deployment: DeploymentView, sets: Sets, new: int | None, *, old_running: bool
) -> Step:
    """One sync: all old ReplicaSets to 0; once none of their pods runs, the new one in full.

    ``old_running`` is `old_pods_running`.
    """
    puts: tuple[Write, ...] = ()
    for i in old_sets(sets, new):
        puts += resized(deployment, sets, i, 0)
    if puts or old_running:
        return Step(puts=puts, ended=True)
    if new is None:
        return Step(create=new_replica_set(deployment, sets))
    return Step(puts=resized(deployment, sets, new, deployment.replicas))
