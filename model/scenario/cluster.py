"""The cluster of a scenario where the user gave none: small, but with room for one node less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from kubelemma.model.components.deployment.decision import resolve_fenceposts
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.resources import CPU, EPHEMERAL_STORAGE, MEMORY
from kubelemma.model.components.scheduler.decision.topology_spread import HOSTNAME, ZONE
from kubelemma.model.components.scheduler.telling import pod_affinity_keys
from kubelemma.model.manifests.check import Cluster, NodeGroup, nodes_of
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.workloads import Deployment

from .start import key_of, place_all
from .templates import pod_of

NODES = 3
PODS = 110
CORES, MEMORY_PER_CORE = 4, 4 * 2**30
"""The smallest node has four cores and 16 Gi; larger ones twice that, and so on."""
LARGEST = 2**10
"""How many times the smallest node is tried before giving up."""


class Sizing(NamedTuple):
    """The default cluster and, for people, how it came about."""

    nodes: tuple[Node, ...]
    reason: str


def default_cluster(
    deployments: Sequence[Deployment], namespaces: Sequence[Namespace] = ()
) -> Sizing:
    """Equal nodes of a usual size on which everything fits when one is lost and one rollout surges.

    There are three, or more where pods keep each other off their host. Labels that node selectors
    ask for are there, and so are other resources that pods request.
    """
    number = max([NODES, *(_hosts_needed(d) + 1 for d in deployments)])
    zones = 3 if any(ZONE in _topology_keys(d) for d in deployments) else 0
    labels = dict(_asked_labels(deployments))
    factor = 1
    while factor < LARGEST:
        nodes = _nodes(number, zones, labels, _allocatable(deployments, factor))
        if _all_fit(deployments, nodes[:-1], namespaces):
            why = f"chosen so that everything, and the surge of a rollout, fits on {number - 1}"
            return Sizing(nodes, why)
        factor *= 2
    nodes = _nodes(number, zones, labels, _allocatable(deployments, 1))
    return Sizing(nodes, "on which not everything finds a place, whatever their size")


def _nodes(
    number: int, zones: int, labels: dict[str, str], allocatable: dict[str, Quantity]
) -> tuple[Node, ...]:
    group = NodeGroup(count=number, zones=zones, labels=labels, allocatable=allocatable)
    return nodes_of(Cluster(nodes=(group,)))


def _allocatable(deployments: Sequence[Deployment], factor: int) -> dict[str, Quantity]:
    """A node of so many times the smallest size; unusual resources as much as all pods want."""
    amounts = {
        CPU: Quantity(CORES * factor),
        MEMORY: Quantity(CORES * MEMORY_PER_CORE * factor),
        EPHEMERAL_STORAGE: Quantity(100 * 2**30 * factor),
        "pods": Quantity(PODS),
    }
    for deployment in deployments:
        for name, amount in fit_request(pod_of(deployment, 0)).items():
            amounts.setdefault(name, Quantity(max(1, amount) * factor))
    return amounts


def _all_fit(
    deployments: Sequence[Deployment], nodes: tuple[Node, ...], namespaces: Sequence[Namespace]
) -> bool:
    """Whether the scheduler finds a node for every pod, with each Deployment's surge on top."""
    surged = [_with_replicas(d, (d.spec.replicas or 0) + _surge(d)) for d in deployments]
    placed = place_all(surged, nodes, (), namespaces).placed
    return not any(
        there.pending
        for deployment in surged
        for there in [placed[key_of(deployment)]]
        if not deployment.spec.template.spec.scheduling_gates
        and not deployment.spec.template.spec.node_name
    )


def _with_replicas(deployment: Deployment, replicas: int) -> Deployment:
    spec = msgspec.structs.replace(deployment.spec, replicas=replicas)
    return msgspec.structs.replace(deployment, spec=spec)


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
