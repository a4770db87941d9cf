"""What is not modelled and may keep pods from starting leaves open what would hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]
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


MOUNTED = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize(
    ("workload", "beside", "code"),
    [
        (deployment(**MOUNTED), claim("ReadWriteOnce"), 3),
        (deployment(**MOUNTED), claim("ReadWriteOncePod"), 3),
        (deployment(**MOUNTED), claim("ReadWriteMany"), 0),
        (deployment(**MOUNTED), claim("ReadWriteOnce", "ReadWriteMany"), 3),
        (deployment("Recreate", **MOUNTED), claim("ReadWriteOnce"), 0),
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
    ("asked", "mode", "code"),
    [
        (("--question", "rollout"), "ReadWriteOnce", 0),
        (("--question", "node-lost"), "ReadWriteOnce", 3),
        (("--question", "drain"), "ReadWriteOnce", 3),
        (("--event", "rollout=web", "--event", "drain"), "ReadWriteOnce", 3),
        (("--event", "scale=web:2", "--property", "DEP-4"), "ReadWriteOnce", 3),
        (("--question", "drain"), "ReadWriteMany", 0),
    ],
)
def test_a_volume_follows_its_pod_only_where_it_stays(
    kubelemma: Kubelemma, write: Write, asked: tuple[str, ...], mode: str, code: int
) -> None:
    """With Recreate one pod uses the volume after the other, unless one may be left elsewhere."""
    path = write("both.yaml", deployment("Recreate", **MOUNTED), claim(mode))
    run = kubelemma("check", path, *asked, "--no-save", "--fail-on", "critical")
    assert run.code == code, run.out
    assert ("not decided: " in run.out) is (code == 3)


def test_a_volume_follows_its_pod_through_a_change(kubelemma: Kubelemma, write: Write) -> None:
    """A new image goes where the old one was; what asks for more may not fit beside the volume."""
    image, more = deployment("Recreate", **MOUNTED), deployment("Recreate", **MOUNTED)
    image["spec"]["template"]["spec"]["containers"][0]["image"] = "j"
    more["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    volume = claim("ReadWriteOnce")
    old = write("old.yaml", deployment("Recreate", **MOUNTED), volume)
    for new, code in ((image, 0), (more, 3)):
        run = kubelemma("check", write("new.yaml", new, volume), "--from", old)
        assert run.code == code, run.out


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
