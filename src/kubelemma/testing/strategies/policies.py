"""Rules that owners and administrators set: disruption budgets, priorities, limits, runtimes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .affinities import node_selectors, tolerations
from .words import Manifest, Manifests, cpu, labels, memory, metadata, objects, selectors

_HIGHEST_PRIORITY = 1_000_000_000
_AMOUNTS = st.integers(0, 3) | st.integers(0, 100).map(lambda n: f"{n}%")


def disruption_budgets(*, selector: Manifests | None = None) -> Manifests:
    """PodDisruptionBudgets, by what must stay or by what may go, but never both."""
    spec = st.builds(
        lambda pods, bound, amount: {"selector": pods, bound: amount},
        selectors(least=1) if selector is None else selector,
        st.sampled_from(("minAvailable", "maxUnavailable")),
        _AMOUNTS,
    )
    return objects("policy/v1", "PodDisruptionBudget", metadata=metadata(), spec=spec)


def services(*, selector: st.SearchStrategy[dict[str, str]] | None = None) -> Manifests:
    """Services of the pods with these labels."""
    spec = st.builds(
        lambda pods, port: {"selector": pods, "ports": [{"port": port}]},
        labels(least=1) if selector is None else selector,
        st.integers(1, 65535),
    )
    named = metadata().map(lambda found: {**found, "name": f"s-{found['name']}"[:63].rstrip("-")})
    return objects("v1", "Service", metadata=named, spec=spec)


def ingresses() -> Manifests:
    """Ingresses that send all paths of a host to a port of a Service."""
    backend = st.builds(
        lambda name, port: {"service": {"name": name, "port": {"number": port}}},
        st.sampled_from(("web", "shop")),
        st.integers(1, 65535),
    )
    spec = st.builds(
        lambda kind, to: {
            "ingressClassName": "nginx",
            "rules": [
                {
                    "host": "shop.example",
                    "http": {"paths": [{"path": "/", "pathType": kind, "backend": to}]},
                }
            ],
        },
        st.sampled_from(("Exact", "ImplementationSpecific", "Prefix")),
        backend,
    )
    return objects("networking.k8s.io/v1", "Ingress", metadata=metadata(), spec=spec)


def endpoints() -> Manifests:
    """Endpoints of a Service without a selector: an address outside of the cluster."""
    subset = st.builds(
        lambda last, port: {"addresses": [{"ip": f"192.0.2.{last}"}], "ports": [{"port": port}]},
        st.integers(1, 254),
        st.integers(1, 65535),
    )
    subsets = st.lists(subset, max_size=2)
    return objects("v1", "Endpoints", metadata=metadata(), subsets=subsets)


def endpoint_slices() -> Manifests:
    """EndpointSlices of a Service without a selector."""
    kinds = st.sampled_from(("IPv4", "IPv6", "FQDN"))
    return objects("discovery.k8s.io/v1", "EndpointSlice", metadata=metadata(), addressType=kinds)


def ingress_classes() -> Manifests:
    """IngressClasses of some controller."""
    spec = st.sampled_from(({"controller": "k8s.io/ingress-nginx"}, {"controller": "acme.io/web"}))
    named = metadata(namespaced=False)
    return objects("networking.k8s.io/v1", "IngressClass", metadata=named, spec=spec)


def network_policies() -> Manifests:
    """NetworkPolicies that let pods of the namespace reach a port of some pods, or nobody."""
    rule = st.builds(
        lambda pods, port: {"from": [{"podSelector": pods}], "ports": [{"port": port}]},
        selectors(least=1),
        st.integers(1, 65535),
    )
    spec = st.builds(
        lambda pods, rules: {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": rules},
        selectors(least=1),
        st.lists(rule, max_size=2),
    )
    return objects("networking.k8s.io/v1", "NetworkPolicy", metadata=metadata(), spec=spec)


def priority_classes() -> Manifests:
    """PriorityClasses of users."""
    own: dict[str, st.SearchStrategy[Any]] = {
        "globalDefault": st.booleans(),
        "preemptionPolicy": st.sampled_from(("PreemptLowerPriority", "Never")),
    }
    return st.builds(
        lambda whole, rest: {**whole, **rest},
        objects(
            "scheduling.k8s.io/v1",
            "PriorityClass",
            metadata=metadata(namespaced=False),
            value=st.integers(-1000, _HIGHEST_PRIORITY),
        ),
        st.fixed_dictionaries({}, optional=own),
    )


def runtime_classes() -> Manifests:
    """RuntimeClasses, with what they need beside the containers and where they are."""
    overhead = st.fixed_dictionaries({}, optional={"cpu": cpu(500), "memory": memory(256)})
    scheduling = st.fixed_dictionaries(
        {},
        optional={
            "nodeSelector": node_selectors(),
            "tolerations": st.lists(tolerations(), max_size=1),
        },
    )
    return objects(
        "node.k8s.io/v1",
        "RuntimeClass",
        metadata=metadata(namespaced=False),
        handler=st.sampled_from(("runc", "gvisor")),
        overhead=st.builds(lambda fixed: {"podFixed": fixed}, overhead),
        scheduling=scheduling,
    )


def limit_ranges() -> Manifests:
    """LimitRanges with defaults for containers, within their bounds."""
    spec = st.lists(_limits(), min_size=1, max_size=2, unique_by=lambda item: item["type"])
    return objects(
        "v1", "LimitRange", metadata=metadata(), spec=st.builds(lambda i: {"limits": i}, spec)
    )


@st.composite
def _limits(draw: st.DrawFn) -> Manifest:
    """One item: min <= defaultRequest <= default <= max."""
    kind = draw(st.sampled_from(("Container", "Pod")))
    ordered = sorted(draw(st.lists(st.integers(1, 40), min_size=4, max_size=4)))
    fields = ("min", "defaultRequest", "default", "max")
    allowed = fields if kind == "Container" else ("min", "max")
    amounts = {
        field: {"cpu": f"{n * 100}m", "memory": f"{n * 64}Mi"}
        for field, n in zip(fields, ordered, strict=True)
        if field in allowed
    }
    return {"type": kind, **amounts}
