"""The report as JUnit XML: a scenario is a suite, a property of an object a case.

A failure has the first lines of the story and the command that repeats it. What is inconclusive is
an error, so that no reader of such files takes it for a success.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Verdict

from .document import PropertyReport, Report, Result, ScenarioReport
from .notice import Level, Notice, file_of, notice
from .shown import shown
from .story import Story
from .story_text import conclusion_lines, run_lines
from .style import painter

_LINES = 40
_WIDTH = 100
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The report as an XML document that ends in a line break."""
    report = shown(report)
    root = Element("testsuites", name="kubelemma")
    for scenario in report.scenarios:
        root.append(_suite(scenario, report))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    root.set("time", _seconds(s.statistics.seconds for s in report.scenarios))
    if report.remarks:  # of the whole run, for which the format has no place
        SubElement(root[0], "system-err").text = clean("\n".join(map(str, report.remarks)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _suite(scenario: ScenarioReport, report: Report) -> Element:
    results = [p.result(report.fail_on) for p in scenario.properties]
    suite = Element(
        "testsuite",
        name=clean(scenario.name),
        tests=str(len(results)),
        failures=str(results.count(Result.FAILED)),
        errors=str(results.count(Result.INCONCLUSIVE)),
        skipped="0",
        time=_seconds([scenario.statistics.seconds]),
    )
    about = SubElement(suite, "properties")
    for name, value in _about(scenario, report.version, report.fail_on):
        SubElement(about, "property", name=name, value=clean(value))
    for prop in scenario.properties:
        suite.append(_case(prop, notice(scenario, prop, report.fail_on)))
    return suite


def _about(scenario: ScenarioReport, version: str, fail_on: Severity) -> Iterable[tuple[str, str]]:
    yield "kubelemma.version", version
    yield "kubelemma.failOn", fail_on
    yield "kubelemma.exhaustive", "true" if scenario.statistics.exhaustive else "false"
    yield "kubelemma.states", str(scenario.statistics.states)
    for sentence in scenario.setting:
        yield "kubelemma.setting", sentence


def _case(prop: PropertyReport, found: Notice | None) -> Element:
    case = Element(
        "testcase",
        name=clean(f"{prop.id} {prop.statement.title}"),
        classname=clean(prop.subject),
    )
    if file_of(prop.position):
        case.set("file", clean(file_of(prop.position)))
    if prop.position is not None and prop.position.line:
        case.set("line", str(prop.position.line))
    if found is None:
        if prop.message:
            SubElement(case, "system-out").text = clean(f"{prop.finding}: {prop.message}")
    elif found.level is Level.NOTE:
        SubElement(case, "system-out").text = clean(found.sentence())
    else:
        kind = "failure" if found.level is Level.ERROR else "error"
        element = SubElement(case, kind, type=prop.finding, message=clean(found.sentence()))
        element.text = clean(_detail(prop))
    return case


def _detail(prop: PropertyReport) -> str:
    """The first lines of the story, how it is repeated, and what to do."""
    lines = [f"{prop.id}: {prop.statement.title}", ""]
    if prop.story is not None:
        lines += _shortened(prop.story)
    if prop.verdict is Verdict.VIOLATED:
        lines += ["What to do about it", f"  {prop.statement.remediation}"]
    return "\n".join(lines)


def _shortened(story: Story) -> list[str]:
    paint = painter(colour=False)
    lines = [line.rstrip() for line in run_lines(story, paint, _WIDTH)]
    more = len(lines) - _LINES
    if more > 0:
        lines = [*lines[:_LINES], f"  ... and {more} more lines; kubelemma replay shows them"]
    return [*lines, "", *conclusion_lines(story, paint, _WIDTH), ""]


def clean(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def _seconds(values: Iterable[float]) -> str:
    return f"{sum(values):.3f}"
