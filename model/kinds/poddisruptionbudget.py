"""PodDisruptionBudget.

Sources: ``pkg/apis/policy/validation/validation.go``,
``staging/src/k8s.io/api/policy/v1/types.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.disruption import PodDisruptionBudget

from .kind import Kind, Use
from .notes import STATUS, irrelevant
from .parts.rules import at_most_whole, label_selector

_SPEC: FieldPath = ("spec",)
_SELECTOR: FieldPath = ("spec", "selector")


def _refused(thing: PodDisruptionBudget) -> Iterator[Finding]:
    spec = thing.spec
    if spec.min_available is not None and spec.max_unavailable is not None:
        both = "minAvailable and maxUnavailable cannot be both set (remove one of them)"
        yield Finding(_SPEC, both)
    yield from at_most_whole(spec.min_available, ("spec", "minAvailable"))
    yield from at_most_whole(spec.max_unavailable, ("spec", "maxUnavailable"))
    if spec.selector is not None:
        yield from label_selector(spec.selector, _SELECTOR)


def _advice(thing: PodDisruptionBudget) -> Iterator[Finding]:
    """An empty selector covered no pod up to policy/v1beta1, and covers all of them since."""
    spec = thing.spec
    if spec.selector is None:
        yield Finding(_SELECTOR, "is missing: the budget covers no pod")
    elif spec.selector.is_empty():
        yield Finding(_SELECTOR, "is empty: the budget covers every pod of the namespace")
    if spec.min_available is None and spec.max_unavailable is None:
        message = "has neither minAvailable nor maxUnavailable: no eviction is ever allowed"
        yield Finding(_SPEC, message)


KIND = Kind(
    PodDisruptionBudget,
    "policy/v1",
    check=Use(fields={PodDisruptionBudget: irrelevant(STATUS, "status")}),
    placement=Use(),
    refused=_refused,
    advice=_advice,
)
