"""Workload kinds."""

from __future__ import annotations

from typing import Literal

from .meta import ApiObject, ApiStruct, LabelSelector
from .pod import PodTemplateSpec
from .quantity import IntOrPercent


class RollingUpdateDeployment(ApiStruct, frozen=True, kw_only=True):
    """Bounds of a rolling update; absent fields default to 25%."""

    max_surge: IntOrPercent | None = None
    max_unavailable: IntOrPercent | None = None


class DeploymentStrategy(ApiStruct, frozen=True, kw_only=True):
    """How old pods are replaced."""

    type: Literal["RollingUpdate", "Recreate", ""] = ""
    rolling_update: RollingUpdateDeployment | None = None


class DeploymentSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a Deployment."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


class DeploymentCondition(ApiStruct, frozen=True, kw_only=True):
    """A condition such as Progressing."""

    type: str
    status: str = "Unknown"
    reason: str = ""


REVISION = "deployment.kubernetes.io/revision"
"""Annotation of a Deployment and its ReplicaSets: which of the templates it is."""
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
"""Annotations of a ReplicaSet: how many pods its Deployment had asked for, and allowed."""


class DeploymentStatus(ApiStruct, frozen=True, kw_only=True):
    """What the Deployment controller last reported."""

    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[DeploymentCondition, ...] | None = None


class Deployment(ApiObject, frozen=True, kw_only=True):
    """A Deployment."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class ReplicaSetSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a ReplicaSet."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    min_ready_seconds: int = 0


class ReplicaSetStatus(ApiStruct, frozen=True, kw_only=True):
    """What the ReplicaSet controller last reported."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0


class ReplicaSet(ApiObject, frozen=True, kw_only=True):
    """A ReplicaSet; a ReplicationController has the same shape but for its selector."""

    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()
