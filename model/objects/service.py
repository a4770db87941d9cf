"""Services."""

from __future__ import annotations

from collections.abc import Mapping

from .meta import ApiObject, ApiStruct


class ServiceSpec(ApiStruct, frozen=True, kw_only=True):
    """Which pods a Service sends traffic to; without a selector it selects none."""

    selector: Mapping[str, str] | None = None


class Service(ApiObject, frozen=True, kw_only=True):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()
