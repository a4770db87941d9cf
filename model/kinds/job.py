"""Job.

Sources: ``pkg/apis/batch/v1/defaults.go``, ``pkg/apis/batch/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import Finding
from kubelemma.model.objects.controllers import Job, JobCondition, JobSpec, JobStatus

from .kind import Kind, Stamp, Use
from .notes import NO_PODS, NOT_PLACING, Note, irrelevant
from .parts.pod_defaults import given_or
from .parts.rules import at_least
from .parts.templates import POD_SPEC, filled_template, template_advice, template_findings

_RESTART_POLICIES = ("OnFailure", "Never")


def _filled(thing: Job) -> Job:
    template = filled_template(thing.spec.template)
    parallelism = given_or(thing.spec.parallelism, 1)
    return replace(thing, spec=replace(thing.spec, template=template, parallelism=parallelism))


def _refused(thing: Job) -> Iterator[Finding]:
    yield from at_least(0, thing.spec.parallelism, ("spec", "parallelism"))
    yield from at_least(0, thing.spec.completions, ("spec", "completions"))
    yield from template_findings(thing.spec.template)
    found = thing.spec.template.spec.restart_policy
    if found not in _RESTART_POLICIES:
        words = " and ".join(_RESTART_POLICIES)
        message = f'"{found}" is not allowed here: only {words}' if found else f"must be {words}"
        yield Finding((*POD_SPEC, "restartPolicy"), message)


def _advice(thing: Job) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


def _wanted(thing: Job) -> int:
    """As many as may run at once, and no more than are still to succeed."""
    ended = any(
        c.type in ("Complete", "Failed") and c.status == "True"
        for c in thing.status.conditions or ()
    )
    if ended or thing.spec.suspend:
        return 0
    at_once = thing.spec.parallelism or 0
    if thing.spec.completions is None:
        return at_once
    return max(0, min(at_once, thing.spec.completions - thing.status.succeeded))


KIND = Kind(
    Job,
    "batch/v1",
    check=Use(Note("not modelled", NO_PODS)),
    placement=Use(
        fields={
            JobSpec: {
                **irrelevant(NOT_PLACING, "activeDeadlineSeconds", "backoffLimit", "selector"),
                **irrelevant(NOT_PLACING, "manualSelector", "ttlSecondsAfterFinished"),
                **irrelevant(NOT_PLACING, "completionMode", "podFailurePolicy", "successPolicy"),
                **irrelevant(NOT_PLACING, "podReplacementPolicy", "backoffLimitPerIndex"),
                **irrelevant(NOT_PLACING, "maxFailedIndexes", "managedBy"),
            },
            JobStatus: {
                **irrelevant(NOT_PLACING, "active", "failed", "ready", "terminating", "startTime"),
                **irrelevant(NOT_PLACING, "completionTime", "completedIndexes", "failedIndexes"),
                **irrelevant(NOT_PLACING, "uncountedTerminatedPods"),
            },
            JobCondition: irrelevant(
                NOT_PLACING, "reason", "message", "lastProbeTime", "lastTransitionTime"
            ),
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted),
    generated=True,
)
