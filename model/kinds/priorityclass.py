"""PriorityClass.

Source: ``pkg/apis/scheduling/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.policies import PriorityClass

from .kind import Kind, Use
from .notes import NO_EFFECT, irrelevant

_HIGHEST = 1_000_000_000
_SYSTEM = "system-"


def _refused(thing: PriorityClass) -> Iterator[Finding]:
    if thing.value > _HIGHEST and not thing.metadata.name.startswith(_SYSTEM):
        yield Finding(("value",), f"{thing.value} is more than {_HIGHEST}, the highest for users")


KIND = Kind(
    PriorityClass,
    "scheduling.k8s.io/v1",
    namespaced=False,
    check=Use(fields={PriorityClass: irrelevant(NO_EFFECT, "description")}),
    placement=Use(),
    refused=_refused,
)
