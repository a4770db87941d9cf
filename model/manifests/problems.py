"""Where something stands in the input, and what is wrong there.

A field path is a tuple of keys and list indexes, such as ``("spec", "containers", 0, "name")``,
and is shown as ``spec.containers[0].name``. Keys that are no plain words are shown in brackets:
``metadata.labels[app.kubernetes.io/name]``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[([^\]]+)\]")


class Finding(NamedTuple):
    """What is wrong with one field of an object whose place in a file does not matter yet."""

    path: FieldPath
    message: str


class Position(NamedTuple):
    """A place in the input.

    Attributes:
        file: a path, ``<stdin>``, a Kustomize directory, or a command-line flag.
        line: counted from 1; 0 where the input has no lines of its own (Kustomize, flags).
        column: counted from 1; 0 likewise.
        object: which object is meant where there is no line, such as ``Deployment web``.
    """

    file: str
    line: int = 0
    column: int = 0
    object: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"{self.file}:{self.line}"
        return f"{self.file} ({self.object})" if self.object else self.file


class Problem(NamedTuple):
    """One thing that is wrong: where, in which field (empty: in none), and what."""

    position: Position
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.position}: {self.path}" if self.path else str(self.position)
        return f"{where}: {self.message}"


class InvalidInput(Exception):
    """The input cannot be used; carries everything that is wrong with it, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@lru_cache(maxsize=4096)
def _step(key: str | int) -> str:
    """How one key or index is shown inside a path, with the sign that joins it."""
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _WORD.fullmatch(key) else f"[{key}]"


def show(path: FieldPath) -> str:
    """The path as text."""
    return "".join(map(_step, path)).removeprefix(".")


def read_path(text: str) -> FieldPath:
    """The path that ``show`` gave as text.

    Raises:
        ValueError: the text is no field path.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f'"{text}" is not a field path such as spec.containers[0].name')
        word, index, key = match.groups()
        steps.append(int(index) if index is not None else word or key)
        at = match.end()
    return tuple(steps)


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that the word is most likely a misspelling of, None where none is near."""
    by_fold = {option.casefold(): option for option in options}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.7)
    return by_fold[close[0]] if close else None


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """The nearest option as a question in brackets, after a blank; empty where none is near."""
    option = nearest(word, options)
    return f' (did you mean "{option}"?)' if option is not None else ""
