"""The report for programs, as ``reports/schema/check-report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position
from kubelemma.properties.statement import Statement
from kubelemma.solver.result import Influence, Statistics, Used, Verdict

from .advice import advice
from .cases import Advice
from .document import Occasion, PropertyReport, Report, ScenarioReport, Suppression
from .picture import NodeBox, Picture, PictureChange, ServiceBox
from .plain import as_json
from .said import outcome
from .story import Contradiction, Fact, NodeReview, Story, StoryStep, Waiting

API_VERSION = "kubelemma.dev/v1alpha1"
"""The version of every document that kubelemma reads and writes."""


def render(report: Report) -> str:
    """The report as JSON text that ends in a line break."""
    return as_json(to_data(report))


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain data of the shape that the schema describes."""
    data = {
        "apiVersion": API_VERSION,
        "kind": "CheckReport",
        "kubelemmaVersion": report.version,
        "failOn": report.fail_on,
        "result": report.result,
        "outcome": outcome(report),
        "scenarios": [_scenario(s, report) for s in report.scenarios],
        "remarks": [
            {"location": _location(r.position), "message": r.message} for r in report.remarks
        ],
        "statements": _statements(p.statement for s in report.scenarios for p in s.properties),
    }
    if report.occasion is not None:
        data["occasion"] = _occasion(report.occasion)
    return data


