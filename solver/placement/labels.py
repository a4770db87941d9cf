"""Which workloads and existing pods a selector means, by an index instead of by trying all.

Pods with equal namespace and labels are one *kin*: selectors cannot tell them apart. A selector is
tried only on the kins that carry one of the label values it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kubelemma.model.components.scheduler.decision.inter_pod_affinity import Term
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

Labels = Mapping[str, str]
KinKey = tuple[str, tuple[tuple[str, str], ...]]


def kin_key(pod: Pod) -> KinKey:
    """What selectors see of a pod."""
    return pod.metadata.namespace, tuple(sorted(pod.metadata.label_map().items()))


@dataclass(slots=True)
class Kin:
    """Pods that no selector can tell apart.

    ``workloads`` are indexes; ``nodes`` counts the existing pods by node, ``leaving`` those of
    them that are being deleted.
    """

    namespace: str
    labels: Labels
    workloads: list[int] = field(default_factory=list)
    nodes: dict[int, int] = field(default_factory=dict)
    leaving: dict[int, int] = field(default_factory=dict)


class KinIndex:
    """All kins of a problem, found by label value."""

    def __init__(self, namespaces: Mapping[str, Labels]) -> None:
        self._namespaces = namespaces
        self._kins: dict[KinKey, Kin] = {}
        self._by_value: dict[tuple[str, str], list[Kin]] = {}
        self._by_namespace: dict[str, list[Kin]] = {}

    def kin(self, pod: Pod) -> Kin:
        """The kin of a pod, new if it is the first."""
        key = kin_key(pod)
        found = self._kins.get(key)
        if found is None:
            found = self._kins[key] = Kin(key[0], dict(key[1]))
            self._by_namespace.setdefault(key[0], []).append(found)
            for pair in key[1]:
                self._by_value.setdefault(pair, []).append(found)
        return found

    def __iter__(self) -> Iterator[Kin]:
        return iter(self._kins.values())

    def selected(self, selector: LabelSelector | None, namespace: str | None) -> list[Kin]:
        """The kins that the selector matches, in the namespace (None: in any)."""
        if selector is None:
            return []
        return [
            kin
            for kin in self._candidates(selector, namespace)
            if (namespace is None or kin.namespace == namespace) and selector.matches(kin.labels)
        ]

    def meant(self, term: Term) -> list[Kin]:
        """The kins that a term means, in the namespaces that it means."""
        return [
            kin
            for kin in self._candidates(term.selector, None)
            if self._in_scope(term, kin.namespace)
            and term.selector is not None
            and term.selector.matches(kin.labels)
        ]

    def meant_exactly(self, term: Term) -> list[Kin]:
        """The same for a term of an existing pod, whose namespace selector is exact."""
        return [
            kin
            for kin in self._candidates(term.selector, None)
            if term.selector is not None
            and term.selector.matches(kin.labels)
            and (
                kin.namespace in term.namespaces
                or (
                    term.namespace_selector is not None
                    and term.namespace_selector.matches(self._namespaces.get(kin.namespace, {}))
                )
            )
        ]

    def _in_scope(self, term: Term, namespace: str) -> bool:
        """As for an incoming pod: its namespaces are merged in, the rest sees no labels."""
        return namespace in term.namespaces or (
            term.namespace_selector is not None and term.namespace_selector.matches({})
        )

    def _candidates(self, selector: LabelSelector | None, namespace: str | None) -> Iterable[Kin]:
        if selector is None:
            return ()
        best: Iterable[Kin] | None = None
        size = -1
        for values in _asked(selector):
            lists = [self._by_value.get(pair, []) for pair in values]
            total = sum(map(len, lists))
            if best is None or total < size:
                best, size = [kin for found in lists for kin in found], total
        if best is not None:
            return best
        return list(self) if namespace is None else self._by_namespace.get(namespace, [])


def _asked(selector: LabelSelector) -> Iterator[list[tuple[str, str]]]:
    """For each requirement that asks for values: the label pairs of which one must be there."""
    for pair in (selector.match_labels or {}).items():
        yield [pair]
    for expression in selector.match_expressions or ():
        if expression.operator == "In":
            yield [(expression.key, value) for value in sorted(set(expression.values or ()))]
