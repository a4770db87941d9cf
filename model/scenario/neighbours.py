"""Which pods look at which others: affinity, spread, host ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.components.scheduler.decision.inter_pod_affinity import (
    affinity_of,
    anti_affinity_of,
    parsed,
)
from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, PodAffinityTerm, TopologySpreadConstraint

STRICT = "DoNotSchedule"


class Repelled(NamedTuple):
    """That a pod keeps another off its own domain of a topology key, or off its node if empty."""

    topology_key: str = ""

    def domain(self, node: Node) -> str:
        """The domain that a node is in."""
        if not self.topology_key:
            return node.metadata.name
        return node.metadata.label_map().get(self.topology_key, "")


def looks(pod: Pod) -> bool:
    """Whether a pod has rules that may be about others."""
    return bool(pod.spec.topology_spread_constraints or any(_terms(pod)) or any(host_ports(pod)))


def concern(one: Pod, other: Pod) -> bool:
    """Whether a rule of a pod is about another one, be it only a preference."""
    spread = one.spec.topology_spread_constraints or ()
    return (
        any(_counts(one, each, other) for each in spread)
        or any(_means(one, term, other) for term in _terms(one))
        or _ports_of_both(one, other)
    )


def shifts(pod: Pod) -> bool:
    """Whether others may both open nodes to a pod and close them: by affinity, or by spread."""
    return bool(affinity_of(pod).required) or any(_strict(pod))


def minds(one: Pod, other: Pod) -> bool:
    """Whether such a rule of a pod is about another one."""
    return any(_counts(one, each, other) for each in _strict(one)) or any(
        _means(one, term, other) for term in affinity_of(one).required or ()
    )


def repels(pod: Pod) -> bool:
    """Whether a pod may keep others off a node where there is room for both."""
    return bool(anti_affinity_of(pod).required) or any(host_ports(pod))


def repelled(one: Pod, other: Pod) -> Iterator[Repelled]:
    """By what a pod that is there keeps another off; it does not matter which of the two it is."""
    if _ports_of_both(one, other):
        yield Repelled()
    for pod, by in ((one, other), (other, one)):
        for term in anti_affinity_of(pod).required or ():
            if _means(pod, term, by):
                yield Repelled(term.topology_key)


def _strict(pod: Pod) -> Iterator[TopologySpreadConstraint]:
    for constraint in pod.spec.topology_spread_constraints or ():
        if constraint.when_unsatisfiable == STRICT:
            yield constraint


def _terms(pod: Pod) -> Iterator[PodAffinityTerm]:
    for part in (affinity_of(pod), anti_affinity_of(pod)):
        yield from part.required or ()
        yield from (each.pod_affinity_term for each in part.preferred or ())


def _counts(pod: Pod, constraint: TopologySpreadConstraint, other: Pod) -> bool:
    selector = constraint.label_selector
    same = pod.metadata.namespace == other.metadata.namespace
    return same and selector is not None and selector.matches(other.metadata.label_map())


def _means(pod: Pod, raw: PodAffinityTerm, other: Pod) -> bool:
    """Whether a term means another pod; any namespace may be one that its selector finds."""
    term = parsed(pod, raw)
    found = term.namespace_selector is not None or other.metadata.namespace in term.namespaces
    return found and term.selector is not None and term.selector.matches(other.metadata.label_map())


def _ports_of_both(one: Pod, other: Pod) -> bool:
    return any(mine.conflicts_with(port) for mine in host_ports(one) for port in host_ports(other))
