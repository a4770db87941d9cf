"""Workloads: Deployments, and the other kinds that make pods."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from .pods import pod_templates
from .words import LARGEST_INT32, Manifest, Manifests, metadata, objects, selectors_of

_WHOLE_PERCENT = 100
_COUNTS = st.integers(0, 3)
_SHARES = st.integers(0, _WHOLE_PERCENT).map(lambda n: f"{n}%")
_BOUNDS = ("maxUnavailable", "maxSurge")
_ROLLING_BOUNDS = st.fixed_dictionaries(
    {}, optional={"maxSurge": _COUNTS | _SHARES, "maxUnavailable": _COUNTS | _SHARES}
)


@cache
def strategies_of_deployments() -> Manifests:
    """Ways to replace pods: by rolling update, its bounds given or not, or all at once."""
    return _rolling() | st.just({"type": "Recreate"})


@st.composite
def _rolling(draw: st.DrawFn) -> Manifest:
    """A rolling update whose bounds are not both zero."""
    found: Manifest = {"type": "RollingUpdate"} if draw(st.booleans()) else {}
    bounds = draw(_ROLLING_BOUNDS)
    if {str(bounds.get(bound, 1)).removesuffix("%") for bound in _BOUNDS} == {"0"}:
        bounds[draw(st.sampled_from(_BOUNDS))] = 1
    return {**found, "rollingUpdate": bounds} if bounds else found


@st.composite
def deployments(
    draw: st.DrawFn, *, most_replicas: int = 5, template: Manifests | None = None
) -> Manifest:
    """Deployments that the API server accepts.

    Args:
        draw: given by Hypothesis.
        most_replicas: how many replicas there are at most.
        template: the templates of their pods; any where nothing is said.
    """
    found = draw(_selecting("apps/v1", "Deployment", template))
    spec = found["spec"]
    spec |= draw(_details(most_replicas))
    return found


@cache
def _details(most_replicas: int) -> Manifests:
    return st.fixed_dictionaries(
        {},
        optional={
            "replicas": st.integers(0, most_replicas),
            "strategy": strategies_of_deployments(),
            "minReadySeconds": st.integers(0, 10),
            "revisionHistoryLimit": st.integers(0, 10),
            "progressDeadlineSeconds": st.sampled_from((600, 11, LARGEST_INT32)),
            "paused": st.booleans(),
        },
    )


def replica_sets(*, most_replicas: int = 5) -> Manifests:
    """ReplicaSets of nobody's."""
    return _sized("ReplicaSet", most_replicas)


def stateful_sets(*, most_replicas: int = 5) -> Manifests:
    """StatefulSets without claims of their own."""
    return _sized("StatefulSet", most_replicas)


@st.composite
def _sized(draw: st.DrawFn, kind: str, most_replicas: int) -> Manifest:
    found = draw(_selecting("apps/v1", kind))
    if draw(st.booleans()):
        found["spec"]["replicas"] = draw(st.integers(0, most_replicas))
    return found


def daemon_sets() -> Manifests:
    """DaemonSets."""
    return _selecting("apps/v1", "DaemonSet")


@st.composite
def replication_controllers(draw: st.DrawFn, *, most_replicas: int = 5) -> Manifest:
    """ReplicationControllers, whose selectors are plain labels, or their templates'."""
    template = draw(pod_templates())
    spec: Manifest = {"template": template, "replicas": draw(st.integers(0, most_replicas))}
    if draw(st.booleans()):
        spec["selector"] = template["metadata"]["labels"]
    return draw(objects("v1", "ReplicationController", metadata=metadata(), spec=st.just(spec)))


def jobs() -> Manifests:
    """Jobs."""
    counts = st.integers(0, 4)
    spec = st.fixed_dictionaries(
        {"template": st.sampled_from(("Never", "OnFailure")).flatmap(_restarting)},
        optional={"parallelism": counts, "completions": counts, "suspend": st.booleans()},
    )
    return objects("batch/v1", "Job", metadata=metadata(), spec=spec)


def _restarting(policy: str) -> Manifests:
    return pod_templates(restart_policy=policy)


@st.composite
def _selecting(
    draw: st.DrawFn, api_version: str, kind: str, template: Manifests | None = None
) -> Manifest:
    """A workload whose selector claims the pods of its template."""
    pods = draw(pod_templates() if template is None else template)
    selector = draw(selectors_of(pods["metadata"]["labels"]))
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": draw(metadata()),
        "spec": {"selector": selector, "template": pods},
    }
