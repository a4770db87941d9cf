"""Endpoints.

Source: ``pkg/apis/core/validation/validation.go`` (``ValidateEndpoints``).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from kubelemma.model.components.endpointslicemirroring.decision import Unmirrored, unmirrored
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.endpoints import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
)
from kubelemma.model.objects.service import Service

from .kind import Beside, Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, Note, irrelevant
from .parts.names import dns_label
from .parts.rules import one_of, problem, within

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LARGEST_PORT = 65535


def _refused(thing: Endpoints) -> Iterator[Finding]:
    for index, subset in enumerate(thing.subsets or ()):
        here: FieldPath = ("subsets", index)
        if not (subset.addresses or subset.not_ready_addresses):
            yield Finding(here, "must specify `addresses` or `notReadyAddresses`")
        for field, addresses in (
            ("addresses", subset.addresses),
            ("notReadyAddresses", subset.not_ready_addresses),
        ):
            for number, address in enumerate(addresses or ()):
                yield from problem((*here, field, number, "ip"), _wrong(address.ip))
        ports = subset.ports or ()
        for number, port in enumerate(ports):
            yield from _port(port, (*here, "ports", number), named=len(ports) > 1)


def _wrong(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return f'"{text}" must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
    ranges = {
        "unspecified (0.0.0.0 or ::)": address.is_unspecified,
        "in the loopback range (127.0.0.0/8, ::1/128)": address.is_loopback,
        "in the link-local range (169.254.0.0/16, fe80::/10)": address.is_link_local,
        "in the link-local multicast range (224.0.0.0/24, ff02::/10)": address.is_multicast,
    }
    return next((f'"{text}" may not be {what}' for what, found in ranges.items() if found), None)


def _port(port: EndpointPort, path: FieldPath, *, named: bool) -> Iterator[Finding]:
    if port.name:
        yield from problem((*path, "name"), dns_label(port.name))
    elif named:
        yield Finding((*path, "name"), "is required where there are several ports")
    yield from within(1, _LARGEST_PORT, port.port, (*path, "port"))
    yield from one_of(_PROTOCOLS, port.protocol, (*path, "protocol"))


def _beside(thing: Endpoints, beside: Beside) -> Iterator[Finding]:
    """Whether anybody who sends traffic comes to know of them."""
    own = (s for s in beside.of(Service) if s.metadata.name == thing.metadata.name)
    why = next((unmirrored(thing, service) for service in own), None)
    if why is Unmirrored.SELECTED:
        yield Finding(("subsets",), f"are not kept, for {why}: leave them out, or the selector")
    elif why is not None:
        yield Finding(
            ("subsets",),
            f"are not mirrored to EndpointSlices, for {why}: no kube-proxy goes by them",
        )


KIND = Kind(
    Endpoints,
    "v1",
    check=Use(
        fields={
            EndpointAddress: irrelevant(NO_EFFECT, "hostname", "nodeName", "targetRef"),
            EndpointPort: irrelevant(NO_EFFECT, "appProtocol"),
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
    beside=_beside,
)
