"""The cluster of a scenario where the user gave none: small, but with room for one node less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from kubelemma.model.controllers.deployment import resolve_fenceposts
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node, NodeStatus
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scheduler.node_resources import fit_request
from kubelemma.model.scheduler.resources import CPU, MEMORY
from kubelemma.model.scheduler.topology_spread import HOSTNAME, ZONE

from .templates import pod_of

NODES = 3
PODS = 110
STEP_CPU = 500
"""Nodes get whole steps of half a core …"""
STEP_MEMORY = 256 * 2**20
"""… and of 256 Mi."""


class Sizing(NamedTuple):
    """The default cluster and, for people, how it came about."""

    nodes: tuple[Node, ...]
    reason: str


def default_cluster(deployments: Sequence[Deployment]) -> Sizing:
    """Equal nodes on which everything fits when one is lost and one rollout surges.

    There are three, or more where pods keep each other off their host. Each has the share of all
    requests that falls on it when one is missing, and the largest pod's on top, as pods cannot be
    cut. Labels that node selectors ask for are there.
    """
    number = max([NODES, *(_hosts_needed(d) + 1 for d in deployments)])
    amounts = _amounts(deployments, number - 1)
    zones = 3 if any(ZONE in _topology_keys(d) for d in deployments) else 1
    labels = dict(_asked_labels(deployments))
    nodes = tuple(_node(i, labels, f"zone-{i % zones + 1}", amounts) for i in range(number))
    return Sizing(
        nodes,
        f"sized so that everything, and the surge of one rollout, fits on {number - 1} of them",
    )


def make_node(
    name: str, labels: dict[str, str], zone: str, allocatable: dict[str, Quantity]
) -> Node:
    """A node with the labels that every node has."""
    known = {HOSTNAME: name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", ZONE: zone}
    return Node(
        metadata=ObjectMeta(name=name, labels={**known, **labels}),
        status=NodeStatus(allocatable=allocatable, capacity=allocatable),
    )


def _node(i: int, labels: dict[str, str], zone: str, amounts: dict[str, int]) -> Node:
    quantities = {name: Quantity(amount) for name, amount in amounts.items() if name != CPU}
    quantities["cpu"] = Quantity.parse(f"{amounts[CPU]}m")
    quantities["pods"] = Quantity(PODS)
    return make_node(f"node-{i + 1}", labels, zone, quantities)


def _amounts(deployments: Sequence[Deployment], nodes: int) -> dict[str, int]:
    """Allocatable of each node, cpu in millicores and others in base units."""
    total: dict[str, int] = {}
    largest: dict[str, int] = {}
    surging: dict[str, int] = {}
    for deployment in deployments:
        request = fit_request(pod_of(deployment, 0))
        surge = _surge(deployment)
        for name, amount in request.items():
            total[name] = total.get(name, 0) + amount * (deployment.spec.replicas or 0)
            largest[name] = max(largest.get(name, 0), amount)
            surging[name] = max(surging.get(name, 0), amount * surge)
    amounts = {name: ceil((total[name] + surging[name]) / nodes) + largest[name] for name in total}
    amounts[CPU] = _rounded(amounts.get(CPU, 0), STEP_CPU)
    amounts[MEMORY] = _rounded(amounts.get(MEMORY, 0), STEP_MEMORY)
    return amounts


def _rounded(amount: int, step: int) -> int:
    return max(1, ceil(amount / step)) * step


def _surge(deployment: Deployment) -> int:
    rolling = deployment.spec.strategy.rolling_update
    if rolling is None:
        return 0
    bounds = (rolling.max_surge, rolling.max_unavailable)
    return resolve_fenceposts(*bounds, deployment.spec.replicas or 0)[0]


def _hosts_needed(deployment: Deployment) -> int:
    """How many nodes a rollout needs if no two pods of the Deployment may share one."""
    affinity = deployment.spec.template.spec.affinity
    anti = affinity.pod_anti_affinity if affinity else None
    labels = deployment.spec.template.metadata.label_map()
    alone = any(
        term.topology_key == HOSTNAME
        and term.label_selector is not None
        and term.label_selector.matches(labels)
        for term in (anti.required if anti else None) or ()
    )
    return (deployment.spec.replicas or 0) + _surge(deployment) if alone else 0


def _topology_keys(deployment: Deployment) -> Iterator[str]:
    spec = deployment.spec.template.spec
    for constraint in spec.topology_spread_constraints or ():
        yield constraint.topology_key
    yield from pod_affinity_keys(Pod(spec=spec))


def pod_affinity_keys(pod: Pod) -> Iterator[str]:
    """The topology keys of all pod (anti-)affinity terms of a pod."""
    if pod.spec.affinity is None:
        return
    for part in (pod.spec.affinity.pod_affinity, pod.spec.affinity.pod_anti_affinity):
        for term in (part.required if part else None) or ():
            yield term.topology_key
        for weighted in (part.preferred if part else None) or ():
            yield weighted.pod_affinity_term.topology_key


def _asked_labels(deployments: Iterable[Deployment]) -> Iterator[tuple[str, str]]:
    for deployment in deployments:
        yield from _labels_of(deployment.spec.template.spec)


def _labels_of(spec: PodSpec) -> Iterator[tuple[str, str]]:
    """Labels that a node must have: of node selectors, and the first of every required In."""
    yield from (spec.node_selector or {}).items()
    affinity = spec.affinity.node_affinity if spec.affinity else None
    if affinity is None or affinity.required is None:
        return
    for term in affinity.required.node_selector_terms[:1]:
        for requirement in term.match_expressions or ():
            if requirement.operator == "In" and requirement.values:
                yield requirement.key, requirement.values[0]
            if requirement.operator == "Exists":
                yield requirement.key, "true"
