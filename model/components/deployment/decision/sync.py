"""One whole sync of a Deployment, as far as its ReplicaSets' existence and size are concerned.

Source: pkg/controller/deployment/deployment_controller.go, ``syncDeployment``.
"""

from __future__ import annotations

from typing import NamedTuple

from .history import cleanup_history
from .recreate import recreate_step
from .rolling import rolling_step
from .scale import is_scaling_event, scale
from .view import CreateNew, DeploymentView, Sets, Step, Write


class Sync(NamedTuple):
    """The writes of a sync in order: the POST if any, the PUTs, the DELETEs (by position).

    Each is one request and may fail, above all by a conflict with a newer version. A failure ends
    the sync, which is repeated later; only in scaling down old ReplicaSets of a rolling update it
    is swallowed, and the sync goes on to the status.
    """

    create: CreateNew | None = None
    puts: tuple[Write, ...] = ()
    deletes: tuple[int, ...] = ()


def sync(
    deployment: DeploymentView, sets: Sets, new: int | None, *, old_running: bool = False
) -> Sync:
    """What one sync does, for a Deployment that is not being deleted.

    Paused, or after a change of ``spec.replicas``, it only scales what exists and creates nothing;
    the strategy has its turn in a later sync. ``old_running`` (see `old_pods_running`) matters to
    Recreate only. Writes of metadata alone (the revision, copied annotations) are left out: they
    come before all others and change no decision.
    """
    history = cleanup_history(deployment.revision_history_limit, sets, new)
    if deployment.paused:
        return Sync(None, scale(deployment, sets, new), history)
    if is_scaling_event(deployment, sets):
        return Sync(None, scale(deployment, sets, new))
    step = _strategy(deployment, sets, new, old_running=old_running)
    looks_back = deployment.complete and not step.ended
    return Sync(step.create, step.puts, history if looks_back else ())


def _strategy(
    deployment: DeploymentView, sets: Sets, new: int | None, *, old_running: bool
) -> Step:
    if deployment.rolling_update is None:
        return recreate_step(deployment, sets, new, old_running=old_running)
    return rolling_step(deployment, sets, new)
