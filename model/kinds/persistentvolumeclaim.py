"""PersistentVolumeClaim. What its template has too is in ``parts/``.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.storage import PersistentVolumeClaim, PersistentVolumeClaimStatus

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant
from .parts.resources import quantities


def _refused(thing: PersistentVolumeClaim) -> Iterator[Finding]:
    asked = thing.spec.resources.requests if thing.spec.resources else None
    return quantities(asked, ("spec", "resources", "requests"))


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
)
