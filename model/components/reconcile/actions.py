"""What loaded controllers do; events are called by their own names. All bring a sentence along."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubelemma.model.components.controllermanager.actions import CONTROLLER_RESTART, FORGET
from kubelemma.model.components.deployment.actions import (
    ANNOTATE_REVISION,
    CREATE_REPLICASET,
    DELETE_REPLICASET,
    GIVE_UP_SYNC,
    PAUSE,
    RESUME,
    ROLLBACK,
    ROLLOUT,
    SCALE_REPLICASET,
)
from kubelemma.model.components.drain.actions import START_DRAIN
from kubelemma.model.components.nodelifecycle.actions import NODE_READY, NODE_UNKNOWN
from kubelemma.model.components.replicaset.actions import CREATE_POD, WRITE_STATUS
from kubelemma.model.components.serviceaccount.actions import DELETE_SERVICE_ACCOUNT
from kubelemma.model.components.users.actions import CORDON, SCALE, UNCORDON
from kubelemma.model.system import Action

from .legal import DEPLOYMENT, NODE, SERVICE_ACCOUNT

DOES = "does"
"""The argument of an outcome that has the sentence to tell it by."""

SYNC = Action("sync", DOES)
CREATE = Action("create", DOES)
UPDATE = Action("update", DOES)
PATCH = Action("patch", DOES)
DELETE = Action("delete", DOES)
GET = Action("get", DOES)
RESTART = Action("restart", DOES)
WATCH = Action("watch", DOES)

VERBS: Mapping[str, Action] = MappingProxyType(
    {str(verb): verb for verb in (CREATE, UPDATE, PATCH, DELETE, GET)}
)
"""What a controller does by sending a request, by its verb."""

ACTIONS = (SYNC, *VERBS.values(), RESTART, WATCH)

ACTIONS_OF_OTHERS: Mapping[str, frozenset[str]] = {
    DEPLOYMENT: frozenset(
        (
            ROLLOUT,
            SCALE,
            PAUSE,
            RESUME,
            ROLLBACK,
            CREATE_REPLICASET,
            SCALE_REPLICASET,
            ANNOTATE_REVISION,
            DELETE_REPLICASET,
            WRITE_STATUS,
            CONTROLLER_RESTART,
            GIVE_UP_SYNC,
            FORGET,
            CREATE_POD,
        )
    ),
    SERVICE_ACCOUNT: frozenset((DELETE_SERVICE_ACCOUNT,)),
    NODE: frozenset((CORDON, UNCORDON, START_DRAIN, NODE_UNKNOWN, NODE_READY)),
}
"""What others do that may change an object of a kind as loaded code sees it."""
