"""Plugin InterPodAffinity: its score.

The law of the PreScore state: it is ``total(c(node) for all nodes)`` with
``c(node) = contribution(preferences, node.labels, node.pods)``, and that in turn is the sum over
the node's pods.

Source: pkg/scheduler/framework/plugins/interpodaffinity/scoring.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kubelemma.model.objects.pod import Pod, WeightedPodAffinityTerm

from .inter_pod_affinity import (
    NO_LABELS,
    Labels,
    Term,
    affinity_of,
    anti_affinity_of,
    merged,
    parsed,
)
from .normalize import MAX_NODE_SCORE

HARD_POD_AFFINITY_WEIGHT = 1
"""What a required affinity term of an existing pod counts for the pods that it means."""


class WeightedTerm(NamedTuple):
    """A term, and what each match is worth: less than 0 for anti-affinity."""

    term: Term
    weight: int


def _weighted(
    pod: Pod, terms: tuple[WeightedPodAffinityTerm, ...] | None, sign: int
) -> Iterator[WeightedTerm]:
    for raw in terms or ():
        yield WeightedTerm(parsed(pod, raw.pod_affinity_term), sign * raw.weight)


def preferred_terms(pod: Pod) -> tuple[WeightedTerm, ...]:
    """The preferred terms of a pod, of affinity and anti-affinity."""
    return (
        *_weighted(pod, affinity_of(pod).preferred, 1),
        *_weighted(pod, anti_affinity_of(pod).preferred, -1),
    )


class Preferences(NamedTuple):
    """What the score has to know of the incoming pod, and the arguments of the plugin."""

    pod: Pod
    terms: tuple[WeightedTerm, ...]
    namespace_labels: Labels
    hard_weight: int = HARD_POD_AFFINITY_WEIGHT


def preferences(
    pod: Pod, namespaces: Mapping[str, Labels], hard_weight: int = HARD_POD_AFFINITY_WEIGHT
) -> Preferences:
    """The incoming pod's preferred terms merged, and its namespace's labels."""
    return Preferences(
        pod,
        tuple(WeightedTerm(merged(term, namespaces), w) for term, w in preferred_terms(pod)),
        namespaces.get(pod.metadata.namespace, NO_LABELS),
        hard_weight,
    )


class Coordinate(NamedTuple):
    """A component of the state: the worth of all matches in one domain of one key.

    The one without key and value counts the matches, since worths may cancel out.
    """

    topology_key: str = ""
    value: str = ""


MATCHES = Coordinate()

Contribution = dict[Coordinate, int]


def _terms_of_existing(pod: Pod, hard_weight: int) -> Iterator[WeightedTerm]:
    """The terms by which an existing pod pulls or pushes the incoming one."""
    if hard_weight:
        for raw in affinity_of(pod).required or ():
            yield WeightedTerm(parsed(pod, raw), hard_weight)
    yield from preferred_terms(pod)


def contribution(preferences: Preferences, labels: Labels, pods: Iterable[Pod]) -> Contribution:
    """What these pods on a node with these labels add; without a term's key, it adds nothing."""
    parts: Contribution = {}

    def add(weighted: WeightedTerm, meant: Pod, namespace_labels: Labels) -> None:
        key = weighted.term.topology_key
        if key in labels and weighted.term.matches(meant, namespace_labels):
            coordinate = Coordinate(key, labels[key])
            parts[coordinate] = parts.get(coordinate, 0) + weighted.weight
            parts[MATCHES] = parts.get(MATCHES, 0) + 1

    for other in pods:
        for weighted in preferences.terms:
            add(weighted, other, NO_LABELS)
        for weighted in _terms_of_existing(other, preferences.hard_weight):
            add(weighted, preferences.pod, preferences.namespace_labels)
    return parts


def is_skipped(
    preferences: Preferences, sums: Mapping[Coordinate, int], *, ignore_existing: bool = False
) -> bool:
    """PreScore: whether no term of the pod or of any existing pod matched anywhere.

    ``ignore_existing`` is the argument ``ignorePreferredTermsOfExistingPods`` of the plugin: a pod
    without preferred terms of its own is then not scored.
    """
    return not sums.get(MATCHES) or (ignore_existing and not preferences.terms)


def score_affinity(labels: Labels, sums: Mapping[Coordinate, int]) -> int:
    """The raw score of a node with these labels: the worth of all domains it lies in."""
    return sum(sums.get(Coordinate(key, value), 0) for key, value in labels.items())


def normalize_affinity(raw: Mapping[str, int]) -> dict[str, int]:
    """Scores by node: the lowest becomes 0, the highest 100; all 0 where they are equal."""
    lowest, highest = min(raw.values(), default=0), max(raw.values(), default=0)
    spread = highest - lowest
    if not spread:
        return dict.fromkeys(raw, 0)
    # As the scheduler does: dividing first, in floating point, decides what is cut off.
    return {node: int(MAX_NODE_SCORE * ((score - lowest) / spread)) for node, score in raw.items()}
