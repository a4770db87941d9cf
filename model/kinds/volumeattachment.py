"""VolumeAttachment.

Sources: ``staging/src/k8s.io/api/storage/v1/types.go``,
``pkg/apis/storage/validation/validation.go`` (``ValidateVolumeAttachment``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.storage import (
    VolumeAttachment,
    VolumeAttachmentSource,
    VolumeAttachmentSpec,
    VolumeAttachmentStatus,
)

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, Note, irrelevant

_OF_PODS = "where disks are attached that pods describe themselves is not followed"
_SOURCE: FieldPath = ("spec", "source")
_TOLD = ("attachmentMetadata", "attachError", "detachError")


def _refused(thing: VolumeAttachment) -> Iterator[Finding]:
    spec = thing.spec
    for field, value in (("attacher", spec.attacher), ("nodeName", spec.node_name)):
        if not value:
            yield Finding(("spec", field), "is required")
    named, described = spec.source.persistent_volume_name, spec.source.inline_volume_spec
    if named and described is not None:
        message = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield Finding((*_SOURCE, "inlineVolumeSpec"), message)
    if not named and described is None:
        message = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield Finding(_SOURCE, message)


KIND = Kind(
    VolumeAttachment,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(
        fields={
            VolumeAttachmentSpec: irrelevant(NO_EFFECT, "attacher"),
            VolumeAttachmentSource: irrelevant(_OF_PODS, "inlineVolumeSpec"),
            VolumeAttachmentStatus: irrelevant(NO_EFFECT, *_TOLD),
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
    immutable=(("spec",),),
)
