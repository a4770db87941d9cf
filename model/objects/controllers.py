"""Workload kinds beside Deployments and ReplicaSets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .meta import ApiObject, ApiStruct, LabelSelector
from .pod import PodTemplateSpec
from .quantity import IntOrPercent
from .volume import PersistentVolumeClaimTemplate


class StatefulSetOrdinals(ApiStruct, frozen=True, kw_only=True):
    """The number of the first pod."""

    start: int = 0


class RollingUpdateStatefulSet(ApiStruct, frozen=True, kw_only=True):
    """Which pods are replaced, and how many at once."""

    partition: int | None = None
    max_unavailable: IntOrPercent | None = None


class StatefulSetUpdateStrategy(ApiStruct, frozen=True, kw_only=True):
    """How pods of an old revision are replaced."""

    type: Literal["RollingUpdate", "OnDelete", ""] = ""
    rolling_update: RollingUpdateStatefulSet | None = None


class StatefulSetClaimRetention(ApiStruct, frozen=True, kw_only=True):
    """What becomes of claims when the set is deleted, or has fewer replicas."""

    when_deleted: Literal["Retain", "Delete", ""] = ""
    when_scaled: Literal["Retain", "Delete", ""] = ""


class StatefulSetSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a StatefulSet."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    volume_claim_templates: tuple[PersistentVolumeClaimTemplate, ...] | None = None
    service_name: str = ""
    pod_management_policy: Literal["OrderedReady", "Parallel", ""] = ""
    update_strategy: StatefulSetUpdateStrategy = StatefulSetUpdateStrategy()
    revision_history_limit: int | None = None
    min_ready_seconds: int = 0
    persistent_volume_claim_retention_policy: StatefulSetClaimRetention | None = None
    ordinals: StatefulSetOrdinals = StatefulSetOrdinals()


class StatefulSetStatus(ApiStruct, frozen=True, kw_only=True):
    """What the StatefulSet controller last reported."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    observed_generation: int = 0


class StatefulSet(ApiObject, frozen=True, kw_only=True):
    """A StatefulSet."""

    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DaemonSetSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a DaemonSet."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()


class DaemonSet(ApiObject, frozen=True, kw_only=True):
    """A DaemonSet."""

    spec: DaemonSetSpec = DaemonSetSpec()


class ReplicationControllerSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a ReplicationController; its selector is a map of labels."""

    replicas: int | None = None
    selector: Mapping[str, str] | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    min_ready_seconds: int = 0


class ReplicationControllerStatus(ApiStruct, frozen=True, kw_only=True):
    """What its controller last reported."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0


class ReplicationController(ApiObject, frozen=True, kw_only=True):
    """A ReplicationController."""

    spec: ReplicationControllerSpec = ReplicationControllerSpec()
    status: ReplicationControllerStatus = ReplicationControllerStatus()


class JobSpec(ApiStruct, frozen=True, kw_only=True):
    """How many pods run at once, and how many must succeed in all (None: one by itself)."""

    parallelism: int | None = None
    completions: int | None = None
    suspend: bool = False
    template: PodTemplateSpec = PodTemplateSpec()


class JobCondition(ApiStruct, frozen=True, kw_only=True):
    """A condition such as Complete."""

    type: str
    status: str = "Unknown"


class JobStatus(ApiStruct, frozen=True, kw_only=True):
    """What the Job controller last reported."""

    succeeded: int = 0
    conditions: tuple[JobCondition, ...] | None = None


class Job(ApiObject, frozen=True, kw_only=True):
    """A Job."""

    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()
