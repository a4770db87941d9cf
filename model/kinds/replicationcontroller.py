"""ReplicationController.

Sources: ``pkg/apis/core/v1/defaults.go``, ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.controllers import (
    ReplicationController,
    ReplicationControllerSpec,
    ReplicationControllerStatus,
)
from kubelemma.model.objects.meta import LabelSelector

from .kind import Kind, Stamp, Use
from .notes import NOT_PLACING, STATUS, irrelevant
from .parts.pod_defaults import given_or
from .parts.rules import at_least
from .parts.templates import claimed, filled_template, lasting_template, template_advice


def _filled(thing: ReplicationController) -> ReplicationController:
    template = filled_template(thing.spec.template)
    replicas = given_or(thing.spec.replicas, 1)
    selector = thing.spec.selector or template.metadata.label_map()
    spec = replace(thing.spec, template=template, replicas=replicas, selector=selector)
    return replace(thing, spec=spec)


def _refused(thing: ReplicationController) -> Iterator[Finding]:
    own = thing.spec.template.metadata.label_map()
    yield from at_least(0, thing.spec.replicas, ("spec", "replicas"))
    yield from at_least(0, thing.spec.min_ready_seconds, ("spec", "minReadySeconds"))
    yield from claimed(LabelSelector(match_labels=thing.spec.selector), own)
    yield from lasting_template(thing.spec.template)


def _advice(thing: ReplicationController) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


def _wanted(thing: ReplicationController) -> int:
    return thing.spec.replicas or 0


KIND = Kind(
    ReplicationController,
    "v1",
    check=Use(
        fields={
            ReplicationControllerStatus: irrelevant(
                STATUS,
                "replicas",
                "fullyLabeledReplicas",
                "observedGeneration",
                "conditions",
            )
        }
    ),
    placement=Use(
        fields={
            ReplicationController: irrelevant(NOT_PLACING, "status"),
            ReplicationControllerSpec: irrelevant(NOT_PLACING, "minReadySeconds"),
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted),
)
