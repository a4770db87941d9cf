"""What is said of claims that are missing, or that get no volume, before anything is searched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelemma.api import Question, ask

LABELS = {"app": "web"}
DISK = {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"}
STATIC = {"provisioner": "kubernetes.io/no-provisioner"}


def storage_class(name: str, *, default: bool = False, **fields: Any) -> dict[str, Any]:
    """A class of that name."""
    annotations = {"storageclass.kubernetes.io/is-default-class": str(default).lower()}
    metadata = {"name": name, "annotations": annotations}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata,
        **fields,
    }


def spec_of(mode: str = "ReadWriteOnce", **fields: Any) -> dict[str, Any]:
    """What a claim asks for."""
    return {"accessModes": [mode], "resources": {"requests": {"storage": "2Gi"}}, **fields}


def claim(mode: str = "ReadWriteOnce", **fields: Any) -> dict[str, Any]:
    """The claim ``data``."""
    core = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    return {**core, "spec": spec_of(mode, **fields)}


def volume(size: str) -> dict[str, Any]:
    """A share of no class."""
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "nfs": {"server": "files", "path": "/"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec}


def owner(kind: str = "Deployment", **fields: Any) -> dict[str, Any]:
    """A workload whose pods use ``data``."""
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    used = [] if "volumeClaimTemplates" in fields else [volume]
    pod = {"containers": [{"name": "main", "image": "x"}], "volumes": used}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
        **fields,
    }
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}


def member(**fields: Any) -> dict[str, Any]:
    """A StatefulSet with the claim template ``data``."""
    template = {"metadata": {"name": "data"}, "spec": spec_of(**fields)}
    return owner("StatefulSet", volumeClaimTemplates=[template])


def scratch(**fields: Any) -> dict[str, Any]:
    """A Deployment whose pods have a claim each for themselves."""
    found = owner()
    template = {"volumeClaimTemplate": {"spec": spec_of(**fields)}}
    found["spec"]["template"]["spec"]["volumes"] = [{"name": "tmp", "ephemeral": template}]
    return found


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([owner()], "volumes[0]: claim default/data is not in the input: no pod of Deployment"),
        ([owner(), claim(), storage_class("disk", **DISK)], "no StorageClass of the input is the"),
        ([owner(), claim(), storage_class("disk", default=True, **DISK)], ""),
        ([owner(), claim()], ""),
        ([owner(), claim(storageClassName="")], "has no class: nobody makes a volume for it"),
        ([owner(), claim(storageClassName=""), volume("1Gi")], "no volume that there is fits it"),
        ([owner(), claim(storageClassName=""), volume("9Gi")], ""),
        (
            [owner(), claim(storageClassName="local"), storage_class("local", **STATIC)],
            'has class "local": nobody makes a volume for it',
        ),
        (
            [owner(), claim(storageClassName="dsik"), storage_class("disk", **DISK)],
            'is no class of the input (did you mean "disk"?)',
        ),
        ([owner(), claim(storageClassName="ours"), storage_class("disk", **DISK)], ""),
        (
            [
                owner(),
                claim("ReadWriteMany", storageClassName="disk"),
                storage_class("disk", **DISK),
            ],
            "makes disks that are attached to one node at a time",
        ),
        (
            [member(storageClassName="local"), storage_class("local", **STATIC)],
            "claim default/data-web-0, which is made for a pod, has class",
        ),
        ([member(storageClassName="disk"), storage_class("disk", **DISK)], ""),
        (
            [scratch(storageClassName="local"), storage_class("local", **STATIC)],
            'volumes[0].ephemeral: the claim of each pod has class "local": nobody makes a volume',
        ),
        ([scratch(storageClassName="disk"), storage_class("disk", **DISK)], ""),
    ],
)
def test_warnings(tmp_path: Path, objects: list[dict[str, Any]], said: str) -> None:
    """A claim that cannot be served is told with its line; one that can, or may, is not."""
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(objects), "utf-8")
    found = [str(each) for each in ask(Question(paths=(str(tmp_path),))).warnings]
    assert len(found) == bool(said)
    assert said in "".join(found)
