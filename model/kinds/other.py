"""Kinds of Kubernetes v1.35 that are not read, and what it means that they are not."""

from __future__ import annotations

from typing import NamedTuple

from .notes import NO_EFFECT, NO_PODS, Note


class Other(NamedTuple):
    """Kinds that are not read, of which the same is to be said.

    Attributes:
        check: what follows from it for a check.
        placement: the same for a placement; None: the same as for a check.
        namespaced: whether their objects are in namespaces.
    """

    api_version: str
    names: tuple[str, ...]
    check: Note
    placement: Note | None = None
    namespaced: bool = True


def _irrelevant(api_version: str, *names: str, namespaced: bool = True) -> Other:
    return Other(api_version, names, Note("irrelevant", NO_EFFECT), namespaced=namespaced)


def _not_modelled(reason: str, *, opens: bool = False) -> Note:
    return Note("not modelled", reason, opens)


_NO_DEVICES = _not_modelled("devices do not constrain scheduling in the check")
_NO_DEVICES_PLACED = _not_modelled("devices do not constrain placement here")

OTHER = (
    _irrelevant("v1", "PodTemplate", "ServiceAccount", "Event"),
    Other(
        "v1",
        ("ResourceQuota",),
        _not_modelled("no quota limits the pods of the check", opens=True),
        _not_modelled("no quota limits the pods that are placed"),
    ),
    Other(
        "v1",
        ("Binding",),
        _not_modelled("the scheduler alone binds pods in the check"),
        _not_modelled("a binding by hand is not looked at: write spec.nodeName"),
    ),
    _irrelevant("apps/v1", "ControllerRevision"),
    Other(
        "batch/v1",
        ("CronJob",),
        _not_modelled(NO_PODS),
        _not_modelled("its Jobs are not placed: add one as a Job to ask about it"),
    ),
    Other(
        "autoscaling/v2",
        ("HorizontalPodAutoscaler",),
        _not_modelled("is not modelled: the number of replicas is taken as it is written"),
        _not_modelled("the number of pods is taken as it is written"),
    ),
    _irrelevant("storage.k8s.io/v1", "VolumeAttributesClass", namespaced=False),
    Other(
        "resource.k8s.io/v1",
        ("ResourceClaim", "ResourceClaimTemplate"),
        _NO_DEVICES,
        _NO_DEVICES_PLACED,
    ),
    Other(
        "resource.k8s.io/v1",
        ("ResourceSlice", "DeviceClass"),
        _NO_DEVICES,
        _NO_DEVICES_PLACED,
        namespaced=False,
    ),
    _irrelevant("networking.k8s.io/v1", "IPAddress", "ServiceCIDR", namespaced=False),
    _irrelevant("coordination.k8s.io/v1", "Lease"),
    _irrelevant("events.k8s.io/v1", "Event"),
    _irrelevant("certificates.k8s.io/v1", "CertificateSigningRequest", namespaced=False),
    _irrelevant("apiregistration.k8s.io/v1", "APIService", namespaced=False),
    _irrelevant("apiextensions.k8s.io/v1", "CustomResourceDefinition", namespaced=False),
    _irrelevant(
        "flowcontrol.apiserver.k8s.io/v1",
        "FlowSchema",
        "PriorityLevelConfiguration",
        namespaced=False,
    ),
    _irrelevant("rbac.authorization.k8s.io/v1", "Role", "RoleBinding"),
    _irrelevant(
        "rbac.authorization.k8s.io/v1", "ClusterRole", "ClusterRoleBinding", namespaced=False
    ),
    Other(
        "admissionregistration.k8s.io/v1",
        (
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
        _not_modelled(
            "may change or refuse objects on their way in: they are checked as they are written",
            opens=True,
        ),
        namespaced=False,
    ),
)
