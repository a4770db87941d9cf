"""The report as SARIF 2.1.0, for code scanning: a result for all that is not as it should be.

There is one for each property of an object, whichever of the usual questions it came out of. The
story is the result's code flow, with what each step changed as its state. What holds is not
listed, only counted: several readers show every result as an alert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from kubelemma.model.manifests.problems import Position
from kubelemma.model.visible import visible
from kubelemma.properties.statement import Severity, Statement
from kubelemma.solver.result import Verdict

from .advice import advice, together
from .document import Report
from .notice import Level, Notice, file_of, findings
from .plain import as_json
from .property_pages import help_text, page_url
from .shown import shown
from .story import Story, StoryStep
from .style import enumeration

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "kubelemma/v1"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}


def render(report: Report) -> str:
    """The report as a SARIF log that ends in a line break."""
    return as_json(to_data(report))


def to_data(report: Report) -> dict[str, Any]:
    """The report as a SARIF log of one run: visible words, and files as they are."""
    report = shown(report)
    statements = {p.id: p.statement for s in report.scenarios for p in s.properties}
    rules = list(statements)
    compared = any(p.baseline for s in report.scenarios for p in s.properties)
    run = {
        "tool": {
            "driver": {
                "name": "kubelemma",
                "semanticVersion": report.version,
                "rules": [_rule(statement) for statement in statements.values()],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, rules, compared=compared) for found in findings(report)],
        "properties": {"result": report.result, "verdicts": _verdicts(report)},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _verdicts(report: Report) -> dict[str, int]:
    """How many properties came out how."""
    return dict(Counter(p.finding for s in report.scenarios for p in s.properties))


def _rule(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id,
        "shortDescription": {"text": statement.title},
        "fullDescription": {"text": statement.statement},
        "help": {"text": "\n\n".join(_help(statement)), "markdown": help_text(statement)},
        **_page(statement),
        "defaultConfiguration": {"level": _LEVELS[statement.severity]},
        "properties": {
            "kind": statement.kind,
            "severity": statement.severity,
            "tags": list(dict.fromkeys(["kubernetes", *statement.components])),
        },
    }


def _page(statement: Statement) -> dict[str, str]:
    """Where more is told, if that is published: a relative link leads nowhere in a reader."""
    url = page_url(statement.id)
    return {"helpUri": url} if url else {}


def _help(statement: Statement) -> Iterator[str]:
    for label, text in (
        ("Why it matters", statement.why),
        ("Conditions", statement.conditions),
        ("Written in", statement.source),
        ("What to do about a violation", statement.remediation),
    ):
        if text:
            yield f"{label}: {text}"


def _invocation(report: Report) -> dict[str, Any]:
    """How the run went; searches that were cut short and what is not modelled are notifications."""
    stops = [
        notification("warning", f"{s.name}: the search was stopped by {s.statistics.stopped_by}")
        for s in report.scenarios
        if s.statistics.stopped_by and not s.statistics.exhaustive
    ]
    parts = dict.fromkeys(part for s in report.scenarios for part in s.not_modelled)
    left_out = [
        notification("note", f"not modelled: {part}", part.position)
        for part in parts
        if part.severity == "not modelled"
    ]
    outlived = [notification("warning", r.message, r.position) for r in report.remarks]
    interrupted = any(s.statistics.stopped_by == "interrupted" for s in report.scenarios)
    return {
        "executionSuccessful": not interrupted,
        "toolExecutionNotifications": [*stops, *outlived, *left_out],
    }


def notification(level: str, text: str, position: Position | None = None) -> dict[str, Any]:
    """Something that was noticed about the run, or about a place in the input."""
    data: dict[str, Any] = {"level": level, "message": {"text": text}}
    if position is not None:
        data["locations"] = [location(position)]
    return data


def _result(alike: Sequence[Notice], rules: list[str], *, compared: bool) -> dict[str, Any]:
    """One result for a property of an object, whatever was asked where it came out, loudest first.

    Where there is a baseline, the standard wants each result to be compared with it.
    """
    found = alike[0]
    prop = found.property
    inconclusive = found.level is Level.WARNING
    data: dict[str, Any] = {
        "ruleId": prop.id,
        "ruleIndex": rules.index(prop.id),
        "kind": "open" if inconclusive else "fail",
        "level": "none" if inconclusive else _level(found),
        "message": {"text": "\n".join(_message(alike))},
        "partialFingerprints": {FINGERPRINT: found.fingerprint()},
        "properties": {"scenario": found.scenario.name, "verdict": prop.verdict},
    }
    if len(alike) > 1:
        data["properties"]["scenarios"] = [each.scenario.name for each in alike]
    positions = dict.fromkeys(each.property.position for each in alike)
    data["locations"] = [location(position, prop.subject) for position in positions]
    related = [*_related(alike)]
    if related:
        data["relatedLocations"] = related
    flows = [*_flows(alike)]
    if flows:
        data["codeFlows"] = flows
    if compared:
        data["baselineState"] = prop.baseline or "new"
    data["suppressions"] = list(_suppressions(found))
    return data


def _message(alike: Sequence[Notice]) -> Iterator[str]:
    """What was found, where else, and what to do about it."""
    found = alike[0]
    implied = found.implied()
    if implied:
        yield from (found.sentence(), f"What happens is what is told for {implied}.")
    else:
        yield found.explanation()
    more = [each.scenario.name for each in alike[1:] if each.property.verdict is Verdict.VIOLATED]
    if more:
        yield f"The same comes out in {enumeration(more)}."
    if found.property.verdict is Verdict.VIOLATED and not implied:
        yield from map(str, advice(found.property))


def _related(alike: Sequence[Notice]) -> Iterator[dict[str, Any]]:
    """The fields that could be changed."""
    found = together(n.property for n in alike if n.property.verdict is Verdict.VIOLATED)
    places = ((each.text, position) for each in found for position in each.positions)
    for number, (text, position) in enumerate(dict.fromkeys(places), 1):
        yield {"id": number, **location(position), "message": {"text": text}}


def _flows(alike: Sequence[Notice]) -> Iterator[dict[str, Any]]:
    """The stories, each once."""
    told: list[Story] = []
    for found in alike:
        story = found.property.story
        if story is None or not story.steps or found.implied():
            continue
        if all(story.run() != other.run() for other in told):
            told.append(story)
            yield _code_flow(story, found.property.position)


def _level(found: Notice) -> str:
    """An error where it fails the check, else by severity, but then it is a warning at most."""
    prop = found.property
    if found.level is Level.ERROR:
        return "error"
    if prop.excused or prop.expected is not None:
        return _LEVELS[prop.severity]
    return "note" if prop.severity is Severity.LOW else "warning"


def _suppressions(found: Notice) -> Iterator[dict[str, Any]]:
    """A violation that is expected or suppressed has been looked at and accepted."""
    suppression = found.property.suppression
    if suppression is not None:
        yield {
            "kind": suppression.kind,
            "status": "accepted",
            "justification": suppression.reason,
            "location": location(suppression.position),
        }
    if found.property.verdict is Verdict.VIOLATED and found.property.expected == "violated":
        yield {
            "kind": "external",
            "status": "accepted",
            "justification": f"the scenario {found.scenario.name} expects it",
        }


def location(position: Position | None, subject: str = "") -> dict[str, Any]:
    """Where it is: in a file where it stands in one, else by the object's name alone."""
    data: dict[str, Any] = {}
    if position is not None and file_of(position):
        physical: dict[str, Any] = {
            "artifactLocation": {"uri": quote(position.file, errors="replace")}
        }
        if position.line:
            physical["region"] = {"startLine": position.line}
            if position.column:
                physical["region"]["startColumn"] = position.column
        data["physicalLocation"] = physical
    name = subject or (visible(position.object) if position else "")
    if name:
        data["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return data


def _code_flow(story: Story, position: Position | None) -> dict[str, Any]:
    """The story as one thread: the API server puts all writes in one order."""
    steps = _flow_locations(story.steps, story.loop_start, position)
    flow: dict[str, Any] = {"threadFlows": [{"locations": list(steps)}]}
    flow["message"] = {"text": story.headline()}
    return flow


def _flow_locations(
    steps: Iterable[StoryStep], loop_start: int | None, position: Position | None
) -> Iterator[dict[str, Any]]:
    for at, step in enumerate(steps):
        because = f", because {step.why}" if step.why else ""
        again = "for ever: " if loop_start is not None and at >= loop_start else ""
        text = f"{again}{step.actor}: {step.summary}{because}"
        yield {
            "executionOrder": step.index,
            "location": {**location(step.position or position), "message": {"text": text}},
            "importance": "essential" if step.environment else "important",
            "state": {f"{c.object} {c.field}": {"text": c.after or "<none>"} for c in step.changes},
        }
