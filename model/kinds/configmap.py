"""ConfigMap.

Source: ``ValidateConfigMap`` and ``ValidateConfigMapUpdate`` in
``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.configuration import ConfigMap

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, irrelevant
from .parts.configuration import base64_values, keys, size_of, too_long

_LATER = "keeps its values from being changed, and nobody in a check changes any"
_HELD = ("data", "binaryData")


def _refused(thing: ConfigMap) -> Iterator[Finding]:
    data, binary = thing.data or {}, thing.binary_data or {}
    for key in data:
        if key in binary:
            yield Finding(("data", key), f'"{key}": duplicate of key present in binaryData')
    yield from keys(data, ("data",))
    yield from keys(binary, ("binaryData",))
    yield from base64_values(binary, ("binaryData",))
    yield from too_long(size_of(data, binary), ())


def _refused_change(
    before: ConfigMap, after: ConfigMap, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    if before.immutable and not after.immutable:
        yield Finding(("immutable",), _FIXED)
    if before.immutable:
        for field in _HELD:
            if any(path[:1] == (field,) for path in changed):
                yield Finding((field,), _FIXED)


_FIXED = "Forbidden: field is immutable when `immutable` is set"

KIND = Kind(
    ConfigMap,
    "v1",
    check=Use(
        fields={
            ConfigMap: irrelevant(_LATER, "immutable"),
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
    refused_change=_refused_change,
    untold=_HELD,
)
