"""EndpointSlice, as far as it says that a Service without a selector has endpoints.

Source: ``pkg/apis/discovery/validation/validation.go`` (``ValidateEndpointSlice``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.endpoints import EndpointSlice

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, Note, irrelevant
from .parts.rules import one_of

_TYPES = ("IPv4", "IPv6", "FQDN")


def _refused(thing: EndpointSlice) -> Iterator[Finding]:
    if not thing.address_type:
        yield Finding(("addressType",), "is required")
    yield from one_of(_TYPES, thing.address_type, ("addressType",))


KIND = Kind(
    EndpointSlice,
    "discovery.k8s.io/v1",
    check=Use(fields={EndpointSlice: irrelevant(NO_EFFECT, "endpoints", "ports")}),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
)
