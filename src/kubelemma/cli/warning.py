"""Warnings about the input, each in a line; what is said alike of several places, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .session import Session

if TYPE_CHECKING:
    from kubelemma.model.manifests.problems import Problem

_SEVERAL = 3
"""From so many places on, what is said of each is said of all of them together."""


def warn(session: Session, warnings: Iterable[Problem | str]) -> None:
    """Tell of what is to be known of the input; with ``-v`` of every place by itself."""
    for text in map(str, warnings) if session.verbose else together(warnings):
        session.tell(f"warning: {text}")


def together(warnings: Iterable[Problem | str]) -> Iterator[str]:
    """The warnings in their order, but those that differ by their place alone stand together."""
    groups: dict[object, list[Problem | str]] = {}
    for warning in warnings:
        said = warning if isinstance(warning, str) else (warning.path, warning.message)
        groups.setdefault(said, []).append(warning)
    for group in groups.values():
        problems = [each for each in group if not isinstance(each, str)]
        if len(problems) < _SEVERAL:
            yield from map(str, group)
        else:
            yield _of_all(problems)


def _of_all(problems: list[Problem]) -> str:
    """One sentence about several places."""
    from kubelemma.model.visible import visible
    from kubelemma.reports.style import few

    files = {problem.position.file for problem in problems}
    where = f"in {len(files)} files" if len(files) > 1 else f"{len(problems)} times"
    _, path, message = problems[0]
    said = f"{path}: {message}" if path else message
    return f"{where}: {visible(said)} ({few([str(problem.position) for problem in problems])})"
