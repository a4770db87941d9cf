"""What makes volumes, where they can be reached, and what the PersistentVolume controller does.

Source: pkg/controller/volume/persistentvolume/pv_controller.go, pkg/volume/util/util.go
(``IsMultiAttachAllowed``), pkg/volume/csi/csi_plugin.go (``CanAttach``). What provisioners make is
theirs: what is taken for granted of those that are well known is in `DRIVERS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from kubelemma.model.components.scheduler.decision.volumes import (
    NO_PROVISIONER,
    Shelf,
    can_be_made,
    is_kept_for,
    matches,
    size,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from kubelemma.model.objects.volume import PersistentVolumeClaimSpec

ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"

MANY_WRITERS = "ReadWriteMany"
SHARED = frozenset({MANY_WRITERS, "ReadOnlyMany"})
"""The access modes of volumes that several nodes may have attached at once."""

ATTACHED_SOURCES = (
    "aws_elastic_block_store",
    "azure_disk",
    "cinder",
    "fc",
    "gce_persistent_disk",
    "iscsi",
    "photon_persistent_disk",
    "rbd",
    "vsphere_volume",
)
"""The sources of volumes, other than drivers, that are attached to a node before they are used."""


class Driver(NamedTuple):
    """A driver: the labels of the nodes that reach one of its volumes, and if it attaches them.

    ``shares``: whether several nodes may write to a file system of its.
    """

    keys: tuple[str, ...] = ()
    attaches: bool = True
    shares: bool = True


DRIVERS: Mapping[str, Driver] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "ebs.csi.aws.com",
                "kubernetes.io/aws-ebs",
                "pd.csi.storage.gke.io",
                "kubernetes.io/gce-pd",
                "disk.csi.azure.com",
                "kubernetes.io/azure-disk",
                "cinder.csi.openstack.org",
                "kubernetes.io/cinder",
            ),
            Driver((ZONE,), shares=False),
        ),
        **dict.fromkeys(
            (
                "rancher.io/local-path",
                "topolvm.io",
                "openebs.io/local",
                "local.csi.openebs.io",
                "zfs.csi.openebs.io",
            ),
            Driver((HOSTNAME,), attaches=False),
        ),
        **dict.fromkeys(
            (
                "efs.csi.aws.com",
                "file.csi.azure.com",
                "filestore.csi.storage.gke.io",
                "kubernetes.io/azure-file",
                "kubernetes.io/glusterfs",
                "nfs.csi.k8s.io",
                "smb.csi.k8s.io",
                "k8s-sigs.io/nfs-subdir-external-provisioner",
                "cluster.local/nfs-subdir-external-provisioner",
                "k8s.io/minikube-hostpath",
                "docker.io/hostpath",
            ),
            Driver(attaches=False),
        ),
    }
)
"""Well-known provisioners: disks of a zone, folders of a node, and shares."""


class Backing(NamedTuple):
    """What is known of how a claim gets its volume.

    ``known``: whether its class is; ``makes``: whether volumes are made for it; ``waits``: whether
    that is when a pod needs it; ``keys`` are the labels of the nodes that reach one; ``attaches``
    whether they are attached to nodes; ``reclaimed`` whether they go with their claims.
    """

    known: bool
    driver: str = ""
    makes: bool = False
    waits: bool = False
    keys: tuple[str, ...] = ()
    attaches: bool = True
    reclaimed: bool = False


def backing_of(claim: PersistentVolumeClaim, shelf: Shelf) -> Backing:
    """How a claim gets its volume.

    A class of which nothing is known makes volumes that are attached, and that all nodes reach.
    None has a name that volumes of the input have: these are all that there are of it. Where a
    claim names no class and no class is known at all, so is the default class of the cluster.
    """
    name = shelf.class_of(claim)
    found = shelf.classes.get(name)
    if found is None:
        named = claim.spec.storage_class_name is not None or bool(name)
        of_input = any(volume.storage_class == name for volume in shelf.storage.volumes)
        nothing = name == "" if named else bool(shelf.classes)
        if nothing or of_input:
            return Backing(known=True)
        return Backing(known=False, driver=name, makes=True, reclaimed=True)
    driver = found.provisioner
    return Backing(
        known=driver in DRIVERS or _described(driver, shelf),
        driver=driver,
        makes=driver not in ("", NO_PROVISIONER) and not _asks_too_much(claim, driver),
        waits=found.volume_binding_mode == "WaitForFirstConsumer",
        keys=_keys(found, shelf),
        attaches=_attaches(driver, shelf),
        reclaimed=found.reclaim_policy == "Delete",
    )


def _asks_too_much(claim: PersistentVolumeClaim, driver: str) -> bool:
    """Whether a claim asks that a file system be shared, of a driver that makes disks of a node.

    Their provisioners answer that the access mode is not supported, and try again for ever.
    """
    shared = MANY_WRITERS in (claim.spec.access_modes or ())
    files = claim.spec.volume_mode == "Filesystem"
    return shared and files and not DRIVERS.get(driver, Driver()).shares


def _described(driver: str, shelf: Shelf) -> bool:
    return any(found.metadata.name == driver for found in shelf.storage.drivers)


def _keys(found: StorageClass, shelf: Shelf) -> tuple[str, ...]:
    """The labels by which nodes reach a volume: as the driver says, or its class, or is known."""
    said = (
        driver.topology_keys
        for node in shelf.storage.csi_nodes
        for driver in node.spec.drivers
        if driver.name == found.provisioner and driver.topology_keys
    )
    keys = next(said, None)
    if keys is None:
        terms = (t.match_label_expressions or () for t in found.allowed_topologies or ())
        keys = tuple(sorted({r.key for term in terms for r in term}))
    return keys or DRIVERS.get(found.provisioner, Driver()).keys


def _attaches(driver: str, shelf: Shelf) -> bool:
    for found in shelf.storage.drivers:
        if found.metadata.name == driver:
            return found.spec.attach_required
    return DRIVERS.get(driver, Driver()).attaches


def is_exclusive(modes: Iterable[str]) -> bool:
    """Whether a volume of these access modes is attached to one node at a time."""
    given = frozenset(modes)
    return bool(given) and not given & SHARED


def is_attached(volume: PersistentVolume, shelf: Shelf) -> bool:
    """Whether a volume is attached to nodes at all."""
    spec = volume.spec
    if spec.csi is not None:
        return _attaches(spec.csi.driver, shelf)
    if any(getattr(spec, name) is not None for name in ATTACHED_SOURCES):
        return True
    return not spec.sources


Segment = tuple[tuple[str, str], ...]
"""Labels of nodes with their values."""


def segments_of(
    backing: Backing, storage_class: StorageClass | None, nodes: Sequence[Node]
) -> tuple[Segment, ...]:
    """Where volumes may be made: labels of nodes that the class allows, the most labels first."""
    found: dict[Segment, None] = {}
    for node in nodes:
        labels = node.metadata.label_map()
        allowed = storage_class is None or can_be_made(storage_class, node)
        known = tuple((key, labels[key]) for key in backing.keys if key in labels)
        if allowed:
            found.setdefault(known)
    return tuple(sorted(found, key=len, reverse=True))


def best_match(
    claim: PersistentVolumeClaim, shelf: Shelf, free: Iterable[str]
) -> PersistentVolume | None:
    """The volume that the controller binds a claim to by itself, of those with these names.

    One that is kept for the claim comes first, then the smallest that is large enough. Source:
    staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go, ``FindMatchingVolume``.
    """
    names = frozenset(free)
    fitting = [
        volume
        for volume in shelf.storage.volumes
        if volume.metadata.name in names
        and volume.spec.volume_mode == claim.spec.volume_mode
        and volume.bytes >= size(claim)
    ]
    kept = next((volume for volume in fitting if is_kept_for(volume, claim)), None)
    if kept is not None:
        return kept
    every = (volume for volume in fitting if matches(volume, claim, shelf))
    return min(every, key=lambda volume: volume.bytes, default=None)


def unknown_class(claim: PersistentVolumeClaim, shelf: Shelf) -> str:
    """The class of a claim, where the input has neither that nor volumes of it; else nothing."""
    name = shelf.class_of(claim)
    known = {*shelf.classes, *(volume.storage_class for volume in shelf.storage.volumes)}
    return "" if name in known else name


def wanting_of(spec: PersistentVolumeClaimSpec, shelf: Shelf, nodes: Sequence[Node]) -> str:
    """As `wanting` has it, of a claim that each pod has for itself."""
    return wanting(PersistentVolumeClaim(spec=spec), shelf, nodes)


def wanting(claim: PersistentVolumeClaim, shelf: Shelf, nodes: Sequence[Node]) -> str:
    """Why no volume ever comes to a claim that has none, as far as the input says; else nothing.

    ``nodes`` are those that there are, if any are known.
    """
    if claim.spec.volume_name:
        return ""
    backing, name = backing_of(claim, shelf), shelf.class_of(claim)
    if best_match(claim, shelf, (v.metadata.name for v in shelf.storage.volumes)) is not None:
        return ""
    if _asks_too_much(claim, backing.driver):
        return (
            f'asks for {MANY_WRITERS} of class "{name}", and {backing.driver} makes disks that are '
            "attached to one node at a time: it makes no volume for it"
        )
    if not backing.makes:
        what = f'class "{name}"' if name else "no class"
        if claim.spec.storage_class_name is None and not name:
            what = "no class, and no StorageClass of the input is the default"
        return f"has {what}: nobody makes a volume for it, and no volume that there is fits it"
    found = shelf.classes.get(name)
    if found is not None and nodes and not any(can_be_made(found, node) for node in nodes):
        return f'has class "{name}", whose allowedTopologies no node has: nobody makes a volume'
    return ""
