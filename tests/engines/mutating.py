"""Small scenarios of which broken models are made, and what a mutant is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from kubelemma.model.components.kubelet.decision import StartTime
from kubelemma.model.components.servicelb.decision import Cloud
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment, ReplicaSet
from kubelemma.model.scenario import Application, Scenario, build

Raw = dict[str, Any]

ZONE = "topology.kubernetes.io/zone"


def pod(**spec: Any) -> Raw:
    """A pod spec; ``cpu`` is what its container requests."""
    cpu = spec.pop("cpu", "1")
    container = {
        "name": "main",
        "resources": {"requests": {"cpu": cpu}},
        "ports": spec.pop("ports", []),
        "livenessProbe": spec.pop("liveness", None),
    }
    return {"containers": [container], **spec}


def node(name: str, *, cpu: str = "4", pods: str = "9", **others: Any) -> Raw:
    """A node; ``others`` may have its ``labels`` and ``taints``."""
    labels = {"kubernetes.io/hostname": name, **others.get("labels", {})}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": others.get("taints", [])},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": pods}},
    }


TWO = (node("a"), node("b"))
SELECTOR = {"matchLabels": {"app": "web"}}


@dataclass(frozen=True, slots=True)
class Small:
    """A small scenario of one Deployment, as plain data.

    ``strategy`` is (maxSurge, maxUnavailable), or None for Recreate.
    """

    nodes: tuple[Raw, ...]
    events: tuple[Raw, ...] = ()
    replicas: int = 2
    strategy: tuple[int, int] | None = (1, 1)
    spec: Raw | None = None
    budget: Raw | None = None
    faults: Raw | None = None
    objects: tuple[tuple[type, Raw], ...] = ()
    start_seconds: int | None = None
    cloud: bool = False

    def built(self) -> Scenario:
        """The scenario; its system is made of the functions of this moment.

        Of several starts it is the first.
        """
        deployment = with_defaults(decode(self._deployment(), Deployment))
        nodes = tuple(with_defaults(decode(raw, Node)) for raw in self.nodes)
        spec = {"events": list(self.events), "faults": self.faults or {}}
        check = decode({"spec": spec}, Check)
        budgets = () if self.budget is None else (self._budget(self.budget),)
        others = tuple(with_defaults(decode(raw, kind)) for kind, raw in self.objects)
        times = () if self.start_seconds is None else (StartTime(self.start_seconds),)
        objects = (*budgets, *others, *times, *((Cloud(),) if self.cloud else ()))
        scenario, *_ = build(Application((deployment,), nodes, objects=objects), check)
        return scenario

    @staticmethod
    def _budget(spec: Raw) -> PodDisruptionBudget:
        metadata = {"name": "web", "namespace": "default"}
        whole = {"metadata": metadata, "spec": {"selector": SELECTOR, **spec}}
        return with_defaults(decode(whole, PodDisruptionBudget))

    def _deployment(self) -> Raw:
        labels = {"app": "web"}
        strategy: Raw = {"type": "Recreate"}
        if self.strategy is not None:
            surge, unavailable = self.strategy
            bounds = {"maxSurge": surge, "maxUnavailable": unavailable}
            strategy = {"type": "RollingUpdate", "rollingUpdate": bounds}
        return {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": labels},
                "strategy": strategy,
                "template": {"metadata": {"labels": labels}, "spec": self.spec or pod()},
            },
        }


@dataclass(frozen=True, slots=True)
class Alone:
    """A small scenario of ReplicaSets that nobody controls, with a lone pod that they match."""

    names: tuple[str, ...]
    events: tuple[Raw, ...] = ()
    lone: bool = False

    def built(self) -> Scenario:
        """The scenario; its system is made of the functions of this moment.

        Of several starts it is the first.
        """
        labels = {"app": "web"}
        sets = tuple(
            with_defaults(
                decode(
                    {
                        "metadata": {"name": name, "namespace": "default"},
                        "spec": {
                            "selector": {"matchLabels": labels},
                            "template": {"metadata": {"labels": labels}, "spec": pod()},
                        },
                    },
                    ReplicaSet,
                )
            )
            for name in self.names
        )
        metadata = {"name": "lone", "namespace": "default", "labels": labels}
        lone = decode({"metadata": metadata, "spec": pod(cpu="2")}, Pod)
        nodes = tuple(with_defaults(decode(raw, Node)) for raw in TWO)
        check = decode({"spec": {"events": list(self.events), "together": self.names}}, Check)
        pods = (with_defaults(lone),) if self.lone else ()
        (scenario,) = build(Application(sets, nodes, pods), check)
        return scenario


class Built(Protocol):
    """A small scenario as plain data."""

    def built(self) -> Scenario:
        """The scenario; its system is made of the functions of this moment."""
        ...


class Mutant(NamedTuple):
    """What catches it, what it is called, what replaces which function, and where it shows."""

    caught_by: str
    name: str
    module: str
    function: str
    replacement: Any
    scenario: Built
