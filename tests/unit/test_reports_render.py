"""The text and the JSON report: laws over all reports, and the exact look of a small one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal, TypeAlias

import click
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position
from kubelemma.properties.statement import Kind, Severity, Statement
from kubelemma.reports import json as json_report
from kubelemma.reports import text
from kubelemma.reports.document import PropertyReport, Report, ScenarioReport
from kubelemma.reports.story import Change, Story, StoryStep
from kubelemma.solver.result import Statistics, Verdict

Reports: TypeAlias = st.SearchStrategy[Report]


@settings(max_examples=30)
@given(drawn=st.data())
def test_json_fits_the_published_schema(reports: Reports, drawn: st.DataObject) -> None:
    """Every report is valid against the schema, and is JSON."""
    report = drawn.draw(reports)
    data = json.loads(json_report.render(report))
    assert list(jsonschema.Draft202012Validator(json_report.schema()).iter_errors(data)) == []


def test_schema_is_a_schema_that_refuses_what_is_unknown() -> None:
    """The schema is valid itself, and each of its objects names all it allows."""
    schema = json_report.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    objects = [schema, *(d for d in schema["$defs"].values() if d.get("type") == "object")]
    assert len(objects) > 6
    assert all(found["additionalProperties"] is False for found in objects)


@settings(max_examples=40)
@given(drawn=st.data(), wide=st.booleans())
def test_colour_changes_no_word(reports: Reports, drawn: st.DataObject, *, wide: bool) -> None:
    """Without its colours, the coloured text is the plain one."""
    report = drawn.draw(reports)
    plain = text.render(report, wide=wide)
    assert click.unstyle(text.render(report, wide=wide, colour=True)) == plain
    assert "\x1b" not in plain


@settings(max_examples=30)
@given(drawn=st.data())
def test_lines_fit(reports: Reports, drawn: st.DataObject) -> None:
    """Words as short as these keep every line but a table's within the width."""
    report = drawn.draw(reports)
    lines = text.render(report, width=100).splitlines()
    assert [line for line in lines if len(line) > 100] == []


@settings(max_examples=30)
@given(drawn=st.data())
def test_text_names_every_verdict(reports: Reports, drawn: st.DataObject) -> None:
    """Every property of every scenario has its line, and the last paragraph is the result."""
    report = drawn.draw(reports)
    rendered = text.render(report)
    assert all(p.id in rendered for s in report.scenarios for p in s.properties)
    assert f"\n{report.result.upper()}: " in rendered


STEP = StoryStep(
    index=1,
    actor="user",
    action="apply",
    summary="applies template 2",
    why="somebody may",
    environment=True,
    changes=(
        Change("Deployment default/web", "spec.template", "1", "2"),
        Change("Deployment default/web", "status.updatedReplicas", "3", ""),
    ),
)
LOOPING = StoryStep(index=2, actor="scheduler", action="wait", summary="waits")
STORY = Story(
    "DEP-4", "Deployment default/web", ("one rollout",), (STEP, LOOPING), 1, False, ("it hangs",)
)
STATEMENT = Statement(
    id="DEP-4",
    title="every rollout completes",
    kind=Kind.LIVENESS,
    severity=Severity.HIGH,
    statement="Once users rest, every rollout completes.",
    why="",
    conditions="",
    source="pkg/controller/deployment/rolling.go",
    components=("deployment",),
    remediation="Set maxUnavailable to 1.",
)
VIOLATED = PropertyReport(STATEMENT, "Deployment default/web", Verdict.VIOLATED, story=STORY)
SMALL = Report("1", (ScenarioReport("web", ("3 nodes",), (VIOLATED,), Statistics(states=7)),))

LOOK = """\
Scenario web

PROPERTY    SUBJECT                 VERDICT    SEVERITY    PROMISE
DEP-4       Deployment default/web  VIOLATED   high        every rollout completes

What was assumed
  - 3 nodes

── DEP-4 is violated for Deployment default/web ────────────────────────────────
  every rollout completes

What may happen
  - one rollout

What happens
   1   user: applies template 2
         because somebody may
           Deployment default/web  spec.template           1 → 2
                                   status.updatedReplicas  3 → <none>
     ┌ from here on, for ever:
   2 │ scheduler: waits
     └ and again from step 2

Where it contradicts DEP-4
  - it hangs

What to do about it
  - Set maxUnavailable to 1.

What was explored
  - not every reachable state: 7 states up to symmetry, 0 transitions, depth 0
  - 0.0 s, 0 MiB, 0 calls of model code

FAILED: of 1 property 1 violated (DEP-4)
"""


