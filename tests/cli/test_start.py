"""What is checked is what was given: a live state, with a rollout under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]


def labels(version: int) -> dict[str, str]:
    """The labels of the pods of a version."""
    return {"app": "wp", "pod-template-hash": f"h{version}"}


def spec(version: int, memory: str) -> Manifest:
    """The spec of the pods of a version."""
    requests = {"memory": memory}
    container = {"name": "c", "image": f"wp:{version}", "resources": {"requests": requests}}
    return {"containers": [container]}


def node(name: str) -> Manifest:
    """A node of four gibibytes."""
    allocatable = {"cpu": "4", "memory": "4Gi", "pods": "110"}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    status = {"allocatable": allocatable}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def owned(kind: str, name: str, owner: str, owner_kind: str, labels: dict[str, str]) -> Manifest:
    """The head of an object that another one controls."""
    reference = {
        "apiVersion": "apps/v1",
        "kind": owner_kind,
        "name": owner,
        "uid": owner,
        "controller": True,
    }
    version = "v1" if kind == "Pod" else "apps/v1"
    metadata = {"name": name, "labels": labels, "ownerReferences": [reference]}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def replica_set(version: int, memory: str, replicas: int, available: int) -> Manifest:
    """The ReplicaSet of a version."""
    found = owned("ReplicaSet", f"wp-h{version}", "wp", "Deployment", labels(version))
    found["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(version)}
    template = {"metadata": {"labels": labels(version)}, "spec": spec(version, memory)}
    return {
        **found,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels(version)},
            "template": template,
        },
        "status": {"replicas": replicas, "availableReplicas": available},
    }


def pod(version: int, memory: str, number: int, node: str = "") -> Manifest:
    """A pod of a version; one without a node is Pending."""
    name = f"wp-h{version}-{number}"
    found = owned("Pod", name, f"wp-h{version}", "ReplicaSet", labels(version))
    bound = {"nodeName": node} if node else {}
    phase = "Running" if node else "Pending"
    return {**found, "spec": {**spec(version, memory), **bound}, "status": {"phase": phase}}


@pytest.fixture
def stuck_rollout() -> list[Manifest]:
    """A rollout that waits for a pod which fits nowhere."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "wp", "uid": "wp"},
        "spec": {
            "replicas": 2,
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": {"app": "wp"}},
            "template": {"metadata": {"labels": {"app": "wp"}}, "spec": spec(2, "3Gi")},
        },
    }
    return [
        node("n1"),
        node("n2"),
        deployment,
        replica_set(1, "2Gi", 2, 2),
        replica_set(2, "3Gi", 1, 0),
        pod(1, "2Gi", 1, "n1"),
        pod(1, "2Gi", 2, "n2"),
        pod(2, "3Gi", 1),
    ]


def test_a_rollout_that_is_stuck_is_found_so(
    kubelemma: Kubelemma, write: Write, stuck_rollout: list[Manifest]
) -> None:
    """Nobody has to take a step: it is violated from the start."""
    live = write("live.yaml", *stuck_rollout)
    asked = ("--property", "DEP-4", "--property", "STUCK")
    run = kubelemma("check", live, *asked)
    assert run.code == 1
    assert run.out.count("Nothing: it is so from the start.") == 1
    assert "rollout, bad version, node lost, drain" in run.out
    run = kubelemma("check", live, *asked, "-o", "wide")
    assert "wp-h1 2 available; wp-h2 1 without a node" in " ".join(run.out.split())


def test_a_surplus_pod_holds_its_room(
    kubelemma: Kubelemma, write: Write, stuck_rollout: list[Manifest]
) -> None:
    """Two pods of a Deployment of one: one is its controller's to delete, and then all is well."""
    nodes, deployment = stuck_rollout[:2], stuck_rollout[2]
    one = {**deployment, "spec": {**deployment["spec"], "replicas": 1}}
    live = write("live.yaml", *nodes, one, pod(2, "3Gi", 1, "n1"), pod(2, "3Gi", 2, "n2"))
    run = kubelemma("check", live, "--event", "rollout=wp", "--property", "DEP-4", "-o", "wide")
    assert run.code == 0
    assert "wp-v1 2 available" in " ".join(run.out.split())


