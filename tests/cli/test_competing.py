"""Workloads that stand by and may want the same room once a node is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]


def deployment(name: str, replicas: int = 2) -> Manifest:
    """Two pods of more than a quarter of a node each."""
    labels = {"app": name}
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "600m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def nodes(cpu: str) -> tuple[str, ...]:
    """Two nodes of this size."""
    return ("--nodes", f"count=2,cpu={cpu},memory=8Gi")


CRASH = ("--event", "node-crash=1", "--property", "DEP-4", "--property", "RS-1")


def test_two_that_compete_are_one_system(kubelemma: Kubelemma, write: Write) -> None:
    """Either cannot come back where the other has taken the room that is left."""
    both = write("two.yaml", deployment("web"), deployment("db"))
    assert kubelemma("check", both, *nodes("2"), *CRASH).code == 1
    roomy = kubelemma("check", both, *nodes("4"), *CRASH)
    assert roomy.code == 0
    assert "web+db" not in roomy.out


@pytest.mark.parametrize("asked", [(), ("--workload", "web")])
def test_what_is_held_still_leaves_it_open(
    kubelemma: Kubelemma, write: Write, asked: tuple[str, ...]
) -> None:
    """With more of them, or one that is asked about, what needs room is not decided."""
    three = write("three.yaml", *(deployment(name) for name in ("web", "db", "api")))
    run = kubelemma("check", three, *nodes("3"), *CRASH, *asked)
    assert run.code == 3
    text = " ".join(run.out.split())
    assert "held still, and may want the same room" in text


def test_what_happens_to_no_node_is_decided(kubelemma: Kubelemma, write: Write) -> None:
    """Where nobody loses a node, nobody else has to move."""
    both = write("two.yaml", deployment("web"), deployment("db"))
    run = kubelemma("check", both, *nodes("2"), "--event", "rollout=web", "--property", "RS-1")
    assert run.code == 0
