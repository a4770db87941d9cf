"""StorageClass.

Source: ``pkg/apis/storage/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.storage import StorageClass

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant


def _refused(thing: StorageClass) -> Iterator[Finding]:
    if not thing.provisioner:
        yield Finding(("provisioner",), "is required")


KIND = Kind(
    StorageClass,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(
        fields={
            StorageClass: irrelevant(
                NO_EFFECT, "parameters", "mountOptions", "allowVolumeExpansion"
            )
        }
    ),
    placement=Use(
        fields={
            StorageClass: {
                **irrelevant(NOT_PLACING, "parameters", "reclaimPolicy", "mountOptions"),
                **irrelevant(NOT_PLACING, "allowVolumeExpansion"),
            },
        }
    ),
    refused=_refused,
)
