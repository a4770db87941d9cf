"""What is wrong with one field of an object, and the likely cause of it.

A field path is a tuple of keys and list indexes, such as ``("spec", "containers", 0, "name")``,
and is shown as ``spec.containers[0].name``. Keys that are no plain words are shown in brackets:
``metadata.labels[app.kubernetes.io/name]``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]

RENDER_FIRST = "render it first: helm template"
"""What to do about a template."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[([^\]]+)\]")


class Finding(NamedTuple):
    """What is wrong with one field of an object whose place in a file does not matter yet."""

    path: FieldPath
    message: str


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
    """The option that the word is most likely a misspelling of, None where none is near.

    Where none is, one that begins with the word is meant, if it is the only one.
    """
    by_fold = {option.casefold(): option for option in options}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.7)
    if not close and word:
        begun = [option for option in by_fold if option.startswith(word.casefold())]
        close = begun if len(begun) == 1 else []
    return by_fold[close[0]] if close else None


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """The nearest option as a question in brackets, after a blank; empty where none is near."""
    option = nearest(word, options)
    return f' (did you mean "{option}"?)' if option is not None else ""


def not_one_of(value: str, options: Sequence[str]) -> str:
    """That a value is none of the allowed ones, with the likeliest of them."""
    hint = template_hint(value) or did_you_mean(value, options)
    return f'"{value}" is not one of {", ".join(options)}{hint}'


def template_hint(value: Any) -> str:
    """What to do about a string that a template engine should have replaced; else empty."""
    return f" (a template? {RENDER_FIRST})" if isinstance(value, str) and "{{" in value else ""
