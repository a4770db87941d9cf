"""Pods: the part of their spec and status that scheduling, controllers and the kubelet read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from .configuration import EnvFromSource, EnvVar
from .meta import ApiObject, ApiStruct, LabelSelector, ObjectMeta
from .quantity import Quantity
from .volume import Volume

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of pods that show static ones of a kubelet."""


class ResourceRequirements(ApiStruct, frozen=True, kw_only=True):
    """Requests and limits by resource name."""

    requests: Mapping[str, Quantity] | None = None
    limits: Mapping[str, Quantity] | None = None


class ContainerPort(ApiStruct, frozen=True, kw_only=True):
    """A port; only ``hostPort`` constrains scheduling. A Service may go by its name."""

    name: str = ""
    container_port: int = 0
    host_port: int | None = None
    host_ip: str = msgspec.field(default="", name="hostIP")
    protocol: str = "TCP"


class Probe(ApiStruct, frozen=True, kw_only=True):
    """A probe: how it asks, and when; a 0 stands for the default."""

    exec: Mapping[str, Any] | None = None
    http_get: Mapping[str, Any] | None = None
    tcp_socket: Mapping[str, Any] | None = None
    grpc: Mapping[str, Any] | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    termination_grace_period_seconds: int | None = None


class Container(ApiStruct, frozen=True, kw_only=True):
    """A container; ``restartPolicy: Always`` on an init container makes it a sidecar."""

    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    restart_policy: str | None = None
    resources: ResourceRequirements | None = None
    ports: tuple[ContainerPort, ...] | None = None
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFromSource, ...] | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Mapping[str, Any] | None = None


class Toleration(ApiStruct, frozen=True, kw_only=True):
    """What a pod tolerates. An empty key with Exists tolerates everything."""

    key: str = ""
    operator: Literal["Equal", "Exists", "Gt", "Lt", ""] = "Equal"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute", ""] = ""
    toleration_seconds: int | None = None


class NodeSelectorRequirement(ApiStruct, frozen=True, kw_only=True):
    """One expression over a node's labels or fields."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(ApiStruct, frozen=True, kw_only=True):
    """Expressions that must all hold; an empty term matches no node."""

    match_expressions: tuple[NodeSelectorRequirement, ...] | None = None
    match_fields: tuple[NodeSelectorRequirement, ...] | None = None


class NodeSelector(ApiStruct, frozen=True, kw_only=True):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


class PreferredSchedulingTerm(ApiStruct, frozen=True, kw_only=True):
    """A node preference and its weight, 1 to 100."""

    weight: int
    preference: NodeSelectorTerm


class NodeAffinity(ApiStruct, frozen=True, kw_only=True):
    """Required and preferred node constraints."""

    required: NodeSelector | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: tuple[PreferredSchedulingTerm, ...] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class PodAffinityTerm(ApiStruct, frozen=True, kw_only=True):
    """Which pods, in which namespaces, over which topology."""

    topology_key: str = ""
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] | None = None
    mismatch_label_keys: tuple[str, ...] | None = None


class WeightedPodAffinityTerm(ApiStruct, frozen=True, kw_only=True):
    """A preferred term and its weight, 1 to 100."""

    weight: int
    pod_affinity_term: PodAffinityTerm


class PodAffinity(ApiStruct, frozen=True, kw_only=True):
    """Required and preferred terms; also the shape of podAntiAffinity."""

    required: tuple[PodAffinityTerm, ...] | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: tuple[WeightedPodAffinityTerm, ...] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(ApiStruct, frozen=True, kw_only=True):
    """All affinities of a pod."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class TopologySpreadConstraint(ApiStruct, frozen=True, kw_only=True):
    """How evenly matching pods must lie over the domains of a topology key."""

    max_skew: int
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    match_label_keys: tuple[str, ...] | None = None


class PodReadinessGate(ApiStruct, frozen=True, kw_only=True):
    """A condition that has to be True for the pod to be Ready, beside its containers."""

    condition_type: str = ""


class PodSchedulingGate(ApiStruct, frozen=True, kw_only=True):
    """A gate that keeps the pod out of the scheduling queue."""

    name: str = ""


class LocalObjectReference(ApiStruct, frozen=True, kw_only=True):
    """An object in the namespace of the pod, such as a Secret for pulling images."""

    name: str = ""


class PodSpec(ApiStruct, frozen=True, kw_only=True):
    """What a pod asks for."""

    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    overhead: Mapping[str, Quantity] | None = None
    volumes: tuple[Volume, ...] | None = None
    resources: ResourceRequirements | None = None
    node_name: str = ""
    node_selector: Mapping[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] | None = None
    scheduling_gates: tuple[PodSchedulingGate, ...] | None = None
    readiness_gates: tuple[PodReadinessGate, ...] | None = None
    service_account_name: str = ""
    image_pull_secrets: tuple[LocalObjectReference, ...] | None = None
    scheduler_name: str = ""
    priority: int | None = None
    priority_class_name: str = ""
    preemption_policy: str | None = None
    runtime_class_name: str = ""
    restart_policy: str = ""
    host_network: bool = False
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None


class PodCondition(ApiStruct, frozen=True, kw_only=True):
    """A condition such as Ready."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    last_transition_time: str | None = None


class ContainerStatus(ApiStruct, frozen=True, kw_only=True):
    """What the kubelet reported about one container."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    allocated_resources: Mapping[str, Quantity] | None = None
    resources: ResourceRequirements | None = None


class PodStatus(ApiStruct, frozen=True, kw_only=True):
    """What the kubelet reported about a pod."""

    phase: str = ""
    reason: str = ""
    conditions: tuple[PodCondition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    resources: ResourceRequirements | None = None
    nominated_node_name: str = ""
    start_time: str | None = None


class Pod(ApiObject, frozen=True, kw_only=True):
    """A pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplateSpec(ApiStruct, frozen=True, kw_only=True):
    """The pattern that a workload stamps its pods from."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
