"""The parts of the page about the check as a whole, and about its scenarios."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.properties.statement import Severity
from kubelemma.reports.document import (
    Occasion,
    PropertyReport,
    Report,
    Result,
    ScenarioReport,
)
from kubelemma.reports.grouping import Word, columns, row_title, rows, spoken, word
from kubelemma.reports.said import outcome
from kubelemma.reports.style import plural
from kubelemma.reports.text import coverage
from kubelemma.solver.result import Verdict

from .chapters import Chapter
from .markup import Markup, element
from .pieces import badge, bullets, cell, folded, look_of, masthead, table

_RESULTS = {Result.PASSED: "good", Result.FAILED: "bad", Result.INCONCLUSIVE: "unsure"}
_ORDER = (Verdict.VIOLATED, Verdict.INCONCLUSIVE, Verdict.HOLDS)
_HEADS = ("Property", "Subject", "Verdict", "Severity", "Promise")


def header(report: Report) -> Markup:
    """The result, and when, how and of what it was found."""
    word, _, rest = outcome(report).partition(": ")
    return masthead(
        "kubelemma",
        badge(word.lower(), _RESULTS[report.result]),
        element("p", f"{rest[:1].upper()}{rest[1:]}.", class_="outcome"),
        element("dl", *_origin(report), class_="origin"),
        *_inputs(report.occasion),
    )


def _origin(report: Report) -> Iterator[Markup]:
    lines = [("Version", element("span", f"kubelemma {report.version}"))]
    if report.occasion is not None:
        time, command = report.occasion.time, shlex.join(report.occasion.command)
        readable = time.replace("T", " ").replace("Z", " UTC")
        lines.append(("Checked", element("time", readable, datetime=time)))
        lines.append(("Command", element("code", command)))
    for label, value in lines:
        yield element("div", element("dt", label), element("dd", value))


def _inputs(occasion: Occasion | None) -> Iterator[Markup]:
    """The files with their digests, so that it can be told whether they are the same."""
    if occasion is None or not occasion.inputs:
        return
    rows = [
        element(
            "tr",
            cell("File", element("code", file.name)),
            cell("SHA-256", element("code", file.sha256) if file.sha256 else "not known"),
        )
        for file in occasion.inputs
    ]
    title = f"Inputs ({plural(len(rows), 'file')})"
    yield from folded(title, [table(("File", "SHA-256"), rows)])


def overview(report: Report, chapters: Iterable[Chapter]) -> Markup | None:
    """A table with a row for each workload and a column for each question, where there is more."""
    if len(report.scenarios) < 2:  # noqa: PLR2004 - one scenario needs no overview
        return None
    found = rows(report)
    asked = columns(found)
    of = {id(chapter.scenario): chapter for chapter in chapters}
    heads = (row_title(found).capitalize(), *(spoken(name).capitalize() for name in asked))
    lines = [
        element(
            "tr",
            cell(heads[0], row.about),
            *(
                cell(head, *_answer(row.scenarios.get(name), of, report.fail_on))
                for head, name in zip(heads[1:], asked, strict=True)
            ),
        )
        for row in found
    ]
    return element("section", element("h2", "What was asked"), table(heads, lines))


def _answer(
    scenario: ScenarioReport | None, chapters: Mapping[int, Chapter], fail_on: Severity
) -> Iterator[Markup | str]:
    """A word with the way to where it is told: to the story, or else to the scenario."""
    found = word(scenario, fail_on)
    if scenario is None:
        yield found.text
        return
    chapter = chapters[id(scenario)]
    told = (chapter.links[number] for number in found.properties if number in chapter.links)
    target = next(told, chapter.anchor)
    yield element("a", badge(found.text, _look(found)), href=f"#{target}")


def _look(found: Word) -> str:
    return "unsure" if found.result is None else _RESULTS[found.result]


def chapter(found: Chapter, fail_on: Severity) -> Markup:
    """Everything about one scenario; folded where there is nothing to act on."""
    scenario = found.scenario
    result = scenario.result(fail_on)
    parts = (
        *_verdicts(found, fail_on),
        *folded("What was assumed", [bullets(scenario.setting)], opened=True),
        *folded("What was not decided", _undecided(scenario), opened=True),
        *folded("What was explored", _explored(scenario)),
    )
    title = element("h2", "Scenario ", scenario.name, " ", _result(result))
    if all(prop.verdict is Verdict.HOLDS for prop in scenario.properties):
        summary = element("summary", title, element("span", _counted(scenario.properties)))
        return element("details", summary, *parts, id=found.anchor, class_="chapter")
    return element("section", title, *parts, id=found.anchor, class_="chapter")


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


def _verdicts(found: Chapter, fail_on: Severity) -> Iterator[Markup]:
    """The worst first; each violation leads to its story, and what is as it should is folded."""
    numbered = sorted(
        enumerate(found.scenario.properties),
        key=lambda one: (_ORDER.index(one[1].verdict), bool(one[1].excused)),
    )
    open_rows, folded_rows = [], []
    kept: list[PropertyReport] = []
    for number, prop in numbered:
        row = _verdict_row(prop, found.links.get(number), fail_on)
        if prop.verdict is Verdict.HOLDS and prop.result(fail_on) is Result.PASSED:
            folded_rows.append(row)
            kept.append(prop)
        else:
            open_rows.append(row)
    if open_rows:
        yield table(_HEADS, open_rows)
    if folded_rows:
        own = found.scenario.verdict is Verdict.HOLDS
        yield from folded(_counted(kept), [table(_HEADS, folded_rows)], opened=own)


def _counted(properties: Iterable[PropertyReport]) -> str:
    """How many hold, and how many of these say nothing."""
    counts = Counter(prop.finding for prop in properties)
    holding = plural(counts["holds"] + counts["vacuous"], "property", "properties")
    verb = "holds" if holding.startswith("1 ") else "hold"
    vacuous = f", {counts['vacuous']} of them vacuously" if counts["vacuous"] else ""
    return f"{holding} {verb}{vacuous}"


def _verdict_row(prop: PropertyReport, anchor: str | None, fail_on: Severity) -> Markup:
    return element(
        "tr",
        cell("Property", _linked(prop.id, anchor)),
        cell("Subject", prop.subject),
        cell("Verdict", badge(prop.finding, look_of(prop, fail_on)), _expectation(prop)),
        cell("Severity", prop.severity),
        cell("Promise", prop.statement.title),
    )


def _linked(name: str, anchor: str | None) -> Markup | str:
    return element("a", name, href=f"#{anchor}") if anchor else name


def _expectation(prop: PropertyReport) -> Markup | None:
    if prop.excused:
        return element("span", f" {prop.excused}", class_="quiet")
    if prop.expected is None:
        return None
    met = prop.expected == prop.finding
    return element("span", " as expected" if met else f" expected {prop.expected}", class_="quiet")


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
