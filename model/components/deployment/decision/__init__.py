"""The Deployment controller: rolling updates, Recreate, scaling, history.

`sync` is the whole decision; the other functions are its parts, in the controller's own terms.
"""

from .bounds import (
    max_surge,
    max_unavailable,
    new_rs_new_replicas,
    replicas_annotations_need_update,
    resolve_fenceposts,
)
from .history import cleanup_history
from .progress import Status, calculate_status, deployment_complete
from .recreate import old_pods_running, recreate_step
from .rolling import (
    Cleanup,
    cleanup_unhealthy,
    reconcile_new,
    reconcile_old,
    rolling_step,
    scale_down_old,
)
from .scale import is_scaling_event, replica_set_fraction, scale
from .sync import Sync, sync
from .view import (
    CreateNew,
    DeploymentView,
    ReplicaSetView,
    RollingUpdate,
    Sets,
    Step,
    Write,
    applied,
)

__all__ = [
    "Cleanup",
    "CreateNew",
    "DeploymentView",
    "ReplicaSetView",
    "RollingUpdate",
    "Sets",
    "Status",
    "Step",
    "Sync",
    "Write",
    "applied",
    "calculate_status",
    "cleanup_history",
    "cleanup_unhealthy",
    "deployment_complete",
    "is_scaling_event",
    "max_surge",
    "max_unavailable",
    "new_rs_new_replicas",
    "old_pods_running",
    "reconcile_new",
    "reconcile_old",
    "recreate_step",
    "replica_set_fraction",
    "replicas_annotations_need_update",
    "resolve_fenceposts",
    "rolling_step",
    "scale",
    "scale_down_old",
    "sync",
]
