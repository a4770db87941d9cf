"""What the API server makes of ``matchLabelKeys`` when a pod is created.

Source: pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from kubelemma.model.objects.meta import LabelSelector, LabelSelectorRequirement
from kubelemma.model.objects.pod import (
    Affinity,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)

Labels = Mapping[str, str]


def _extended(selector: LabelSelector, more: Iterator[LabelSelectorRequirement]) -> LabelSelector:
    expressions = (*(selector.match_expressions or ()), *more)
    return msgspec.structs.replace(selector, match_expressions=expressions or None)


def _wanted(term: PodAffinityTerm, labels: Labels) -> Iterator[LabelSelectorRequirement]:
    for key in term.match_label_keys or ():
        if key in labels:
            yield LabelSelectorRequirement(key=key, operator="In", values=(labels[key],))
    for key in term.mismatch_label_keys or ():
        if key in labels:
            yield LabelSelectorRequirement(key=key, operator="NotIn", values=(labels[key],))


def _term(term: PodAffinityTerm, labels: Labels) -> PodAffinityTerm:
    if term.label_selector is None:
        return term
    selector = _extended(term.label_selector, _wanted(term, labels))
    return msgspec.structs.replace(term, label_selector=selector)


def _weighted(raw: WeightedPodAffinityTerm, labels: Labels) -> WeightedPodAffinityTerm:
    return msgspec.structs.replace(raw, pod_affinity_term=_term(raw.pod_affinity_term, labels))


def _pod_affinity(affinity: PodAffinity | None, labels: Labels) -> PodAffinity | None:
    if affinity is None:
        return None
    required, preferred = affinity.required, affinity.preferred
    return PodAffinity(
        required=None if required is None else tuple(_term(t, labels) for t in required),
        preferred=None if preferred is None else tuple(_weighted(t, labels) for t in preferred),
    )


def _affinity(affinity: Affinity | None, labels: Labels) -> Affinity | None:
    if affinity is None:
        return None
    return msgspec.structs.replace(
        affinity,
        pod_affinity=_pod_affinity(affinity.pod_affinity, labels),
        pod_anti_affinity=_pod_affinity(affinity.pod_anti_affinity, labels),
    )


def _constraint(raw: TopologySpreadConstraint, labels: Labels) -> TopologySpreadConstraint:
    if raw.label_selector is None:
        return raw
    keys = (key for key in raw.match_label_keys or () if key in labels)
    more = (LabelSelectorRequirement(key=k, operator="In", values=(labels[k],)) for k in keys)
    return msgspec.structs.replace(raw, label_selector=_extended(raw.label_selector, more))


def merge_label_keys(pod: Pod) -> Pod:
    """The pod as it is stored: the label keys turned into requirements on their values.

    A key that the pod itself lacks is passed over. Keys of spread constraints are merged too, and
    the scheduler merges them once more, which changes nothing.
    """
    labels = pod.metadata.label_map()
    constraints = pod.spec.topology_spread_constraints
    spec = msgspec.structs.replace(
        pod.spec,
        affinity=_affinity(pod.spec.affinity, labels),
        topology_spread_constraints=None
        if constraints is None
        else tuple(_constraint(c, labels) for c in constraints),
    )
    return msgspec.structs.replace(pod, spec=spec)
