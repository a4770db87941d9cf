"""DaemonSet.

Sources: ``pkg/apis/apps/validation/validation.go``,
``pkg/controller/daemon/daemon_controller.go`` (when a pod is made again).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.controllers import DaemonSet, DaemonSetSpec

from .kind import Kind, Stamp, Use
from .notes import NO_PODS, NOT_PLACING, ROLLING, Note, irrelevant
from .parts.templates import filled_template, lasting_template, selected, template_advice


def _filled(thing: DaemonSet) -> DaemonSet:
    return replace(thing, spec=replace(thing.spec, template=filled_template(thing.spec.template)))


def _refused(thing: DaemonSet) -> Iterator[Finding]:
    yield from selected(thing.spec.selector, thing.spec.template)
    yield from lasting_template(thing.spec.template)


def _advice(thing: DaemonSet) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


KIND = Kind(
    DaemonSet,
    "apps/v1",
    check=Use(Note("not modelled", NO_PODS)),
    placement=Use(
        fields={
            DaemonSet: irrelevant(NOT_PLACING, "status"),
            DaemonSetSpec: {
                **irrelevant(NOT_PLACING, "minReadySeconds", "revisionHistoryLimit"),
                **irrelevant(NOT_PLACING, "templateGeneration"),
                **irrelevant(ROLLING, "updateStrategy"),
            },
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(None, waits_for_end=True),
)
