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
from .notes import DISKS, FREE_OF_VOLUMES, NOT_PLACING, irrelevant, not_modelled
from .parts.resources import quantities


def _refused(thing: PersistentVolume) -> Iterator[Finding]:
    return quantities(thing.spec.capacity, ("spec", "capacity"))


KIND = Kind(
    PersistentVolume,
    "v1",
    namespaced=False,
    check=Use(FREE_OF_VOLUMES),
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
            CSIVolume: {
                **irrelevant(NOT_PLACING, "readOnly", "fsType", "volumeAttributes"),
                **irrelevant(NOT_PLACING, "controllerPublishSecretRef", "nodeStageSecretRef"),
                **irrelevant(NOT_PLACING, "nodePublishSecretRef", "controllerExpandSecretRef"),
                **irrelevant(NOT_PLACING, "nodeExpandSecretRef"),
            },
            ObjectReference: irrelevant(
                NOT_PLACING, "apiVersion", "kind", "resourceVersion", "fieldPath"
            ),
            PersistentVolumeStatus: irrelevant(
                NOT_PLACING, "message", "reason", "lastPhaseTransitionTime"
            ),
        }
    ),
    refused=_refused,
)
