"""Claims and volumes: what the API server refuses in what both have.

Source: ``pkg/apis/core/validation/validation.go`` (``ValidatePersistentVolumeSpec``,
``ValidatePersistentVolumeClaimSpec``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubelemma.model.findings import FieldPath, Finding, not_one_of
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.volume import PersistentVolumeClaimSpec

from .names import dns_subdomain
from .resources import quantities
from .rules import label_selector, one_of, problem

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
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
    if spec.storage_class_name:
        name = dns_subdomain(spec.storage_class_name)
        yield from problem((*path, "storageClassName"), name)
