"""Service. A check shows those that select pods, although nobody in it acts on them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import Finding
from kubelemma.model.objects.service import Service

from .kind import Kind, Use
from .notes import NOT_PLACING, Note
from .parts.rules import labels

_NO_TRAFFIC = "traffic is not modelled: availability is counted in pods, not requests"


def _refused(thing: Service) -> Iterator[Finding]:
    return labels(thing.spec.selector or {}, ("spec", "selector"))


KIND = Kind(
    Service,
    "v1",
    check=Use(Note("not modelled", _NO_TRAFFIC), shown=True),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
)
