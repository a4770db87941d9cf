"""Network policies.

Source: staging/src/k8s.io/api/networking/v1/types.go.
"""

from __future__ import annotations

import msgspec

from .meta import ApiObject, ApiStruct, LabelSelector


class NetworkPolicyPort(ApiStruct, frozen=True, kw_only=True):
    """A port of pods by number or name, or a range of them; any where it is None."""

    protocol: str = "TCP"
    port: int | str | None = None
    end_port: int | None = None


class IPBlock(ApiStruct, frozen=True, kw_only=True):
    """A range of addresses, but for some of them."""

    cidr: str = ""
    except_: tuple[str, ...] | None = msgspec.field(default=None, name="except")


class NetworkPolicyPeer(ApiStruct, frozen=True, kw_only=True):
    """Who is meant at the other end: pods, of this namespace or of others, or addresses."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyIngressRule(ApiStruct, frozen=True, kw_only=True):
    """Whom a policy lets in, and to which ports; anybody and to any where nothing is given."""

    ports: tuple[NetworkPolicyPort, ...] | None = None
    from_: tuple[NetworkPolicyPeer, ...] | None = msgspec.field(default=None, name="from")


class NetworkPolicyEgressRule(ApiStruct, frozen=True, kw_only=True):
    """Whom pods may reach, and at which ports."""

    ports: tuple[NetworkPolicyPort, ...] | None = None
    to: tuple[NetworkPolicyPeer, ...] | None = None


class NetworkPolicySpec(ApiStruct, frozen=True, kw_only=True):
    """The pods that are meant, and what is let in and out."""

    pod_selector: LabelSelector = LabelSelector()
    ingress: tuple[NetworkPolicyIngressRule, ...] | None = None
    egress: tuple[NetworkPolicyEgressRule, ...] | None = None
    policy_types: tuple[str, ...] | None = None


class NetworkPolicy(ApiObject, frozen=True, kw_only=True):
    """A network policy."""

    spec: NetworkPolicySpec = NetworkPolicySpec()
