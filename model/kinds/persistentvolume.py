"""PersistentVolume.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.storage import (
    CSIVolume,
    ObjectReference,
    PersistentVolume,
    PersistentVolumeSpec,
    PersistentVolumeStatus,
)

from .kind import Kind, Use
from .notes import DISKS, NO_EFFECT, NOT_PLACING, irrelevant, not_modelled
from .parts.resources import quantities


def _refused(thing: PersistentVolume) -> Iterator[Finding]:
    return quantities(thing.spec.capacity, ("spec", "capacity"))


_DRIVER = (
    "readOnly",
    "fsType",
    "volumeAttributes",
    "controllerPublishSecretRef",
    "nodeStageSecretRef",
    "nodePublishSecretRef",
    "controllerExpandSecretRef",
    "nodeExpandSecretRef",
)
_OF_OBJECT = ("apiVersion", "kind", "resourceVersion", "fieldPath")
_TOLD = ("message", "reason", "lastPhaseTransitionTime")

KIND = Kind(
    PersistentVolume,
    "v1",
    namespaced=False,
    check=Use(
        fields={
            PersistentVolumeSpec: irrelevant(
                NO_EFFECT, "mountOptions", "volumeAttributesClassName"
            ),
            CSIVolume: irrelevant(NO_EFFECT, *_DRIVER),
            ObjectReference: irrelevant(NO_EFFECT, *_OF_OBJECT),
            PersistentVolumeStatus: irrelevant(NO_EFFECT, *_TOLD),
        }
    ),
    placement=Use(
        fields={
            PersistentVolumeSpec: {
                **irrelevant(NOT_PLACING, "persistentVolumeReclaimPolicy", "mountOptions"),
                **irrelevant(NOT_PLACING, "volumeAttributesClassName", "hostPath", "local", "nfs"),
                **irrelevant(NOT_PLACING, "azureFile", "cephfs", "flexVolume", "flocker"),
                **irrelevant(NOT_PLACING, "glusterfs", "quobyte", "storageos"),
                **not_modelled(DISKS, "iscsi", "fc", "rbd", "awsElasticBlockStore", "azureDisk"),
                **not_modelled(DISKS, "gcePersistentDisk", "cinder", "vsphereVolume"),
                **not_modelled(DISKS, "portworxVolume", "photonPersistentDisk", "scaleIO"),
            },
            CSIVolume: irrelevant(NOT_PLACING, *_DRIVER),
            ObjectReference: irrelevant(NOT_PLACING, *_OF_OBJECT),
            PersistentVolumeStatus: irrelevant(NOT_PLACING, *_TOLD),
        }
    ),
    refused=_refused,
)
