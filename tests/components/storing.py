"""Small scenarios of one Deployment with claims, for the tests of all that is about volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from kubelemma.model.cluster.stocking import STORAGE_KINDS, stock_of
from kubelemma.model.cluster.storage import Stock, Stored
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import State, System

ZONE = "topology.kubernetes.io/zone"
BY_NAME = {kind.__name__: kind for kind in STORAGE_KINDS}

DISKS = """
kind: StorageClass
metadata: {name: disk}
provisioner: ebs.csi.aws.com
volumeBindingMode: WaitForFirstConsumer
"""
CLAIM = """
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: disk
  resources: {requests: {storage: 1Gi}}
"""


@dataclass(frozen=True)
class Shop:
    """A Deployment whose pods use the ``claims``, on nodes of these ``zones``, named a, b, c.

    ``grace`` is the terminationGracePeriodSeconds of its pods; ``storage`` are the storage objects
    as YAML documents; ``manager`` are options of the controller manager.
    """

    storage: tuple[str, ...] = (DISKS, CLAIM)
    events: tuple[Any, ...] = ({"rollout": {"deployment": "web"}},)
    replicas: int = 1
    claims: tuple[str, ...] = ("data",)
    zones: tuple[str, ...] = ("", "")
    strategy: Mapping[str, Any] = field(default_factory=dict)
    grace: int = 30
    manager: Mapping[str, Any] = field(default_factory=dict)

    def scenario(self) -> Scenario:
        """The first scenario of it."""
        objects = tuple(
            with_defaults(decode({k: v for k, v in raw.items() if k != "kind"}, kind))
            for text in self.storage
            for raw in yaml.safe_load_all(text)
            for kind in (BY_NAME[raw["kind"]],)
        )
        nodes = tuple(
            with_defaults(decode(_node(name, zone), Node))
            for name, zone in zip("abcdef", self.zones, strict=False)
        )
        owner = with_defaults(decode(self._deployment(), Deployment))
        spec = {"events": list(self.events), "controllerManager": self.manager}
        check = decode({"spec": spec}, Check)
        found, *_ = build(Application((owner,), nodes, objects=objects), check)
        return found

    def _deployment(self) -> Any:
        labels = {"app": "web"}
        volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in self.claims]
        container = {"name": "main", "resources": {"requests": {"cpu": "1"}}}
        spec = {
            "containers": [container],
            "volumes": volumes,
            "terminationGracePeriodSeconds": self.grace,
        }
        return {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": labels},
                "strategy": self.strategy,
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        }


def _node(name: str, zone: str) -> Any:
    labels = {"kubernetes.io/hostname": name, **({ZONE: zone} if zone else {})}
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "9"}
    return {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}


def reachable(system: System, most: int = 30_000) -> dict[State, None]:
    """All states, the nearest first."""
    seen = dict.fromkeys(system.starts)
    agenda = list(seen)
    for state in agenda:
        for step in system.successors(state):
            after = system.canonical(step.state)
            if after not in seen:
                assert len(seen) < most
                seen[after] = None
                agenda.append(after)
    return seen


def stored_in(scenario: Scenario, stock: Stock, state: State) -> Stored:
    """The claims and volumes of a state."""
    positions = scenario.system.positions
    values = [state[positions[name].start] for name in stock.cells]
    return Stored(tuple(values[: len(stock.claims)]), tuple(values[len(stock.claims) :]))


def nodes_in(scenario: Scenario, state: State) -> tuple[Any, ...]:
    """The nodes of a state."""
    return tuple(state[p] for p in scenario.system.positions["nodes"])


def stock(scenario: Scenario) -> Stock:
    """What is followed in a scenario."""
    return stock_of(scenario.world)
