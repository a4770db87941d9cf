"""Plugin PodTopologySpread: its score.

The law of the PreScore state: it is ``state_of(constraints, total(c(node) for all nodes))`` with
``c(node) = contribution(constraints, pod, node, ...)``. A candidate, a node that passed all
filters, adds its domain; every node adds its matching pods. ``state_of`` keeps only the domains
that have a candidate.

Source: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log
from typing import Literal, NamedTuple

from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .normalize import MAX_NODE_SCORE
from .topology_spread import HOSTNAME, Constraints, has_all_keys, is_included, matching_pods


class Coordinate(NamedTuple):
    """A component of the state: of a constraint (by its index) in the domain with this value.

    ``candidates`` has no constraint: it counts the nodes that are scored at all.
    """

    what: Literal["candidates", "nodes", "pods"]
    constraint: int = -1
    value: str = ""


CANDIDATES = Coordinate("candidates")

Contribution = dict[Coordinate, int]


def is_ignored(constraints: Constraints, pod: Pod, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels is left out: it lacks the key of a constraint.

    With the system's default constraints no key is required, so that clusters without zones still
    spread over hosts.
    """
    own = bool(pod.spec.topology_spread_constraints)
    return own and not has_all_keys(constraints, labels)


def contribution(
    constraints: Constraints, pod: Pod, info: NodeInfo, *, candidate: bool
) -> Contribution:
    """What one node adds to the PreScore state.

    Host names are left out: a host is its own domain, and its pods are counted when it is scored.
    A node that lacks the key of a default constraint stands for the domain without a name.
    """
    if is_ignored(constraints, pod, info.labels):
        return {}
    parts: Contribution = {CANDIDATES: 1} if candidate else {}
    for index, constraint in enumerate(constraints):
        if constraint.topology_key == HOSTNAME:
            continue
        value = info.labels.get(constraint.topology_key, "")
        if candidate:
            parts[Coordinate("nodes", index, value)] = 1
        if is_included(constraint, pod, info.node):
            parts[Coordinate("pods", index, value)] = matching_pods(constraint, pod, info.pods)
    return parts


class State(NamedTuple):
    """The PreScore state: for each constraint the pods by domain, and the weight of one pod."""

    matching: tuple[Mapping[str, int], ...]
    weights: tuple[float, ...]


def state_of(constraints: Constraints, sums: Mapping[Coordinate, int]) -> State:
    """The PreScore state from the sum of all nodes' contributions.

    One pod weighs ln(domains + 2), so that constraints with many domains are not drowned.
    """
    matching: tuple[dict[str, int], ...] = tuple({} for _ in constraints)
    for what, index, value in sorted(sums):
        if what == "nodes":
            matching[index][value] = sums.get(Coordinate("pods", index, value), 0)
    sizes = (
        sums.get(CANDIDATES, 0) if constraint.topology_key == HOSTNAME else len(domains)
        for constraint, domains in zip(constraints, matching, strict=True)
    )
    return State(matching, tuple(log(size + 2) for size in sizes))


def score_spread(constraints: Constraints, pod: Pod, info: NodeInfo, state: State) -> int | None:
    """The raw score of a candidate, the lower the better; None if it is left out."""
    if is_ignored(constraints, pod, info.labels):
        return None
    score = 0.0
    for constraint, matching, weight in zip(constraints, *state, strict=True):
        value = info.labels.get(constraint.topology_key)
        if value is None:
            continue
        if constraint.topology_key == HOSTNAME:
            count = matching_pods(constraint, pod, info.pods)
        else:
            count = matching[value]
        score += count * weight + (constraint.max_skew - 1)
    return floor(score + 0.5)


def normalize_spread(raw: Mapping[str, int | None]) -> dict[str, int]:
    """Scores by node, 0..100: the least crowded gets 100, one that is left out 0."""
    scores = [score for score in raw.values() if score is not None]
    highest, lowest = max(scores, default=0), min(scores, default=0)

    def scaled(score: int | None) -> int:
        if score is None:
            return 0
        return MAX_NODE_SCORE * (highest + lowest - score) // highest if highest else MAX_NODE_SCORE

    return {node: scaled(score) for node, score in raw.items()}
