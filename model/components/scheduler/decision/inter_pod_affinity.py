"""Plugin InterPodAffinity: its terms and its filter.

The law of the PreFilter state: it is ``state_of(total(c(node) for all nodes))`` with
``c(node) = contribution(incoming, node.labels, node.pods)``, and that in turn is the sum over the
node's pods. So one pod more on a node changes the sum by ``contribution(incoming, labels, [pod])``.

Source: pkg/scheduler/framework/plugins/interpodaffinity/plugin.go, filtering.go and
pkg/scheduler/framework/types.go (AffinityTerm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod, PodAffinity, PodAffinityTerm

from .selectors import selects
from .status import SUCCESS, Status, unresolvable, unschedulable

Labels = Mapping[str, str]
NO_LABELS: Labels = {}
NO_TERMS = PodAffinity()


class Term(NamedTuple):
    """An affinity term of a pod: pods with these labels, in these namespaces."""

    topology_key: str
    selector: LabelSelector | None
    namespaces: frozenset[str]
    namespace_selector: LabelSelector | None

    def matches(self, pod: Pod, namespace_labels: Labels) -> bool:
        """Whether the pod, in a namespace with these labels, is meant by the term."""
        meant = pod.metadata.namespace in self.namespaces or selects(
            self.namespace_selector, namespace_labels
        )
        return meant and selects(self.selector, pod.metadata.label_map())


def parsed(pod: Pod, raw: PodAffinityTerm) -> Term:
    """A term of the pod; if it names no namespaces at all, the pod's own is meant."""
    namespaces = frozenset(raw.namespaces or ())
    if not namespaces and raw.namespace_selector is None:
        namespaces = frozenset({pod.metadata.namespace})
    return Term(raw.topology_key, raw.label_selector, namespaces, raw.namespace_selector)


def affinity_of(pod: Pod) -> PodAffinity:
    """The pod's ``podAffinity``; without terms where it has none."""
    affinity = pod.spec.affinity
    return (affinity and affinity.pod_affinity) or NO_TERMS


def anti_affinity_of(pod: Pod) -> PodAffinity:
    """The pod's ``podAntiAffinity``; without terms where it has none."""
    affinity = pod.spec.affinity
    return (affinity and affinity.pod_anti_affinity) or NO_TERMS


def merged(term: Term, namespaces: Mapping[str, Labels]) -> Term:
    """A term of the incoming pod, with the namespaces that its selector finds.

    The selector stays on the term (the scheduler of v1.34 and v1.35 clears it on a copy only) and
    is later held against no labels at all. So one whose requirements hold without labels, NotIn or
    DoesNotExist, means every namespace. Terms of existing pods are not merged and are exact.
    """
    selector = term.namespace_selector
    if selector is None or selector.is_empty():
        return term
    found = (name for name, labels in namespaces.items() if selector.matches(labels))
    return term._replace(namespaces=term.namespaces.union(found))


class Incoming(NamedTuple):
    """The incoming pod, its required terms merged, and the labels of its namespace."""

    pod: Pod
    affinity: tuple[Term, ...]
    anti_affinity: tuple[Term, ...]
    namespace_labels: Labels


def incoming(pod: Pod, namespaces: Mapping[str, Labels]) -> Incoming:
    """What the filter has to know of the incoming pod; ``namespaces`` gives labels by name."""

    def own(terms: tuple[PodAffinityTerm, ...] | None) -> tuple[Term, ...]:
        return tuple(merged(parsed(pod, raw), namespaces) for raw in terms or ())

    return Incoming(
        pod,
        own(affinity_of(pod).required),
        own(anti_affinity_of(pod).required),
        namespaces.get(pod.metadata.namespace, NO_LABELS),
    )


class Coordinate(NamedTuple):
    """A component of the state: pairs of pod and term that match, in one domain of one key.

    ``existingAntiAffinity``: an existing pod's required anti-affinity term means the incoming pod.
    ``affinity``: an existing pod is meant by *all* required affinity terms of the incoming pod.
    ``antiAffinity``: an existing pod is meant by a required anti-affinity term of it.
    """

    what: Literal["existingAntiAffinity", "affinity", "antiAffinity"]
    topology_key: str
    value: str


Contribution = dict[Coordinate, int]


def _meant_by_all(terms: tuple[Term, ...], pod: Pod) -> bool:
    return bool(terms) and all(term.matches(pod, NO_LABELS) for term in terms)


def contribution(incoming: Incoming, labels: Labels, pods: Iterable[Pod]) -> Contribution:
    """What these pods on a node with these labels add; a term without its key there adds nothing.

    Terminating pods count.
    """
    parts: Contribution = {}

    def add(what: Literal["existingAntiAffinity", "affinity", "antiAffinity"], key: str) -> None:
        if key in labels:
            coordinate = Coordinate(what, key, labels[key])
            parts[coordinate] = parts.get(coordinate, 0) + 1

    for other in pods:
        for raw in anti_affinity_of(other).required or ():
            if parsed(other, raw).matches(incoming.pod, incoming.namespace_labels):
                add("existingAntiAffinity", raw.topology_key)
        if _meant_by_all(incoming.affinity, other):
            for term in incoming.affinity:
                add("affinity", term.topology_key)
        for term in incoming.anti_affinity:
            if term.matches(other, NO_LABELS):
                add("antiAffinity", term.topology_key)
    return parts


Pair = tuple[str, str]


class State(NamedTuple):
    """The PreFilter state: the topology pairs (key, value) where something matches.

    An empty ``affinity`` is what makes the rule for the first pod of a group apply.
    """

    existing_anti_affinity: frozenset[Pair]
    affinity: frozenset[Pair]
    anti_affinity: frozenset[Pair]


def state_of(sums: Mapping[Coordinate, int]) -> State:
    """The PreFilter state from the sum of all nodes' contributions."""

    def pairs(what: str) -> frozenset[Pair]:
        return frozenset((c.topology_key, c.value) for c, n in sums.items() if c.what == what and n)

    return State(pairs("existingAntiAffinity"), pairs("affinity"), pairs("antiAffinity"))


def is_skipped(incoming: Incoming, sums: Mapping[Coordinate, int]) -> bool:
    """PreFilter: whether no required term of the pod or of any existing pod concerns it."""
    own = incoming.affinity or incoming.anti_affinity
    return not own and not state_of(sums).existing_anti_affinity


def _affinity_holds(incoming: Incoming, labels: Labels, state: State) -> bool:
    """Every term needs its key on the node and a matching pod in that domain.

    Where no pod anywhere matches, a pod that its own terms mean may be the first of its group.
    """
    keys = [term.topology_key for term in incoming.affinity]
    if any(key not in labels for key in keys):
        return False
    if all((key, labels[key]) in state.affinity for key in keys):
        return True
    return not state.affinity and _meant_by_all(incoming.affinity, incoming.pod)


def filter_affinity(incoming: Incoming, labels: Labels, state: State) -> Status:
    """Whether a node with these labels may take the pod.

    Its affinity is looked at first, then its anti-affinity, then that of the existing pods.
    """
    if not _affinity_holds(incoming, labels, state):
        return unresolvable("node(s) didn't match pod affinity rules")
    own_keys = (term.topology_key for term in incoming.anti_affinity)
    if any((key, labels.get(key)) in state.anti_affinity for key in own_keys):
        return unschedulable("node(s) didn't match pod anti-affinity rules")
    if any(pair in state.existing_anti_affinity for pair in labels.items()):
        return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
    return SUCCESS
