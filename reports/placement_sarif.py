"""The answer to a question of placement as SARIF 2.1.0: a result for all that has no place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.solver.placement.problem import Answer

from .notice import Level
from .placement import PlacementReport
from .placement_notice import LOST, OVERFULL, RULES, Finding, Rule, findings
from .plain import as_json
from .sarif import FINGERPRINT, SCHEMA, location, notification

_LEVELS = {Level.ERROR: "error", Level.WARNING: "none", Level.NOTE: "note"}


def render(report: PlacementReport) -> str:
    """The report as a SARIF log that ends in a line break."""
    return as_json(to_data(report))


def to_data(report: PlacementReport) -> dict[str, Any]:
    """The report as a SARIF log of one run: visible words, and files as they are."""
    report = report.shown()
    run = {
        "tool": {
            "driver": {
                "name": "kubelemma",
                "semanticVersion": report.version,
                "rules": [_rule(rule) for rule in RULES],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in findings(report)],
        "properties": {
            "answer": report.answer.value,
            "pods": {"asked": report.pods, "placed": report.placed},
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.help},
        "properties": {"tags": ["kubernetes", "scheduler"]},
    }


def _notifications(report: PlacementReport) -> Iterator[dict[str, Any]]:
    for sentence in report.setting:
        yield notification("note", f"assumed: {sentence}")
    for one in report.whatifs:
        if one.answer is Answer.YES:
            yield notification("note", f"{one.title}: {' '.join(one.lines)}")
    for part in dict.fromkeys(report.not_modelled):
        if part.severity == "not modelled":
            yield notification("note", f"not modelled: {part}", part.position)


def _level(finding: Finding) -> str:
    """How loud it is: what fails nothing, and yet nobody wants, is a warning."""
    warned = finding.rule in (LOST, OVERFULL) and finding.level is Level.NOTE
    return "warning" if warned else _LEVELS[finding.level]


def _result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": RULES.index(finding.rule),
        "kind": "open" if finding.level is Level.WARNING else "fail",
        "level": _level(finding),
        "message": {"text": finding.sentence},
        "locations": [location(finding.position, finding.subject)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint()},
    }