@cache
def schema() -> Mapping[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report."""
    text = files(__package__).joinpath("schema", "check-report.schema.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def _occasion(occasion: Occasion) -> dict[str, Any]:
    inputs = [
        {"file": file.name, **({"sha256": file.sha256} if file.sha256 else {})}
        for file in occasion.inputs
    ]
    return {"time": occasion.time, "command": list(occasion.command), "inputs": inputs}


def _scenario(scenario: ScenarioReport, report: Report) -> dict[str, Any]:
    return {
        "name": scenario.name,
        **({"question": scenario.question} if scenario.question else {}),
        "verdict": scenario.verdict,
        "result": scenario.result(report.fail_on),
        "setting": list(scenario.setting),
        "properties": [_property(p, report) for p in scenario.properties],
        "statistics": _statistics(scenario.statistics),
        "notModelled": [_not_modelled(part) for part in scenario.not_modelled],
        **({"influence": _influence(scenario.influence)} if scenario.influence else {}),
    }


def _property(prop: PropertyReport, report: Report) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": prop.id,
        "title": prop.statement.title,
        "subject": prop.subject,
        "verdict": prop.verdict,
        "result": prop.result(report.fail_on),
        "severity": prop.severity,
        "message": prop.message,
        "vacuous": prop.vacuous,
        "remediation": prop.statement.remediation,
    }
    if prop.verdict is Verdict.VIOLATED:
        data["advice"] = [_advice(one) for one in advice(prop)]
    if prop.expected is not None:
        data["expected"] = prop.expected
    if prop.position is not None:
        data["location"] = _location(prop.position)
    if prop.suppression is not None:
        data["suppression"] = _suppression(prop.suppression)
    if prop.baseline is not None:
        data["baseline"] = prop.baseline
    if prop.tried:
        data["tried"] = [
            {"repair": one.repair, "verdict": one.verdict, "instead": list(one.instead)}
            for one in prop.tried
        ]
    if prop.story is not None:
        data["trace"] = trace(prop.story)
    return data


def _advice(found: Advice) -> dict[str, Any]:
    data: dict[str, Any] = {"text": found.text}
    if found.cause:
        data["cause"] = found.cause
    if found.positions:
        data["locations"] = [_location(position) for position in found.positions]
    if found.tried:
        data["tried"] = found.tried
    return data


def _suppression(found: Suppression) -> dict[str, Any]:
    data: dict[str, Any] = {
        "kind": found.kind,
        "reason": found.reason,
        "location": _location(found.position),
    }
    if found.expires is not None:
        data["expires"] = found.expires.isoformat()
    return data


def _statements(used: Iterable[Statement]) -> dict[str, dict[str, Any]]:
    """What each property promises, once, by its identifier."""
    return {
        s.id: {
            "title": s.title,
            "kind": s.kind,
            "severity": s.severity,
            "statement": s.statement,
            "why": s.why,
            "conditions": s.conditions,
            "source": s.source,
            "components": list(s.components),
            "remediation": s.remediation,
        }
        for s in used
    }


def _location(position: Position) -> dict[str, Any]:
    """A place in the input, without what is not known of it."""
    return {key: value for key, value in position._asdict().items() if value}


def trace(story: Story) -> dict[str, Any]:
    """A story as plain data of the shape that the schema calls a trace."""
    data: dict[str, Any] = {
        "allowed": list(story.allowed),
        "steps": [_step(step) for step in story.steps],
        "standstill": story.standstill,
        "conclusion": list(story.conclusion),
        "repeat": list(story.repeat),
    }
    if story.loop_start is not None:
        data["loopStart"] = story.steps[story.loop_start].index
    if story.picture is not None:
        data["picture"] = _picture(story.picture)
    if story.contradictions:
        data["contradictions"] = [_contradiction(found) for found in story.contradictions]
    if story.waiting:
        data["waiting"] = [_waiting(each) for each in story.waiting]
    if story.idle:
        data["idle"] = [
            {"actor": i.actor, "reason": i.reason, "heldUp": i.held_up} for i in story.idle
        ]
    if story.decisive is not None:
        data["decisive"] = {"step": story.decisive.step, "words": story.decisive.words}
    return data


def _waiting(found: Waiting) -> dict[str, Any]:
    data: dict[str, Any] = {
        "pod": found.pod,
        "message": found.message,
        "nodes": [_review(review) for review in found.nodes],
    }
    if found.facts:
        data["facts"] = [_fact(fact) for fact in found.facts]
    return data


def _contradiction(found: Contradiction) -> dict[str, Any]:
    return {
        "claim": found.claim,
        "terms": [_fact(term) for term in found.terms],
        "step": found.step,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    data: dict[str, Any] = {"name": fact.name, "value": fact.value}
    if fact.position is not None:
        data["location"] = _location(fact.position)
    if fact.since:
        data["since"] = fact.since
    return data


def _review(review: NodeReview) -> dict[str, Any]:
    data: dict[str, Any] = {"nodes": list(review.nodes), "judgement": review.judgement}
    if review.plugin:
        data |= {"plugin": review.plugin, "reasons": list(review.reasons)}
    if review.detail:
        data["detail"] = review.detail
    if review.score is not None:
        data["score"] = review.score
    if review.position is not None:
        data["location"] = _location(review.position)
    return data


def _step(step: StoryStep) -> dict[str, Any]:
    data: dict[str, Any] = {
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
    if step.unseen:
        data["unseen"] = list(step.unseen)
    if step.facts:
        data["facts"] = [_fact(fact) for fact in step.facts]
    if step.nodes:
        data["nodes"] = [_review(review) for review in step.nodes]
    if step.position is not None:
        data["location"] = _location(step.position)
    if step.follows:
        data["follows"] = step.follows
    if step.missed:
        data["missed"] = [{"step": one.step, "words": one.words} for one in step.missed]
    if step.picture is not None:
        data["picture"] = _picture_change(step.picture)
    return data


def _picture(picture: Picture) -> dict[str, Any]:
    """A picture without the kinds of things of which it has none."""
    data = {
        "workloads": [asdict(box) for box in picture.workloads],
        "replicaSets": [asdict(box) for box in picture.sets],
        "nodes": [_node(box) for box in picture.nodes],
        "pods": [asdict(box) for box in picture.pods],
        "services": [_service(box) for box in picture.services],
        "budgets": [asdict(box) for box in picture.budgets],
        "volumes": [_lists(asdict(box)) for box in picture.volumes],
        "objects": [_lists(asdict(box)) for box in picture.objects],
        "workers": [_lists(asdict(box)) for box in picture.workers],
        "caches": [_lists(asdict(box)) for box in picture.caches],
    }
    return {key: boxes for key, boxes in data.items() if boxes}


def _lists(box: dict[str, Any]) -> dict[str, Any]:
    """The box with lists for tuples, as JSON has them."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in box.items()}


def _service(box: ServiceBox) -> dict[str, Any]:
    """A Service, of which there is often no more to say."""
    found = _lists(asdict(box))
    return found if box.said else {name: v for name, v in found.items() if name != "said"}


def _node(box: NodeBox) -> dict[str, Any]:
    return {
        **asdict(box),
        "conditions": list(box.conditions),
        "usage": list(map(asdict, box.usage)),
    }


def _picture_change(change: PictureChange) -> dict[str, Any]:
    removed = {
        "replicaSets": list(change.removed_sets),
        "pods": list(change.removed_pods),
        "objects": list(change.removed_objects),
        "volumes": list(change.removed_volumes),
    }
    return {
        "changed": _picture(change.changed),
        "removed": {key: names for key, names in removed.items() if names},
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
        "out_degree": found.out_degree,
        "tables": dict(found.tables),
    }
    if found.reductions:
        data["reductions"] = [asdict(each) for each in found.reductions]
    if found.stopped_by is not None:
        data["stopped_by"] = found.stopped_by
    if found.remembered:
        data["remembered"] = True
    if found.runs:
        data |= {"runs": found.runs, "seed": found.seed}
    return data


def _influence(found: Influence) -> dict[str, Any]:
    return {
        "properties": [
            {"id": p.id, "subject": p.subject, "sees": list(p.sees), "leftOut": list(p.left_out)}
            for p in found.properties
        ],
        "rules": [_used(each) for each in found.rules],
        "states": found.states,
    }


def _used(used: Used) -> dict[str, Any]:
    data = {"rule": used.rule, "sees": list(used.sees), "writes": list(used.writes)}
    known = used.depended_on is not None
    return {**data, "dependedOn": list(used.depended_on or ())} if known else data


def _not_modelled(part: NotModelled) -> dict[str, Any]:
    return {
        "object": part.object,
        "path": part.path,
        "location": str(part.position),
        "position": _location(part.position),
        "relevant": part.severity == "not modelled",
        "reason": part.reason,
    }
