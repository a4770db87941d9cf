"""Which Endpoints are mirrored to EndpointSlices, by which alone kube-proxies and others go.

The endpoints of a Service with a selector are its controllers', who write over what anybody else
writes. Those of a Service without one are whoever's: slices are taken as they are, and Endpoints
are mirrored.

Source: pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go,
``syncEndpoints`` and ``shouldMirror``, and utils.go beside it.
"""

from __future__ import annotations

from enum import StrEnum

from kubelemma.model.objects.endpoints import Endpoints
from kubelemma.model.objects.service import Service

SERVICE_NAME = "kubernetes.io/service-name"
"""The label of a slice that names its Service."""
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
"""The annotation of Endpoints that stand for an election."""


class Unmirrored(StrEnum):
    """Why Endpoints are not mirrored."""

    SKIPPED = f'the label {SKIP_MIRROR}: "true"'
    ELECTION = f"the annotation {LEADER}"
    SELECTED = "the selector of the Service, whose controllers write over them"


def unmirrored(endpoints: Endpoints, service: Service) -> Unmirrored | None:
    """Why the Endpoints of a Service are not mirrored; None where they are."""
    if endpoints.metadata.label_map().get(SKIP_MIRROR) == "true":
        return Unmirrored.SKIPPED
    if LEADER in endpoints.metadata.annotation_map():
        return Unmirrored.ELECTION
    return Unmirrored.SELECTED if service.spec.selector else None
