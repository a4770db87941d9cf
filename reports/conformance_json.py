"""Recorded runs and what became of them, for programs.

``reports/schema/conformance-report.schema.json`` describes the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .conformance import (
    Answer,
    ConformanceReport,
    JudgedRun,
    Refusal,
    outside_classes,
    refusal_classes,
)
from .plain import as_json

API_VERSION = "kubelemma.dev/v1alpha1"
KIND = "ConformanceReport"


def render(report: ConformanceReport) -> str:
    """The report as JSON text that ends in a line break."""
    return as_json(to_data(report))


@cache
def schema() -> Mapping[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report on recorded runs."""
    path = files(__package__).joinpath("schema", "conformance-report.schema.json")
    loaded: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def to_data(report: ConformanceReport) -> dict[str, Any]:
    """The report as plain data of the shape that the schema describes."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "kubelemmaVersion": report.version,
        "answers": {answer.value: report.number(answer) for answer in Answer},
        "refusalClasses": [
            {
                "actor": found.actor,
                "what": found.what,
                "number": found.number,
                "possibleEarlier": found.late,
                "runs": found.runs,
            }
            for found in refusal_classes(report.runs)
        ],
        "notModelled": [
            {"actor": found.actor, "what": found.what, "number": found.number}
            for found in outside_classes(report.runs)
        ],
        "runs": [_run(run) for run in report.runs],
    }


def _run(run: JudgedRun) -> dict[str, Any]:
    problem = run.problem
    return {
        "file": run.file,
        "scenario": run.scenario,
        "answer": run.answer.value,
        "deployments": run.deployments,
        "writes": run.writes,
        "accepted": run.accepted,
        "inputs": run.inputs,
        "states": run.states,
        "seconds": round(run.seconds, 3),
        "complete": run.complete,
        "problem": None
        if problem is None
        else {"line": problem.position.line, "field": problem.path, "message": problem.message},
        "notModelled": [
            {"actor": found.actor, "what": found.what, "number": found.number}
            for found in run.outside
        ],
        "refusals": [_refusal(refusal) for refusal in run.refusals],
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    nearest = refusal.nearest
    return {
        "line": refusal.line,
        "revision": refusal.revision,
        "time": refusal.time,
        "actor": refusal.actor,
        "what": refusal.what,
        "object": refusal.object,
        "observed": list(refusal.changes),
        "nearest": None
        if nearest is None
        else {"action": nearest.action, "why": nearest.why, "observed": list(nearest.changes)},
        "inHand": list(refusal.in_hand),
        "possibleAsOf": refusal.read_at,
    }
