"""What changes are made of: Deployments, nodes, and rollouts that are under way."""

from __future__ import annotations

from typing import Any

from .conftest import Manifest

QUIET = ("--property", "DEP-4")
WIDE = (*QUIET, "-o", "wide")
"""The same with all that was assumed."""
SWAP = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
"""Of old pods one goes before a new one comes."""


def deployment(name: str = "api", memory: str = "2Gi", **spec: Any) -> Manifest:
    """Three pods of this size, replaced one by one."""
    labels = {"app": name}
    container = {"name": "c", "image": "x:1", "resources": {"requests": {"memory": memory}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 3,
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": labels},
            "template": template,
            **spec,
        },
    }


def nodes(memory: str, count: int = 3) -> tuple[str, ...]:
    """So many nodes of this size."""
    return ("--nodes", f"count={count},cpu=4,memory={memory}")


def plain(text: str) -> str:
    """The text in one line."""
    return " ".join(text.split())


def stuck(name: str = "api") -> list[Manifest]:
    """A rollout in which the new pod finds no room on two nodes, as kubectl get has it."""
    whole = deployment(name, memory="3Gi", replicas=2)
    whole["metadata"] |= {"uid": name, "namespace": "default"}
    found = [whole]
    for version, memory, size, node in (("1", "2Gi", 2, "node-"), ("2", "3Gi", 1, "")):
        made = deployment(name, memory=memory, replicas=size)
        labels = {"app": name, "pod-template-hash": version}
        made["kind"] = "ReplicaSet"
        made["metadata"] = {
            "name": f"{name}-{version}",
            "uid": f"{name}-{version}",
            "labels": labels,
            "annotations": {"deployment.kubernetes.io/revision": version},
            "ownerReferences": [reference("Deployment", name, name)],
        }
        del made["spec"]["strategy"]
        made["spec"]["selector"] = {"matchLabels": labels}
        made["spec"]["template"]["metadata"]["labels"] = labels
        found.append(made)
        found += [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{name}-{version}-{number}",
                    "labels": labels,
                    "ownerReferences": [
                        reference("ReplicaSet", f"{name}-{version}", f"{name}-{version}")
                    ],
                },
                "spec": {
                    **made["spec"]["template"]["spec"],
                    **({"nodeName": f"{node}{number + 1}"} if node else {}),
                },
                "status": {"phase": "Running" if node else "Pending"},
            }
            for number in range(size)
        ]
    return found


def reference(kind: str, name: str, uid: str) -> Manifest:
    """That an object controls another."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
    }
