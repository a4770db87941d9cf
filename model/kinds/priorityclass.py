"""PriorityClass.

Source: ``pkg/apis/scheduling/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.policies import PriorityClass

from .kind import Kind, Use
from .notes import NO_EFFECT, irrelevant

_HIGHEST = 1_000_000_000
_SYSTEM = "system-"


def _refused(thing: PriorityClass) -> Iterator[Finding]:
    if thing.value > _HIGHEST and not thing.metadata.name.startswith(_SYSTEM):
        yield Finding(("value",), f"{thing.value} is more than {_HIGHEST}, the highest for users")


def _refused_change(
    before: PriorityClass, after: PriorityClass, _changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidatePriorityClassUpdate``."""
    if before.value != after.value:
        yield Finding(("value",), "Forbidden: may not be changed in an update.")


KIND = Kind(
    PriorityClass,
    "scheduling.k8s.io/v1",
    namespaced=False,
    check=Use(fields={PriorityClass: irrelevant(NO_EFFECT, "description")}),
    placement=Use(),
    refused=_refused,
    immutable=(("preemptionPolicy",),),
    refused_change=_refused_change,
)
