"""The cluster of a scenario where the user gave none: small, but with room for one node less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.resources import CPU, EPHEMERAL_STORAGE, MEMORY
from kubelemma.model.components.scheduler.decision.topology_spread import HOSTNAME, ZONE
from kubelemma.model.components.scheduler.telling import pod_affinity_keys
from kubelemma.model.manifests.check import Cluster, NodeGroup, nodes_of
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.objects.quantity import Quantity

from .start import place_all
from .templates import key_of, kind_of, pod_of, replicas_of

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


def default_cluster(owners: Sequence[Any], namespaces: Sequence[Namespace] = ()) -> Sizing:
    """Equal nodes of a usual size on which everything fits when one is lost and one rollout surges.

    There are three, or more where pods keep each other off their host. Labels that node selectors
    ask for are there, and so are other resources that pods request.
    """
    number = max([NODES, *(_hosts_needed(o) + 1 for o in owners)])
    zones = 3 if any(ZONE in _topology_keys(o) for o in owners) else 0
    labels = dict(_asked_labels(owners))
    factor = 1
    while factor < LARGEST:
        nodes = _nodes(number, zones, labels, _allocatable(owners, factor))
        if _all_fit(owners, nodes[:-1], namespaces):
            why = f"chosen so that everything, and the surge of a rollout, fits on {number - 1}"
            return Sizing(nodes, why)
        factor *= 2
    nodes = _nodes(number, zones, labels, _allocatable(owners, 1))
    return Sizing(nodes, "on which not everything finds a place, whatever their size")


def _nodes(
    number: int, zones: int, labels: dict[str, str], allocatable: dict[str, Quantity]
) -> tuple[Node, ...]:
    group = NodeGroup(count=number, zones=zones, labels=labels, allocatable=allocatable)
    return nodes_of(Cluster(nodes=(group,)))


def _allocatable(owners: Sequence[Any], factor: int) -> dict[str, Quantity]:
    """A node of so many times the smallest size; unusual resources as much as all pods want."""
    amounts = {
        CPU: Quantity(CORES * factor),
        MEMORY: Quantity(CORES * MEMORY_PER_CORE * factor),
        EPHEMERAL_STORAGE: Quantity(100 * 2**30 * factor),
        "pods": Quantity(PODS),
    }
    for owner in owners:
        for name, amount in fit_request(pod_of(owner, 0)).items():
            amounts.setdefault(name, Quantity(max(1, amount) * factor))
    return amounts


def _all_fit(
    owners: Sequence[Any], nodes: tuple[Node, ...], namespaces: Sequence[Namespace]
) -> bool:
    """Whether the scheduler finds a node for every pod, with the surge of each owner on top."""
    surged = [_with_replicas(o, replicas_of(o) + _surge(o)) for o in owners]
    placed = place_all(surged, nodes, (), namespaces).placed
    return not any(
        there.pending
        for owner in surged
        for there in [placed[key_of(owner)]]
        if not kind_of(owner).template(owner).spec.scheduling_gates
        and not kind_of(owner).template(owner).spec.node_name
    )


def _with_replicas(owner: Any, replicas: int) -> Any:
    spec = msgspec.structs.replace(owner.spec, replicas=replicas)
    return msgspec.structs.replace(owner, spec=spec)


def _surge(owner: Any) -> int:
    return kind_of(owner).surge(owner)


def _hosts_needed(owner: Any) -> int:
    """How many nodes a rollout needs if no two pods of the owner may share one."""
    template = kind_of(owner).template(owner)
    affinity = template.spec.affinity
    anti = affinity.pod_anti_affinity if affinity else None
    labels = template.metadata.label_map()
    alone = any(
        term.topology_key == HOSTNAME
        and term.label_selector is not None
        and term.label_selector.matches(labels)
        for term in (anti.required if anti else None) or ()
    )
    return replicas_of(owner) + _surge(owner) if alone else 0


def _topology_keys(owner: Any) -> Iterator[str]:
    spec = kind_of(owner).template(owner).spec
    for constraint in spec.topology_spread_constraints or ():
        yield constraint.topology_key
    yield from pod_affinity_keys(Pod(spec=spec))


def _asked_labels(owners: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for owner in owners:
        yield from _labels_of(kind_of(owner).template(owner).spec)


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
