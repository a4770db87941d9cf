"""Templates of pods, and selectors that claim the pods of their own template.

Sources: ``pkg/apis/apps/validation/validation.go``, ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import PodTemplateSpec

from .pod_defaults import pod_defaults
from .pods import pod_advice, pod_spec
from .rules import label_selector, labels

SELECTOR: FieldPath = ("spec", "selector")
TEMPLATE: FieldPath = ("spec", "template")
POD_SPEC: FieldPath = (*TEMPLATE, "spec")


def filled_template(template: PodTemplateSpec) -> PodTemplateSpec:
    """The template with the defaults of the pods that are made from it."""
    return replace(template, spec=pod_defaults(template.spec))


def selected(selector: LabelSelector | None, template: PodTemplateSpec) -> Iterator[Finding]:
    """A selector is there, asks for something, and the template has it."""
    if selector is None:
        yield Finding(SELECTOR, "is required")
    elif selector.is_empty():
        yield Finding(SELECTOR, "is empty: it would claim every pod of the namespace")
    else:
        yield from label_selector(selector, SELECTOR)
        yield from claimed(selector, template.metadata.label_map())


def claimed(selector: LabelSelector, own: Mapping[str, str]) -> Iterator[Finding]:
    """The template's own labels are those that the selector asks for."""
    path: FieldPath = (*TEMPLATE, "metadata", "labels")
    for key, wanted in (selector.match_labels or {}).items():
        if key not in own:
            hint = did_you_mean(key, own)
            yield Finding(path, f"the selector asks for {key}: {wanted}, which is missing{hint}")
        elif own[key] != wanted:
            yield Finding((*path, key), f'"{own[key]}" is not what the selector asks: "{wanted}"')
    for expression in selector.match_expressions or ():
        if not expression.matches(own):
            asked = " ".join((expression.key, expression.operator, *(expression.values or ())))
            yield Finding(path, f"the selector asks for {asked}, which does not hold")


def template_findings(template: PodTemplateSpec) -> Iterator[Finding]:
    """What would be refused in any template."""
    yield from labels(template.metadata.label_map(), (*TEMPLATE, "metadata", "labels"))
    yield from pod_spec(template.spec, POD_SPEC)


def lasting_template(template: PodTemplateSpec) -> Iterator[Finding]:
    """The same of pods that are never to end."""
    yield from template_findings(template)
    if template.spec.restart_policy in ("Never", "OnFailure"):
        found = template.spec.restart_policy
        yield Finding(
            (*POD_SPEC, "restartPolicy"), f'"{found}" is not allowed here: only Always is'
        )
    if template.spec.active_deadline_seconds is not None:
        yield Finding(
            (*POD_SPEC, "activeDeadlineSeconds"), "is not allowed here: only in Pods and Jobs"
        )


def template_advice(template: PodTemplateSpec) -> Iterator[Finding]:
    """What is accepted in a template, though hardly anybody means it."""
    return pod_advice(template.spec, POD_SPEC)
