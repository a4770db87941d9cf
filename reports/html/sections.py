"""The parts of the page that need no script: verdicts, violations, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.properties.statement import Severity
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport
from kubelemma.reports.story import Story
from kubelemma.reports.story_text import run_lines
from kubelemma.reports.style import painter
from kubelemma.reports.text import coverage, outcome
from kubelemma.solver.result import Verdict

from .chapters import Chapter, Violation
from .markup import Content, Markup, element
from .numbers import numbers
from .pieces import badge, bullets, cell, folded, masthead, table

_RESULTS = {Result.PASSED: "good", Result.FAILED: "bad", Result.INCONCLUSIVE: "unsure"}
_WIDTH = 100


def header(report: Report) -> Markup:
    """The result, and what there is on the page."""
    word, _, rest = outcome(report).partition(": ")
    return masthead(
        "kubelemma",
        badge(word.lower(), _RESULTS[report.result]),
        element("p", f"{rest[:1].upper()}{rest[1:]}.", class_="outcome"),
        element("p", f"kubelemma {report.version}", class_="quiet"),
    )


def overview(chapters: Iterable[Chapter], fail_on: Severity) -> Markup | None:
    """A table of the scenarios, where there are several."""
    rows = [
        element(
            "tr",
            cell("Scenario", element("a", c.scenario.name, href=f"#{c.anchor}")),
            cell("Result", _result(c.scenario.result(fail_on))),
            cell("Violated", ", ".join(dict.fromkeys(v.prop.id for v in c.violations)) or "none"),
            cell("Properties", str(len(c.scenario.properties))),
            cell("States", f"{c.scenario.statistics.states:,}"),
        )
        for c in chapters
    ]
    if len(rows) < 2:  # noqa: PLR2004 - one scenario needs no overview
        return None
    heads = ("Scenario", "Result", "Violated", "Properties", "States")
    return element("section", element("h2", "Scenarios"), table(heads, rows))


def chapter(found: Chapter, fail_on: Severity) -> Markup:
    """Everything about one scenario."""
    scenario = found.scenario
    return element(
        "section",
        element("h2", "Scenario ", scenario.name, " ", _result(scenario.result(fail_on))),
        _verdicts(found, fail_on),
        *(_violation(violation, fail_on) for violation in found.violations),
        *folded("What was assumed", [bullets(scenario.setting)], opened=True),
        *folded("What was not decided", _undecided(scenario), opened=True),
        *folded("What was explored", _explored(scenario)),
        id=found.anchor,
    )


def left_out(given: Iterable[NotModelled]) -> Markup | None:
    """What of the input is not modelled, each thing once."""
    parts = dict.fromkeys(given)
    telling = [part for part in parts if part.severity == "not modelled"]
    harmless = [part for part in parts if part.severity != "not modelled"]
    sections = [
        *folded(f"What is not modelled ({len(telling)})", _parts(telling), opened=True),
        *folded(f"Without effect on the verdicts ({len(harmless)})", _parts(harmless)),
    ]
    return element("section", element("h2", "Left out"), *sections) if sections else None


def remarks(report: Report) -> Markup | None:
    """What should be said about suppressions and the baseline."""
    if not report.remarks:
        return None
    return element(
        "section", element("h2", "Suppressions and baseline"), bullets(map(str, report.remarks))
    )


def _verdicts(found: Chapter, fail_on: Severity) -> Markup:
    """The worst first; each violation leads to its story."""
    links = {id(v.prop): v.anchor for v in found.violations}
    order = (Verdict.VIOLATED, Verdict.INCONCLUSIVE, Verdict.HOLDS)
    properties = sorted(
        found.scenario.properties, key=lambda p: (order.index(p.verdict), bool(p.excused))
    )
    rows = [_verdict_row(p, links.get(id(p)), fail_on) for p in properties]
    return table(("Property", "Subject", "Verdict", "Severity", "Promise"), rows)


def _verdict_row(prop: PropertyReport, anchor: str | None, fail_on: Severity) -> Markup:
    name = element("a", prop.id, href=f"#{anchor}") if anchor else prop.id
    return element(
        "tr",
        cell("Property", name),
        cell("Subject", prop.subject),
        cell("Verdict", badge(prop.finding, _look(prop, fail_on)), _expectation(prop)),
        cell("Severity", prop.severity),
        cell("Promise", prop.statement.title),
    )


def _look(prop: PropertyReport, fail_on: Severity) -> str:
    if prop.finding == "holds" and prop.result(fail_on) is Result.PASSED:
        return "good"
    return "bad" if prop.result(fail_on) is Result.FAILED else "unsure"


def _expectation(prop: PropertyReport) -> Markup | None:
    if prop.excused:
        return element("span", f" {prop.excused}", class_="quiet")
    if prop.expected is None:
        return None
    met = prop.expected == prop.finding
    return element("span", " as expected" if met else f" expected {prop.expected}", class_="quiet")


def _violation(found: Violation, fail_on: Severity) -> Markup:
    prop, story = found.prop, found.story
    expected = ", as expected" if prop.expected == prop.finding else ""
    return element(
        "article",
        element("h3", f"{prop.id} is violated for {prop.subject}{expected}"),
        element(
            "p",
            badge(prop.severity, _look(prop, fail_on)),
            f" {prop.statement.title}; {story.headline()}.",
        ),
        _written(prop),
        element("p", f"This does not count: {prop.excuse}.") if prop.excused else None,
        element("h4", f"Where it contradicts {prop.id}"),
        bullets(story.conclusion),
        *numbers(story),
        *_told(found),
        *_repeat(story),
        element("h4", "What to do about it"),
        element("p", prop.statement.remediation),
        *folded("Why it matters", _reasons(prop)),
        id=found.anchor,
        class_="violation",
    )


def _written(prop: PropertyReport) -> Markup | None:
    if prop.position is None:
        return None
    return element("p", "Written in ", element("code", str(prop.position)), class_="quiet")


def _reasons(prop: PropertyReport) -> Iterator[Content]:
    for label, text in (
        ("", prop.statement.why),
        ("Conditions: ", prop.statement.conditions),
        ("Source: ", prop.statement.source),
    ):
        if text:
            yield element("p", label, text)


def _told(found: Violation) -> Iterator[Markup]:
    """The place of the run; where it stands elsewhere already, the way there."""
    yield element("h4", "What happens")
    if found.run.anchor != found.anchor:
        first = found.run.story
        there = element("a", f"{first.property_id} of {first.subject}", href=f"#{found.run.anchor}")
        yield element("p", "What is told for ", there, ".")
    elif not found.story.steps:
        yield element("p", "Nothing: it is so from the start.")
    else:
        told = run_lines(replace(found.story, allowed=()), painter(colour=False), _WIDTH)
        yield element("div", class_="story", data_run=found.run.number, data_anchor=found.anchor)
        yield element("pre", "\n".join(told), class_="paper")


def _repeat(story: Story) -> Iterator[Markup]:
    if story.repeat:
        yield element("h4", "How to repeat it")
    for command in story.repeat:
        copy = element("button", "Copy", type="button", class_="copy", hidden=True)
        yield element("div", element("pre", element("code", command)), copy, class_="command")


def _undecided(scenario: ScenarioReport) -> Iterator[Markup]:
    undecided = [p for p in scenario.properties if p.verdict is Verdict.INCONCLUSIVE]
    if undecided:
        yield bullets(f"{p.id} of {p.subject}: {p.message}" for p in undecided)


def _explored(scenario: ScenarioReport) -> Iterator[Markup]:
    statistics = scenario.statistics
    sentences = [*coverage(statistics)]
    if statistics.rules_never_fired:
        never = "; ".join(statistics.rules_never_fired)
        sentences.append(f"never happened, though modelled: {never}")
    vacuous = [f"{p.id} of {p.subject}" for p in scenario.properties if p.vacuous]
    if vacuous:
        sentences.append(f"the premise never came true: {'; '.join(vacuous)}")
    yield bullets(sentences)
    if statistics.actions:
        rows = [
            element("tr", cell("Action", action), cell("Transitions", f"{count:,}"))
            for action, count in statistics.actions
        ]
        yield table(("Action", "Transitions"), rows)


def _parts(parts: Iterable[NotModelled]) -> Iterator[Markup]:
    rows = [
        element(
            "tr",
            cell("Where", element("code", str(part.position))),
            cell("What", f"{part.object} {part.path}".rstrip()),
            cell("What follows", part.reason),
        )
        for part in parts
    ]
    if rows:
        yield table(("Where", "What", "What follows"), rows)


def _result(result: Result) -> Markup:
    return badge(result, _RESULTS[result])
