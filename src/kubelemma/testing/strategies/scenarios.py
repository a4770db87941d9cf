"""Whole questions: Deployments, a cluster, and what may happen, small enough to be explored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from .nodes import allocatable, clusters, taints
from .pods import pod_templates
from .policies import disruption_budgets
from .words import NODE_LABELS, Manifest, Manifests, names, seldom
from .workloads import deployments

MOST_STATES = 5_000
"""Where the search of a drawn scenario gives up; nearly all of them end before."""

_OF_DEPLOYMENTS = ("rollout", "scale", "pause", "resume", "rollback", "deletePod", "probeFailure")
_OF_NODES = ("cordon", "uncordon", "drain", "nodeCrash", "nodeReturn")
_VERSIONS = ("healthy", "neverReady", "crashLooping", "imageCannotBePulled")


@st.composite
def applications(
    draw: st.DrawFn,
    *,
    most: int = 2,
    most_replicas: int = 2,
    constrained: bool = True,
    nodes: Sequence[str] = (),
) -> list[Manifest]:
    """Deployments of distinct names, all in one namespace.

    Args:
        draw: given by Hypothesis.
        most: how many Deployments there are at most.
        most_replicas: how many replicas each has at most.
        constrained: whether something limits where their pods may go.
        nodes: names that templates may pin their pods to.
    """
    found = draw(_some_deployments(most, most_replicas, constrained=constrained))
    for deployment in found:
        deployment["metadata"].pop("namespace", None)
        deployment["spec"].setdefault("replicas", 1)
        if bool(nodes) and draw(seldom(16)):
            deployment["spec"]["template"]["spec"]["nodeName"] = draw(st.sampled_from(list(nodes)))
    return found


@cache
def _some_deployments(
    most: int, most_replicas: int, *, constrained: bool
) -> st.SearchStrategy[list[Manifest]]:
    template = pod_templates(constrained=constrained)
    own = deployments(most_replicas=most_replicas, template=template)
    return st.lists(own, min_size=1, max_size=most, unique_by=lambda d: str(d["metadata"]["name"]))


@st.composite
def node_groups(draw: st.DrawFn, *, most: int = 3) -> list[Manifest]:
    """Groups of equal nodes, as a Check's ``cluster.nodes`` has them; at most so many nodes."""
    number = draw(st.integers(1, most))
    sizes = [number]
    if number > 1 and draw(st.booleans()):
        sizes = [number - 1, 1]
    return [draw(_groups(size)) for size in sizes]


@cache
def _groups(count: int) -> Manifests:
    own = {key: st.sampled_from(values) for key, values in NODE_LABELS.items()}
    optional: dict[str, st.SearchStrategy[Any]] = {
        "labels": st.fixed_dictionaries({}, optional=own),
        "taints": taints(),
        "zones": st.integers(1, count),
        "unschedulable": seldom(3),
    }
    required = {"count": st.just(count), "allocatable": allocatable()}
    return st.fixed_dictionaries(required, optional=optional)


def events(deployments: Sequence[str], nodes: Sequence[str] = ()) -> Manifests:
    """Events of a Check, each at most once: of these Deployments, and of these or any nodes."""
    target = st.sampled_from(list(deployments))
    node = st.fixed_dictionaries(
        {}, optional={"node": st.sampled_from(list(nodes))} if nodes else {}
    )
    own = st.fixed_dictionaries({"deployment": target})
    versions = st.fixed_dictionaries({}, optional={"newVersion": st.sampled_from(_VERSIONS)})
    special = {
        "rollout": st.builds(lambda named, rest: {**named, **rest}, own, versions),
        "scale": st.fixed_dictionaries({"deployment": target, "replicas": st.integers(0, 2)}),
    }
    kinds = {name: special.get(name, own) for name in _OF_DEPLOYMENTS}
    kinds |= dict.fromkeys(_OF_NODES, node)
    often = ("rollout",) * 8 + ("nodeCrash",) * 2
    return st.sampled_from((*often, *kinds)).flatmap(
        lambda name: kinds[name].map(lambda fields: {name: fields})
    )


@st.composite
def checks(
    draw: st.DrawFn,
    deployments: Sequence[str],
    nodes: Sequence[str] = (),
    *,
    most_events: int = 2,
    most_states: int = MOST_STATES,
) -> Manifest:
    """Checks of these Deployments.

    Args:
        draw: given by Hypothesis.
        deployments: their names.
        nodes: names of the nodes that are given as objects; where there are none, the Check has
            nodes of its own.
        most_events: how many events there are at most.
        most_states: after how many states the search gives up.
    """
    spec: Manifest = {}
    if not nodes:
        spec["cluster"] = {"nodes": draw(node_groups())}
    happening = events(deployments, nodes)
    spec["events"] = draw(st.lists(happening, min_size=1, max_size=most_events))
    optional: dict[str, st.SearchStrategy[Any]] = {
        "scheduler": st.builds(lambda scoring: {"scoring": scoring}, st.booleans()),
        "faults": st.builds(lambda n: {"controllerRestarts": n}, st.integers(0, 1)),
    }
    if len(deployments) > 1:
        optional["together"] = st.just(list(deployments))
    spec |= draw(st.fixed_dictionaries({}, optional=optional))
    spec["bounds"] = {"maxStates": most_states}
    return {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": draw(names())},
        "spec": spec,
    }


@st.composite
def scenarios(
    draw: st.DrawFn, *, most_deployments: int = 2, most_replicas: int = 2
) -> list[Manifest]:
    """Scenarios: a Check and the objects that it is about, for one file, or for ``check``.

    They are small: at most three nodes and two events, each of which happens at most once. The
    search of one takes a moment, and is given up after 5,000 states.

    Args:
        draw: given by Hypothesis.
        most_deployments: how many Deployments there are at most.
        most_replicas: how many replicas each has at most.
    """
    machines = draw(clusters()) if draw(st.booleans()) else []
    hosts = [node["metadata"]["name"] for node in machines]
    found = draw(
        applications(
            most=most_deployments,
            most_replicas=most_replicas,
            constrained=draw(st.booleans()),
            nodes=hosts,
        )
    )
    budgets = []
    if draw(seldom(4)):
        selector = st.just(found[0]["spec"]["selector"])
        budgets = [draw(disruption_budgets(selector=selector))]
    check = draw(checks([d["metadata"]["name"] for d in found], hosts))
    return [check, *found, *budgets, *machines]
