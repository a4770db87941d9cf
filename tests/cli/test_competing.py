"""Workloads that stand by and may want the same room once a node is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]


def deployment(name: str, replicas: int = 2, cpu: str = "600m") -> Manifest:
    """Two pods of more than a quarter of a node each."""
    labels = {"app": name}
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def nodes(cpu: str, count: int = 2) -> tuple[str, ...]:
    """So many nodes of this size."""
    return ("--nodes", f"count={count},cpu={cpu},memory=8Gi")


def lone(cpu: str, node: str) -> Manifest:
    """A pod of nobody's, on a node."""
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lone", "labels": {"app": "lone"}},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running"},
    }


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


TWO = (deployment("web", 1, "2"), deployment("db", 1, "2"))
LOST = ("--question", "node-lost", "--property", "DEP-4", "--fail-fast")


def test_pods_of_nobody_take_room(kubelemma: Kubelemma, write: Write) -> None:
    """Beside one that is bound to the smaller node there is room for one of two."""
    sizes = ("--nodes", "count=1,cpu=16,memory=8Gi", "--nodes", "count=1,cpu=4,memory=8Gi")
    assert kubelemma("check", write("two.yaml", *TWO), *sizes, *LOST).code == 0
    both = write("three.yaml", *TWO, lone("2", "node-2"))
    for together in ((), ("--together", "web,db")):
        assert kubelemma("check", both, *sizes, *LOST, *together).code == 1


@pytest.mark.parametrize("number", [97, 120])
def test_large_clusters_are_no_exception(kubelemma: Kubelemma, write: Write, number: int) -> None:
    """Of many nodes two have room for these pods, and one of them for one pod only."""
    sizes = ("--nodes", "count=1,cpu=16,memory=8Gi", "--nodes", "count=1,cpu=2,memory=8Gi")
    both = write("two.yaml", *TWO)
    assert kubelemma("check", both, *sizes, *nodes("1", number), *LOST).code == 1


def test_a_large_cluster_with_much_room_is_decided(kubelemma: Kubelemma, write: Write) -> None:
    """More nodes fit than all others could fill."""
    run = kubelemma("check", write("two.yaml", *TWO), *nodes("4", 150), *LOST)
    assert run.code == 0, run.out
    assert "PASSED: 2 checks of 2 workloads" in run.out


def test_only_who_may_lack_room_is_left_open(kubelemma: Kubelemma, write: Write) -> None:
    """Who asks for no cpu finds a node, however full of it the others make them."""
    owners = (*(deployment(name) for name in ("web", "db", "queue")), deployment("api", 1, "0"))
    run = kubelemma("check", write("four.yaml", *owners), *nodes("3"), *CRASH)
    assert run.code == 3, run.out
    verdicts = dict(line.rsplit("  ", 1) for line in run.out.splitlines() if "default/" in line[:8])
    assert {name.strip(): found.strip() for name, found in verdicts.items()} == {
        "default/web": "not decided",
        "default/db": "not decided",
        "default/queue": "not decided",
        "default/api": "holds",
    }
