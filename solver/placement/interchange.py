"""Nodes that may be exchanged for one another without changing any answer.

Two nodes are interchangeable if swapping them, with the existing pods on them, gives the problem
back: they offer the same, look the same to every selector and toleration, lie in the same domain of
every topology key that somebody uses (or each is a domain of its own), and run pods that nobody can
tell apart. Then the loss of either is survived if and only if the loss of the other is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import NodeSelectorTerm, Pod

from .displaced import belongs_to_node, moves
from .problem import Problem

_ENCODER = msgspec.json.Encoder(enc_hook=str, order="sorted")


def interchangeable(problem: Problem) -> tuple[tuple[int, ...], ...]:
    """The nodes as classes of interchangeable ones, in the order of their first members."""
    told = _Told(problem)
    running: dict[str, list[bytes]] = {}
    for pod in problem.cluster.pods:
        running.setdefault(pod.spec.node_name, []).append(_looks(pod))
    classes: dict[Any, list[int]] = {}
    for index, node in enumerate(problem.cluster.nodes):
        pods = tuple(sorted(running.get(node.metadata.name, ())))
        classes.setdefault((told.signature(node), pods), []).append(index)
    return tuple(map(tuple, classes.values()))


def _looks(pod: Pod) -> bytes:
    """What others, and the pod's next node, see of a pod; a daemon's never gets a next one."""
    spec = replace(pod.spec, node_name="")
    if belongs_to_node(pod) and spec.affinity:
        spec = replace(spec, affinity=replace(spec.affinity, node_affinity=None))
    meta = pod.metadata
    leaving = meta.deletion_timestamp is not None
    return _ENCODER.encode((meta.namespace, meta.labels, spec, leaving, *_resized(pod)))


def _resized(pod: Pod) -> Iterator[Any]:
    """What a resize may have left a pod holding beyond what it asks for."""
    status = pod.status
    for container in (status.container_statuses or ()) + (status.init_container_statuses or ()):
        if container.resources or container.allocated_resources:
            yield container.name, container.resources, container.allocated_resources
    yield [(c.type, c.reason) for c in status.conditions or () if c.type == "PodResizePending"]


class _Told:
    """What the pods of a problem tell nodes apart by."""

    def __init__(self, problem: Problem) -> None:
        self.selected: set[str] = set()
        self.names: set[str] = set()
        topology: set[str] = set()
        asked = [w.pod for w in problem.workloads]
        self.names.update(pod.spec.node_name for pod in asked)
        for pod in _distinct((*asked, *problem.cluster.pods)):
            topology.update(_topology_keys(pod))
        for pod in _distinct((*asked, *filter(moves, problem.cluster.pods))):
            self.selected.update(pod.spec.node_selector or ())
            for term in _terms(pod):
                self._read(term)
        if any(map(_has_claims, (*asked, *problem.cluster.pods))):
            # What can be attached where is told by names, labels and drivers: none are alike.
            self.names.update(node.metadata.name for node in problem.cluster.nodes)
        self.topology = sorted(topology)
        self.shared = {key: _shared(key, problem.cluster.nodes) for key in self.topology}

    def _read(self, term: NodeSelectorTerm) -> None:
        self.selected.update(r.key for r in term.match_expressions or ())
        for requirement in term.match_fields or ():
            self.names.update(requirement.values or ())

    def signature(self, node: Node) -> bytes:
        labels, name = node.metadata.label_map(), node.metadata.name
        selected = [(key, labels[key]) for key in sorted(self.selected) if key in labels]
        # A value that no other node has is as good as any other such value.
        domains = [
            labels[key] if labels[key] in self.shared[key] else True
            for key in self.topology
            if key in labels
        ]
        known = [key for key in self.topology if key in labels]
        named = name if name in self.names else ""
        return _ENCODER.encode(
            (node.status.allocatable, node.spec, selected, known, domains, named)
        )


def _has_claims(pod: Pod) -> bool:
    return any(v.persistent_volume_claim or v.ephemeral for v in pod.spec.volumes or ())


def _distinct(pods: Iterable[Pod]) -> Iterator[Pod]:
    """One pod of each kind, as far as signatures read it; pods of one template share parts."""
    seen: set[tuple[int, ...]] = set()
    for pod in pods:
        spec = pod.spec
        parts = (spec.affinity, spec.topology_spread_constraints, spec.node_selector)
        key = tuple(map(id, parts))
        if key not in seen:
            seen.add(key)
            yield pod


def _topology_keys(pod: Pod) -> Iterator[str]:
    for constraint in pod.spec.topology_spread_constraints or ():
        yield constraint.topology_key
    affinity = pod.spec.affinity
    for part in (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ():
        for term in (part and part.required) or ():
            yield term.topology_key


def _terms(pod: Pod) -> tuple[NodeSelectorTerm, ...]:
    affinity = pod.spec.affinity
    required = affinity and affinity.node_affinity and affinity.node_affinity.required
    return required.node_selector_terms if required else ()


def _shared(key: str, nodes: Iterable[Node]) -> set[str]:
    """The values of the label that more than one node has."""
    once: set[str] = set()
    more: set[str] = set()
    for node in nodes:
        value = node.metadata.label_map().get(key)
        if value is not None:
            (more if value in once else once).add(value)
    return more
