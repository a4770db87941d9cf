"""RuntimeClass.

Source: ``pkg/apis/node/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.policies import RuntimeClass

from .kind import Kind, Use
from .notes import NO_EFFECT, irrelevant
from .parts.resources import quantities


def _refused(thing: RuntimeClass) -> Iterator[Finding]:
    overhead = thing.overhead.pod_fixed if thing.overhead else None
    return quantities(overhead, ("overhead", "podFixed"))


KIND = Kind(
    RuntimeClass,
    "node.k8s.io/v1",
    namespaced=False,
    check=Use(fields={RuntimeClass: irrelevant(NO_EFFECT, "handler")}),
    placement=Use(),
    refused=_refused,
    immutable=(("handler",),),
)
