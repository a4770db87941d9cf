"""How claims get volumes, and what is known of these."""

from __future__ import annotations

import pytest

from kubelemma.model.components.persistentvolume.decision import (
    ATTACHED_SOURCES,
    HOSTNAME,
    ZONE,
    backing_of,
    best_match,
    is_attached,
    is_exclusive,
    segments_of,
    wanting,
)
from kubelemma.model.components.scheduler.decision.volumes import Shelf
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.storage import (
    SOURCES,
    CSIDriver,
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
    StorageClass,
)


def claim(
    of_class: str | None = "disk", size: str = "1Gi", **spec: object
) -> PersistentVolumeClaim:
    """A claim of this class."""
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": of_class,
        "resources": {"requests": {"storage": size}},
        **spec,
    }
    metadata = {"name": "data", "namespace": "default", "uid": "u-1"}
    return decode({"metadata": metadata, "spec": whole}, PersistentVolumeClaim)


def storage_class(provisioner: str, **more: object) -> StorageClass:
    """The class ``disk``."""
    return decode({"metadata": {"name": "disk"}, "provisioner": provisioner, **more}, StorageClass)


def volume(name: str, size: str = "1Gi", **spec: object) -> PersistentVolume:
    """A volume of the class ``disk``."""
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": size},
        "storageClassName": "disk",
        **spec,
    }
    return decode({"metadata": {"name": name}, "spec": whole}, PersistentVolume)


def node(**labels: str) -> Node:
    """A node with labels, whose slashes and dots are left out here."""
    names = {"zone": ZONE, "host": HOSTNAME}
    return Node(metadata=ObjectMeta(labels={names[key]: value for key, value in labels.items()}))


@pytest.mark.parametrize(
    ("provisioner", "keys", "attaches"),
    [
        ("ebs.csi.aws.com", (ZONE,), True),
        ("rancher.io/local-path", (HOSTNAME,), False),
        ("efs.csi.aws.com", (), False),
        ("nobody.knows.it", (), True),
    ],
)
def test_drivers(provisioner: str, keys: tuple[str, ...], attaches: bool) -> None:  # noqa: FBT001
    """What is known of a driver, and that what nothing is known of is attached."""
    found = backing_of(claim(), Shelf(Storage(classes=(storage_class(provisioner),))))
    assert (found.keys, found.attaches, found.makes) == (keys, attaches, True)


def test_a_driver_says_itself() -> None:
    """CSIDriver and CSINode go before what is known of a name."""
    drivers = (decode({"metadata": {"name": "d"}, "spec": {"attachRequired": False}}, CSIDriver),)
    spec = {"drivers": [{"name": "d", "topologyKeys": ["rack"]}]}
    nodes = (decode({"metadata": {"name": "a"}, "spec": spec}, CSINode),)
    storage = Storage(classes=(storage_class("d"),), drivers=drivers, csi_nodes=nodes)
    found = backing_of(claim(), Shelf(storage))
    assert (found.keys, found.attaches) == (("rack",), False)


@pytest.mark.parametrize(
    ("name", "storage", "makes", "known"),
    [
        ("disk", Storage(), True, False),
        (None, Storage(), True, False),
        ("", Storage(), False, True),
        ("disk", Storage(volumes=(volume("a"),)), False, True),
        (None, Storage(classes=(storage_class("d"),)), False, True),
    ],
)
def test_classes_that_are_not_there(
    name: str | None,
    storage: Storage,
    makes: bool,  # noqa: FBT001
    known: bool,  # noqa: FBT001
) -> None:
    """An unknown class makes volumes, unless the input has volumes of it; "" is no class."""
    found = backing_of(claim(name), Shelf(storage))
    assert (found.makes, found.known) == (makes, known)


