"""Pod. What it has in common with templates is in ``parts/``.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.components.tainteviction.decision import with_default_tolerations
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import ContainerStatus, Pod, PodCondition, PodStatus

from .kind import Kind, Use
from .notes import STATUS, irrelevant
from .parts.left_out import OF_PODS
from .parts.pod_defaults import pod_defaults
from .parts.pods import pod_advice, pod_spec

_SPEC: FieldPath = ("spec",)


def _filled(thing: Pod) -> Pod:
    return replace(thing, spec=pod_defaults(thing.spec))


def _refused(thing: Pod) -> Iterator[Finding]:
    return pod_spec(thing.spec, _SPEC)


def _advice(thing: Pod) -> Iterator[Finding]:
    return pod_advice(thing.spec, _SPEC)


_MAY_CHANGE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def _refused_change(before: Pod, after: Pod, changed: tuple[FieldPath, ...]) -> Iterator[Finding]:
    """Source: ``ValidatePodUpdate``. Resources change by the subresource ``resize`` alone."""
    gates = [{gate.name for gate in pod.spec.scheduling_gates or ()} for pod in (before, after)]
    for name in sorted(gates[1] - gates[0]):
        message = f"only deletion is allowed, but found new scheduling gate '{name}'"
        yield Finding(("spec", "schedulingGates"), f"Forbidden: {message}")
    old, new = (_tolerations(pod) for pod in (before, after))
    if not old <= new:
        message = "existing toleration can not be modified except its tolerationSeconds"
        yield Finding(("spec", "tolerations"), f"Forbidden: {message}")
    fixed = [path for path in changed if path[:1] == _SPEC and not _may_change(before, path)]
    if fixed:
        message = f"pod updates may not change fields other than {_MAY_CHANGE}"
        yield Finding(fixed[0], f"Forbidden: {message}")


def _tolerations(pod: Pod) -> set[tuple[str, ...]]:
    """The tolerations of a pod, without for how long."""
    found = with_default_tolerations(pod.spec.tolerations or ())
    return {(t.key, t.operator, t.value, t.effect) for t in found}


def _may_change(before: Pod, path: FieldPath) -> bool:
    match path:
        case ("spec", "containers" | "initContainers", _, "image"):
            return True
        case ("spec", "activeDeadlineSeconds" | "tolerations" | "schedulingGates", *_):
            return True
        case ("spec", "nodeSelector", *_) | ("spec", "affinity", "nodeAffinity", *_):
            return bool(before.spec.scheduling_gates)
        case ("spec", "terminationGracePeriodSeconds"):
            return (before.spec.termination_grace_period_seconds or 0) < 0
        case _:
            return False


KIND = Kind(
    Pod,
    "v1",
    check=Use(
        fields={
            Pod: {"metadata": OF_PODS},
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
    placement=Use(fields={Pod: {}}),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    generated=True,
    written_whole=_SPEC,
    refused_change=_refused_change,
)
