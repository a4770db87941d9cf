"""What is not modelled and may keep pods from starting leaves open what would hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]
Claimed: TypeAlias = tuple[str, ...]
"""A strategy, and the access modes of the claim of its pods."""
ASKED = ("--event", "rollout=web", "--property", "DEP-4")


def deployment(strategy: str = "RollingUpdate", **pod: Any) -> Manifest:
    """One pod, whose spec is like that."""
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i"}], **pod},
    }
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": template,
        "strategy": {"type": strategy},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def claim(*modes: str) -> Manifest:
    """A claim with these access modes."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": "1Gi"}}},
    }


def other(kind: str, group: str, **metadata: str) -> Manifest:
    """An object of a kind that is not modelled."""
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "x", **metadata}}


DISK = {"volumes": [{"name": "d", "awsElasticBlockStore": {"volumeID": "v"}}]}
MOUNTED = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize(
    ("workload", "beside", "code"),
    [
        (deployment(**DISK), other("ConfigMap", "v1"), 3),
        (deployment(**MOUNTED), claim("ReadWriteMany"), 0),
        (deployment(), claim("ReadWriteOnce"), 0),
        (deployment(), other("ResourceQuota", "v1"), 3),
        (deployment(), other("ResourceQuota", "v1", namespace="elsewhere"), 0),
        (
            deployment(),
            other("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
            3,
        ),
        (deployment(priorityClassName="unknown"), other("ConfigMap", "v1"), 3),
        (deployment(priorityClassName="system-cluster-critical"), other("ConfigMap", "v1"), 0),
    ],
)
def test_what_may_be_in_the_way(
    kubelemma: Kubelemma, write: Write, workload: Manifest, beside: Manifest, code: int
) -> None:
    """The promise holds on what is modelled; whether it is decided is another question."""
    run = kubelemma("check", write("both.yaml", workload, beside), *ASKED)
    assert run.code == code, run.out
    assert ("not decided: DEP-4" in run.out) is (code == 3)


@pytest.mark.parametrize(
    ("asked", "claimed", "code"),
    [
        (ASKED, ("RollingUpdate", "ReadWriteOnce"), 1),
        (ASKED, ("RollingUpdate", "ReadWriteOncePod"), 1),
        (ASKED, ("RollingUpdate", "ReadWriteMany"), 0),
        (ASKED, ("RollingUpdate", "ReadWriteOnce", "ReadWriteMany"), 0),
        (ASKED, ("Recreate", "ReadWriteOnce"), 0),
        (("--question", "node-lost"), ("Recreate", "ReadWriteOnce"), 1),
        (("--question", "drain"), ("Recreate", "ReadWriteOnce"), 0),
        (("--event", "scale=web:2", "--property", "DEP-4"), ("Recreate", "ReadWriteOnce"), 1),
    ],
)
def test_claims_leave_nothing_open(
    kubelemma: Kubelemma, write: Write, asked: tuple[str, ...], claimed: Claimed, code: int
) -> None:
    """A volume that goes to one node at a time is in the way where two nodes want it at once."""
    strategy, *modes = claimed
    path = write("both.yaml", deployment(strategy, **MOUNTED), claim(*modes))
    run = kubelemma("check", path, *asked, "--no-save", "--fail-on", "critical")
    assert run.code == code, run.out
    assert "not decided: " not in run.out


def test_a_volume_follows_its_pod_through_a_change(kubelemma: Kubelemma, write: Write) -> None:
    """With Recreate the next pod gets the volume wherever it goes."""
    more = deployment("Recreate", **MOUNTED)
    more["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    volume = claim("ReadWriteOnce")
    old = write("old.yaml", deployment("Recreate", **MOUNTED), volume)
    run = kubelemma("check", write("new.yaml", more, volume), "--from", old)
    assert run.code == 0, run.out


def test_a_violation_is_one(kubelemma: Kubelemma, write: Write) -> None:
    """What is refuted stays so, whatever else may be in the way."""
    large = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "3"}}}
    workload = deployment(containers=[large], **MOUNTED)
    path = write("both.yaml", workload, claim("ReadWriteOnce"))
    run = kubelemma("check", path, *ASKED, "--nodes", "count=1,cpu=4,memory=8Gi")
    assert run.code == 1, run.out


def named(name: str, cpu: str, **spec: Any) -> Manifest:
    """A Deployment of one pod that asks for so much."""
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    found = deployment(containers=[container], **spec)
    labels = {"app": name}
    found["metadata"]["name"] = name
    found["spec"] |= {"selector": {"matchLabels": labels}}
    found["spec"]["template"]["metadata"]["labels"] = labels
    return found


@pytest.mark.parametrize(
    ("kinds", "cpu", "code"), [(8, "2", 0), (9, "2", 0), (9, "100m", 0), (8, "3", 1), (9, "3", 3)]
)
def test_starts_that_nobody_looked_at(
    kubelemma: Kubelemma, write: Write, kinds: int, cpu: str, code: int
) -> None:
    """Where there are more kinds of starts than are looked at, what holds in these is not decided.

    Another workload may be on any node, and who asks for a label by value tells all of them apart.
    Where there is room for all it does not matter where it is; elsewhere it may be in the way.
    """
    urgent = {"kind": "PriorityClass", "apiVersion": "scheduling.k8s.io/v1", "value": 1}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"n{number}", "labels": {"disk": f"of-kind-{number}"}},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "9"}},
        }
        for number in range(kinds)
    ]
    path = write(
        "all.yaml",
        *nodes,
        {**urgent, "metadata": {"name": "first"}},
        named("first", cpu, priorityClassName="first"),
        named("web", "1", nodeSelector={"disk": "of-kind-0"}),
    )
    run = kubelemma("check", path, "--workload", "web", *ASKED)
    assert run.code == code, run.out
    told = "it may start in more placements that differ in what may follow than are looked at"
    assert (told in " ".join(run.out.split())) is (code == 3)
