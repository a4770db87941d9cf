"""What decides where pods go: affinities, tolerations, topology spread constraints."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from .words import (
    HOSTNAME,
    NODE_LABELS,
    TAINT_KEYS,
    TEMPLATE_HASH,
    ZONE,
    Manifest,
    Manifests,
    namespaces_of,
    selectors,
)

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHTS = st.integers(1, 100)
_ONE_OR_TWO = st.integers(1, 2)
_NODE_KEYS = st.sampled_from((ZONE, *NODE_LABELS))
_NODE_OPERATORS = st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
_TAINT_KEYS = st.sampled_from(
    (*TAINT_KEYS, "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready", "")
)
_TAINT_VALUES = st.sampled_from(("", "yes", "batch"))
_EFFECTS = st.sampled_from(("NoSchedule", "PreferNoSchedule", "NoExecute"))
_SKEWS = st.integers(1, 3)
_SECONDS = st.sampled_from((0, 30, 300))


@cache
def node_selectors() -> st.SearchStrategy[dict[str, str]]:
    """The labels that a pod's ``nodeSelector`` asks for."""
    pairs = [(key, value) for key, values in NODE_LABELS.items() for value in values]
    return st.lists(st.sampled_from(pairs), max_size=2).map(dict)


@cache
def topology_keys() -> st.SearchStrategy[str]:
    """Labels that tell domains apart: zone, host, or one of the owner's."""
    return st.sampled_from((HOSTNAME, ZONE, *NODE_LABELS))


@cache
def affinities() -> Manifests:
    """Affinities of a pod: to nodes, to pods, and away from pods."""
    return st.fixed_dictionaries(
        {},
        optional={
            "nodeAffinity": _either(
                st.fixed_dictionaries({"nodeSelectorTerms": _some(_node_terms(), least=1)}),
                st.fixed_dictionaries({"weight": _WEIGHTS, "preference": _node_terms()}),
            ),
            "podAffinity": _pod_affinities(),
            "podAntiAffinity": _pod_affinities(),
        },
    )


def _either(required: st.SearchStrategy[Any], preferred: st.SearchStrategy[Any]) -> Manifests:
    return st.fixed_dictionaries({}, optional={_REQUIRED: required, _PREFERRED: _some(preferred)})


def _some(item: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(item, min_size=least, max_size=2)


@cache
def _node_terms() -> Manifests:
    """Terms of which each asks for something; an empty one would match no node."""
    expressions = st.lists(_node_expressions(), min_size=1, max_size=2)
    fields = st.builds(
        lambda operator, name: [{"key": "metadata.name", "operator": operator, "values": [name]}],
        st.sampled_from(("In", "NotIn")),
        st.sampled_from(("node-1", "node-2")),
    )
    return st.builds(lambda found: {"matchExpressions": found}, expressions) | st.builds(
        lambda found: {"matchFields": found}, fields
    )


@cache
@st.composite
def _node_expressions(draw: st.DrawFn) -> Manifest:
    key = draw(_NODE_KEYS)
    operator = draw(_NODE_OPERATORS)
    match operator:
        case "In" | "NotIn":
            values = NODE_LABELS.get(key, ("zone-1", "zone-2"))
            return {"key": key, "operator": operator, "values": list(values[: draw(_ONE_OR_TWO)])}
        case "Gt" | "Lt":
            return {"key": "example.com/cores", "operator": operator, "values": ["8"]}
        case _:
            return {"key": key, "operator": operator}


@cache
def _pod_affinities() -> Manifests:
    weighted = st.fixed_dictionaries({"weight": _WEIGHTS, "podAffinityTerm": _pod_terms()})
    return _either(_some(_pod_terms()), weighted)


@cache
def _pod_terms() -> Manifests:
    plain = st.fixed_dictionaries(
        {"topologyKey": topology_keys()},
        optional={
            "labelSelector": selectors(),
            "namespaces": st.lists(namespaces_of(), max_size=2, unique=True),
            "namespaceSelector": selectors(),
        },
    )
    per_revision = st.fixed_dictionaries(
        {
            "topologyKey": topology_keys(),
            "labelSelector": selectors(),
            "matchLabelKeys": st.just([TEMPLATE_HASH]),
        }
    )
    return plain | per_revision


@cache
@st.composite
def tolerations(draw: st.DrawFn) -> Manifest:
    """A toleration: of a taint that nodes may have, or of all."""
    key = draw(_TAINT_KEYS)
    found: Manifest = {"key": key} if key else {"operator": "Exists"}
    if key and draw(st.booleans()):
        found["operator"] = "Exists"
    elif key and draw(st.booleans()):
        found |= {"operator": "Equal", "value": draw(_TAINT_VALUES)}
    if draw(st.booleans()):
        found["effect"] = draw(_EFFECTS)
    if found.get("effect") == "NoExecute" and draw(st.booleans()):
        found["tolerationSeconds"] = draw(_SECONDS)
    return found


@cache
def spread_constraints() -> st.SearchStrategy[list[Manifest]]:
    """Topology spread constraints of a pod, no two of them about the same."""
    return st.lists(
        _constraints(), max_size=2, unique_by=lambda c: (c["topologyKey"], c["whenUnsatisfiable"])
    )


@st.composite
def _constraints(draw: st.DrawFn) -> Manifest:
    found = draw(_some_constraints())
    if found["whenUnsatisfiable"] == "DoNotSchedule" and draw(st.booleans()):
        found["minDomains"] = draw(_SKEWS)
    if "labelSelector" in found and draw(st.booleans()):
        found["matchLabelKeys"] = [TEMPLATE_HASH]
    return found


@cache
def _some_constraints() -> Manifests:
    policies = st.sampled_from(("Honor", "Ignore"))
    return st.fixed_dictionaries(
        {
            "maxSkew": _SKEWS,
            "topologyKey": topology_keys(),
            "whenUnsatisfiable": st.sampled_from(("DoNotSchedule", "ScheduleAnyway")),
        },
        optional={
            "labelSelector": selectors(),
            "nodeAffinityPolicy": policies,
            "nodeTaintsPolicy": policies,
        },
    )
