"""StorageClass.

Source: ``pkg/apis/storage/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.storage import StorageClass, TopologySelectorLabelRequirement

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant
from .parts.names import label_key
from .parts.rules import one_of, problem

_FORBIDDEN = ("parameters", "provisioner", "reclaimPolicy")


def _refused(thing: StorageClass) -> Iterator[Finding]:
    provisioner = thing.provisioner
    if not provisioner:
        yield Finding(("provisioner",), "is required")
    elif label_key(provisioner.lower()) is not None:
        message = (
            f'"{provisioner}" is no valid name of a provisioner: only letters, digits, "-", "_" '
            'and ".", after a domain and "/" if need be'
        )
        yield Finding(("provisioner",), message)
    yield from one_of(("Delete", "Retain"), thing.reclaim_policy, ("reclaimPolicy",))
    terms: set[frozenset[tuple[str, frozenset[str]]]] = set()
    for index, term in enumerate(thing.allowed_topologies or ()):
        path: FieldPath = ("allowedTopologies", index, "matchLabelExpressions")
        expressions = term.match_label_expressions or ()
        yield from _topology(expressions, path)
        same = frozenset((each.key, frozenset(each.values)) for each in expressions)
        if same in terms:
            yield Finding(path, "Duplicate value: another term asks for the same")
        terms.add(same)


def _topology(
    expressions: Sequence[TopologySelectorLabelRequirement], path: FieldPath
) -> Iterator[Finding]:
    """Source: ``ValidateTopologySelectorTerm`` of pkg/apis/core/validation/validation.go."""
    keys: set[str] = set()
    for number, each in enumerate(expressions):
        here: FieldPath = (*path, number)
        yield from problem((*here, "key"), label_key(each.key))
        if each.key in keys:
            yield Finding((*here, "key"), f'Duplicate value: "{each.key}"')
        keys.add(each.key)
        if not each.values:
            yield Finding((*here, "values"), "is required")
        for place, value in enumerate(each.values):
            if value in each.values[:place]:
                yield Finding((*here, "values", place), f'Duplicate value: "{value}"')


def _refused_change(
    _before: StorageClass, _after: StorageClass, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    """Source: ``ValidateStorageClassUpdate``."""
    for name in _FORBIDDEN:
        if any(path[:1] == (name,) for path in changed):
            yield Finding((name,), f"Forbidden: updates to {name} are forbidden.")


KIND = Kind(
    StorageClass,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(
        fields={
            StorageClass: irrelevant(
                NO_EFFECT, "parameters", "mountOptions", "allowVolumeExpansion"
            )
        }
    ),
    placement=Use(
        fields={
            StorageClass: {
                **irrelevant(NOT_PLACING, "parameters", "reclaimPolicy", "mountOptions"),
                **irrelevant(NOT_PLACING, "allowVolumeExpansion"),
            },
        }
    ),
    refused=_refused,
    immutable=(("volumeBindingMode",),),
    refused_change=_refused_change,
)
