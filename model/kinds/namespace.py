"""Namespace.

Sources: ``pkg/apis/core/v1/defaults.go``, ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from msgspec.structs import replace

from kubelemma.model.objects.node import Namespace

from .kind import Kind, Use
from .notes import NO_EFFECT, irrelevant
from .parts.names import dns_label

_LABEL = "kubernetes.io/metadata.name"


def _filled(thing: Namespace) -> Namespace:
    labels = {**thing.metadata.label_map(), _LABEL: thing.metadata.name}
    return replace(thing, metadata=replace(thing.metadata, labels=labels))


KIND = Kind(
    Namespace,
    "v1",
    namespaced=False,
    names=dns_label,
    check=Use(fields={Namespace: irrelevant(NO_EFFECT, "spec", "status")}),
    placement=Use(),
    filled=_filled,
)
