"""Small random clusters as manifests, and what they ask for read by itself.

Nodes with labels, taints and little room; Deployments, of which some have all their pods running
and some none; pods of nobody's, running or pending. What of this there is to place is put together
here from the documents, without the intake of ``check`` and ``place``: that is what these are held
against.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st
from test_placement_brute_force import Drawer

from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot, filter_node, pre_filter
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.problem import Cluster, Problem, Workload

Raw = dict[str, Any]

CLASSES = {"high": 100, "low": -5}
"""The PriorityClasses, with their values."""
NAMESPACES = {"one": {"team": "red"}, "two": {"team": "blue"}}
MOST = 5
"""So many pods are to be placed at most."""


@dataclass(frozen=True)
class Owner:
    """A Deployment, or a lone pod that is pending: what its pods are like, and how many there are.

    ``running`` are the nodes of those that stand already.
    """

    raw: Raw
    template: Raw
    count: int
    running: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is called, kind and all."""
        metadata = self.raw["metadata"]
        return f"{self.raw['kind']} {metadata['namespace']}/{metadata['name']}"


@dataclass(frozen=True)
class Drawn:
    """A cluster, and what is to run on it."""

    nodes: tuple[Raw, ...]
    owners: tuple[Owner, ...]
    lone: tuple[Raw, ...]

    def documents(self) -> list[Raw]:
        """All of it, as somebody writes it."""
        return [
            *({"apiVersion": "v1", "kind": "Node", **node} for node in self.nodes),
            *(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": labels}}
                for n, labels in NAMESPACES.items()
            ),
            *(
                {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {"name": name},
                    "value": value,
                }
                for name, value in CLASSES.items()
            ),
            *(owner.raw for owner in self.owners),
            *(doc for owner in self.owners for doc in _standing(owner)),
            *({"apiVersion": "v1", "kind": "Pod", **pod} for pod in self.lone),
        ]

    def anew(self) -> tuple[Owner, ...]:
        """Those that have no pods yet, and may have some: what is gated is not looked at."""
        return tuple(
            owner
            for owner in self.owners
            if not (owner.running or owner.template["spec"].get("schedulingGates"))
        )

    def problem(self) -> Problem:
        """The pods of those that have none, to be placed beside all that stands."""
        standing = [
            merge_label_keys(pod_of(owner.template, node))
            for owner in self.owners
            for node in owner.running
        ]
        pods = (*standing, *(merge_label_keys(pod_of(pod)) for pod in self.lone))
        labels = {
            name: {**own, "kubernetes.io/metadata.name": name} for name, own in NAMESPACES.items()
        }
        workloads = (Workload(o.key, pod_of(o.template), o.count) for o in self.anew())
        return Problem(Cluster(self.stored(), pods, labels), tuple(workloads))

    def stored(self) -> tuple[Node, ...]:
        """The nodes."""
        return tuple(decode(node, Node) for node in self.nodes)


def pod_of(raw: Raw, node: str = "") -> Pod:
    """A pod as it is stored: with the priority of its class, and on a node where it is on one."""
    raw = deepcopy(raw)
    name = raw["spec"].pop("priorityClassName", "")
    raw["spec"]["priority"] = CLASSES.get(name, 0)
    if node:
        raw["spec"]["nodeName"] = node
    return decode(raw, Pod)


def _standing(owner: Owner) -> list[Raw]:
    """The ReplicaSet and the pods of a Deployment that runs, as ``kubectl get`` shows them."""
    if not owner.running:
        return []
    name, namespace = owner.raw["metadata"]["name"], owner.raw["metadata"]["namespace"]
    label = {"pod-template-hash": "h"}
    template = deepcopy(owner.template)
    template["metadata"]["labels"] = {**template["metadata"]["labels"], **label}
    selector = owner.raw["spec"]["selector"]["matchLabels"]

    def owned(by: str, kind: str) -> Raw:
        return {
            "namespace": namespace,
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": kind, "name": by, "uid": by, "controller": True}
            ],
        }

    made = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-h",
            "labels": template["metadata"]["labels"],
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            **owned(name, "Deployment"),
        },
        "spec": {
            "replicas": owner.count,
            "selector": {"matchLabels": {**selector, **label}},
            "template": template,
        },
        "status": {
            "replicas": owner.count,
            "readyReplicas": owner.count,
            "availableReplicas": owner.count,
        },
    }
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-h-{number}",
                "labels": template["metadata"]["labels"],
                **owned(f"{name}-h", "ReplicaSet"),
            },
            "spec": {**template["spec"], "nodeName": node},
            "status": {"phase": "Running"},
        }
        for number, node in enumerate(owner.running)
    ]
    return [made, *pods]


