"""Plugin NodePorts: a host port is given out once for each address and protocol.

Source: pkg/scheduler/framework/plugins/nodeports/node_ports.go and
staging/src/k8s.io/kube-scheduler/framework/types.go (HostPortInfo).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .status import SKIP, SUCCESS, Status, unschedulable

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a value of the API, nothing is bound to it


class HostPort(NamedTuple):
    """A port of the node that a pod claims."""

    ip: str
    protocol: str
    port: int

    def conflicts_with(self, other: HostPort) -> bool:
        """Whether both cannot be open: same port and protocol, and addresses that overlap."""
        overlap = self.ip == other.ip or ANY_ADDRESS in (self.ip, other.ip)
        return overlap and (self.protocol, self.port) == (other.protocol, other.port)


def host_ports(pod: Pod) -> Iterator[HostPort]:
    """The host ports of the pod's containers and sidecars."""
    sidecars = (c for c in pod.spec.init_containers or () if c.restart_policy == "Always")
    for container in (*(pod.spec.containers or ()), *sidecars):
        for port in container.ports or ():
            if port.host_port:
                yield HostPort(port.host_ip or ANY_ADDRESS, port.protocol or "TCP", port.host_port)


def pre_filter(pod: Pod) -> Status:
    """Skip where the pod claims no host port."""
    return SUCCESS if any(host_ports(pod)) else SKIP


def filter_ports(pod: Pod, info: NodeInfo) -> Status:
    """Every host port of the pod must be free on the node."""
    used = [port for other in info.pods for port in host_ports(other)]
    if any(wanted.conflicts_with(port) for wanted in host_ports(pod) for port in used):
        return unschedulable("node(s) didn't have free ports for the requested pod ports")
    return SUCCESS
