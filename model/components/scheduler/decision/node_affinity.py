"""Plugin NodeAffinity: node selector, required and preferred node affinity.

``added`` is the affinity that an operator may add to every pod of a profile
(``NodeAffinityArgs.addedAffinity``); the default profile has none.

Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go and
staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import (
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    PreferredSchedulingTerm,
)

from .nodeinfo import NodeInfo
from .normalize import default_normalize
from .status import SKIP, SUCCESS, Status, unresolvable

NAME_FIELD = "metadata.name"
_LABEL_VALUE = re.compile(r"(?=.{0,63}\Z)(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)

NO_AFFINITY = NodeAffinity()


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if value in _INT64 else None


def _compares(requirement: NodeSelectorRequirement, found: str | None) -> bool:
    """Operators Gt and Lt: both sides must be whole numbers of 64 bits."""
    values = requirement.values or ()
    if found is None or len(values) != 1:
        return False
    left, right = _integer(found), _integer(values[0])
    if left is None or right is None:
        return False
    return left > right if requirement.operator == "Gt" else left < right


def _is_valid(requirement: NodeSelectorRequirement) -> bool:
    """Whether values In and NotIn could be label values at all; a term that has others is void."""
    values = requirement.values or ()
    if requirement.operator not in ("In", "NotIn"):
        return True
    return bool(values) and all(_LABEL_VALUE.fullmatch(v) for v in values)


def _matches_label(requirement: NodeSelectorRequirement, labels: Mapping[str, str]) -> bool:
    found = labels.get(requirement.key)
    match requirement.operator:
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "In":
            return found is not None and found in (requirement.values or ())
        case "NotIn":
            return found is None or found not in (requirement.values or ())
        case _:
            return _compares(requirement, found)


def _matches_field(requirement: NodeSelectorRequirement, node: Node) -> bool:
    """The only field is the name, compared with exactly one value."""
    values = requirement.values or ()
    if requirement.key != NAME_FIELD or len(values) != 1:
        return False
    if requirement.operator == "In":
        return node.metadata.name == values[0]
    return requirement.operator == "NotIn" and node.metadata.name != values[0]


def matches_term(term: NodeSelectorTerm, node: Node) -> bool:
    """Whether every expression of the term holds; a term without any matches no node."""
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    labels = node.metadata.label_map()
    return all(_is_valid(r) and _matches_label(r, labels) for r in expressions) and all(
        _matches_field(r, node) for r in fields
    )


def matches_selector(selector: NodeSelector | None, node: Node) -> bool:
    """Whether one of the terms holds; an absent selector matches every node."""
    return selector is None or any(matches_term(t, node) for t in selector.node_selector_terms)


def _affinity(pod: Pod) -> NodeAffinity:
    affinity = pod.spec.affinity
    return (affinity and affinity.node_affinity) or NO_AFFINITY


def matches_required(pod: Pod, node: Node) -> bool:
    """Whether the node has the labels of ``nodeSelector`` and fits the required affinity."""
    labels = node.metadata.label_map()
    selector = pod.spec.node_selector or {}
    return all(labels.get(k) == v for k, v in selector.items()) and matches_selector(
        _affinity(pod).required, node
    )


def _named_by(term: NodeSelectorTerm) -> frozenset[str] | None:
    """The node names that a term leaves possible, None if it does not ask for names."""
    asked = [
        frozenset(r.values or ())
        for r in term.match_fields or ()
        if r.key == NAME_FIELD and r.operator == "In"
    ]
    return frozenset.intersection(*asked) if asked else None


class PreFilterResult(NamedTuple):
    """The answer of PreFilter, and the only nodes worth looking at (None: all of them)."""

    status: Status
    node_names: frozenset[str] | None = None


def pre_filter(pod: Pod, added: NodeAffinity = NO_AFFINITY) -> PreFilterResult:
    """Skip where nothing is required; else narrow the nodes if every term names its nodes."""
    required = _affinity(pod).required
    if required is None and added.required is None and pod.spec.node_selector is None:
        return PreFilterResult(SKIP)
    names: frozenset[str] = frozenset()
    for term in required.node_selector_terms if required else ():
        named = _named_by(term)
        if named is None:
            return PreFilterResult(SUCCESS)
        names |= named
    if required is None or not required.node_selector_terms:
        return PreFilterResult(SUCCESS)
    if not names:
        return PreFilterResult(unresolvable("pod affinity terms conflict"))
    return PreFilterResult(SUCCESS, names)


def filter_affinity(pod: Pod, info: NodeInfo, added: NodeAffinity = NO_AFFINITY) -> Status:
    """The node must fit the added affinity and the pod's own selector and required affinity."""
    if not matches_selector(added.required, info.node):
        return unresolvable("node(s) didn't match scheduler-enforced node affinity")
    if not matches_required(pod, info.node):
        return unresolvable("node(s) didn't match Pod's node affinity/selector")
    return SUCCESS


def _preferred(pod: Pod, added: NodeAffinity) -> tuple[PreferredSchedulingTerm, ...]:
    return (added.preferred or ()) + (_affinity(pod).preferred or ())


def pre_score(pod: Pod, added: NodeAffinity = NO_AFFINITY) -> Status:
    """Skip where nothing is preferred."""
    return SUCCESS if _preferred(pod, added) else SKIP


def score_affinity(pod: Pod, info: NodeInfo, added: NodeAffinity = NO_AFFINITY) -> int:
    """The raw score: the sum of the weights of the preferred terms that hold."""
    return sum(t.weight for t in _preferred(pod, added) if matches_term(t.preference, info.node))


def normalize_affinity(raw: Mapping[str, int]) -> dict[str, int]:
    """Scores by node, 0..100: the more weight the better."""
    return default_normalize(raw, reverse=False)
