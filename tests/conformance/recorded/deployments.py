"""The views of a Deployment and its ReplicaSets, from the API objects."""

from __future__ import annotations

import re

from kubelemma.model.components.deployment.decision import (
    DeploymentView,
    ReplicaSetView,
    RollingUpdate,
    Status,
    deployment_complete,
)
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.times import GO_ZERO_TIME, seconds
from kubelemma.model.objects.workloads import (
    Deployment,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"

_QUARTER = IntOrPercent(25, percent=True)
_KEEP_ALL = 2**31 - 1
"""``revisionHistoryLimit`` of MaxInt32 means no limit."""


def deployment_view(deployment: Deployment) -> DeploymentView:
    """What a sync reads of the Deployment; what is absent in its spec has the API's default."""
    spec = deployment.spec
    replicas = 1 if spec.replicas is None else spec.replicas
    limit = 10 if spec.revision_history_limit is None else spec.revision_history_limit
    return DeploymentView(
        replicas=replicas,
        rolling_update=_rolling_update(spec.strategy),
        paused=spec.paused,
        status_replicas=deployment.status.replicas,
        complete=deployment_complete(replicas, stored_status(deployment)),
        revision_history_limit=None if limit == _KEEP_ALL else limit,
    )


def stored_status(deployment: Deployment) -> Status:
    """The status that the Deployment shows."""
    status = deployment.status
    return Status(
        replicas=status.replicas,
        updated=status.updated_replicas,
        available=status.available_replicas,
        observed=status.observed_generation >= deployment.metadata.generation,
    )


def replica_set_view(replica_set: ReplicaSet) -> ReplicaSetView:
    """What a sync reads of the ReplicaSet; an absent ``spec.replicas`` is 1, the API's default."""
    metadata, status = replica_set.metadata, replica_set.status
    created = metadata.creation_timestamp
    return ReplicaSetView(
        replicas=1 if replica_set.spec.replicas is None else replica_set.spec.replicas,
        status_replicas=status.replicas,
        available=status.available_replicas,
        desired=_number(metadata, DESIRED_REPLICAS),
        max_replicas=_number(metadata, MAX_REPLICAS),
        created=GO_ZERO_TIME if created is None else seconds(created),
        name=metadata.name,
        revision=_number(metadata, REVISION) or 0,
        observed=status.observed_generation >= metadata.generation,
        deleting=metadata.deletion_timestamp is not None,
    )


def _rolling_update(strategy: DeploymentStrategy) -> RollingUpdate | None:
    if strategy.type == "Recreate":
        return None
    bounds = strategy.rolling_update or RollingUpdateDeployment()
    return RollingUpdate(bounds.max_surge or _QUARTER, bounds.max_unavailable or _QUARTER)


def _number(metadata: ObjectMeta, annotation: str) -> int | None:
    text = metadata.annotation_map().get(annotation, "")
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
