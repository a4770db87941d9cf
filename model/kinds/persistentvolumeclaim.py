"""PersistentVolumeClaim. What its template has too is in ``parts/``.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.scheduler.decision.volumes import size
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.storage import PersistentVolumeClaim, PersistentVolumeClaimStatus

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant
from .parts.volumes import claim_spec

_SPEC: FieldPath = ("spec",)
_SIZE: FieldPath = ("spec", "resources", "requests", "storage")
_MAY_CHANGE = (_SIZE[:2], ("spec", "volumeAttributesClassName"))


def _refused(thing: PersistentVolumeClaim) -> Iterator[Finding]:
    return claim_spec(thing.spec, _SPEC)


def _refused_change(
    before: PersistentVolumeClaim, after: PersistentVolumeClaim, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidatePersistentVolumeClaimUpdate``."""
    named = before.spec.volume_name or not after.spec.volume_name
    may = _MAY_CHANGE if named else (*_MAY_CHANGE, ("spec", "volumeName"))
    for path in changed:
        if path[:1] == _SPEC and not any(path[: len(free)] == free for free in may):
            yield Finding(
                path,
                "Forbidden: spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims",
            )
    if size(after) < size(before):
        yield Finding(_SIZE, "Forbidden: field can not be less than previous value")


_TOLD = (
    "accessModes",
    "capacity",
    "conditions",
    "allocatedResources",
    "allocatedResourceStatuses",
    "modifyVolumeStatus",
    "currentVolumeAttributesClassName",
)

KIND = Kind(
    PersistentVolumeClaim,
    "v1",
    check=Use(fields={PersistentVolumeClaimStatus: irrelevant(NO_EFFECT, *_TOLD)}),
    placement=Use(fields={PersistentVolumeClaimStatus: irrelevant(NOT_PLACING, *_TOLD)}),
    refused=_refused,
    written_whole=_SPEC,
    refused_change=_refused_change,
)
