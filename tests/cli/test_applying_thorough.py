"""The usual questions beside a change: asked of what is there once the change is through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from .changes import deployment, stuck
from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]
DRAINS = ("--thorough", "--question", "drain", "--property", "DRAIN-1")


def node(name: str) -> Manifest:
    """A node with room for three pods."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": "4", "memory": "7Gi", "pods": "9"}},
    }


def budget(name: str, least: int) -> Manifest:
    """A budget of the pods of a Deployment."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "keep"},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": name}}},
    }


def newer(name: str = "api", **spec: object) -> Manifest:
    """The next image of a Deployment."""
    found = deployment(name, **spec)
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "x:2"
    return found


NODES = (node("n1"), node("n2"), node("n3"))


@pytest.mark.parametrize(("least", "code"), [(3, 1), (2, 0)])
def test_what_stands_is_there_afterwards(
    kubelemma: Kubelemma, write: Write, least: int, code: int
) -> None:
    """Nodes and budgets of what stands count; who is not applied is asked nothing."""
    old = write("old.yaml", *NODES, budget("api", least), deployment(), deployment("other"))
    run = kubelemma("check", write("new.yaml", newer()), "--from", old, *DRAINS)
    assert run.code == code, run.out
    assert "default/other" not in run.out.split("assumed")[0]
    assert "3 nodes with cpu 4, memory 7Gi, pods 9, as given" in run.out


def test_a_change_that_needs_no_step(kubelemma: Kubelemma, write: Write) -> None:
    """Where nothing differs the usual questions are about the cluster that there is, too."""
    old = write("old.yaml", *NODES, budget("api", 3), deployment())
    run = kubelemma("check", write("new.yaml", deployment()), "--from", old, *DRAINS)
    assert run.code == 1, run.out


def test_old_pods_are_gone_afterwards(kubelemma: Kubelemma, write: Write) -> None:
    """What is stuck before the change has all its pods after it, and not those of before."""
    new = deployment(memory="1Gi", replicas=2)
    old = write("old.yaml", *stuck(), *[node(f"node-{i}") for i in (1, 2)])
    asked = ("--thorough", "--question", "rollout", "--property", "DEP-4", "-o", "wide")
    run = kubelemma("check", write("new.yaml", new), "--from", old, *asked)
    assert run.code == 0, run.out
    told = " ".join(run.out.split())
    assert "start: all is rolled out, each pod where it is bound, or else where" in told


def test_what_is_taken_away_is_not_there(kubelemma: Kubelemma, write: Write) -> None:
    """With --prune nobody stands by who is gone."""
    old = write("old.yaml", *NODES, deployment(), deployment("other"))
    asked = ("--prune", "--thorough", "--question", "rollout", "--property", "DEP-4", "-o", "json")
    new = write("new.yaml", *NODES, newer())
    run = kubelemma("check", new, "--from", old, *asked)
    assert run.code == 0, run.out
    scenarios = json.loads(run.out)["scenarios"]
    (usual,) = (each for each in scenarios if each["name"].endswith(": rollout"))
    assert not any("standing by" in text for text in usual["setting"])


def test_a_counterexample_is_replayed(kubelemma: Kubelemma, write: Write) -> None:
    """It has all that is there after the change."""
    old = write("old.yaml", *NODES, budget("api", 3), deployment())
    kubelemma("check", write("new.yaml", newer()), "--from", old, *DRAINS)
    run = kubelemma("replay", "default-api-drain-DRAIN-1")
    assert run.code == 1, run.err
