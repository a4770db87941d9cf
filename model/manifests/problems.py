"""Where something stands in the input, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubelemma.model.visible import visible


class Position(NamedTuple):
    """A place in the input, for programs; `str` gives it for people, with all that is in its file.

    Attributes:
        file: a path, ``<stdin>``, a Kustomize directory, or a command-line flag.
        line: counted from 1; 0 where the input has no lines of its own (Kustomize, flags).
        column: counted from 1; 0 likewise.
        object: which object is meant where there is no line, such as ``Node node-1``.
    """

    file: str
    line: int = 0
    column: int = 0
    object: str = ""

    def __str__(self) -> str:
        file = visible(self.file)
        if self.line:
            return f"{file}:{self.line}"
        return f"{file} ({visible(self.object)})" if self.object else file


class Problem(NamedTuple):
    """One thing that is wrong: where, in which field (empty: in none), and what."""

    position: Position
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.position}: {self.path}" if self.path else str(self.position)
        return visible(f"{where}: {self.message}")


class InvalidInput(Exception):
    """The input cannot be used; carries everything that is wrong with it, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
