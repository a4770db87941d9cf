"""The report for programs, as ``reports/schema/check-report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.solver.result import Statistics

from .document import PropertyReport, Report, ScenarioReport
from .story import Story, StoryStep

API_VERSION = "kubelemma.dev/v1alpha1"
"""The version of every document that kubelemma reads and writes."""


def render(report: Report) -> str:
    """The report as JSON text that ends in a line break."""
    return json.dumps(to_data(report), indent=2, ensure_ascii=False) + "\n"


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain data of the shape that the schema describes."""
    return {
        "apiVersion": API_VERSION,
        "kind": "CheckReport",
        "kubelemmaVersion": report.version,
        "failOn": report.fail_on,
        "result": report.result,
        "scenarios": [_scenario(s, report) for s in report.scenarios],
    }


@cache
def schema() -> Mapping[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report."""
    text = files(__package__).joinpath("schema", "check-report.schema.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def _scenario(scenario: ScenarioReport, report: Report) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "verdict": scenario.verdict,
        "result": scenario.result(report.fail_on),
        "setting": list(scenario.setting),
        "properties": [_property(p, report) for p in scenario.properties],
        "statistics": _statistics(scenario.statistics),
        "notModelled": [_not_modelled(part) for part in scenario.not_modelled],
    }


def _property(prop: PropertyReport, report: Report) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": prop.id,
        "title": prop.statement.title,
        "subject": prop.subject,
        "verdict": prop.verdict,
        "result": prop.result(report.fail_on),
        "severity": prop.statement.severity,
        "message": prop.message,
        "vacuous": prop.vacuous,
        "remediation": prop.statement.remediation,
    }
    if prop.expected is not None:
        data["expected"] = prop.expected
    if prop.story is not None:
        data["trace"] = _trace(prop.story)
    return data


def _trace(story: Story) -> dict[str, Any]:
    data: dict[str, Any] = {
        "allowed": list(story.allowed),
        "steps": [_step(step) for step in story.steps],
        "standstill": story.standstill,
        "conclusion": list(story.conclusion),
        "repeat": list(story.repeat),
    }
    if story.loop_start is not None:
        data["loopStart"] = story.steps[story.loop_start].index
    return data


def _step(step: StoryStep) -> dict[str, Any]:
    return {
        "index": step.index,
        "actor": step.actor,
        "action": step.action,
        "arguments": dict(step.arguments),
        "environment": step.environment,
        "summary": step.summary,
        "why": step.why,
        "changes": [
            {"object": c.object, "field": c.field, "before": c.before, "after": c.after}
            for c in step.changes
        ],
    }


def _statistics(found: Statistics) -> dict[str, Any]:
    data: dict[str, Any] = {
        "states": found.states,
        "concrete_states": found.concrete_states,
        "transitions": found.transitions,
        "depth": found.depth,
        "terminal_states": found.terminal_states,
        "cut_states": found.cut_states,
        "model_calls": found.model_calls,
        "seconds": found.seconds,
        "peak_memory_bytes": found.peak_memory_bytes,
        "exhaustive": found.exhaustive,
        "actions": dict(found.actions),
        "rules_never_fired": list(found.rules_never_fired),
    }
    if found.stopped_by is not None:
        data["stopped_by"] = found.stopped_by
    return data


def _not_modelled(part: NotModelled) -> dict[str, Any]:
    return {
        "object": part.object,
        "path": part.path,
        "location": str(part.position),
        "relevant": part.severity == "not modelled",
        "reason": part.reason,
    }
