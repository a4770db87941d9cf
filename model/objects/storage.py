"""Storage: volumes, claims and classes, and what drivers say of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from .meta import ApiObject, ApiStruct, LabelSelector
from .pod import NodeSelector
from .quantity import Quantity
from .volume import PersistentVolumeClaimSpec

SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""Annotation of a claim: the node for which its volume is being provisioned."""

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
"""Annotation of a claim: it is bound to the volume that it names."""

OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
"""Annotation of a volume or claim that overrides the name of its class."""

_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)

ANNOTATIONS = (SELECTED_NODE, BIND_COMPLETED, OLD_CLASS, *_DEFAULT_CLASS)
"""Those of classes, volumes and claims that are read."""

PROTECTION = ("kubernetes.io/pvc-protection", "kubernetes.io/pv-protection")
"""Finalizers of claims and volumes that keep them while they are in use."""


class ObjectReference(ApiStruct, frozen=True, kw_only=True):
    """The claim that a volume is bound to, or kept for."""

    namespace: str = ""
    name: str = ""
    uid: str = ""


class CSIVolume(ApiStruct, frozen=True, kw_only=True):
    """The driver of a volume, and its name for it."""

    driver: str = ""
    volume_handle: str = ""


class VolumeNodeAffinity(ApiStruct, frozen=True, kw_only=True):
    """The nodes from which a volume can be reached."""

    required: NodeSelector | None = None


Source: TypeAlias = Mapping[str, Any] | None
"""Where a volume is stored, of which only the kind matters."""

SOURCES = (
    "aws_elastic_block_store",
    "azure_disk",
    "azure_file",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flex_volume",
    "flocker",
    "gce_persistent_disk",
    "glusterfs",
    "host_path",
    "iscsi",
    "local",
    "nfs",
    "photon_persistent_disk",
    "portworx_volume",
    "quobyte",
    "rbd",
    "scale_io",
    "storageos",
    "vsphere_volume",
)
"""The fields of a volume's spec of which exactly one says where it is stored."""


class PersistentVolumeSpec(ApiStruct, frozen=True, kw_only=True):
    """What a volume offers, and where it is stored."""

    capacity: Mapping[str, Quantity] | None = None
    access_modes: tuple[str, ...] | None = None
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    claim_ref: ObjectReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    persistent_volume_reclaim_policy: str = "Retain"
    aws_elastic_block_store: Source = None
    azure_disk: Source = None
    azure_file: Source = None
    cephfs: Source = None
    cinder: Source = None
    csi: CSIVolume | None = None
    fc: Source = None
    flex_volume: Source = None
    flocker: Source = None
    gce_persistent_disk: Source = None
    glusterfs: Source = None
    host_path: Source = None
    iscsi: Source = None
    local: Source = None
    nfs: Source = None
    photon_persistent_disk: Source = None
    portworx_volume: Source = None
    quobyte: Source = None
    rbd: Source = None
    scale_io: Source = msgspec.field(default=None, name="scaleIO")
    storageos: Source = None
    vsphere_volume: Source = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Which of `SOURCES` are set."""
        return tuple(name for name in SOURCES if getattr(self, name) is not None)


class PersistentVolumeStatus(ApiStruct, frozen=True, kw_only=True):
    """Whether a volume is free."""

    phase: str = ""


class PersistentVolume(ApiObject, frozen=True, kw_only=True):
    """A volume."""

    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()

    @property
    def storage_class(self) -> str:
        """The name of its class, which an old annotation overrides."""
        return self.metadata.annotation_map().get(OLD_CLASS, self.spec.storage_class_name)

    @property
    def bytes(self) -> int:
        """How large it is."""
        capacity = self.spec.capacity or {}
        return capacity["storage"].value() if "storage" in capacity else 0


class PersistentVolumeClaimStatus(ApiStruct, frozen=True, kw_only=True):
    """How far a claim got, and how large its volume is."""

    phase: str = ""
    capacity: Mapping[str, Quantity] | None = None


class PersistentVolumeClaim(ApiObject, frozen=True, kw_only=True):
    """A claim."""

    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()

    @property
    def is_bound(self) -> bool:
        """Whether both sides of the binding are written."""
        return bool(self.spec.volume_name) and BIND_COMPLETED in self.metadata.annotation_map()


class TopologySelectorLabelRequirement(ApiStruct, frozen=True, kw_only=True):
    """One of these values must be the node's label."""

    key: str
    values: tuple[str, ...] = ()


