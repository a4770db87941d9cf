"""Workload kinds beside Deployments: what placement needs to know of them."""

from __future__ import annotations

from collections.abc import Mapping

from .meta import ApiObject, ApiStruct, LabelSelector
from .pod import PodTemplateSpec
from .volume import PersistentVolumeClaimTemplate


class StatefulSetOrdinals(ApiStruct, frozen=True, kw_only=True):
    """The number of the first pod."""

    start: int = 0


class StatefulSetSpec(ApiStruct, frozen=True, kw_only=True):
    """The desired state of a StatefulSet."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    volume_claim_templates: tuple[PersistentVolumeClaimTemplate, ...] | None = None
    ordinals: StatefulSetOrdinals = StatefulSetOrdinals()


class StatefulSet(ApiObject, frozen=True, kw_only=True):
    """A StatefulSet."""

    spec: StatefulSetSpec = StatefulSetSpec()


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
