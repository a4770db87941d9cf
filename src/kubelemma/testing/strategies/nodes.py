"""Nodes, namespaces, and clusters of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from .words import (
    EXTENDED_RESOURCE,
    HOSTNAME,
    NODE_LABELS,
    TAINT_KEYS,
    ZONE,
    Manifest,
    Manifests,
    labels,
    names,
    objects,
    seldom,
)

_CORES = st.sampled_from(("1", "2", "4", "500m"))
_MEMORY = st.sampled_from(("4Gi", "8Gi", "2000Mi"))
_PODS = st.sampled_from(("110", "4", "2"))


@cache
def taints() -> st.SearchStrategy[list[Manifest]]:
    """Taints of a node, no key with the same effect twice."""
    taint = st.fixed_dictionaries(
        {
            "key": st.sampled_from(TAINT_KEYS),
            "effect": st.sampled_from(("NoSchedule", "PreferNoSchedule", "NoExecute")),
        },
        optional={"value": st.sampled_from(("yes", "batch", ""))},
    )
    return st.lists(taint, max_size=2, unique_by=lambda t: (t["key"], t["effect"]))


@cache
def allocatable() -> st.SearchStrategy[dict[str, str]]:
    """What a node has for pods."""
    return st.fixed_dictionaries(
        {"cpu": _CORES, "memory": _MEMORY, "pods": _PODS},
        optional={EXTENDED_RESOURCE: st.sampled_from(("1", "2"))},
    )


@st.composite
def nodes(draw: st.DrawFn, *, name: str = "node-1", zones: int = 2) -> Manifest:
    """Nodes of this name; in one of so many zones, or none where ``zones`` is 0."""
    own = {HOSTNAME: name}
    if zones and draw(st.booleans()):
        own[ZONE] = f"zone-{draw(st.integers(1, zones))}"
    for key, values in NODE_LABELS.items():
        if draw(st.booleans()):
            own[key] = draw(st.sampled_from(values))
    amounts = draw(allocatable())
    spec = draw(_node_specs())
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": own},
        "spec": spec,
        "status": {"capacity": amounts, "allocatable": amounts, **draw(_conditions())},
    }


@cache
def _node_specs() -> Manifests:
    return st.fixed_dictionaries({}, optional={"taints": taints(), "unschedulable": seldom(3)})


@cache
def _conditions() -> Manifests:
    """What the kubelet says of the node: most are Ready, or say nothing."""
    ready = st.sampled_from(("True", "True", "Unknown"))
    condition = ready.map(lambda status: [{"type": "Ready", "status": status}])
    return st.fixed_dictionaries({}, optional={"conditions": condition})


@st.composite
def clusters(draw: st.DrawFn, *, least: int = 1, most: int = 3, zones: int = 2) -> list[Manifest]:
    """Clusters: so many nodes, with names of their own."""
    number = draw(st.integers(least, most))
    return [draw(nodes(name=f"node-{index + 1}", zones=zones)) for index in range(number)]


def namespaces() -> Manifests:
    """Namespaces."""
    own: dict[str, st.SearchStrategy[Any]] = {"labels": labels()}
    return objects(
        "v1", "Namespace", metadata=st.fixed_dictionaries({"name": names()}, optional=own)
    )
