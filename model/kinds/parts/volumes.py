"""Claims and volumes: what the API server refuses in what both have.

Source: ``pkg/apis/core/validation/validation.go`` (``ValidatePersistentVolumeSpec``,
``ValidatePersistentVolumeClaimSpec``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubelemma.model.findings import FieldPath, Finding, not_one_of
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.volume import (
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimTemplate,
    Volume,
)

from .names import dns_label, dns_subdomain
from .resources import quantities
from .rules import label_selector, labels, one_of, problem

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_FIELDS = zip(Volume.__struct_fields__, Volume.__struct_encode_fields__, strict=True)
_SOURCES = tuple((field, wire) for field, wire in _FIELDS if field != "name")
"""The sources that are read, and what they are called in manifests."""
_STORAGE = "storage"
_ALONE = "ReadWriteOncePod"


def access_modes(modes: Sequence[str] | None, path: FieldPath) -> Iterator[Finding]:
    """At least one, each known, and ReadWriteOncePod alone."""
    if not modes:
        yield Finding(path, "is required: at least 1 access mode is required")
        return
    for index, mode in enumerate(modes):
        if mode not in ACCESS_MODES:
            yield Finding((*path, index), not_one_of(mode, ACCESS_MODES))
    if _ALONE in modes and len(modes) > 1:
        yield Finding(path, f"may not use {_ALONE} with other access modes")


def storage(amounts: Mapping[str, Quantity] | None, path: FieldPath) -> Iterator[Finding]:
    """How much: more than nothing."""
    if not amounts or _STORAGE not in amounts:
        yield Finding((*path, _STORAGE), "is required")
        return
    yield from quantities(amounts, path)
    if amounts[_STORAGE].amount == 0:
        yield Finding((*path, _STORAGE), "must be greater than zero")


def claim_spec(spec: PersistentVolumeClaimSpec, path: FieldPath) -> Iterator[Finding]:
    """What a claim asks for."""
    if spec.selector is not None:
        yield from label_selector(spec.selector, (*path, "selector"))
    yield from access_modes(spec.access_modes, (*path, "accessModes"))
    requests = spec.resources.requests if spec.resources else None
    yield from storage(requests, (*path, "resources", "requests"))
    yield from one_of(VOLUME_MODES, spec.volume_mode, (*path, "volumeMode"))
    yield from class_name(spec.storage_class_name, path)


def class_name(name: str | None, path: FieldPath) -> Iterator[Finding]:
    """What a class may be called, in a spec."""
    if name:
        yield from problem((*path, "storageClassName"), dns_subdomain(name))


def pod_volumes(volumes: Sequence[Volume], path: FieldPath) -> Iterator[Finding]:
    """The volumes of a pod: their names, and the claims that they name, or ask for."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        here: FieldPath = (*path, index)
        name: FieldPath = (*here, "name")
        yield from problem(name, dns_label(volume.name) if volume.name else "is required")
        if volume.name in seen:
            yield Finding(name, f'Duplicate value: "{volume.name}" is the name of another volume')
        seen.add(volume.name)
        given = [wire for field, wire in _SOURCES if getattr(volume, field) is not None]
        for wire in given[1:]:
            yield Finding((*here, wire), "may not specify more than 1 volume type")
        claim = volume.persistent_volume_claim
        if claim is not None and not claim.claim_name:
            yield Finding((*here, "persistentVolumeClaim", "claimName"), "is required")
        if volume.ephemeral is not None:
            template = volume.ephemeral.volume_claim_template
            yield from _of_its_own(template, (*here, "ephemeral", "volumeClaimTemplate"))


def _of_its_own(
    template: PersistentVolumeClaimTemplate | None, path: FieldPath
) -> Iterator[Finding]:
    """A template of a pod's own claim, which has labels and annotations and no other metadata.

    Source: ``validateEphemeralVolumeSource``, ``ValidateTemplateObjectMeta``.
    """
    if template is None:
        yield Finding(path, "is required")
        return
    for field in ("name", "namespace", "uid"):
        if getattr(template.metadata, field):
            message = "cannot be set: the claim is called POD-VOLUME"
            yield Finding((*path, "metadata", field), message)
    yield from labels(template.metadata.label_map(), (*path, "metadata", "labels"))
    yield from claim_spec(template.spec, (*path, "spec"))
