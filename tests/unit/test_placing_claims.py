"""Volumes of the input: claims that are there, that are not, and that are yet to be made."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
import yaml

from kubelemma.placing.plan import Plan, plan, read

Raw: TypeAlias = dict[str, Any]

NODE: Raw = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "a"},
    "status": {"allocatable": {"cpu": "4", "pods": "110"}},
}
VOLUME: Raw = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "pv-1"},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "nfs": {"server": "files", "path": "/"},
    },
}
LABELS = {"app": "db"}


def storage_class(name: str, mode: str, *, default: bool = False) -> Raw:
    """A class that makes volumes when it is asked to, or when a pod is scheduled."""
    key = "storageclass.kubernetes.io/is-default-class"
    annotations = {key: "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "disks",
        "volumeBindingMode": mode,
    }


def claim(name: str, **spec: Any) -> Raw:
    """A claim of 1Gi."""
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {**asked, **spec},
    }


def owner(kind: str, name: str, *volumes: Raw, **spec: Any) -> Raw:
    """A workload whose pods have these volumes."""
    pod = {"containers": [{"name": "c", "image": "c:1"}], "volumes": list(volumes)}
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    body = {"selector": {"matchLabels": LABELS}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def of_claim(name: str) -> Raw:
    """A volume that is claimed by name."""
    return {"name": "data", "persistentVolumeClaim": {"claimName": name}}


def planned(*documents: Raw) -> Plan:
    """The problem that the documents make up, on one node."""
    return plan(*read(["-"], yaml.safe_dump_all([NODE, *documents])))


def volumes(found: Plan) -> dict[str, list[Any]]:
    """The volumes of each workload's pods."""
    return {w.name: list(w.pod.spec.volumes or ()) for w in found.problem.workloads}


def left_out(found: Plan) -> dict[str, str]:
    """Volumes that are left out, and why."""
    return {n.path: n.reason for n in found.not_modelled if "olume" in n.path}


def test_claims_of_the_input() -> None:
    """A claim that is there stays with the pod, and is among the storage of the cluster."""
    disk = claim("disk", volumeName="pv-1")
    found = planned(disk, VOLUME, owner("Deployment", "web", of_claim("disk")))
    ((volume,),) = volumes(found).values()
    assert volume.persistent_volume_claim.claim_name == "disk"
    (stored,) = found.problem.cluster.storage.claims
    assert stored.is_bound
    assert left_out(found) == {}


def test_claims_that_are_not_there() -> None:
    """A pod whose claim is not in the input is free of it, and that is said."""
    found = planned(owner("Deployment", "web", {"name": "x", "emptyDir": {}}, of_claim("disk")))
    ((volume,),) = volumes(found).values()
    assert volume.name == "x"
    assert "not in the input" in left_out(found)["spec.template.spec.volumes[1]"]


@pytest.mark.parametrize(
    ("spec", "phase", "kept"),
    [
        ({}, "", False),
        ({"storageClassName": "lazy"}, "", True),
        ({"storageClassName": "eager"}, "", False),
        ({"storageClassName": "eager"}, "Pending", True),
        ({"storageClassName": "elsewhere"}, "Pending", False),
        ({"storageClassName": "", "volumeName": "pv-9"}, "Bound", False),
    ],
)
def test_claims_without_a_volume(spec: Raw, phase: str, *, kept: bool) -> None:
    """A claim that waits is modelled, and so is one that is stuck; of others too little is known.

    A new claim of a class that binds at once gets its volume before the pod is scheduled.
    """
    found = planned(
        storage_class("lazy", "WaitForFirstConsumer"),
        storage_class("eager", "Immediate"),
        {**claim("disk", **spec), "status": {"phase": phase}},
        owner("Deployment", "web", of_claim("disk")),
    )
    assert bool(volumes(found)["Deployment default/web"]) is kept
    assert bool(left_out(found)) is not kept


def test_default_class() -> None:
    """A claim that names no class gets the default one, unless it has a volume already."""
    found = planned(
        storage_class("usual", "WaitForFirstConsumer", default=True),
        claim("free"),
        claim("none", storageClassName=""),
        claim("bound", volumeName="pv-1"),
        owner("Deployment", "web"),
    )
    classes = {
        c.metadata.name: c.spec.storage_class_name for c in found.problem.cluster.storage.claims
    }
    assert classes == {"free": "usual", "none": "", "bound": None}


def test_new_pods_of_a_stateful_set() -> None:
    """Claims that wait for the first consumer are made with the pod, each for one pod alone."""
    template = {"metadata": {"name": "data"}, "spec": claim("x")["spec"]}
    found = planned(
        storage_class("usual", "WaitForFirstConsumer", default=True),
        owner("StatefulSet", "db", replicas=3, volumeClaimTemplates=[template]),
    )
    (made,) = found.problem.workloads
    assert made.count == 3
    (volume,) = made.pod.spec.volumes or ()
    assert volume.ephemeral is not None
    assert volume.ephemeral.volume_claim_template is not None
    assert volume.ephemeral.volume_claim_template.spec.storage_class_name == "usual"


def test_pods_that_come_back_to_their_claims() -> None:
    """A pod of a StatefulSet whose claim is there is a workload of its own."""
    template = {"metadata": {"name": "data"}, "spec": claim("x")["spec"]}
    found = planned(
        storage_class("usual", "WaitForFirstConsumer", default=True),
        claim("data-db-6", volumeName="pv-1"),
        VOLUME,
        owner(
            "StatefulSet", "db", replicas=3, volumeClaimTemplates=[template], ordinals={"start": 5}
        ),
    )
    assert {w.name: w.count for w in found.problem.workloads} == {
        "StatefulSet default/db (db-6)": 1,
        "StatefulSet default/db": 2,
    }
    own = volumes(found)["StatefulSet default/db (db-6)"]
    assert own[0].persistent_volume_claim.claim_name == "data-db-6"


def test_claims_that_are_bound_at_once() -> None:
    """Where a volume is made before the pod is scheduled nobody knows where: that is said."""
    template = {"metadata": {"name": "data"}, "spec": claim("x")["spec"]}
    found = planned(
        storage_class("usual", "Immediate", default=True),
        owner("StatefulSet", "db", volumeClaimTemplates=[template]),
    )
    assert volumes(found) == {"StatefulSet default/db": []}
    assert "nobody knows where" in left_out(found)["spec.volumeClaimTemplates[0]"]
