"""The report for people who want to know what to do: failures in full, all else in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tabulate import tabulate

from .document import Report, Result
from .grouping import (
    NOT_ASKED,
    Found,
    Group,
    Row,
    Word,
    columns,
    failures,
    merged,
    row_title,
    rows,
    spoken,
    whom,
    word,
)
from .said import outcome, remarks
from .shown import shown
from .story import Story
from .story_text import conclusion_lines, run_lines, starting_line
from .style import Paint, Role, bullets, enumeration, laid_out, painter, wrap

RESULT_ROLES = {
    Result.PASSED: Role.GOOD,
    Result.FAILED: Role.BAD,
    Result.INCONCLUSIVE: Role.UNSURE,
}


def render(report: Report, *, colour: bool = False, width: int = 100, quiet: bool = False) -> str:
    """The report as text that ends in a line break; with ``quiet``, its last line alone."""
    report, paint = shown(report), painter(colour=colour)
    lines = [] if quiet else list(_body(report, paint, width))
    return laid_out([*lines, *summary(report, paint, width)])


def _body(report: Report, paint: Paint, width: int) -> Iterator[str]:
    for group in failures(report):
        yield from (*_failure(group, paint, width), "")
    if report.scenarios:
        yield from (*_matrix(report, paint, width), "")
    said = [line for each in remarks(report) for line in _labelled(*each, paint, width)]
    yield from (*said, *([""] if said else []))


def _labelled(label: str, text: str, paint: Paint, width: int) -> Iterator[str]:
    first, *more = wrap(text, width, f"{label}: ", "  ")
    yield paint(f"{label}:", Role.HEADING) + first[len(label) + 1 :]
    yield from more


# Failures


def _failure(group: Group, paint: Paint, width: int) -> Iterator[str]:
    """How it happens, once for all whom it concerns."""
    found, story = group.first[0], group.story
    yield from _title(f"{enumeration(group.ids)}: {whom(group)}", paint, width)
    for each in group.first:
        yield from wrap(_promise(each), width, "  ")
    if story is None:
        yield from wrap(found.prop.message, width, "  ")
    else:
        yield from ("", *starting_line(story, width))
        yield from run_lines(replace(story, allowed=_happening(story)), paint, width)
        for each in group.first:
            if each.prop.story is not None:
                yield from ("", *conclusion_lines(each.prop.story, paint, width))
    yield from ("", paint("What to do about it", Role.HEADING))
    yield from bullets(map(str, group.advice), width)


def _title(title: str, paint: Paint, width: int) -> Iterator[str]:
    """A line across the page; more of them where the title is long."""
    first, *more = wrap(title, width - 1, "── ", "   ")
    yield paint(f"{first} {'─' * max(width - len(first) - 1, 2)}", Role.BAD)
    yield from (paint(line, Role.BAD) for line in more)


def _promise(found: Found) -> str:
    """The promise, whose it is, and where that is written."""
    prop = found.prop
    where = f", {prop.position}" if prop.position is not None else ""
    return f"{prop.id} ({prop.severity}): {prop.statement.title} ({prop.subject}{where})"


def _happening(story: Story) -> tuple[str, ...]:
    """What may happen; all else that is assumed is left to the wide report."""
    return tuple(line for line in story.allowed if line.startswith(("change", "events")))


# The table


def _matrix(report: Report, paint: Paint, width: int) -> Iterator[str]:
    """A row for each workload, or a few lines where rows are longer than the page is wide."""
    found = merged(rows(report), report.fail_on)
    asked = columns(found)
    headers = (row_title(found).upper(), *(spoken(name).upper() for name in asked))
    words = [[word(row.scenarios.get(name), report.fail_on) for name in asked] for row in found]
    plain = [
        [row.about, *(one.text for one in line)] for row, line in zip(found, words, strict=True)
    ]
    if max(map(len, _table(plain, headers))) > width:
        yield from _listed(found, report, paint, width)
        return
    yield from _table(
        [
            [row.about, *(paint(one.text, _role(one)) for one in line)]
            for row, line in zip(found, words, strict=True)
        ],
        headers,
    )


def _table(cells: Iterable[Iterable[str]], headers: Iterable[str]) -> list[str]:
    table = tabulate(cells, tuple(headers), tablefmt="plain", disable_numparse=True)
    return table.splitlines()


def _listed(found: Iterable[Row], report: Report, paint: Paint, width: int) -> Iterator[str]:
    """The same, as the name of each workload with what came out for which questions."""
    for row in found:
        answers: dict[Word, list[str]] = {}
        for question, scenario in row.scenarios.items():
            one = word(scenario, report.fail_on)._replace(properties=())
            answers.setdefault(one, []).append(spoken(question))
        yield row.about
        for one, questions in answers.items():
            first, *more = wrap(f"{one.text}: {', '.join(questions)}", width, "  ", "    ")
            text = first.removeprefix(f"  {one.text}")
            yield f"  {paint(one.text, _role(one))}{text}" if text != first else first
            yield from more


def _role(word: Word) -> Role:
    if word.result is not None:
        return RESULT_ROLES[word.result]
    return Role.QUIET if word == NOT_ASKED else Role.UNSURE


# The last line


def summary(report: Report, paint: Paint, width: int) -> Iterator[str]:
    """The result in one line, or a few where it is long."""
    said = report.result.upper()
    first, *more = wrap(outcome(report), width)
    yield paint(said, RESULT_ROLES[report.result]) + first[len(said) :]
    yield from more