def test_what_repairs_a_stuck_rollout(
    kubelemma: Kubelemma, write: Write, stuck_rollout: list[Manifest]
) -> None:
    """A smaller version, or the one before, is applied in the end, and then all is well."""
    live = write("live.yaml", *stuck_rollout)
    deployment = stuck_rollout[2]
    for version, memory in ((3, "1Gi"), (1, "2Gi")):
        template = {"metadata": {"labels": {"app": "wp"}}, "spec": spec(version, memory)}
        changed = {**deployment, "spec": {**deployment["spec"], "template": template}}
        new = write(f"next-{version}.yaml", changed)
        assert kubelemma("check", new, "--from", live, "--property", "DEP-4").code == 0
    run = kubelemma("check", write("same.yaml", deployment), "--from", live, "--property", "DEP-4")
    assert run.code == 1
    assert "Nothing: it is so from the start." in run.out


def settled(*pods: Manifest) -> list[Manifest]:
    """A Deployment whose rollout is over, with these pods, and room for one pod more."""
    template = {"metadata": {"labels": {"app": "wp"}}, "spec": spec(1, "1Gi")}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "wp", "uid": "wp"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "wp"}},
            "template": template,
        },
    }
    return [node("n1"), node("n2"), deployment, replica_set(1, "1Gi", 2, 2), *pods]


def test_pods_that_are_not_as_their_template_says_leave_it_open(
    kubelemma: Kubelemma, write: Write
) -> None:
    """Whether new pods are like the larger one nobody knows: no success is told."""
    larger = pod(1, "3Gi", 2, "n2")
    pods = settled(pod(1, "1Gi", 1, "n1"), larger)
    asked = ("--event", "none", "--property", "DEP-4", "-o", "wide")
    run = kubelemma("check", write("live.yaml", *pods), *asked)
    assert run.code == 3
    text = " ".join(run.out.split())
    assert "count as they are: Pod default/wp-h1-2 in requests;" in text
    assert "what admission makes of new ones is not known: DEP-4 of Deployment default/wp" in text
    larger["metadata"]["generation"] = 2
    assert kubelemma("check", write("resized.yaml", *pods), *asked).code == 0


def test_gated_pods_are_told(kubelemma: Kubelemma, write: Write) -> None:
    """A gate that somebody else has put into a pod keeps it from the scheduler."""
    gated = pod(1, "1Gi", 2)
    gated["spec"]["schedulingGates"] = [{"name": "example.com/queue"}]
    live = write("live.yaml", *settled(pod(1, "1Gi", 1, "n1"), gated))
    run = kubelemma("check", live, "--event", "none", "--property", "DEP-4", "-o", "wide")
    assert run.code == 1
    text = " ".join(run.out.split())
    assert "count as they are: Pod default/wp-h1-2 in schedulingGates;" in text
    assert "wp-h1-2: Scheduling is blocked due to non-empty scheduling gates" in text


def test_pods_that_are_as_their_template_says_are_decided(
    kubelemma: Kubelemma, write: Write
) -> None:
    """What is like its template raises no doubt."""
    live = write("live.yaml", *settled(pod(1, "1Gi", 1, "n1"), pod(1, "1Gi", 2, "n2")))
    run = kubelemma("check", live, "--event", "none", "--property", "DEP-4")
    assert run.code == 0
    assert "taken as their templates" not in run.out


def test_a_rollback_finds_the_replicaset_by_its_template(
    kubelemma: Kubelemma, write: Write, stuck_rollout: list[Manifest]
) -> None:
    """The revision is a sync behind the spec: it does not say which ReplicaSet is current."""
    deployment = stuck_rollout[2]
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    deployment["spec"]["template"]["spec"] = spec(1, "2Gi")
    live = write("live.yaml", *stuck_rollout)
    run = kubelemma("check", live, "--event", "none", "--property", "DEP-4", "--property", "DEP-6")
    assert run.code == 0
