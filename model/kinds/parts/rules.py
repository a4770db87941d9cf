"""Rules that many fields share: ranges, labels, selectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubelemma.model.findings import FieldPath, Finding, not_one_of
from kubelemma.model.objects.meta import LabelSelector, LabelSelectorRequirement
from kubelemma.model.objects.quantity import IntOrPercent

from .names import label_key, label_value

_LARGEST_INT32 = 2**31 - 1
_WHOLE = 100


def problem(path: FieldPath, message: str | None) -> Iterator[Finding]:
    """The finding, where there is a message."""
    if message is not None:
        yield Finding(path, message)


def at_least(least: int, value: int | None, path: FieldPath) -> Iterator[Finding]:
    """An int32 that has a lower bound; None is an absent field."""
    if value is None:
        return
    if value < least:
        what = "is negative" if least == 0 else f"is less than {least}"
        yield Finding(path, f"{value} {what}")
    elif value > _LARGEST_INT32:
        yield Finding(path, f"{value} is more than a 32-bit integer holds ({_LARGEST_INT32})")


def within(least: int, most: int, value: int, path: FieldPath) -> Iterator[Finding]:
    """An integer between two bounds, both included."""
    if not least <= value <= most:
        yield Finding(path, f"{value} is not between {least} and {most}")


def one_of(options: Sequence[str], value: str | None, path: FieldPath) -> Iterator[Finding]:
    """A word out of a few; empty and None are an absent field."""
    if value and value not in options:
        yield Finding(path, not_one_of(value, options))


def labels(given: Mapping[str, str], path: FieldPath) -> Iterator[Finding]:
    """Keys and values of labels."""
    for key, value in given.items():
        yield from problem((*path, key), label_key(key) or label_value(value))


def values_fit_operator(
    operator: str, values: Sequence[str] | None, path: FieldPath
) -> Iterator[Finding]:
    """In and NotIn need values, Exists and DoesNotExist take none."""
    if operator in ("In", "NotIn") and not values:
        yield Finding((*path, "values"), f"is required: {operator} compares with values")
    if operator in ("Exists", "DoesNotExist") and values:
        yield Finding((*path, "values"), f"is not allowed: {operator} takes no values")


def label_selector(selector: LabelSelector, path: FieldPath) -> Iterator[Finding]:
    """``matchLabels`` and ``matchExpressions``.

    Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go.
    """
    yield from labels(selector.match_labels or {}, (*path, "matchLabels"))
    for index, expression in enumerate(selector.match_expressions or ()):
        yield from _requirement(expression, (*path, "matchExpressions", index))


def _requirement(expression: LabelSelectorRequirement, path: FieldPath) -> Iterator[Finding]:
    yield from problem((*path, "key"), label_key(expression.key))
    yield from values_fit_operator(expression.operator, expression.values, path)
    for index, value in enumerate(expression.values or ()):
        yield from problem((*path, "values", index), label_value(value))


def at_most_whole(share: IntOrPercent | None, path: FieldPath) -> Iterator[Finding]:
    """A share of some pods, which are not more than all of them."""
    if share is not None and share.percent and share.number > _WHOLE:
        yield Finding(path, f'"{share}" is more than 100%')
