"""Traffic that stays on its node: what a proxy does where the policy of a Service keeps it there.

Traffic of pods to a Service with ``internalTrafficPolicy: Local``, and that which comes to a node
port with ``externalTrafficPolicy: Local``, is dropped on a node without an endpoint, whatever is
ready elsewhere. A load balancer asks nodes for their health and goes elsewhere, so what it sends is
not asked about here.
"""

from __future__ import annotations

from kubelemma.model.objects.service import Service

from .decision import LOCAL, Endpoint, Hints, Place, Policy, categorize

_BALANCED = "LoadBalancer"


def policy_of(service: Service) -> Policy:
    """The policies of a Service, as a proxy reads them."""
    spec = service.spec
    ported = any(port.node_port for port in spec.ports or ())
    return Policy(
        internal_local=spec.internal_traffic_policy == LOCAL,
        external_local=spec.external_traffic_policy == LOCAL,
        external=bool(spec.external_ips) or spec.type in ("NodePort", _BALANCED) or ported,
    )


def keeps_traffic(service: Service) -> bool:
    """Whether some traffic stays on its node that nobody leads elsewhere."""
    policy = policy_of(service)
    return policy.internal_local or (policy.uses_local and service.spec.type != _BALANCED)


def is_near(service: Service) -> bool:
    """Whether traffic stays on its node, or prefers endpoints that are near."""
    return keeps_traffic(service) or bool(service.spec.traffic_distribution)


def answers(service: Service, ready: int) -> bool:
    """Whether a node with so many ready endpoints has somebody for its own traffic.

    One that is ready on another node, in another zone, is of use only where traffic may leave its
    node: with a preference hints are ignored where none is for this place. Pods that terminate do
    not count, as they may stop at once.
    """
    given = ("here", "elsewhere") if ready else ("elsewhere",)
    endpoints = tuple(_endpoint(service.spec.traffic_distribution, where) for where in given)
    chosen = categorize(endpoints, policy_of(service), Place("here", "here"))
    return bool(chosen.local if keeps_traffic(service) else chosen.reachable)


def stays_near(service: Service, near: int, far: int) -> bool | None:
    """Whether what pods of a zone send to a Service stays in their zone.

    There are so many ready endpoints in it, and in others. None where nobody is ready, or where
    traffic stays on its node anyway.
    """
    if policy_of(service).internal_local:
        return None
    there = (("here", near), ("elsewhere", far))
    distribution = service.spec.traffic_distribution
    endpoints = tuple(_endpoint(distribution, where) for where, ready in there if ready)
    chosen = categorize(endpoints, Policy(), Place("here", "here")).reachable
    return all(endpoint.local for endpoint in chosen) if chosen else None


def _endpoint(distribution: str, where: str) -> Endpoint:
    """A ready endpoint, with the hint that the EndpointSlice controller gives it."""
    own = frozenset({where})
    return Endpoint(
        where,
        ready=True,
        serving=True,
        terminating=False,
        local=where == "here",
        for_zones=own if distribution else frozenset(),
        for_nodes=own if distribution == Hints.NODE else frozenset(),
    )
