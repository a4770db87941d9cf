"""Label selectors as the scheduler combines them.

Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubelemma.model.objects.meta import LabelSelector, LabelSelectorRequirement


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether the selector matches the labels; an absent selector matches nothing."""
    return selector is not None and selector.matches(labels)


def requirements(selector: LabelSelector | None) -> tuple[LabelSelectorRequirement, ...]:
    """All requirements of the selector, its ``matchLabels`` written as expressions."""
    if selector is None:
        return ()
    return tuple(
        LabelSelectorRequirement(key=key, operator="In", values=(value,))
        for key, value in sorted((selector.match_labels or {}).items())
    ) + (selector.match_expressions or ())


def requires(
    selector: LabelSelector | None, *more: LabelSelectorRequirement
) -> LabelSelector | None:
    """The selector with more requirements, as ``labels.Selector.Add`` gives it.

    An absent selector has no requirements of its own, so it turns into the added ones alone.
    """
    if not more:
        return selector
    return LabelSelector(match_expressions=requirements(selector) + more)
