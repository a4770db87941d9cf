"""The small typography of text reports: colour, wrapping, bullets, numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TypeAlias

import click

from kubelemma.model.visible import spoken


class Role(StrEnum):
    """What a piece of text is, which decides how it is coloured."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    HEADING = "heading"
    ACTOR = "actor"
    ENVIRONMENT = "environment"
    OLD = "old"
    NEW = "new"
    QUIET = "quiet"


Paint: TypeAlias = Callable[[str, Role], str]

_COLOURS = {
    Role.GOOD: "green",
    Role.BAD: "red",
    Role.UNSURE: "yellow",
    Role.ACTOR: "cyan",
    Role.ENVIRONMENT: "magenta",
    Role.OLD: "red",
    Role.NEW: "green",
}
_FEW = 5
_BOLD = {Role.BAD, Role.HEADING, Role.ENVIRONMENT}


def painter(*, colour: bool) -> Paint:
    """A function that colours text by its role, or leaves it alone."""

    def paint(text: str, role: Role) -> str:
        if not colour or not text:
            return text
        return click.style(
            text, fg=_COLOURS.get(role), bold=role in _BOLD or None, dim=role is Role.QUIET or None
        )

    return paint


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """Break text into lines of at most ``width`` characters, ``first`` and ``rest`` in front.

    Words are never broken: names and paths must stay whole to be copied.
    """
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def laid_out(lines: Iterable[str]) -> str:
    """The lines as a text that ends in a line break, none of which is a command to a CI server."""
    return "\n".join(spoken(line.rstrip()) for line in lines) + "\n"


def bullets(items: Iterable[str], width: int) -> Iterator[str]:
    """One item a line, with hanging indent."""
    for item in items:
        yield from wrap(item, width, "  - ")


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 state``, ``1,234 states``; ``nouns`` where an s is not enough."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def enumeration(items: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *head, last = items
    return f"{', '.join(head)} and {last}" if head else last


def few(names: Sequence[str]) -> str:
    """An enumeration of which only the beginning is given where it is long."""
    more = len(names) - _FEW
    return enumeration(names if more <= 1 else [*names[:_FEW], f"{more:,} more"])
