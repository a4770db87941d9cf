"""Mutants of all that is about claims and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mutating import TWO, ZONE, Mutant, Raw, Small, node, pod

from kubelemma.model.cluster.storage import Stock, Stored
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from kubelemma.model.system import Outcome

ZONES = (node("a", labels={ZONE: "x"}), node("b", labels={ZONE: "y"}))
ROLLOUT = {"rollout": {"deployment": "web"}}
VOLUME_PY = "components.persistentvolume"


def claiming(*names: str) -> Raw:
    """A pod spec that uses these claims."""
    volumes = [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in names]
    return pod(volumes=volumes)


def claim(name: str, *, of_class: str = "disk") -> tuple[type, Raw]:
    """A claim for one node at a time."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": of_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    metadata = {"name": name, "namespace": "default"}
    return PersistentVolumeClaim, {"metadata": metadata, "spec": spec}


def disks(mode: str) -> tuple[type, Raw]:
    """The class of disks of a zone, with its binding mode."""
    made = {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": mode}
    return StorageClass, {"metadata": {"name": "disk"}, **made}


def volume(name: str) -> tuple[type, Raw]:
    """A volume of a class of which there are no others."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "storageClassName": "given",
        "nfs": {"server": "files", "path": "/"},
    }
    return PersistentVolume, {"metadata": {"name": name}, "spec": spec}


STARTED = ({"scale": {"workload": "web", "replicas": 1}},)
ATTACHING = Small(
    TWO,
    (ROLLOUT,),
    replicas=1,
    spec=claiming("data"),
    objects=(disks("WaitForFirstConsumer"), claim("data")),
)
UNCLAIMING = replace(ATTACHING, events=({"deleteClaim": {}},))
PROVISIONING = replace(ATTACHING, events=STARTED, replicas=0)
BINDING = Small(
    TWO,
    STARTED,
    replicas=0,
    spec=claiming("a", "b"),
    objects=(claim("a", of_class="given"), claim("b", of_class="given"), volume("x"), volume("y")),
)
TOGETHER = Small(
    ZONES,
    STARTED,
    replicas=0,
    spec=claiming("a", "b"),
    objects=(disks("WaitForFirstConsumer"), claim("a"), claim("b")),
)


def binds_the_first(_stock: Stock, _claim: int, stored: Stored) -> int:
    """A controller that does not look whose a volume is."""
    return next(v for v, found in enumerate(stored.volumes) if found.present)


def takes_finalizers(*, deleted: bool, pods_on_nodes: int) -> bool:
    """Finalizers that keep nothing."""
    return deleted or pods_on_nodes < 0


def attaches_twice(*, desired: bool, here: bool, **_: bool) -> bool:
    """Attaching wherever it is asked for."""
    return desired and not here


def makes_none(*_: Any) -> Iterator[Outcome]:
    """No provisioner at all."""
    return iter(())


def scatters(_stock: Stock, made: int, _node: Node) -> int:
    """A provisioner that does not look at the node that was chosen."""
    return made % 2


STORAGE_MUTANTS = (
    Mutant("VOL-1", "not whose it is", f"{VOLUME_PY}.rules", "chosen", binds_the_first, BINDING),
    Mutant(
        "VOL-2",
        "no finalizer",
        "components.volumeprotection.rules",
        "claim_goes",
        takes_finalizers,
        UNCLAIMING,
    ),
    Mutant(
        "VOL-3",
        "attached twice",
        "components.attachdetach.rules",
        "attaches",
        attaches_twice,
        ATTACHING,
    ),
    Mutant("VOL-4", "no volume", f"{VOLUME_PY}.rules", "_provision", makes_none, PROVISIONING),
    Mutant("VOL-5", "anywhere", f"{VOLUME_PY}.rules", "segment_at", scatters, TOGETHER),
)
