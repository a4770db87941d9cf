"""Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from .meta import ApiObject, ApiStruct

PortReference: TypeAlias = int | str
"""The number of a port, or the name of a container's port; 0 where nothing is said."""
EXTERNAL_NAME = "ExternalName"
"""The type of a Service that is another name for a host, and has no endpoints."""
HEADLESS = "None"
"""As ``spec.clusterIP``: the Service has no address of its own."""


class ServicePort(ApiStruct, frozen=True, kw_only=True):
    """A port of a Service, and the port of its pods that traffic goes to."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"
    target_port: PortReference = 0
    node_port: int = 0


class ServiceSpec(ApiStruct, frozen=True, kw_only=True):
    """Which pods a Service sends traffic to; without a selector it selects none."""

    selector: Mapping[str, str] | None = None
    ports: tuple[ServicePort, ...] | None = None
    type: str = ""
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    external_name: str = ""
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    publish_not_ready_addresses: bool = False
    internal_traffic_policy: str = ""
    external_traffic_policy: str = ""
    traffic_distribution: str = ""
    session_affinity: str = ""
    load_balancer_class: str = ""
    load_balancer_source_ranges: tuple[str, ...] | None = None
    allocate_load_balancer_node_ports: bool | None = None
    health_check_node_port: int = 0


class Service(ApiObject, frozen=True, kw_only=True):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()
