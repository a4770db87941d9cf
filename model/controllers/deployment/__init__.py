"""The Deployment controller: rolling updates, Recreate, scaling, history, status.

`sync` is the whole decision; the other functions are its parts, in the controller's own terms.
"""

from .bounds import (
    max_surge,
    max_unavailable,
    min_available,
    new_rs_new_replicas,
    replicas_annotations_need_update,
    resolve_fenceposts,
)
from .history import cleanup_history
from .objects import deployment_view, replica_set_view, stored_status
from .progress import (
    Progressing,
    Status,
    calculate_status,
    deployment_complete,
    deployment_progressing,
    minimum_available,
    paused_condition,
    rollout_condition,
    unavailable_replicas,
)
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
    "Progressing",
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
    "deployment_progressing",
    "deployment_view",
    "is_scaling_event",
    "max_surge",
    "max_unavailable",
    "min_available",
    "minimum_available",
    "new_rs_new_replicas",
    "old_pods_running",
    "paused_condition",
    "reconcile_new",
    "reconcile_old",
    "recreate_step",
    "replica_set_fraction",
    "replica_set_view",
    "replicas_annotations_need_update",
    "resolve_fenceposts",
    "rolling_step",
    "rollout_condition",
    "scale",
    "scale_down_old",
    "stored_status",
    "sync",
    "unavailable_replicas",
]
