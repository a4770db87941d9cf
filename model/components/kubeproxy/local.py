"""Traffic that stays on its node: what a proxy does where the policy of a Service keeps it there.

Traffic of pods to a Service with ``internalTrafficPolicy: Local``, and that which comes to a node
port with ``externalTrafficPolicy: Local``, is dropped on a node without an endpoint, whatever is
ready elsewhere. A load balancer asks nodes for their health and goes elsewhere, so what it sends is
not asked about here.
"""

from __future__ import annotations

from kubelemma.model.objects.service import Service

from .decision import LOCAL, Endpoint, Policy, categorize

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


def answers(policy: Policy, ready: int) -> bool:
    """Whether traffic that stays on a node with so many ready endpoints is not dropped there.

    One that is ready on another node is of no use to it, and pods that terminate may stop at once.
    """
    other = Endpoint("elsewhere", ready=True, serving=True, terminating=False)
    own = other._replace(address="here", local=True)
    return bool(categorize((own, other) if ready else (other,), policy).local)
