"""The report as annotations of GitHub Actions: workflow commands, and a last line.

There is an error for each finding that fails the check, and a warning for each group of what does
not, and for each reason why something was not decided. GitHub shows the first ten errors and the
first ten warnings of a step: where there are more, the last one shown says how many. What was
accepted, expected or known before needs nobody's attention: the last line counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.solver.result import Verdict

from .advice import advice
from .document import Report
from .grouping import asked, failures, how, warnings, whom
from .notice import Level, Notice, file_of, findings, notices
from .said import cut_short, outcome
from .shown import shown
from .style import enumeration, few, plural

MOST = 10
"""How many annotations of a kind GitHub shows of a step."""


def render(report: Report) -> str:
    """Workflow commands, and the overall result; ends in a line break."""
    report = shown(report)
    errors = _at_most(MOST, [*_errors(report)], "error")
    alerts = [*_warned(report), *_undecided(report), *map(_remark, report.remarks)]
    last = " ".join(outcome(report).split())
    return "\n".join([*errors, *_at_most(MOST, alerts, "warning"), last]) + "\n"


def _at_most(most: int, commands: Sequence[str], kind: str) -> Sequence[str]:
    """The commands; of too many, the first ones and how many there are besides."""
    if len(commands) <= most:
        return commands
    more = len(commands) - most + 1
    text = f"{plural(more, 'further annotation')}: the summary of the step and the reports have all"
    return [*commands[: most - 1], _command(kind, None, f"and {more} more", text)]


def _errors(report: Report) -> Iterator[str]:
    """An error for each finding, or where these are too many, for each story."""
    failed = [f for f in findings(report) if f[0].level is Level.ERROR and not f[0].implied()]
    if len(failed) <= MOST:
        for first, *others in failed:
            more = [n.scenario.name for n in others if n.level is Level.ERROR]
            also = [f"The same comes out in {enumeration(more)}."] if more else []
            text = "\n".join((first.explanation(), *also, *_advised(first)))
            yield _command("error", first.property.position, first.title(), text)
        return
    for group in failures(report):
        found = group.first[0]
        title = f"{enumeration(group.ids)} violated for {few(group.workloads)}"
        lines = (f"{whom(group)}: {how(found.prop)}.", *map(str, group.advice))
        yield _command("error", found.prop.position, title, "\n".join(lines))


def _advised(found: Notice) -> Iterator[str]:
    if found.property.verdict is Verdict.VIOLATED:
        yield from map(str, advice(found.property))


def _warned(report: Report) -> Iterator[str]:
    """A warning for each group of violations that are too mild to fail the check."""
    for group in warnings(report):
        prop = group.first[0].prop
        title = f"{prop.id} ({prop.severity}) is violated for {few(group.workloads)}"
        head = f"{prop.statement.title}{asked(group)}: {how(prop)}."
        lines = (head, *map(str, group.advice))
        yield _command("warning", prop.position, title, "\n".join(lines))


def _undecided(report: Report) -> Iterator[str]:
    """A warning for each reason why something was not decided."""
    found: dict[str, list[Notice]] = {}
    for one in notices(report):
        if one.level is Level.WARNING:
            found.setdefault(cut_short(one.property.message), []).append(one)
    for message, alike in found.items():
        first = alike[0]
        if len(alike) == 1:
            text = first.explanation()
            yield _command("warning", first.property.position, first.title(), text)
            continue
        ids = ", ".join(dict.fromkeys(one.property.id for one in alike))
        names = tuple(dict.fromkeys(one.scenario.name for one in alike))
        title = f"{len(alike)} answers are inconclusive"
        yield _command(
            "warning", first.property.position, title, f"{ids} in {few(names)}: {message}"
        )


def _remark(remark: Problem) -> str:
    return _command("warning", remark.position, "Suppressions and baseline", str(remark))


def _command(name: str, position: Position | None, title: str, text: str) -> str:
    given = ",".join(f"{key}={_value(value)}" for key, value in _parameters(position, title))
    return f"::{name} {given}::{_text(text)}"


def _parameters(position: Position | None, title: str) -> Iterable[tuple[str, str]]:
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
