"""Warnings about the input: each in a line, and what is said alike of several places, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from kubelemma.cli.warning import together
from kubelemma.model.manifests.problems import Position, Problem

from .conftest import Kubelemma, deployment

Write: TypeAlias = Callable[..., Any]


def said(file: str, message: str = "is skipped", path: str = "", line: int = 0) -> Problem:
    """A warning of one place."""
    return Problem(Position(file, line), path, message)


@pytest.mark.parametrize(
    ("warnings", "lines"),
    [
        ((), []),
        (("one", said("a.yaml"), "one"), ["one", "one", "a.yaml: is skipped"]),
        ((said("a.yaml"), said("b.yaml")), ["a.yaml: is skipped", "b.yaml: is skipped"]),
        (
            (said("a.yaml"), said("x", "is odd"), said("b.yaml"), said("c.yaml")),
            ["in 3 files: is skipped (a.yaml, b.yaml and c.yaml)", "x: is odd"],
        ),
        (
            [said("a.yaml", path="spec", line=line) for line in (1, 2, 3)],
            ["3 times: spec: is skipped (a.yaml:1, a.yaml:2 and a.yaml:3)"],
        ),
        (
            [said(f"{number}.yaml") for number in range(12)],
            ["in 12 files: is skipped (0.yaml, 1.yaml, 2.yaml, 3.yaml, 4.yaml and 7 more)"],
        ),
        (
            [said("a.yaml", path=path) for path in ("spec", "status", "metadata")],
            [f"a.yaml: {path}: is skipped" for path in ("spec", "status", "metadata")],
        ),
    ],
)
def test_equal_warnings_stand_together(
    warnings: tuple[Problem | str, ...], lines: list[str]
) -> None:
    """Those of three places or more; others by themselves, in their order."""
    assert [*together(warnings)] == lines


def test_a_chart_is_one_line(kubelemma: Kubelemma, write: Write) -> None:
    """Not one for each of its files, unless somebody wants to see them."""
    write("web.yaml", deployment())
    write("shop/Chart.yaml", {"apiVersion": "v2", "name": "shop", "version": "1.0.0"})
    for number in range(7):
        write(f"shop/templates/{number}.yaml", {"a": number})
    command = ("check", ".", "--question", "rollout")
    run = kubelemma(*command)
    (line,) = (line for line in run.err.splitlines() if "part of" in line)
    named = ", ".join(f"shop/templates/{number}.yaml" for number in range(5))
    chart = "skipped: part of the Helm chart shop"
    assert line == f"warning: in 7 files: {chart} ({named} and 2 more)"
    run = kubelemma(*command, "-v")
    assert run.err.count(f": {chart}\n") == 7