class TopologySelectorTerm(ApiStruct, frozen=True, kw_only=True):
    """Requirements that must all hold."""

    match_label_expressions: tuple[TopologySelectorLabelRequirement, ...] | None = None


class StorageClass(ApiObject, frozen=True, kw_only=True):
    """How volumes come about."""

    provisioner: str = ""
    volume_binding_mode: Literal["Immediate", "WaitForFirstConsumer"] = "Immediate"
    reclaim_policy: str = "Delete"
    allow_volume_expansion: bool = False
    allowed_topologies: tuple[TopologySelectorTerm, ...] | None = None

    @property
    def is_default(self) -> bool:
        """Whether claims without a class get this one."""
        annotations = self.metadata.annotation_map()
        return any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)


class VolumeNodeResources(ApiStruct, frozen=True, kw_only=True):
    """How many volumes of a driver a node can hold at once; None: any number."""

    count: int | None = None


class CSINodeDriver(ApiStruct, frozen=True, kw_only=True):
    """A driver on a node, and the labels by which it tells nodes apart."""

    name: str
    topology_keys: tuple[str, ...] | None = None
    allocatable: VolumeNodeResources | None = None


class CSINodeSpec(ApiStruct, frozen=True, kw_only=True):
    """All drivers of a node."""

    drivers: tuple[CSINodeDriver, ...] = ()


class CSINode(ApiObject, frozen=True, kw_only=True):
    """The drivers of the node of the same name."""

    spec: CSINodeSpec = CSINodeSpec()


class CSIDriverSpec(ApiStruct, frozen=True, kw_only=True):
    """What its volumes need.

    ``storage_capacity``: whether the scheduler is to look at the driver's CSIStorageCapacity
    objects; ``attach_required``: whether volumes are attached to a node before they are used.
    """

    attach_required: bool = True
    storage_capacity: bool = False


class CSIDriver(ApiObject, frozen=True, kw_only=True):
    """A driver."""

    spec: CSIDriverSpec = CSIDriverSpec()


class VolumeAttachmentSource(ApiStruct, frozen=True, kw_only=True):
    """Which volume is attached: one of the cluster, by its name, or one that a pod describes."""

    persistent_volume_name: str = ""
    inline_volume_spec: Mapping[str, Any] | None = None


class VolumeAttachmentSpec(ApiStruct, frozen=True, kw_only=True):
    """What is to be attached to which node, and by whom."""

    attacher: str = ""
    node_name: str = ""
    source: VolumeAttachmentSource = VolumeAttachmentSource()


class VolumeAttachmentStatus(ApiStruct, frozen=True, kw_only=True):
    """Whether it is attached."""

    attached: bool = False


class VolumeAttachment(ApiObject, frozen=True, kw_only=True):
    """A volume that is attached to a node, or is to be."""

    spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
    status: VolumeAttachmentStatus = VolumeAttachmentStatus()


class CSIStorageCapacity(ApiObject, frozen=True, kw_only=True):
    """How large volumes of a class can still be, for some nodes."""

    storage_class_name: str = ""
    node_topology: LabelSelector | None = None
    capacity: Quantity | None = None
    maximum_volume_size: Quantity | None = None


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """All storage objects of a cluster; names are unique, claims by namespace."""

    volumes: tuple[PersistentVolume, ...] = ()
    claims: tuple[PersistentVolumeClaim, ...] = ()
    classes: tuple[StorageClass, ...] = ()
    csi_nodes: tuple[CSINode, ...] = ()
    drivers: tuple[CSIDriver, ...] = ()
    capacities: tuple[CSIStorageCapacity, ...] = ()


NO_STORAGE = Storage()