def test_exact_look() -> None:
    """A violated property with a loop reads as intended."""
    assert text.render(SMALL, width=80) == LOOK


def test_expected_violation_passes() -> None:
    """A violation that was expected is told, and does not fail."""
    expected = replace(VIOLATED, expected="violated")
    report = replace(SMALL, scenarios=(replace(SMALL.scenarios[0], properties=(expected,)),))
    rendered = text.render(report)
    assert "DEP-4 is violated for Deployment default/web, as expected" in rendered
    assert rendered.endswith("PASSED: of 1 property 1 violated (DEP-4)\n")


def test_one_input_is_told_once() -> None:
    """Scenarios of the same input do not repeat what of it is not modelled."""
    first = replace(SMALL.scenarios[0], not_modelled=(left_out(1, "not modelled"),))
    second = replace(first, name="api")
    third = replace(first, name="db", not_modelled=(left_out(2, "not modelled"),))
    same = text.render(replace(SMALL, scenarios=(first, second)))
    assert same.count("What is not modelled") == 1
    different = text.render(replace(SMALL, scenarios=(first, second, third)))
    assert "What is not modelled in web and api\n" in different
    assert "What is not modelled in db\n" in different


def test_a_run_is_told_once() -> None:
    """A second property that the same run contradicts refers to the first."""
    other = replace(
        VIOLATED,
        statement=replace(STATEMENT, id="STUCK"),
        story=replace(STORY, property_id="STUCK", conclusion=("nobody acts",)),
    )
    scenario = replace(SMALL.scenarios[0], properties=(VIOLATED, other))
    rendered = text.render(replace(SMALL, scenarios=(scenario,)))
    assert rendered.count("applies template 2") == 1
    assert "What happens is what is told for DEP-4 of Deployment default/web." in rendered
    assert "nobody acts" in rendered


def test_what_may_happen_is_told_once() -> None:
    """What a story allows is not repeated where the scenario's setting says it."""
    same = replace(VIOLATED, story=replace(STORY, allowed=("3 nodes",)))
    report = replace(SMALL, scenarios=(replace(SMALL.scenarios[0], properties=(same,)),))
    assert text.render(report).count("3 nodes") == 1


def test_a_run_without_steps() -> None:
    """What is broken from the start is said to be so."""
    nothing = replace(VIOLATED, story=replace(STORY, steps=(), loop_start=None, standstill=True))
    report = replace(SMALL, scenarios=(replace(SMALL.scenarios[0], properties=(nothing,)),))
    assert "Nothing: it is so from the start." in text.render(report)


@pytest.mark.parametrize("stop", ["max-states", "time-limit", "max-memory", "interrupted", "other"])
def test_why_it_stopped(stop: str) -> None:
    """A search that ended early is never said to have seen everything."""
    scenario = replace(SMALL.scenarios[0], statistics=Statistics(stopped_by=stop))
    rendered = text.render(replace(SMALL, scenarios=(scenario,)))
    assert "not every reachable state (" in rendered


def test_missed_expectation_is_told() -> None:
    """What was expected and what was found stand side by side."""
    missed = replace(VIOLATED, expected="holds")
    report = replace(SMALL, scenarios=(replace(SMALL.scenarios[0], properties=(missed,)),))
    assert "web: DEP-4, Deployment default/web: expected holds, found violated" in text.render(
        report
    )


def left_out(number: int, severity: Literal["irrelevant", "not modelled"]) -> NotModelled:
    """A field that is left out."""
    position = Position("s.yaml", number + 1)
    return NotModelled(position, f"Service s{number}", f"spec.f{number}", severity, "no traffic")


def test_long_lists_are_cut_unless_wide() -> None:
    """Fifty fields that are not modelled do not bury the verdict, and are all listed on demand."""
    parts = (
        *(left_out(i, "not modelled") for i in range(50)),
        *(left_out(i, "irrelevant") for i in range(50, 57)),
    )
    report = replace(SMALL, scenarios=(replace(SMALL.scenarios[0], not_modelled=parts),))
    short, long = text.render(report), text.render(report, wide=True)
    assert "Service s0 spec.f0" in short
    assert "47 more" in short
    assert "7 fields or objects without effect" in short
    assert "spec.f49" not in short
    assert all(f"spec.f{i}" in long for i in range(57))
