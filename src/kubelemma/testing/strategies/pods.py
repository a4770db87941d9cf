"""Pods and the templates that workloads stamp them from."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from .affinities import affinities, node_selectors, spread_constraints, tolerations
from .words import (
    Manifest,
    Manifests,
    annotation_maps,
    labels,
    metadata,
    names,
    objects,
    resources,
    seldom,
)

_IMAGES = ("registry.example/web:1", "registry.example/web@sha256:" + "0" * 64, "busybox")
_ROOM = {"cpu": "64", "memory": "64Gi"}
"""More than the containers of a drawn pod ask for together."""

_PORTS = st.lists(st.integers(1, 65535), max_size=2, unique=True)
_PROTOCOLS = st.sampled_from(("TCP", "UDP", "SCTP"))


@st.composite
def pod_specs(draw: st.DrawFn, *, constrained: bool = True) -> Manifest:
    """Specifications of pods; if ``constrained``, with what limits where they may go."""
    host_network = draw(seldom(8))
    spec: Manifest = {"containers": draw(_containers(host_network=host_network))}
    if host_network:
        spec["hostNetwork"] = True
    if draw(seldom(4)):
        spec["initContainers"] = draw(_init_containers())
    spec |= draw(_details())
    if constrained:
        spec |= draw(_placing())
    return spec


@cache
def _details() -> Manifests:
    """Fields that do not limit where a pod may go."""
    critical = st.sampled_from(("system-cluster-critical", "system-node-critical"))
    return st.fixed_dictionaries(
        {},
        optional={
            "terminationGracePeriodSeconds": st.sampled_from((30, 0, 60)),
            "resources": st.just({"limits": _ROOM}),
            "priorityClassName": critical,
            "volumes": st.lists(_volumes(), max_size=2, unique_by=lambda v: v["name"]),
        },
    )


@cache
def _placing() -> Manifests:
    """Fields that do."""
    return st.fixed_dictionaries(
        {},
        optional={
            "nodeSelector": node_selectors(),
            "affinity": affinities(),
            "tolerations": st.lists(tolerations(), max_size=2),
            "topologySpreadConstraints": spread_constraints(),
        },
    )


@st.composite
def _containers(draw: st.DrawFn, *, host_network: bool) -> list[Manifest]:
    """Containers of distinct names, whose ports are distinct too."""
    found = draw(_named_containers())
    for index, number in enumerate(draw(_PORTS)):
        port: Manifest = {"containerPort": number}
        if draw(st.booleans()):
            port["protocol"] = draw(_PROTOCOLS)
        if host_network or draw(seldom(4)):
            port["hostPort"] = number
        found[index % len(found)].setdefault("ports", []).append(port)
    return found


@cache
def _named_containers() -> st.SearchStrategy[list[Manifest]]:
    return st.lists(_container(), min_size=1, max_size=2, unique_by=lambda c: c["name"])


@cache
def _container() -> Manifests:
    return st.fixed_dictionaries(
        {"name": names(), "image": st.sampled_from(_IMAGES)},
        optional={
            "resources": resources(),
            "env": st.lists(_variables(), max_size=2, unique_by=lambda v: v["name"]),
            "envFrom": st.just([{"secretRef": {"name": "token"}}]),
            "readinessProbe": _probes(),
            "livenessProbe": _probes(),
            "startupProbe": _probes(),
        },
    )


@cache
def _variables() -> Manifests:
    selector = {"name": "settings", "key": "mode"}
    values: tuple[Manifest, ...] = (
        {"value": "plain"},
        {"valueFrom": {"configMapKeyRef": selector}},
        {"valueFrom": {"secretKeyRef": {**selector, "optional": True}}},
        {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    )
    variables = st.sampled_from(("MODE", "TOKEN"))
    return st.builds(
        lambda name, value: {"name": name, **value}, variables, st.sampled_from(values)
    )


@cache
def _probes() -> Manifests:
    handlers = (
        {"httpGet": {"path": "/healthz", "port": 8080}},
        {"tcpSocket": {"port": 8080}},
        {"exec": {"command": ["true"]}},
    )
    return st.builds(
        lambda handler, timing: {**handler, **timing},
        st.sampled_from(handlers),
        st.fixed_dictionaries({}, optional={"periodSeconds": st.integers(1, 60)}),
    )


@cache
def _init_containers() -> st.SearchStrategy[list[Manifest]]:
    """Init containers, some of them sidecars; their names are not those of containers."""
    container = st.fixed_dictionaries(
        {"name": names().map(lambda name: f"init-{name}"), "image": st.sampled_from(_IMAGES)},
        optional={"resources": resources(), "restartPolicy": st.just("Always")},
    )
    return st.lists(container, min_size=1, max_size=2, unique_by=lambda c: c["name"])


@cache
def _volumes() -> Manifests:
    sources: tuple[Manifest, ...] = (
        {"emptyDir": {}},
        {"secret": {"secretName": "token", "optional": True}},
        {"projected": {"sources": [{"configMap": {"name": "settings"}}]}},
        {"configMap": {"name": "settings"}},
        {"persistentVolumeClaim": {"claimName": "data"}},
    )
    return st.builds(
        lambda name, source: {"name": name, **source}, names(), st.sampled_from(sources)
    )


@st.composite
def pod_templates(
    draw: st.DrawFn, *, restart_policy: str = "Always", constrained: bool = True
) -> Manifest:
    """Templates of pods with at least one label."""
    spec = draw(pod_specs(constrained=constrained))
    if restart_policy != "Always" or draw(st.booleans()):
        spec["restartPolicy"] = restart_policy
    if draw(seldom(5)):
        spec["schedulingGates"] = [{"name": "example.com/quota"}]
    own: Manifest = {"labels": draw(labels(least=1))}
    if draw(st.booleans()):
        own["annotations"] = draw(annotation_maps())
    return {"metadata": own, "spec": spec}


@st.composite
def pods(draw: st.DrawFn, *, nodes: tuple[str, ...] = ()) -> Manifest:
    """Pods of nobody's; where names of nodes are given, some are bound to one of them."""
    found = draw(objects("v1", "Pod", metadata=metadata(), spec=pod_specs()))
    spec = found["spec"]
    optional = {
        "restartPolicy": st.sampled_from(("Always", "OnFailure", "Never")),
        "activeDeadlineSeconds": st.integers(1, 3600),
    }
    spec |= draw(st.fixed_dictionaries({}, optional=optional))
    if bool(nodes) and draw(st.booleans()):
        spec["nodeName"] = draw(st.sampled_from(nodes))
    return found
