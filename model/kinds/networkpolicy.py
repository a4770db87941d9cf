"""NetworkPolicy.

Source: ``pkg/apis/networking/validation/validation.go`` (``ValidateNetworkPolicySpec``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.networkpolicy import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, not_modelled
from .parts.names import port_name
from .parts.rules import label_selector, one_of, problem, within

_SPEC: FieldPath = ("spec",)
_TYPES = ("Egress", "Ingress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LARGEST_PORT = 65535


def _refused(thing: NetworkPolicy) -> Iterator[Finding]:
    spec = thing.spec
    yield from label_selector(spec.pod_selector, (*_SPEC, "podSelector"))
    for index, into in enumerate(spec.ingress or ()):
        yield from _rule(into.ports, into.from_, (*_SPEC, "ingress", index), "from")
    for index, out in enumerate(spec.egress or ()):
        yield from _rule(out.ports, out.to, (*_SPEC, "egress", index), "to")
    path = (*_SPEC, "policyTypes")
    types = spec.policy_types or ()
    if len(types) > len(_TYPES):
        yield Finding(path, "may not specify more than two policyTypes")
        return
    for index, name in enumerate(types):
        yield from one_of(_TYPES, name, (*path, index))


def _rule(
    ports: Sequence[NetworkPolicyPort] | None,
    peers: Sequence[NetworkPolicyPeer] | None,
    path: FieldPath,
    whom: str,
) -> Iterator[Finding]:
    for index, port in enumerate(ports or ()):
        yield from _port(port, (*path, "ports", index))
    for index, peer in enumerate(peers or ()):
        yield from _peer(peer, (*path, whom, index))


def _port(port: NetworkPolicyPort, path: FieldPath) -> Iterator[Finding]:
    yield from one_of(_PROTOCOLS, port.protocol, (*path, "protocol"))
    end = (*path, "endPort")
    if isinstance(port.port, int):
        yield from within(1, _LARGEST_PORT, port.port, (*path, "port"))
        if port.end_port is not None:
            if port.end_port < port.port:
                yield Finding(end, "must be greater than or equal to `port`")
            yield from within(1, _LARGEST_PORT, port.end_port, end)
        return
    if port.end_port is not None:
        how = "is not specified" if port.port is None else "is non-numeric"
        yield Finding(end, f"may not be specified when `port` {how}")
    if port.port is not None:
        yield from problem((*path, "port"), port_name(port.port))


def _peer(peer: NetworkPolicyPeer, path: FieldPath) -> Iterator[Finding]:
    selectors = {"podSelector": peer.pod_selector, "namespaceSelector": peer.namespace_selector}
    given = {name: selector for name, selector in selectors.items() if selector is not None}
    for name, selector in given.items():
        yield from label_selector(selector, (*path, name))
    if peer.ip_block is not None:
        yield from _block(peer.ip_block, (*path, "ipBlock"))
        if given:
            yield Finding(path, "may not specify both ipBlock and another peer")
    elif not given:
        yield Finding(path, "must specify a peer")


def _block(block: IPBlock, path: FieldPath) -> Iterator[Finding]:
    if not block.cidr:
        yield Finding((*path, "cidr"), "is required")
        return
    whole = _network(block.cidr)
    if whole is None:
        yield Finding((*path, "cidr"), f'"{block.cidr}" is no range of addresses as 10.9.8.0/24')
        return
    for index, given in enumerate(block.except_ or ()):
        part, here = _network(given), (*path, "except", index)
        if part is None:
            yield Finding(here, f'"{given}" is no range of addresses as 10.9.8.0/24')
        elif not _is_strictly_within(part, whole):
            yield Finding(here, f'"{given}" must be a strict subset of `cidr`')


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(given: str) -> _Network | None:
    try:
        return ipaddress.ip_network(given, strict=False) if "/" in given else None
    except ValueError:
        return None


def _is_strictly_within(part: _Network, whole: _Network) -> bool:
    return (
        part.version == whole.version
        and part.prefixlen > whole.prefixlen
        and part.network_address in whole
    )


KIND = Kind(
    NetworkPolicy,
    "networking.k8s.io/v1",
    check=Use(
        fields={
            NetworkPolicySpec: not_modelled(
                "whom pods may not reach is not followed: what they need is taken to be reached",
                "egress",
            )
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
)
