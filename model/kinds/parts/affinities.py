"""What the API server refuses in affinities.

Source: ``pkg/apis/core/validation/validation.go``; that Gt and Lt compare with integers:
``staging/src/k8s.io/apimachinery/pkg/labels/selector.go`` (the scheduler refuses such a pod).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
)

from .names import dns_label, dns_subdomain, label_key, label_value
from .rules import label_selector, problem, values_fit_operator, within

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_LARGEST_WEIGHT = 100


def affinity(given: Affinity, path: FieldPath) -> Iterator[Finding]:
    """All affinities of a pod."""
    if given.node_affinity is not None:
        yield from _node_affinity(given.node_affinity, (*path, "nodeAffinity"))
    if given.pod_affinity is not None:
        yield from _pod_affinity(given.pod_affinity, (*path, "podAffinity"))
    if given.pod_anti_affinity is not None:
        yield from _pod_affinity(given.pod_anti_affinity, (*path, "podAntiAffinity"))


def _node_affinity(given: NodeAffinity, path: FieldPath) -> Iterator[Finding]:
    if given.required is not None:
        yield from node_selector(given.required, (*path, _REQUIRED))
    for index, preferred in enumerate(given.preferred or ()):
        here: FieldPath = (*path, _PREFERRED, index)
        yield from within(1, _LARGEST_WEIGHT, preferred.weight, (*here, "weight"))
        yield from _node_term(preferred.preference, (*here, "preference"))


def node_selector(selector: NodeSelector, path: FieldPath) -> Iterator[Finding]:
    """Nodes that are required, of a pod or of a volume."""
    terms: FieldPath = (*path, "nodeSelectorTerms")
    if not selector.node_selector_terms:
        yield Finding(terms, "is required: no node matches without a term")
    for index, term in enumerate(selector.node_selector_terms):
        yield from _node_term(term, (*terms, index))
        yield from _label_values(term, (*terms, index))


def _node_term(term: NodeSelectorTerm, path: FieldPath) -> Iterator[Finding]:
    for index, expression in enumerate(term.match_expressions or ()):
        yield from _node_expression(expression, (*path, "matchExpressions", index))
    for index, field in enumerate(term.match_fields or ()):
        yield from _node_field(field, (*path, "matchFields", index))


def _label_values(term: NodeSelectorTerm, path: FieldPath) -> Iterator[Finding]:
    for index, expression in enumerate(term.match_expressions or ()):
        for place, value in enumerate(expression.values or ()):
            here: FieldPath = (*path, "matchExpressions", index, "values", place)
            yield from problem(here, label_value(value))


def _node_expression(expression: NodeSelectorRequirement, path: FieldPath) -> Iterator[Finding]:
    yield from problem((*path, "key"), label_key(expression.key))
    yield from values_fit_operator(expression.operator, expression.values, path)
    if expression.operator in ("Gt", "Lt"):
        values = expression.values or ()
        if len(values) != 1 or not _INTEGER.fullmatch(values[0]):
            message = f"{expression.operator} compares with exactly one integer"
            yield Finding((*path, "values"), message)


def _node_field(field: NodeSelectorRequirement, path: FieldPath) -> Iterator[Finding]:
    """Only the node's name can be asked for, one at a time."""
    if field.key != "metadata.name":
        yield Finding((*path, "key"), f'"{field.key}" cannot be matched: only metadata.name can')
    if field.operator not in ("In", "NotIn"):
        yield Finding((*path, "operator"), f'"{field.operator}" is not one of In, NotIn')
    values = field.values or ()
    if len(values) != 1:
        yield Finding((*path, "values"), "takes exactly one name")
    for index, value in enumerate(values):
        yield from problem((*path, "values", index), dns_subdomain(value))


def _pod_affinity(given: PodAffinity, path: FieldPath) -> Iterator[Finding]:
    yield from _pod_terms(given.required or (), (*path, _REQUIRED))
    for index, preferred in enumerate(given.preferred or ()):
        here: FieldPath = (*path, _PREFERRED, index)
        yield from within(1, _LARGEST_WEIGHT, preferred.weight, (*here, "weight"))
        yield from _pod_term(preferred.pod_affinity_term, (*here, "podAffinityTerm"))


def _pod_terms(terms: Sequence[PodAffinityTerm], path: FieldPath) -> Iterator[Finding]:
    for index, term in enumerate(terms):
        yield from _pod_term(term, (*path, index))


def _pod_term(term: PodAffinityTerm, path: FieldPath) -> Iterator[Finding]:
    key = term.topology_key
    yield from problem((*path, "topologyKey"), label_key(key) if key else "is required")
    for index, namespace in enumerate(term.namespaces or ()):
        yield from problem((*path, "namespaces", index), dns_label(namespace))
    if term.label_selector is not None:
        yield from label_selector(term.label_selector, (*path, "labelSelector"))
    if term.namespace_selector is not None:
        yield from label_selector(term.namespace_selector, (*path, "namespaceSelector"))
    for field, keys in (
        ("matchLabelKeys", term.match_label_keys),
        ("mismatchLabelKeys", term.mismatch_label_keys),
    ):
        if keys and term.label_selector is None:
            yield Finding((*path, field), "is not allowed without labelSelector")
        for index, label in enumerate(keys or ()):
            yield from problem((*path, field, index), label_key(label))
