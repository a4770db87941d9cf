"""PersistentVolumeClaim. What its template has too is in ``parts/``.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.components.scheduler.decision.volumes import Shelf, size
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.storage import (
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
    Storage,
    StorageClass,
)

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant
from .parts.volumes import claim_spec

_SPEC: FieldPath = ("spec",)
_SIZE: FieldPath = ("spec", "resources", "requests", "storage")


def _refused(thing: PersistentVolumeClaim) -> Iterator[Finding]:
    return claim_spec(thing.spec, _SPEC)


def _refused_change(
    before: PersistentVolumeClaim, after: PersistentVolumeClaim, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidatePersistentVolumeClaimUpdate``.

    Of a claim whose phase is not given it is taken that it is bound, and of one whose volume's size
    is not, that it is what the claim asks for.
    """
    named = before.spec.volume_name or not after.spec.volume_name
    may: list[FieldPath] = [("spec", "volumeAttributesClassName")]
    may += [] if named else [("spec", "volumeName")]
    may += [_SIZE[:2]] if _may_be_bound(before) else []
    for path in changed:
        if path[:1] == _SPEC and not any(path[: len(free)] == free for free in may):
            yield Finding(
                path,
                "Forbidden: spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName for bound claims",
            )
    there = (before.status.capacity or {}).get("storage")
    if size(after) < size(before) and size(after) <= (there.value() if there else size(before)):
        yield Finding(_SIZE, "Forbidden: field can not be less than status.capacity")


def _unadmitted_change(
    before: PersistentVolumeClaim, after: PersistentVolumeClaim, beside: Sequence[ApiObject]
) -> Iterator[Finding]:
    """A claim grows only if its class says that its volumes can; a class not given may do so.

    Source: plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
    """
    if size(after) <= size(before) or not _may_be_bound(before):
        return
    classes = [thing for thing in beside if isinstance(thing, StorageClass)]
    name = Shelf(Storage(classes=tuple(classes))).class_of(before)
    found = next((each for each in classes if each.metadata.name == name), None)
    if found is None and (name or before.spec.storage_class_name is None):
        return
    if found is None or not found.allow_volume_expansion:
        why = f'"{name}" has no allowVolumeExpansion: true' if found else "the claim has no class"
        yield Finding(
            _SIZE,
            "Forbidden: only dynamically provisioned pvc can be resized and the storageclass that "
            f"provisions the pvc must support resize ({why})",
        )


def _may_be_bound(claim: PersistentVolumeClaim) -> bool:
    return claim.status.phase in ("", "Bound")


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
    unadmitted_change=_unadmitted_change,
)
