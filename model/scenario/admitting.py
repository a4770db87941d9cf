"""What of the input admission goes by, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubelemma.model.components.apiserver.admission import (
    Policies,
    conflicts,
    filled,
    policies_in,
)
from kubelemma.model.findings import FieldPath, show
from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.reading import Manifest, Manifests, name_in_messages
from kubelemma.model.objects.pod import PodSpec

_TEMPLATE: FieldPath = ("spec", "template", "spec")
_NO_PREEMPTION = (
    "priorities differ, and no pod is preempted in the check: a pending one of higher priority "
    "stays so"
)


def policies_of(manifests: Manifests) -> Policies:
    """The classes and defaults of the input."""
    return policies_in(manifest.object for manifest in manifests.objects)


def of_admission(manifests: Manifests, owners: Iterable[Manifest[Any]]) -> Iterator[NotModelled]:
    """Classes that workloads name and that are not there; and priorities that would preempt."""
    known = policies_of(manifests)
    given = tuple(owners)
    for owner in given:
        for field, reason in known.unknown(owner.object.spec.template.spec):
            yield _noted(owner, (field,), reason, opens=True)
        yield from given_otherwise(owner, known)
    specs = [_stored(owner, known) for owner in given]
    lowest = min((spec.priority or 0 for spec in specs), default=0)
    for owner, spec in zip(given, specs, strict=True):
        if (spec.priority or 0) > lowest and spec.preemption_policy != "Never":
            yield _noted(owner, ("priorityClassName",), _NO_PREEMPTION)


def given_otherwise(owner: Manifest[Any], known: Policies) -> Iterator[NotModelled]:
    """What stands in a template that is for admission to give, so that its pods are refused."""
    for found in conflicts(owner.object.spec.template.spec, known):
        reason = f"its pods are refused ({found.reason}): they are taken to be stored"
        yield _noted(owner, found.path, reason, opens=True)


def _stored(owner: Manifest[Any], known: Policies) -> PodSpec:
    thing = owner.object
    return filled(thing.spec.template.spec, thing.metadata.namespace, known)


def _noted(
    owner: Manifest[Any], field: FieldPath, reason: str, *, opens: bool = False
) -> NotModelled:
    path = (*_TEMPLATE, *field)
    name = name_in_messages(owner.document.data, owner.object.metadata)
    at = owner.document.at(path)
    return NotModelled(at, name, show(path), "not modelled", reason, opens=opens)
