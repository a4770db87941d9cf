"""Which kinds there are: those that are modelled, and what it means that the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from kubelemma.model.objects.controllers import DaemonSet, Job, ReplicationController, StatefulSet
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.policies import LimitRange, PriorityClass, RuntimeClass
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from kubelemma.model.objects.workloads import Deployment, ReplicaSet

from .problems import did_you_mean, nearest

Templated: TypeAlias = StatefulSet | DaemonSet | Job | ReplicationController
Policy: TypeAlias = PriorityClass | RuntimeClass | LimitRange
Stored: TypeAlias = (
    PersistentVolume
    | PersistentVolumeClaim
    | StorageClass
    | CSINode
    | CSIDriver
    | CSIStorageCapacity
)
Onlooker: TypeAlias = Service | PodDisruptionBudget
ApiObject: TypeAlias = (
    Deployment | ReplicaSet | Pod | Node | Namespace | Templated | Policy | Stored | Onlooker
)

Severity: TypeAlias = Literal["irrelevant", "not modelled"]
"""Whether leaving something out can change a verdict (``not modelled``) or cannot."""


class Note(NamedTuple):
    """Why something is left out, and what follows from it."""

    severity: Severity
    reason: str


CHECK_VERSION = "kubelemma.dev/v1alpha1"
CHECK_KIND = "Check"

Kinds: TypeAlias = Mapping[str, tuple[str, type[ApiObject]]]
"""Kind to its API version and its type."""

MODELLED: Kinds = {
    "Deployment": ("apps/v1", Deployment),
    "ReplicaSet": ("apps/v1", ReplicaSet),
    "Pod": ("v1", Pod),
    "Node": ("v1", Node),
    "Namespace": ("v1", Namespace),
    "PodDisruptionBudget": ("policy/v1", PodDisruptionBudget),
}
"""What a check is about."""

SHOWN: Kinds = {"Service": ("v1", Service)}
"""What a check shows beside its workloads, although nobody in it acts on them."""

PLACED: Kinds = {
    **{kind: found for kind, found in MODELLED.items() if kind != "PodDisruptionBudget"},
    "ReplicationController": ("v1", ReplicationController),
    "StatefulSet": ("apps/v1", StatefulSet),
    "DaemonSet": ("apps/v1", DaemonSet),
    "Job": ("batch/v1", Job),
    "LimitRange": ("v1", LimitRange),
    "PriorityClass": ("scheduling.k8s.io/v1", PriorityClass),
    "RuntimeClass": ("node.k8s.io/v1", RuntimeClass),
    "PersistentVolume": ("v1", PersistentVolume),
    "PersistentVolumeClaim": ("v1", PersistentVolumeClaim),
    "StorageClass": ("storage.k8s.io/v1", StorageClass),
    "CSINode": ("storage.k8s.io/v1", CSINode),
    "CSIDriver": ("storage.k8s.io/v1", CSIDriver),
    "CSIStorageCapacity": ("storage.k8s.io/v1", CSIStorageCapacity),
}
"""What placement is about."""

CLUSTER_SCOPED = frozenset(
    (
        "APIService",
        "CSIDriver",
        "CSINode",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    )
)
"""Kinds of Kubernetes itself that live outside namespaces."""

_NO_EFFECT = Note("irrelevant", "has no effect on scheduling or rollout")
_NO_PODS = "is not modelled: its pods are missing from the cluster that is checked"
_ADMISSION = "may change or refuse objects on their way in: they are checked as they are written"

_OTHER: Mapping[str, Mapping[str, Note]] = {
    "v1": {
        "ReplicationController": Note("not modelled", _NO_PODS),
        "Service": Note(
            "not modelled", "traffic is not modelled: availability is counted in pods, not requests"
        ),
        "Endpoints": _NO_EFFECT,
        "PersistentVolumeClaim": Note(
            "not modelled", "a volume may tie its pods to a zone or a node: they are free here"
        ),
        "PersistentVolume": Note(
            "not modelled", "a volume may tie its pods to a zone or a node: they are free here"
        ),
        "ResourceQuota": Note("not modelled", "no quota limits the pods of the check"),
        "LimitRange": Note("not modelled", "its default requests and limits are not added to pods"),
        "PodTemplate": _NO_EFFECT,
        "ConfigMap": _NO_EFFECT,
        "Secret": _NO_EFFECT,
        "ServiceAccount": _NO_EFFECT,
        "Event": _NO_EFFECT,
        "Binding": Note("not modelled", "the scheduler alone binds pods in the check"),
    },
    "apps/v1": {
        "StatefulSet": Note("not modelled", _NO_PODS),
        "DaemonSet": Note("not modelled", _NO_PODS),
        "ControllerRevision": _NO_EFFECT,
    },
    "batch/v1": {
        "Job": Note("not modelled", _NO_PODS),
        "CronJob": Note("not modelled", _NO_PODS),
    },
    "autoscaling/v2": {
        "HorizontalPodAutoscaler": Note(
            "not modelled", "is not modelled: the number of replicas is taken as it is written"
        ),
    },
    "scheduling.k8s.io/v1": {
        "PriorityClass": Note("not modelled", "pods that name it have priority 0, unless they say"),
    },
    "node.k8s.io/v1": {
        "RuntimeClass": Note("not modelled", "its overhead and node selector are not added to pods")
    },
    "storage.k8s.io/v1": {
        "StorageClass": Note("not modelled", "volumes do not constrain scheduling in the check"),
        "CSIDriver": Note("not modelled", "volumes do not constrain scheduling in the check"),
        "CSINode": Note("not modelled", "limits on attached volumes are not modelled"),
        "CSIStorageCapacity": Note("not modelled", "limits on volume capacity are not modelled"),
        "VolumeAttachment": Note("not modelled", "volumes do not constrain scheduling"),
        "VolumeAttributesClass": _NO_EFFECT,
    },
    "resource.k8s.io/v1": dict.fromkeys(
        ("ResourceClaim", "ResourceClaimTemplate", "ResourceSlice", "DeviceClass"),
        Note("not modelled", "devices do not constrain scheduling in the check"),
    ),
    "networking.k8s.io/v1": dict.fromkeys(
        ("Ingress", "IngressClass", "NetworkPolicy", "IPAddress", "ServiceCIDR"), _NO_EFFECT
    ),
    "discovery.k8s.io/v1": {"EndpointSlice": _NO_EFFECT},
    "coordination.k8s.io/v1": {"Lease": _NO_EFFECT},
    "events.k8s.io/v1": {"Event": _NO_EFFECT},
    "certificates.k8s.io/v1": {"CertificateSigningRequest": _NO_EFFECT},
    "apiregistration.k8s.io/v1": {"APIService": _NO_EFFECT},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": _NO_EFFECT},
    "flowcontrol.apiserver.k8s.io/v1": dict.fromkeys(
        ("FlowSchema", "PriorityLevelConfiguration"), _NO_EFFECT
    ),
    "rbac.authorization.k8s.io/v1": dict.fromkeys(
        ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"), _NO_EFFECT
    ),
    "admissionregistration.k8s.io/v1": dict.fromkeys(
        (
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
        Note("not modelled", _ADMISSION),
    ),
}
"""API version to the kinds of Kubernetes v1.35 that are not modelled."""

_BY_KIND: Mapping[str, Note] = {
    kind: note for kinds in _OTHER.values() for kind, note in kinds.items()
}
OTHER_KINDS = frozenset(_BY_KIND)
"""All of these kinds."""
_REMOVED = {
    "extensions/v1beta1": "v1.16",
    "apps/v1beta1": "v1.16",
    "apps/v1beta2": "v1.16",
    "policy/v1beta1": "v1.25",
}
"""API versions that are no more, and since when."""
_CUSTOM = Note("not modelled", "a kind that kubelemma does not know: what it does is not checked")


def is_custom(api_version: str) -> bool:
    """Whether the API group can only be somebody's own (a domain that is not Kubernetes')."""
    group = api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def why_not_modelled(api_version: str, kind: str) -> Note:
    """What is to be said of a kind that is not modelled."""
    if is_custom(api_version):
        return _CUSTOM
    return _BY_KIND.get(kind, _CUSTOM)


def version_problem(api_version: str, kind: str, kinds: Kinds = MODELLED) -> str | None:
    """What is wrong with this API version for a kind that is read; None where nothing is."""
    if is_custom(api_version) or kind not in kinds or kinds[kind][0] == api_version:
        return None
    right = kinds[kind][0]
    since = _REMOVED.get(api_version)
    why = f" (removed in Kubernetes {since})" if since else ""
    return f'"{api_version}" has no {kind}{why}: write {right}'


def kind_problem(api_version: str, kind: str) -> str | None:
    """What is wrong with a kind that its API version, one of Kubernetes itself, does not have."""
    known = {
        *_OTHER.get(api_version, ()),
        *(k for k, (v, _) in MODELLED.items() if v == api_version),
    }
    if not known or kind in known or kind in MODELLED or nearest(kind, known) is None:
        return None
    return f'"{kind}" is not a kind of {api_version}{did_you_mean(kind, known)}'
