"""Taints, of nodes and of groups of nodes.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.node import Taint

from .names import label_key, label_value
from .rules import problem


def taints(given: tuple[Taint, ...], path: FieldPath) -> Iterator[Finding]:
    """Keys and values are labels', and no key has the same effect twice."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(given):
        here: FieldPath = (*path, index)
        yield from problem((*here, "key"), label_key(taint.key))
        yield from problem((*here, "value"), label_value(taint.value))
        if (taint.key, taint.effect) in seen:
            yield Finding(here, f"{taint.key}:{taint.effect} is there already")
        seen.add((taint.key, taint.effect))
