"""The report as annotations of GitHub Actions: one workflow command a finding, and a last line.

GitHub shows the first ten errors and the first ten warnings of a step; the rest stays in its log.
"""

from __future__ import annotations

from collections.abc import Iterator

from .document import Report
from .notice import Level, Notice, notices
from .text import outcome

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report) -> str:
    """Workflow commands, and the overall result; ends in a line break."""
    return "\n".join([*map(_annotation, notices(report)), outcome(report)]) + "\n"


def _annotation(notice: Notice) -> str:
    parameters = ",".join(f"{name}={_value(value)}" for name, value in _parameters(notice))
    return f"::{_COMMANDS[notice.level]} {parameters}::{_text(notice.explanation())}"


def _parameters(notice: Notice) -> Iterator[tuple[str, str]]:
    position = notice.property.position
    if notice.file():
        yield "file", notice.file()
    if notice.file() and position is not None and position.line:
        yield "line", str(position.line)
        yield "col", str(position.column)
    yield "title", notice.title()


def _text(text: str) -> str:
    """Text on one line, in which the runner sees no end and no escape of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    """The value of a parameter."""
    return _text(text).replace(":", "%3A").replace(",", "%2C")
