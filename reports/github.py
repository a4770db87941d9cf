"""The report as annotations of GitHub Actions: one workflow command a finding, and a last line.

GitHub shows the first ten errors and the first ten warnings of a step; the rest stays in its log.
What was accepted or known before needs nobody's attention: the last line counts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from kubelemma.model.manifests.problems import Position, Problem

from .document import Report
from .notice import Level, Notice, file_of, notices
from .shown import shown
from .text import outcome

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report) -> str:
    """Workflow commands, and the overall result; ends in a line break."""
    report = shown(report)
    telling = [n for n in notices(report) if not n.property.excused]
    lines = [_annotation(list(group)) for _, group in groupby(telling, key=_topic)]
    last = " ".join(outcome(report).split())
    return "\n".join([*lines, *map(_remark, report.remarks), last]) + "\n"


def _topic(notice: Notice) -> tuple[str, ...]:
    """The same for what needs to be said once only: that a limit was hit, in one scenario."""
    prop = notice.property
    if notice.level is Level.WARNING and prop.expected is None:
        return notice.scenario.name, prop.message
    return notice.scenario.name, prop.id, prop.subject


def _annotation(about: Sequence[Notice]) -> str:
    first, *others = about
    command, position = _COMMANDS[first.level], first.property.position
    if not others:
        return _command(command, position, first.title(), _text(first.explanation()))
    ids = ", ".join(dict.fromkeys(notice.property.id for notice in about))
    text = f"{ids} in {first.scenario.name}: {first.property.message}"
    return _command(command, position, f"{len(about)} answers are inconclusive", _text(text))


def _remark(remark: Problem) -> str:
    return _command("warning", remark.position, "Suppressions and baseline", _text(str(remark)))


def _command(name: str, position: Position | None, title: str, text: str) -> str:
    given = ",".join(f"{key}={_value(value)}" for key, value in _parameters(position, title))
    return f"::{name} {given}::{text}"


def _parameters(position: Position | None, title: str) -> Iterator[tuple[str, str]]:
    file = file_of(position)
    if file:
        yield "file", file
    if file and position is not None and position.line:
        yield "line", str(position.line)
        yield "col", str(position.column)
    yield "title", title


def _text(text: str) -> str:
    """Text on one line, in which the runner sees no end and no escape of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    """The value of a parameter."""
    return _text(text).replace(":", "%3A").replace(",", "%2C")
