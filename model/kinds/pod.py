"""Pod. What it has in common with templates is in ``parts/``.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import ContainerStatus, Pod, PodCondition, PodStatus

from .kind import Kind, Use
from .notes import STATUS, irrelevant
from .parts.pod_defaults import pod_defaults
from .parts.pods import pod_advice, pod_spec

_SPEC: FieldPath = ("spec",)


def _filled(thing: Pod) -> Pod:
    return replace(thing, spec=pod_defaults(thing.spec))


def _refused(thing: Pod) -> Iterator[Finding]:
    return pod_spec(thing.spec, _SPEC)


def _advice(thing: Pod) -> Iterator[Finding]:
    return pod_advice(thing.spec, _SPEC)


KIND = Kind(
    Pod,
    "v1",
    check=Use(
        fields={
            PodStatus: {
                **irrelevant(STATUS, "observedGeneration", "message", "qosClass", "resize"),
                **irrelevant(STATUS, "hostIP", "hostIPs", "podIP", "podIPs", "allocatedResources"),
                **irrelevant(STATUS, "ephemeralContainerStatuses", "resourceClaimStatuses"),
                **irrelevant(STATUS, "extendedResourceClaimStatus", "reason", "resources"),
            },
            PodCondition: irrelevant(
                STATUS, "lastProbeTime", "lastTransitionTime", "message", "observedGeneration"
            ),
            ContainerStatus: {
                **irrelevant(STATUS, "state", "lastState", "started", "image", "imageID"),
                **irrelevant(STATUS, "containerID", "volumeMounts", "user", "stopSignal"),
                **irrelevant(STATUS, "allocatedResourcesStatus", "restartCount", "ready"),
            },
        }
    ),
    placement=Use(),
    filled=_filled,
    refused=_refused,
    advice=_advice,
)
