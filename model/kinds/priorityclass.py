"""PriorityClass.

Source: ``pkg/apis/scheduling/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.policies import PriorityClass

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, irrelevant

_HIGHEST = 1_000_000_000
_SYSTEM = "system-"


def _refused(thing: PriorityClass) -> Iterator[Finding]:
    if thing.value > _HIGHEST and not thing.metadata.name.startswith(_SYSTEM):
        yield Finding(("value",), f"{thing.value} is more than {_HIGHEST}, the highest for users")


KIND = Kind(
    PriorityClass,
    "scheduling.k8s.io/v1",
    namespaced=False,
    check=Use(Note("not modelled", "pods that name it have priority 0, unless they say")),
    placement=Use(fields={PriorityClass: irrelevant(NOT_PLACING, "description")}),
    refused=_refused,
)
