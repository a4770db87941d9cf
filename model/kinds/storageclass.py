"""StorageClass.

Source: ``pkg/apis/storage/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.storage import StorageClass

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant
from .parts.rules import one_of

_FORBIDDEN = ("parameters", "provisioner", "reclaimPolicy")


def _refused(thing: StorageClass) -> Iterator[Finding]:
    if not thing.provisioner:
        yield Finding(("provisioner",), "is required")
    yield from one_of(("Delete", "Retain"), thing.reclaim_policy, ("reclaimPolicy",))


def _refused_change(
    _before: StorageClass, _after: StorageClass, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidateStorageClassUpdate``."""
    for name in _FORBIDDEN:
        if any(path[:1] == (name,) for path in changed):
            yield Finding((name,), f"Forbidden: updates to {name} are forbidden.")


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
    immutable=(("volumeBindingMode",),),
    refused_change=_refused_change,
)