@pytest.mark.parametrize(
    ("modes", "exclusive"),
    [
        (("ReadWriteOnce",), True),
        (("ReadWriteOncePod",), True),
        (("ReadWriteMany",), False),
        (("ReadWriteOnce", "ReadOnlyMany"), False),
        ((), False),
    ],
)
def test_exclusive(modes: tuple[str, ...], exclusive: bool) -> None:  # noqa: FBT001
    """As ``IsMultiAttachAllowed`` has it."""
    assert is_exclusive(modes) is exclusive


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "csi"])
def test_sources(name: str) -> None:
    """Disks are attached; folders, shares and local volumes are not."""
    wire = "scaleIO" if name == "scale_io" else name.split("_", maxsplit=1)[0]
    wire += "" if name == "scale_io" else "".join(w.capitalize() for w in name.split("_")[1:])
    found = volume("a", **{wire: {"path": "/"}})
    assert found.spec.sources == (name,)
    assert is_attached(found, Shelf(Storage())) is (name in ATTACHED_SOURCES)


def test_segments() -> None:
    """A volume may be made in each zone of a node that the class allows, once."""
    terms = [{"matchLabelExpressions": [{"key": ZONE, "values": ["a", "b"]}]}]
    of_class = storage_class("ebs.csi.aws.com", allowedTopologies=terms)
    backing = backing_of(claim(), Shelf(Storage(classes=(of_class,))))
    nodes = (node(zone="a"), node(zone="a"), node(zone="b"), node(zone="c"), node())
    assert segments_of(backing, of_class, nodes) == (((ZONE, "a"),), ((ZONE, "b"),))


def test_the_smallest_that_fits() -> None:
    """One that is kept for the claim comes first, then the smallest that is large enough."""
    small, large, other = volume("s", "2Gi"), volume("l", "9Gi"), volume("o", "1Mi")
    kept = volume("k", "50Gi", claimRef={"namespace": "default", "name": "data"})
    names = ("s", "l", "o", "k")
    found = best_match(claim(), Shelf(Storage(volumes=(large, small, other))), names)
    assert found is small
    assert best_match(claim(), Shelf(Storage(volumes=(large, small, kept))), names) is kept
    assert best_match(claim(), Shelf(Storage(volumes=(large, small))), ("l",)) is large
    assert best_match(claim(size="90Gi"), Shelf(Storage(volumes=(large,))), names) is None


def test_wanting() -> None:
    """It is said why no volume ever comes, and nothing where one may."""
    static = storage_class("kubernetes.io/no-provisioner")
    assert "nobody makes a volume" in wanting(claim(), Shelf(Storage(classes=(static,))), ())
    fitting = Shelf(Storage(classes=(static,), volumes=(volume("a"),)))
    assert not wanting(claim(), fitting, ())
    assert "is the default" in wanting(claim(None), Shelf(Storage(classes=(static,))), ())
    terms = [{"matchLabelExpressions": [{"key": ZONE, "values": ["a"]}]}]
    zonal = Shelf(Storage(classes=(storage_class("d", allowedTopologies=terms),)))
    assert "allowedTopologies" in wanting(claim(), zonal, (node(zone="b"),))
    assert not wanting(claim(), zonal, (node(zone="a"),))
    assert not wanting(claim(volumeName="x"), zonal, ())


@pytest.mark.parametrize(
    ("driver", "mode", "makes"),
    [
        ("ebs.csi.aws.com", "Filesystem", False),
        ("ebs.csi.aws.com", "Block", True),
        ("efs.csi.aws.com", "Filesystem", True),
        ("another.example", "Filesystem", True),
    ],
)
def test_disks_are_not_shared(driver: str, mode: str, makes: bool) -> None:  # noqa: FBT001
    """A provisioner of disks makes no file system that several nodes write to."""
    shared = claim(accessModes=["ReadWriteMany"], volumeMode=mode)
    shelf = Shelf(Storage(classes=(storage_class(driver),)))
    assert backing_of(shared, shelf).makes is makes
    assert ("makes disks" in wanting(shared, shelf, ())) is not makes
