"""The report as JUnit XML: a suite for each workload, a case for each question and property.

A failure has the first lines of the story and the command that repeats it; a story that differs
from an earlier one in names alone is referred to. What is inconclusive is an error, so that no
reader of such files takes it for a success. A violation that does not fail the check is passed,
with what there is to say as its output.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Verdict

from .advice import advice
from .alike import run_likeness
from .document import PropertyReport, Report, Result, ScenarioReport
from .grouping import Row, rows, spoken
from .notice import Level, Notice, file_of, notice
from .shown import shown
from .story import Story
from .story_text import conclusion_lines, run_lines
from .style import bullets, painter

_LINES = 40
_WIDTH = 100
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The report as an XML document that ends in a line break."""
    report = shown(report)
    root = Element("testsuites", name="kubelemma")
    told: dict[Hashable, str] = {}
    for row in rows(report):
        root.append(_suite(row, report, told))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    root.set("time", _seconds(report.scenarios))
    if report.remarks:  # of the whole run, for which the format has no place
        SubElement(root[0], "system-err").text = clean("\n".join(map(str, report.remarks)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _suite(row: Row, report: Report, told: dict[Hashable, str]) -> Element:
    scenarios = tuple(row.scenarios.values())
    results = [p.result(report.fail_on) for s in scenarios for p in s.properties]
    suite = Element(
        "testsuite",
        name=clean(row.about),
        tests=str(len(results)),
        failures=str(results.count(Result.FAILED)),
        errors=str(results.count(Result.INCONCLUSIVE)),
        skipped="0",
        time=_seconds(scenarios),
    )
    about = SubElement(suite, "properties")
    for name, value in _about(scenarios, report.version, report.fail_on):
        SubElement(about, "property", name=name, value=clean(value))
    for scenario in scenarios:
        for prop in scenario.properties:
            suite.append(_case(scenario, prop, notice(scenario, prop, report.fail_on), told))
    return suite


def _about(
    scenarios: Sequence[ScenarioReport], version: str, fail_on: Severity
) -> Iterator[tuple[str, str]]:
    """What is to be known of a suite; what only some questions assume has these before it."""
    whole = all(scenario.statistics.exhaustive for scenario in scenarios)
    states = sum(scenario.statistics.states for scenario in scenarios)
    yield "kubelemma.version", version
    yield "kubelemma.failOn", fail_on
    yield "kubelemma.exhaustive", "true" if whole else "false"
    yield "kubelemma.states", str(states)
    sentences = dict.fromkeys(sentence for s in scenarios for sentence in s.setting)
    for sentence in sentences:
        where = [s for s in scenarios if sentence in s.setting]
        asked = "" if len(where) == len(scenarios) else ", ".join(spoken(s.question) for s in where)
        yield "kubelemma.setting", f"{asked}: {sentence}" if asked else sentence


def _question(scenario: ScenarioReport) -> str:
    """What was asked, as it stands before a name; empty where nothing of the usual."""
    return f"{spoken(scenario.question)}: " if scenario.question else ""


def _case(
    scenario: ScenarioReport,
    prop: PropertyReport,
    found: Notice | None,
    told: dict[Hashable, str],
) -> Element:
    name = f"{_question(scenario)}{prop.id} {prop.statement.title}"
    case = Element("testcase", name=clean(name), classname=clean(prop.subject))
    if file_of(prop.position):
        case.set("file", clean(file_of(prop.position)))
    if prop.position is not None and prop.position.line:
        case.set("line", str(prop.position.line))
    if found is None:
        if prop.message:
            SubElement(case, "system-out").text = clean(f"{prop.finding}: {prop.message}")
    elif found.level is Level.NOTE:
        lines = (found.explanation(), *map(str, advice(prop)))
        SubElement(case, "system-out").text = clean("\n".join(lines))
    else:
        kind = "failure" if found.level is Level.ERROR else "error"
        element = SubElement(case, kind, type=prop.finding, message=clean(found.sentence()))
        element.text = clean("\n".join(_detail(prop, f"{name} of {prop.subject}", told)))
    return case


def _detail(prop: PropertyReport, name: str, told: dict[Hashable, str]) -> Iterator[str]:
    """The first lines of the story, how it is repeated, and what to do."""
    yield from (f"{prop.id}: {prop.statement.title}", "")
    if prop.story is not None:
        before = told.setdefault(run_likeness(prop.story), name)
        yield from _shortened(prop.story, "" if before == name else before)
    if prop.verdict is Verdict.VIOLATED:
        yield from ("What to do about it", *bullets(map(str, advice(prop)), _WIDTH))


def _shortened(story: Story, before: str) -> Iterator[str]:
    """The beginning of the run, or in which case it is told already, and how it ends."""
    paint = painter(colour=False)
    if before:
        yield f"What happens is, but for names, what is told for {before}."
    else:
        lines = [line.rstrip() for line in run_lines(story, paint, _WIDTH)]
        yield from lines[:_LINES]
        more = len(lines) - _LINES
        if more > 0:
            yield f"  ... and {more} more lines; kubelemma replay shows them"
    yield from ("", *conclusion_lines(story, paint, _WIDTH), "")


def clean(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def _seconds(scenarios: Iterable[ScenarioReport]) -> str:
    return f"{sum(s.statistics.seconds for s in scenarios):.3f}"
