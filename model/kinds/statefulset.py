"""StatefulSet.

Sources: ``pkg/apis/apps/v1/defaults.go``, ``pkg/apis/apps/validation/validation.go``,
``pkg/controller/statefulset/stateful_set_control.go`` (when a pod is made again).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.controllers import StatefulSet, StatefulSetSpec

from .kind import Kind, Stamp, Use
from .notes import NO_PODS, NOT_PLACING, ROLLING, Note, irrelevant
from .parts.pod_defaults import given_or
from .parts.rules import at_least
from .parts.templates import filled_template, lasting_template, selected, template_advice


def _filled(thing: StatefulSet) -> StatefulSet:
    template = filled_template(thing.spec.template)
    replicas = given_or(thing.spec.replicas, 1)
    return replace(thing, spec=replace(thing.spec, template=template, replicas=replicas))


def _refused(thing: StatefulSet) -> Iterator[Finding]:
    yield from at_least(0, thing.spec.replicas, ("spec", "replicas"))
    yield from selected(thing.spec.selector, thing.spec.template)
    yield from lasting_template(thing.spec.template)


def _advice(thing: StatefulSet) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


def _wanted(thing: StatefulSet) -> int:
    return thing.spec.replicas or 0


KIND = Kind(
    StatefulSet,
    "apps/v1",
    check=Use(Note("not modelled", NO_PODS)),
    placement=Use(
        fields={
            StatefulSet: irrelevant(NOT_PLACING, "status"),
            StatefulSetSpec: {
                **irrelevant(NOT_PLACING, "serviceName", "podManagementPolicy", "minReadySeconds"),
                **irrelevant(NOT_PLACING, "revisionHistoryLimit"),
                **irrelevant(NOT_PLACING, "persistentVolumeClaimRetentionPolicy"),
                **irrelevant(ROLLING, "updateStrategy"),
            },
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted, waits_for_end=True),
)
