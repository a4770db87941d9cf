"""PersistentVolume.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding, not_one_of
from kubelemma.model.objects.storage import (
    CSIVolume,
    ObjectReference,
    PersistentVolume,
    PersistentVolumeSpec,
    PersistentVolumeStatus,
)

from .kind import Kind, Use
from .notes import DISKS, NO_EFFECT, NOT_PLACING, ByValue, Note, irrelevant, not_modelled
from .parts.affinities import node_selector
from .parts.rules import one_of
from .parts.volumes import VOLUME_MODES, access_modes, class_name, storage

_SPEC: FieldPath = ("spec",)
_AFFINITY: FieldPath = ("spec", "nodeAffinity")
_POLICIES = ("Delete", "Recycle", "Retain")
_FIELDS = (PersistentVolumeSpec.__struct_fields__, PersistentVolumeSpec.__struct_encode_fields__)
_WIRE = dict(zip(*_FIELDS, strict=True))


def _refused(thing: PersistentVolume) -> Iterator[Finding]:
    spec = thing.spec
    yield from access_modes(spec.access_modes, ("spec", "accessModes"))
    yield from storage(spec.capacity, ("spec", "capacity"))
    for name in spec.capacity or ():
        if name != "storage":
            yield Finding(("spec", "capacity", name), not_one_of(name, ("storage",)))
    policy: FieldPath = ("spec", "persistentVolumeReclaimPolicy")
    yield from one_of(_POLICIES, spec.persistent_volume_reclaim_policy, policy)
    yield from one_of(VOLUME_MODES, spec.volume_mode, ("spec", "volumeMode"))
    if not spec.sources:
        yield Finding(_SPEC, "must specify a volume type, such as csi, local or nfs")
    for name in spec.sources[1:]:
        yield Finding(("spec", _WIRE[name]), "may not specify more than 1 volume type")
    if spec.local is not None and (spec.node_affinity is None or not spec.node_affinity.required):
        yield Finding(_AFFINITY, "is required: Local volume requires node affinity")
    elif spec.node_affinity is not None and spec.node_affinity.required is None:
        message = "is required: must specify required node constraints"
        yield Finding((*_AFFINITY, "required"), message)
    elif spec.node_affinity is not None and spec.node_affinity.required is not None:
        yield from node_selector(spec.node_affinity.required, (*_AFFINITY, "required"))
    yield from class_name(spec.storage_class_name, _SPEC)
    yield from _refused_source(spec)
    root = spec.host_path is not None and spec.host_path.get("path") == "/"
    if root and spec.persistent_volume_reclaim_policy == "Recycle":
        yield Finding(policy, "may not be 'recycle' for a hostPath mount of '/'")


def _refused_source(spec: PersistentVolumeSpec) -> Iterator[Finding]:
    """What sources lack, of those that are common."""
    if spec.csi is not None:
        for field, value in (("driver", spec.csi.driver), ("volumeHandle", spec.csi.volume_handle)):
            if not value:
                yield Finding(("spec", "csi", field), "is required")
    for name, source, fields in (
        ("hostPath", spec.host_path, ("path",)),
        ("local", spec.local, ("path",)),
        ("nfs", spec.nfs, ("server", "path")),
    ):
        if source is None:
            continue
        for field in fields:
            path: FieldPath = ("spec", name, field)
            if not source.get(field):
                yield Finding(path, "is required")
            elif field == "path" and ".." in str(source[field]).split("/") and name != "nfs":
                yield Finding(path, "must not contain '..'")
            elif field == "path" and name == "nfs" and not str(source[field]).startswith("/"):
                yield Finding(path, "must be an absolute path")


def _refused_change(
    before: PersistentVolume, after: PersistentVolume, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidatePersistentVolumeUpdate``."""
    sources = {_WIRE[name] for name in (*before.spec.sources, *after.spec.sources)}
    for path in changed:
        if path[:1] == _SPEC and path[1] in sources:
            message = "Forbidden: spec.persistentvolumesource is immutable after creation"
            yield Finding(path, message)
    if (
        before.spec.node_affinity is not None
        and before.spec.node_affinity != after.spec.node_affinity
    ):
        yield Finding(_AFFINITY, "Invalid value: field is immutable")


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

_RECLAIMED = ByValue(
    ("Retain", "Delete"),
    None,
    Note(
        "not modelled",
        "a volume whose claim is gone is scrubbed and offered again: it stays Released here",
    ),
)

KIND = Kind(
    PersistentVolume,
    "v1",
    namespaced=False,
    check=Use(
        fields={
            PersistentVolumeSpec: {
                **irrelevant(NO_EFFECT, "mountOptions", "volumeAttributesClassName"),
                "persistentVolumeReclaimPolicy": _RECLAIMED,
            },
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
    immutable=(("spec", "volumeMode"),),
    refused_change=_refused_change,
)
