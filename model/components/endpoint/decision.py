"""What the Endpoints object of a Service says of a pod.

The API is deprecated since v1.33, and the controller still runs: beside the slices it writes one
object for each Service, in its own time, from its own caches. No kube-proxy, DNS server or Ingress
controller of today goes by it, so that it changes no verdict here; what it writes is held against
recorded runs (``kubelemma conform``).

Source: pkg/controller/endpoint/endpoints_controller.go, ``syncService`` and ``addEndpointSubset``,
and ``ShouldPodBeInEndpoints`` of staging/src/k8s.io/endpointslice/util/controller_utils.go.
"""

from __future__ import annotations

from enum import StrEnum

from kubelemma.model.components.endpointslice.decision import is_endpoint


class Listed(StrEnum):
    """In which list of the object an address is."""

    READY = "addresses"
    NOT_READY = "notReadyAddresses"


def listed(
    phase: str,
    *,
    has_address: bool,
    ready: bool,
    terminating: bool,
    publish_not_ready: bool = False,
) -> Listed | None:
    """Where a pod is listed; None where it is not: unlike in slices, one that terminates is out."""
    if not is_endpoint(phase, has_address=has_address) or (terminating and not publish_not_ready):
        return None
    return Listed.READY if ready or publish_not_ready else Listed.NOT_READY
