"""What manifests are read for: which kinds and fields are modelled, and what of the others matters.

A check and a placement read the same documents. A field or kind that one of them leaves out may be
what the other is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from kubelemma.model.objects import (
    controllers,
    meta,
    node,
    pod,
    policies,
    storage,
    volume,
    workloads,
)

from .fields import NOTES, FieldNotes, FieldsByType
from .kinds import MODELLED, PLACED, SHOWN, Kinds, Note


class Purpose(NamedTuple):
    """One way of reading.

    Attributes:
        kinds: those that are modelled.
        other_kinds: what is said of kinds that are not, where it is said differently.
        fields: what is said of fields that are left out.
        shown: kinds that are read to be shown, but are listed as not modelled.
    """

    kinds: Kinds
    other_kinds: Mapping[str, Note]
    fields: FieldsByType
    shown: Kinds = MappingProxyType({})

    @property
    def read(self) -> Kinds:
        """The kinds that are read, be it to be shown only."""
        return {**self.kinds, **self.shown}


def _irrelevant(reason: str, *names: str) -> dict[str, Note]:
    return dict.fromkeys(names, Note("irrelevant", reason))


def _not_modelled(reason: str, *names: str) -> dict[str, Note]:
    return dict.fromkeys(names, Note("not modelled", reason))


_OWN: Mapping[str, Note] = {
    **_irrelevant("is what kubelemma wrote", "CheckReport", "PlacementReport", "Baseline"),
    **_irrelevant("is read where place --machines names it", "Machines"),
}
"""Our own documents that may lie among manifests, without being such."""

CHECK = Purpose(MODELLED, _OWN, NOTES, SHOWN)

_NO_EFFECT = "has no effect on where pods are placed"
_HOW_MANY = "the number of pods is taken as it is written"
_DEVICES = "devices do not constrain placement here"

_KINDS: Mapping[str, Note] = {
    **_irrelevant(_NO_EFFECT, "Service", "VolumeAttachment", "PodDisruptionBudget"),
    **_OWN,
    **_not_modelled("its Jobs are not placed: add one as a Job to ask about it", "CronJob"),
    **_not_modelled("no quota limits the pods that are placed", "ResourceQuota"),
    **_not_modelled(_HOW_MANY, "HorizontalPodAutoscaler"),
    **_not_modelled(_DEVICES, "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"),
    **_not_modelled(_DEVICES, "DeviceClass"),
    **_not_modelled("a binding by hand is not looked at: write spec.nodeName", "Binding"),
}


def _without(notes: FieldNotes, *names: str) -> dict[str, Note | FieldNotes | None]:
    """The notes on fields that are left out here too."""
    return {name: note for name, note in notes.items() if name not in names}


_ROLLING = "how pods are replaced matters only to what is asked about rollouts"

_FIELDS: FieldsByType = {
    **NOTES,
    meta.ObjectMeta: {
        **_without(NOTES[meta.ObjectMeta], "deletionTimestamp"),
        **_irrelevant(_NO_EFFECT, "finalizers", "deletionGracePeriodSeconds"),
    },
    pod.PodSpec: {
        **_without(NOTES[pod.PodSpec], "priorityClassName", "runtimeClassName", "volumes"),
        **_irrelevant(_NO_EFFECT, "activeDeadlineSeconds", "readinessGates"),
        **_not_modelled(_DEVICES, "resourceClaims"),
    },
    pod.Container: {
        **_without(NOTES[pod.Container]),
        **_irrelevant(_NO_EFFECT, "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
        **_irrelevant(_NO_EFFECT, "restartPolicyRules", "image", "imagePullPolicy"),
        **_irrelevant("pods are taken at the size that they have now", "resizePolicy"),
    },
    pod.ResourceRequirements: _not_modelled(_DEVICES, "claims"),
    node.NodeStatus: {
        **_without(NOTES[node.NodeStatus]),
        **_irrelevant(_NO_EFFECT, "volumesInUse", "volumesAttached"),
    },
    workloads.DeploymentSpec: {
        **_without(NOTES[workloads.DeploymentSpec]),
        **_irrelevant(_NO_EFFECT, "minReadySeconds", "paused", "progressDeadlineSeconds"),
        **_irrelevant(_NO_EFFECT, "revisionHistoryLimit"),
    },
    workloads.ReplicaSetSpec: _irrelevant(_NO_EFFECT, "minReadySeconds"),
    controllers.StatefulSet: _irrelevant(_NO_EFFECT, "status"),
    controllers.StatefulSetSpec: {
        **_irrelevant(_NO_EFFECT, "serviceName", "podManagementPolicy", "minReadySeconds"),
        **_irrelevant(_NO_EFFECT, "revisionHistoryLimit"),
        **_irrelevant(_NO_EFFECT, "persistentVolumeClaimRetentionPolicy"),
        **_irrelevant(_ROLLING, "updateStrategy"),
    },
    controllers.DaemonSet: _irrelevant(_NO_EFFECT, "status"),
    controllers.DaemonSetSpec: {
        **_irrelevant(_NO_EFFECT, "minReadySeconds", "revisionHistoryLimit", "templateGeneration"),
        **_irrelevant(_ROLLING, "updateStrategy"),
    },
    controllers.ReplicationController: _irrelevant(_NO_EFFECT, "status"),
    controllers.ReplicationControllerSpec: _irrelevant(_NO_EFFECT, "minReadySeconds"),
    controllers.JobSpec: {
        **_irrelevant(_NO_EFFECT, "activeDeadlineSeconds", "backoffLimit", "selector"),
        **_irrelevant(_NO_EFFECT, "manualSelector", "ttlSecondsAfterFinished", "completionMode"),
        **_irrelevant(_NO_EFFECT, "podFailurePolicy", "podReplacementPolicy", "successPolicy"),
        **_irrelevant(_NO_EFFECT, "backoffLimitPerIndex", "maxFailedIndexes", "managedBy"),
    },
    controllers.JobStatus: {
        **_irrelevant(_NO_EFFECT, "active", "failed", "ready", "terminating", "startTime"),
        **_irrelevant(_NO_EFFECT, "completionTime", "completedIndexes", "failedIndexes"),
        **_irrelevant(_NO_EFFECT, "uncountedTerminatedPods"),
    },
    controllers.JobCondition: _irrelevant(
        _NO_EFFECT, "reason", "message", "lastProbeTime", "lastTransitionTime"
    ),
    policies.PriorityClass: _irrelevant(_NO_EFFECT, "description"),
    policies.RuntimeClass: _irrelevant(_NO_EFFECT, "handler"),
    policies.LimitRangeItem: _not_modelled(
        "pods outside these bounds would be refused: they are placed here",
        "maxLimitRequestRatio",
    ),
}

_DISKS = "its limit for each node is not modelled, nor is where it can be reached from"
_STORAGE: FieldsByType = {
    volume.Volume: {
        **_irrelevant(_NO_EFFECT, "emptyDir", "hostPath", "image", "gitRepo", "nfs"),
        **_irrelevant(_NO_EFFECT, "configMap", "secret", "projected", "downwardAPI"),
        **_not_modelled(_DISKS, "csi", "iscsi", "fc", "rbd", "awsElasticBlockStore", "azureDisk"),
        **_not_modelled(_DISKS, "gcePersistentDisk", "cinder", "vsphereVolume", "portworxVolume"),
        **_not_modelled(_DISKS, "photonPersistentDisk", "scaleIO"),
        **_irrelevant(_NO_EFFECT, "azureFile", "cephfs", "flexVolume", "flocker", "glusterfs"),
        **_irrelevant(_NO_EFFECT, "quobyte", "storageos"),
    },
    volume.PersistentVolumeClaimTemplate: _irrelevant(_NO_EFFECT, "apiVersion", "kind", "status"),
    volume.PersistentVolumeClaimSpec: {
        **_not_modelled("the claim is taken to be empty", "dataSource", "dataSourceRef"),
        **_irrelevant(_NO_EFFECT, "volumeAttributesClassName"),
    },
    storage.PersistentVolumeSpec: {
        **_irrelevant(_NO_EFFECT, "persistentVolumeReclaimPolicy", "mountOptions"),
        **_irrelevant(_NO_EFFECT, "volumeAttributesClassName", "hostPath", "local", "nfs"),
        **_irrelevant(_NO_EFFECT, "azureFile", "cephfs", "flexVolume", "flocker", "glusterfs"),
        **_irrelevant(_NO_EFFECT, "quobyte", "storageos"),
        **_not_modelled(_DISKS, "iscsi", "fc", "rbd", "awsElasticBlockStore", "azureDisk"),
        **_not_modelled(_DISKS, "gcePersistentDisk", "cinder", "vsphereVolume", "portworxVolume"),
        **_not_modelled(_DISKS, "photonPersistentDisk", "scaleIO"),
    },
    storage.CSIVolume: {
        **_irrelevant(_NO_EFFECT, "readOnly", "fsType", "volumeAttributes"),
        **_irrelevant(_NO_EFFECT, "controllerPublishSecretRef", "nodeStageSecretRef"),
        **_irrelevant(_NO_EFFECT, "nodePublishSecretRef", "controllerExpandSecretRef"),
        **_irrelevant(_NO_EFFECT, "nodeExpandSecretRef"),
    },
    storage.ObjectReference: _irrelevant(
        _NO_EFFECT, "apiVersion", "kind", "resourceVersion", "fieldPath"
    ),
    storage.PersistentVolumeStatus: _irrelevant(
        _NO_EFFECT, "message", "reason", "lastPhaseTransitionTime"
    ),
    storage.PersistentVolumeClaimStatus: {
        **_irrelevant(_NO_EFFECT, "accessModes", "capacity", "conditions", "allocatedResources"),
        **_irrelevant(_NO_EFFECT, "allocatedResourceStatuses", "modifyVolumeStatus"),
        **_irrelevant(_NO_EFFECT, "currentVolumeAttributesClassName"),
    },
    storage.StorageClass: _irrelevant(
        _NO_EFFECT, "parameters", "reclaimPolicy", "mountOptions", "allowVolumeExpansion"
    ),
    storage.CSINodeDriver: _irrelevant(_NO_EFFECT, "nodeID"),
    storage.CSIDriverSpec: {
        **_irrelevant(_NO_EFFECT, "attachRequired", "podInfoOnMount", "volumeLifecycleModes"),
        **_irrelevant(_NO_EFFECT, "fsGroupPolicy", "tokenRequests", "requiresRepublish"),
        **_irrelevant(_NO_EFFECT, "seLinuxMount", "nodeAllocatableUpdatePeriodSeconds"),
        **_irrelevant(_NO_EFFECT, "serviceAccountTokenInSecrets"),
    },
}

PLACE = Purpose(PLACED, _KINDS, {**_FIELDS, **_STORAGE})
