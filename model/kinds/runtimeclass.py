"""RuntimeClass.

Source: ``pkg/apis/node/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.policies import RuntimeClass

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, irrelevant
from .parts.resources import quantities


def _refused(thing: RuntimeClass) -> Iterator[Finding]:
    overhead = thing.overhead.pod_fixed if thing.overhead else None
    return quantities(overhead, ("overhead", "podFixed"))


KIND = Kind(
    RuntimeClass,
    "node.k8s.io/v1",
    namespaced=False,
    check=Use(Note("not modelled", "its overhead and node selector are not added to pods")),
    placement=Use(fields={RuntimeClass: irrelevant(NOT_PLACING, "handler")}),
    refused=_refused,
)
