"""Endpoints and EndpointSlices, as far as people write them for Services without a selector.

Sources: staging/src/k8s.io/api/core/v1/types.go, staging/src/k8s.io/api/discovery/v1/types.go.
"""

from __future__ import annotations

from .meta import ApiObject, ApiStruct


class EndpointAddress(ApiStruct, frozen=True, kw_only=True):
    """An address that traffic may go to."""

    ip: str = ""


class EndpointPort(ApiStruct, frozen=True, kw_only=True):
    """A port there, by the name that the Service's has."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class EndpointSubset(ApiStruct, frozen=True, kw_only=True):
    """Addresses that have the same ports."""

    addresses: tuple[EndpointAddress, ...] | None = None
    not_ready_addresses: tuple[EndpointAddress, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Endpoints(ApiObject, frozen=True, kw_only=True):
    """The endpoints of the Service of the same name."""

    subsets: tuple[EndpointSubset, ...] | None = None


class EndpointSlice(ApiObject, frozen=True, kw_only=True):
    """Some of the endpoints of the Service that a label names."""

    address_type: str = ""
