"""Volumes, claims, classes and drivers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .words import ZONE, Manifest, Manifests, memory, metadata, names, objects, selectors

_DRIVERS = st.sampled_from(("disk.csi.example.com", "file.csi.example.com"))
_CLASSES = st.sampled_from(("fast", "standard", ""))
_MODES = st.lists(
    st.sampled_from(("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany")),
    min_size=1,
    max_size=2,
    unique=True,
)
_SIZES = memory().map(lambda amount: {"storage": amount})
_POLICIES = st.sampled_from(("Delete", "Retain"))
_ZONES = st.lists(st.sampled_from(("zone-1", "zone-2")), min_size=1, max_size=2, unique=True)


def persistent_volumes() -> Manifests:
    """PersistentVolumes, some of them in one zone only."""
    spec = st.fixed_dictionaries(
        {
            "capacity": _SIZES,
            "accessModes": _MODES,
            "csi": st.fixed_dictionaries({"driver": _DRIVERS, "volumeHandle": names()}),
        },
        optional={
            "storageClassName": _CLASSES,
            "volumeMode": st.sampled_from(("Filesystem", "Block")),
            "persistentVolumeReclaimPolicy": _POLICIES,
            "nodeAffinity": _ZONES.map(_reachable_from),
        },
    )
    return objects("v1", "PersistentVolume", metadata=metadata(namespaced=False), spec=spec)


def _reachable_from(zones: list[str]) -> Manifest:
    expression = {"key": ZONE, "operator": "In", "values": zones}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def persistent_volume_claims() -> Manifests:
    """PersistentVolumeClaims that are not bound."""
    spec = st.fixed_dictionaries(
        {"accessModes": _MODES, "resources": st.builds(lambda size: {"requests": size}, _SIZES)},
        optional={
            "storageClassName": _CLASSES,
            "volumeMode": st.sampled_from(("Filesystem", "Block")),
            "selector": selectors(),
        },
    )
    return objects("v1", "PersistentVolumeClaim", metadata=metadata(), spec=spec)


def storage_classes() -> Manifests:
    """StorageClasses, some of them for one zone only."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "volumeBindingMode": st.sampled_from(("Immediate", "WaitForFirstConsumer")),
        "reclaimPolicy": _POLICIES,
        "allowedTopologies": _ZONES.map(
            lambda zones: [{"matchLabelExpressions": [{"key": ZONE, "values": zones}]}]
        ),
    }
    whole = objects(
        "storage.k8s.io/v1",
        "StorageClass",
        metadata=metadata(namespaced=False),
        provisioner=_DRIVERS,
    )
    return _with(whole, optional)


def csi_nodes() -> Manifests:
    """CSINodes: the drivers of the node of the same name."""
    driver: Manifests = st.fixed_dictionaries(
        {"name": _DRIVERS, "nodeID": st.just("node-1")},
        optional={
            "topologyKeys": st.just([ZONE]),
            "allocatable": st.builds(lambda count: {"count": count}, st.integers(0, 25)),
        },
    )
    drivers = st.lists(driver, max_size=2, unique_by=lambda d: d["name"])
    return objects(
        "storage.k8s.io/v1",
        "CSINode",
        metadata=st.just({"name": "node-1"}),
        spec=st.builds(lambda found: {"drivers": found}, drivers),
    )


def volume_attachments() -> Manifests:
    """VolumeAttachments: volumes of the cluster that are attached to a node, or are to be."""
    spec = st.fixed_dictionaries(
        {
            "attacher": _DRIVERS,
            "nodeName": st.just("node-1"),
            "source": st.builds(lambda name: {"persistentVolumeName": name}, names()),
        }
    )
    status = st.builds(lambda attached: {"attached": attached}, st.booleans())
    return objects(
        "storage.k8s.io/v1",
        "VolumeAttachment",
        metadata=metadata(namespaced=False),
        spec=spec,
        status=status,
    )


def csi_drivers() -> Manifests:
    """CSIDrivers."""
    flags = {"storageCapacity": st.booleans(), "attachRequired": st.booleans()}
    spec = st.fixed_dictionaries({}, optional=flags)
    own = _DRIVERS.map(lambda name: {"name": name})
    return objects("storage.k8s.io/v1", "CSIDriver", metadata=own, spec=spec)


def csi_storage_capacities() -> Manifests:
    """CSIStorageCapacities."""
    whole = objects(
        "storage.k8s.io/v1",
        "CSIStorageCapacity",
        metadata=metadata(),
        storageClassName=st.sampled_from(("fast", "standard")),
    )
    optional: dict[str, st.SearchStrategy[Any]] = {
        "nodeTopology": selectors(),
        "capacity": memory(),
        "maximumVolumeSize": memory(),
    }
    return _with(whole, optional)


def _with(whole: Manifests, optional: dict[str, st.SearchStrategy[Any]]) -> Manifests:
    """Objects with further fields beside ``metadata``, each of them or not."""
    return st.builds(
        lambda found, rest: {**found, **rest}, whole, st.fixed_dictionaries({}, optional=optional)
    )
