"""ReplicaSet.

Sources: ``pkg/apis/apps/v1/defaults.go``, ``pkg/apis/apps/validation/validation.go``,
``staging/src/k8s.io/api/apps/v1/types.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.workloads import ReplicaSet, ReplicaSetSpec, ReplicaSetStatus

from .kind import Kind, Stamp, Use
from .notes import NOT_PLACING, STATUS, irrelevant
from .parts.pod_defaults import given_or
from .parts.rules import at_least
from .parts.templates import filled_template, lasting_template, selected, template_advice


def _filled(thing: ReplicaSet) -> ReplicaSet:
    spec = replace(
        thing.spec,
        replicas=given_or(thing.spec.replicas, 1),
        template=filled_template(thing.spec.template),
    )
    return replace(thing, spec=spec)


def _refused(thing: ReplicaSet) -> Iterator[Finding]:
    spec = thing.spec
    yield from at_least(0, spec.replicas, ("spec", "replicas"))
    yield from at_least(0, spec.min_ready_seconds, ("spec", "minReadySeconds"))
    yield from selected(spec.selector, spec.template)
    yield from lasting_template(spec.template)


def _advice(thing: ReplicaSet) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


def _wanted(thing: ReplicaSet) -> int:
    return thing.spec.replicas or 0


KIND = Kind(
    ReplicaSet,
    "apps/v1",
    check=Use(
        fields={
            ReplicaSetStatus: irrelevant(
                STATUS,
                "fullyLabeledReplicas",
                "observedGeneration",
                "conditions",
                "terminatingReplicas",
            ),
        }
    ),
    placement=Use(
        fields={
            ReplicaSet: irrelevant(NOT_PLACING, "status"),
            ReplicaSetSpec: irrelevant(NOT_PLACING, "minReadySeconds"),
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted),
    immutable=(("spec", "selector"),),
)
