"""Services."""

from __future__ import annotations

from collections.abc import Mapping

from .meta import ApiStruct, ObjectMeta


class ServiceSpec(ApiStruct, frozen=True, kw_only=True):
    """Which pods a Service sends traffic to; without a selector it selects none."""

    selector: Mapping[str, str] | None = None


class Service(ApiStruct, frozen=True, kw_only=True):
    """A Service."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()
