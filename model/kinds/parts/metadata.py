"""Metadata: names, namespaces and labels.

Source: ``staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.meta import ObjectMeta

from .names import dns_label
from .rules import labels, problem

DEFAULT_NAMESPACE = "default"


def stored_metadata(metadata: ObjectMeta, *, namespaced: bool) -> ObjectMeta:
    """The metadata in a namespace, or in none, as the kind has it."""
    namespace = metadata.namespace or DEFAULT_NAMESPACE
    return replace(metadata, namespace=namespace if namespaced else "")


def metadata_findings(
    metadata: ObjectMeta, name_rule: Callable[[str], str | None]
) -> Iterator[Finding]:
    """What would be refused in metadata; ``name_rule`` says what is wrong with a name."""
    name: FieldPath = ("metadata", "name")
    if metadata.name:
        yield from problem(name, name_rule(metadata.name))
    elif metadata.generate_name:
        yield Finding(name, "is required (generateName finds a name on the server only)")
    else:
        yield Finding(name, "is required")
    if metadata.namespace:
        yield from problem(("metadata", "namespace"), dns_label(metadata.namespace))
    yield from labels(metadata.label_map(), ("metadata", "labels"))