class ManifestDrawer(Drawer):
    """Draws clusters as manifests."""

    def drawn(self) -> Drawn:
        """Up to four nodes, two lone pods on them, three workloads, five pods to place."""
        pick = self.pick
        nodes = tuple(self._raw_node(i) for i in range(pick((2, 3, 1, 4, 3))))
        lone: list[Raw] = []
        for number in range(pick((0, 0, 1, 2))):
            pod = self._written(f"old{number}", resident=True)
            node = self._seat(nodes, lone, pod)
            if node:
                lone.append({**pod, "spec": {**pod["spec"], "nodeName": node}})
        owners: list[Owner] = []
        left = MOST
        for number in range(pick((1, 2, 2, 3))):
            if left:
                count = pick(tuple(range(1, left + 1)))
                owner = self._owner(number, count, nodes, (*lone, *_seated(owners)))
                owners.append(owner)
                left -= 0 if owner.running else owner.count
        return Drawn(nodes, tuple(owners), tuple(lone))

    def _claim(self) -> str | None:
        return None

    def _written(self, name: str, *, resident: bool) -> Raw:
        """A pod that the API server takes: with names, and images."""
        pod = self._raw_pod(resident=resident)
        pod["metadata"]["name"] = name
        spec = pod["spec"]
        for kind in ("initContainers", "containers"):
            for number, container in enumerate(spec.get(kind, ())):
                container.update(name=f"{kind[0]}{number}", image="registry.k8s.io/pause")
                for port in container.get("ports", ()):
                    port["containerPort"] = port["hostPort"]
                if not container.get("restartPolicy", "x"):
                    del container["restartPolicy"]
                asked = container["resources"]["requests"]
                extended = {k: v for k, v in asked.items() if "/" in k}
                container["resources"]["limits"] = extended
        if constraints := spec.get("topologySpreadConstraints"):
            spec["topologySpreadConstraints"] = _apart(constraints)
        if resident:
            for term in _terms(spec):
                term.pop("matchLabelKeys", None)
                term.pop("mismatchLabelKeys", None)
        elif name := self.pick((None, None, "high", "low")):
            spec["priorityClassName"] = name
        return pod

    def _owner(self, number: int, count: int, nodes: Sequence[Raw], there: Sequence[Raw]) -> Owner:
        pick = self.pick
        pod = self._written(f"w{number}", resident=False)
        metadata = pod["metadata"]
        if pick((False, False, False, True)):
            raw = {"apiVersion": "v1", "kind": "Pod", **deepcopy(pod)}
            return Owner(raw, pod, 1)
        labels = metadata["labels"]
        labels["own"] = f"w{number}"
        raw = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"w{number}", "namespace": metadata["namespace"]},
            "spec": {
                "replicas": count,
                "selector": {"matchLabels": {"own": f"w{number}"}},
                "template": {"metadata": {"labels": labels}, "spec": pod["spec"]},
            },
        }
        running: list[str] = []
        if self._one_in(4):
            seated = list(there)
            for _ in range(count):
                if node := self._seat(nodes, seated, pod):
                    running.append(node)
                    seated.append({**pod, "spec": {**pod["spec"], "nodeName": node}})
            if running:
                raw["spec"]["replicas"] = count = len(running)
        return Owner(raw, pod, count, tuple(running))

    def _seat(self, nodes: Sequence[Raw], there: Sequence[Raw], pod: Raw) -> str:
        """A node that would take the pod as the next one; "" for none."""
        infos = {node["metadata"]["name"]: NodeInfo(decode(node, Node)) for node in nodes}
        for other in there:
            name = other["spec"]["nodeName"]
            infos[name] = infos[name].with_pods(merge_label_keys(pod_of(other)))
        guest = merge_label_keys(pod_of(pod))
        if guest.spec.scheduling_gates:
            return ""
        cycle = pre_filter(guest, Snapshot(tuple(infos.values()), NAMESPACES))
        fitting = [n for n, info in infos.items() if filter_node(cycle, info).status.ok]
        return str(self.pick(tuple(fitting))) if fitting else ""


def _seated(owners: Sequence[Owner]) -> list[Raw]:
    """The pods that stand, each on its node."""
    return [
        {**owner.template, "spec": {**owner.template["spec"], "nodeName": node}}
        for owner in owners
        for node in owner.running
    ]


def _apart(constraints: Sequence[Raw]) -> list[Raw]:
    """Constraints that may stand together: one of each key and kind, domains of hard ones only."""
    found = {}
    for each in constraints:
        if each["whenUnsatisfiable"] != "DoNotSchedule":
            each.pop("minDomains", None)
        found[each["topologyKey"], each["whenUnsatisfiable"]] = each
    return list(found.values())


def _terms(spec: Raw) -> list[Raw]:
    """The terms of inter-pod affinity of a pod."""
    return [
        term
        for kind in ("podAffinity", "podAntiAffinity")
        for term in spec.get("affinity", {})
        .get(kind, {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", ())
    ]


def seeded_manifests(seed: int) -> Drawn:
    """The cluster of a seed."""
    return ManifestDrawer(Random(seed).choice).drawn()  # noqa: S311 - no secret


@st.composite
def manifests(draw: st.DrawFn) -> Drawn:
    """Clusters that Hypothesis can make smaller."""
    return ManifestDrawer(lambda options: draw(st.sampled_from(list(options)))).drawn()
