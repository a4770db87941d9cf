"""Workloads with room stay decided, however many of them stand by: few starts differ for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubelemma import api

ZONE = "topology.kubernetes.io/zone"


def deployment(number: int, cpu: str = "500m") -> dict[str, Any]:
    """One of several that differ in nothing but names, how many pods they have, and their size."""
    name = f"d{number}"
    resources = {"requests": {"cpu": cpu}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1 + number % 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "x", "resources": resources}]},
            },
        },
    }


def node(number: int, zones: int) -> dict[str, Any]:
    """A node with room."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"n{number}",
            "labels": {"kubernetes.io/hostname": f"n{number}", ZONE: f"z{number % zones}"},
        },
        "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "20"}},
    }


@pytest.mark.parametrize(("nodes", "zones"), [(0, 1), (4, 1), (5, 3)])
def test_all_starts_are_looked_at(nodes: int, zones: int) -> None:
    """Of workloads that stand by matters what they hold, not whose it is."""
    there = [node(number, zones) for number in range(nodes)]
    items = [*there, *map(deployment, range(6))]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cases = api.ask(api.Question(paths=(api.STDIN,), stdin=text)).cases
    assert len({case.scenario.focus for case in cases}) == 6
    assert not any(case.scenario.unseen for case in cases)


def test_scores_spread_the_pods_of_an_owner() -> None:
    """Where nobody says how, the scheduler spreads what a ReplicaSet makes over the nodes.

    All else is alike on large nodes: without that the second pod might go where the first is.
    """
    large = [node(number, 1) for number in range(3)]
    for each in large:
        each["status"]["allocatable"] |= {"cpu": "640", "memory": "640Gi"}
    items = [*large, deployment(1)]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    question = api.Question(paths=(api.STDIN,), stdin=text, events=("rollout=d1",))
    (case,) = api.ask(question).cases
    system = case.scenario.system
    (family,) = (family for family in system.families if family.name == "nodes")
    assert len(system.starts) == 1
    assert sorted(len(each.pods) for each in family.initial) == [0, 1, 1]


@pytest.mark.parametrize("nodes", [0, 5])
def test_twenty_sizes_are_decided(nodes: int) -> None:
    """There are more placements than are looked at, and all are proven to show nothing new."""
    sizes = ("50m", "100m", "150m", "200m", "250m", "500m", "1")
    owners = [deployment(number, sizes[number % 7]) for number in range(20)]
    items = [*(node(number, 3) for number in range(nodes)), *owners]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    asked = api.Question(paths=(api.STDIN,), stdin=text, questions=("node-lost",))
    cases = api.ask(asked).cases
    assert len({case.scenario.focus for case in cases}) == 20
    assert not any(case.scenario.unseen for case in cases)
