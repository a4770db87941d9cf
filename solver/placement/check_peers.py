"""What the checker knows of pods among each other: who selects whom, and how many lie where.

Pods with equal namespace and labels are one *sort*. Selectors are tried on sorts that carry a label
which they ask for, so work grows with the matches and not with all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, PodAffinityTerm, PodSpec, TopologySpreadConstraint

Labels = Mapping[str, str]
Pair = tuple[str, str]
Count = dict[int, int]


@dataclass(slots=True)
class Sort:
    """Pods that no selector can tell apart.

    ``there`` counts them by node, ``leaving`` those of the existing ones that are being deleted.
    """

    namespace: str
    labels: Labels
    workloads: list[int] = field(default_factory=list)
    there: Count = field(default_factory=dict)
    leaving: Count = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label selector with the requirements that label keys add to it; None selects nothing."""

    selector: LabelSelector | None
    same: tuple[Pair, ...] = ()
    other: tuple[Pair, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether a pod with these labels is selected."""
        if self.selector is None or not self.selector.matches(labels):
            return False
        return all(labels.get(key) == value for key, value in self.same) and all(
            labels.get(key) != value for key, value in self.other
        )

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing at all, so that it would select everything."""
        asks = self.same or self.other or (self.selector and not self.selector.is_empty())
        return self.selector is not None and not asks

    def hints(self) -> Iterator[list[Pair]]:
        """Lists of label pairs; whatever is selected carries one of each list."""
        yield from ([pair] for pair in self.same)
        if self.selector is None:
            return
        yield from ([pair] for pair in (self.selector.match_labels or {}).items())
        for expression in self.selector.match_expressions or ():
            if expression.operator == "In":
                yield [(expression.key, value) for value in dict.fromkeys(expression.values or ())]


def _pairs(keys: tuple[str, ...] | None, labels: Labels) -> tuple[Pair, ...]:
    """Keys that the pod itself lacks ask for nothing."""
    return tuple((key, labels[key]) for key in keys or () if key in labels)


@dataclass(frozen=True, slots=True)
class Peers:
    """An affinity or anti-affinity term of one pod."""

    topology_key: str
    wanted: Wanted
    namespaces: frozenset[str]
    namespace_selector: LabelSelector | None


def peers(pod: Pod, term: PodAffinityTerm) -> Peers:
    """The term; without namespaces and namespace selector it means the pod's own namespace."""
    labels = pod.metadata.label_map()
    named = frozenset(term.namespaces or ())
    if not named and term.namespace_selector is None:
        named = frozenset({pod.metadata.namespace})
    wanted = Wanted(
        term.label_selector,
        _pairs(term.match_label_keys, labels),
        _pairs(term.mismatch_label_keys, labels),
    )
    return Peers(term.topology_key, wanted, named, term.namespace_selector)


def affinity_terms(pod: Pod) -> list[Peers]:
    """The pod's required affinity terms."""
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity else None
    return [peers(pod, term) for term in (affinity.required if affinity else None) or ()]


def anti_affinity_terms(pod: Pod) -> list[Peers]:
    """The pod's required anti-affinity terms."""
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity else None
    return [peers(pod, term) for term in (affinity.required if affinity else None) or ()]


@dataclass(frozen=True, slots=True)
class Evenly:
    """A hard spread constraint of one pod, with its defaults.

    ``itself`` is 1 if the pod is among those that are counted.
    """

    topology_key: str
    max_skew: int
    min_domains: int
    wanted: Wanted
    honor_affinity: bool
    honor_taints: bool
    itself: int


def spread_constraints(pod: Pod) -> list[Evenly]:
    """The pod's constraints with DoNotSchedule."""
    return [
        _evenly(pod, raw)
        for raw in pod.spec.topology_spread_constraints or ()
        if raw.when_unsatisfiable == "DoNotSchedule"
    ]


def _evenly(pod: Pod, raw: TopologySpreadConstraint) -> Evenly:
    labels = pod.metadata.label_map()
    same = _pairs(raw.match_label_keys, labels)
    # Label keys without a selector are invalid, but the scheduler would take them by themselves.
    alone = LabelSelector() if raw.label_selector is None and same else raw.label_selector
    wanted = Wanted(alone, same)
    return Evenly(
        topology_key=raw.topology_key,
        max_skew=raw.max_skew,
        min_domains=raw.min_domains or 1,
        wanted=wanted,
        honor_affinity=raw.node_affinity_policy in (None, "Honor"),
        honor_taints=raw.node_taints_policy == "Honor",
        itself=int(wanted.matches(labels)),
    )


def has_peers(spec: PodSpec) -> bool:
    """Whether the pod has required terms or hard constraints that look at other pods."""
    affinity = spec.affinity
    pod_terms = affinity and affinity.pod_affinity and affinity.pod_affinity.required
    anti_terms = affinity and affinity.pod_anti_affinity and affinity.pod_anti_affinity.required
    return bool(pod_terms or anti_terms or spec.topology_spread_constraints)


class Sorts:
    """All sorts of pods, found by the labels they carry."""

    def __init__(self, namespaces: Mapping[str, Labels]) -> None:
        self._namespaces = namespaces
        self._all: dict[tuple[str, frozenset[Pair]], Sort] = {}
        self._carrying: dict[Pair, list[Sort]] = {}

    def of(self, pod: Pod) -> Sort:
        """The sort of a pod, entered if it is new."""
        labels, namespace = pod.metadata.label_map(), pod.metadata.namespace
        key = (namespace, frozenset(labels.items()))
        if key not in self._all:
            found = self._all[key] = Sort(namespace, labels)
            for pair in labels.items():
                self._carrying.setdefault(pair, []).append(found)
        return self._all[key]

    def _selected(self, wanted: Wanted, in_scope: Callable[[str], bool]) -> list[Sort]:
        candidates: Iterable[Sort] = self._all.values()
        fewest = len(self._all)
        for pairs in wanted.hints():
            lists = [self._carrying.get(pair, []) for pair in pairs]
            if sum(map(len, lists)) < fewest:
                fewest = sum(map(len, lists))
                candidates = [sort for found in lists for sort in found]
        return [s for s in candidates if in_scope(s.namespace) and wanted.matches(s.labels)]

    def in_namespace(self, wanted: Wanted, namespace: str) -> list[Sort]:
        """What is selected in one namespace."""
        return self._selected(wanted, lambda other: other == namespace)

    def meant_by_new(self, term: Peers) -> list[Sort]:
        """What a term of a pod that is being scheduled means.

        Its namespace selector finds namespaces by their labels; what it says of a namespace without
        any labels holds for every namespace besides, as the scheduler of v1.34 and v1.35 has it
        (pkg/scheduler/framework/plugins/interpodaffinity/plugin.go).
        """
        selector = term.namespace_selector
        if selector is not None and selector.matches({}):
            return self._selected(term.wanted, lambda _: True)
        return self.meant_by_existing(term)

    def meant_by_existing(self, term: Peers) -> list[Sort]:
        """What a term of an existing pod means: its namespace selector is taken as it is."""
        selector = term.namespace_selector

        def in_scope(namespace: str) -> bool:
            if namespace in term.namespaces:
                return True
            return selector is not None and selector.matches(self._namespaces.get(namespace, {}))

        return self._selected(term.wanted, in_scope)


class Domains:
    """Which domain of a topology key each node lies in."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self._labels = [node.metadata.label_map() for node in nodes]
        self._known: dict[str, list[str | None]] = {}

    def of(self, key: str) -> list[str | None]:
        """The label's value on each node; None where a node lacks it."""
        if key not in self._known:
            self._known[key] = [labels.get(key) for labels in self._labels]
        return self._known[key]

    def counted(self, key: str, counts: Iterable[Count]) -> dict[str, int]:
        """The sum of counts by node, as one count by domain; nodes without the key are left out."""
        domain = self.of(key)
        found: dict[str, int] = {}
        for count in counts:
            for node, number in count.items():
                value = domain[node]
                if value is not None:
                    found[value] = found.get(value, 0) + number
        return found
