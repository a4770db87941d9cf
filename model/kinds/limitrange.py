"""LimitRange.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.policies import LimitRange, LimitRangeItem

from .kind import Kind, Use
from .notes import ByValue, Note
from .parts.resources import quantities

_CLAIMS = "claims outside these bounds would be refused: they are taken to be stored"


def _refused(thing: LimitRange) -> Iterator[Finding]:
    for index, item in enumerate(thing.spec.limits):
        here: FieldPath = ("spec", "limits", index)
        yield from quantities(item.default, (*here, "default"))
        yield from quantities(item.default_request, (*here, "defaultRequest"))
        yield from quantities(item.max, (*here, "max"))
        yield from quantities(item.min, (*here, "min"))
        yield from quantities(item.max_limit_request_ratio, (*here, "maxLimitRequestRatio"))


KIND = Kind(
    LimitRange,
    "v1",
    check=Use(
        fields={
            LimitRangeItem: {
                "type": ByValue(("Container", "Pod"), None, Note("not modelled", _CLAIMS)),
            },
        }
    ),
    placement=Use(),
    refused=_refused,
)
