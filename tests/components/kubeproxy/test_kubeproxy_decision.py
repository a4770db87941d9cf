"""Where a kube-proxy sends traffic to, against the answers of the real code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.kubeproxy.decision import (
    LOCAL,
    Endpoint,
    Place,
    Policy,
    categorize,
)
from kubelemma.model.components.kubeproxy.local import answers, is_near, keeps_traffic
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.service import Service

Case = dict[str, Any]
FILE = "proxy"
ZONE = "topology.kubernetes.io/zone"


def endpoints(case: Case) -> Iterator[Endpoint]:
    """The endpoints of all slices of a case, in their order."""
    for found in case["endpointSlices"]:
        (port,) = found["ports"]
        for listed in found["endpoints"] or ():
            conditions, hints = listed["conditions"], listed.get("hints", {})
            for address in listed["addresses"]:
                yield Endpoint(
                    f"{address}:{port['port']}",
                    ready=conditions.get("ready", True),
                    serving=conditions.get("serving", True),
                    terminating=conditions.get("terminating", False),
                    local=listed.get("nodeName") == case["nodeName"],
                    for_zones=frozenset(zone["name"] for zone in hints.get("forZones", ())),
                    for_nodes=frozenset(node["name"] for node in hints.get("forNodes", ())),
                )


def known(listed: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints of all slices: of several with one address one that is local, or the first.

    Source: pkg/proxy/endpointslicecache.go. Pods of the model have an address each.
    """
    found: dict[str, Endpoint] = {}
    for endpoint in listed:
        if endpoint.address not in found or endpoint.local:
            found[endpoint.address] = endpoint
    return tuple(found.values())


def answer(case: Case) -> dict[str, Any]:
    """What the model's proxy makes of a case, as it was recorded of the real one."""
    spec = case["service"]["spec"]
    outside = bool(spec.get("externalIPs")) or any(p.get("nodePort") for p in spec["ports"])
    policy = Policy(
        internal_local=spec.get("internalTrafficPolicy") == LOCAL,
        external_local=spec.get("externalTrafficPolicy") == LOCAL,
        external=outside,
    )
    merged = known(endpoints(case))
    found = categorize(merged, policy, Place(case["nodeName"], case["nodeLabels"].get(ZONE, "")))
    return {
        "cluster": sorted(e.address for e in found.cluster),
        "local": sorted(e.address for e in found.local),
        "allReachable": sorted(e.address for e in found.reachable),
        "hasAnyEndpoints": found.has_any,
        "numEndpoints": len(merged),
        "usesClusterEndpoints": policy.uses_cluster,
        "usesLocalEndpoints": policy.uses_local,
    }


def test_it_agrees_with_the_real_proxy(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """The endpoints for traffic of each sort are as recorded."""
    for case in oracle("proxy"):
        found = answer(case["input"])
        if found == case["expect"]:
            tally.passed(FILE)
        else:
            tally.failed(FILE, case["id"], f"{found} instead of {case['expect']}")
    tally.verify(FILE)


ENDPOINTS = st.lists(
    st.builds(
        Endpoint,
        st.sampled_from("abcde"),
        ready=st.booleans(),
        serving=st.booleans(),
        terminating=st.booleans(),
        local=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda endpoint: endpoint.address,
)


@given(ENDPOINTS, st.builds(Policy, st.booleans(), st.booleans(), st.booleans()))
def test_terminating_endpoints_are_the_last_resort(listed: list[Endpoint], policy: Policy) -> None:
    """None of them gets traffic that may leave its node while another one is ready."""
    chosen = categorize(listed, policy)
    if any(endpoint.ready for endpoint in chosen.cluster):
        assert all(endpoint.ready for endpoint in chosen.cluster)
    assert all(endpoint.ready or endpoint.last_resort for endpoint in chosen.reachable)


def test_traffic_that_stays_on_its_node() -> None:
    """It is dropped without an endpoint there; a load balancer's is led elsewhere."""
    services = {
        kind: decode({"spec": {"type": kind, "externalTrafficPolicy": LOCAL}}, Service)
        for kind in ("NodePort", "LoadBalancer")
    }
    assert keeps_traffic(services["NodePort"])
    assert not keeps_traffic(services["LoadBalancer"])
    inside = decode({"spec": {"internalTrafficPolicy": LOCAL}}, Service)
    for service in (services["NodePort"], inside):
        assert answers(service, 1)
        assert not answers(service, 0)


@pytest.mark.parametrize("distribution", ["PreferSameNode", "PreferSameZone", "PreferClose"])
def test_traffic_that_prefers_to_be_near(distribution: str) -> None:
    """It goes elsewhere where nobody is near."""
    service = decode({"spec": {"trafficDistribution": distribution}}, Service)
    assert is_near(service)
    assert not keeps_traffic(service)
    assert answers(service, 1)
    assert answers(service, 0)


@pytest.mark.parametrize("policy", [Policy(), Policy(internal_local=True)])
def test_nobody_to_send_to(policy: Policy) -> None:
    """Without endpoints a proxy refuses connections."""
    assert categorize((), policy) == ((), (), (), False)
