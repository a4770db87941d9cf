"""Known failures of real clusters come out as violations, and their repairs hold."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal

import jsonschema
import msgspec
import pytest
import yaml

from kubelemma import api
from kubelemma.reports import sarif
from kubelemma.reports.document import Result
from kubelemma.reports.story import Story
from kubelemma.solver.replay import RepeatStatus
from kubelemma.solver.result import PropertyResult, Trace, Verdict

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DOCUMENT = (ROOT / "docs" / "gallery.md").read_text("utf-8")

Key = tuple[str, str]
"""A property, and the object that it is about."""


class Violation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A violation, and the shape of its counterexample (see expectations.yaml)."""

    id: str
    ends: Literal["standstill", "loop", "step"]
    steps: int
    words: tuple[str, ...]
    subject: str = "Deployment default/web"
    repeating: int = 0

    @property
    def key(self) -> Key:
        """What is violated."""
        return (self.id, self.subject)


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure, where it was reported or what causes it, and the variants without it."""

    source: str
    sound: tuple[str, ...]
    violated: tuple[Violation, ...]


CASES = msgspec.convert(
    yaml.safe_load((Path(__file__).parent / "expectations.yaml").read_text("utf-8")),
    dict[str, Case],
)
SOUND = {f"{name}-{variant}": case for name, case in CASES.items() for variant in case.sound}
VIOLATIONS = [
    pytest.param(name, violation, id=f"{name}-{violation.id}-{violation.subject}")
    for name, case in CASES.items()
    for violation in case.violated
]


@cache
def explored(example: str) -> api.Explored:
    """What is found out about the scenario of an example; of several starts, about the first."""
    case, *_ = api.ask(api.Question(paths=(str(EXAMPLES / example),))).cases
    return api.explore(case)


def findings(example: str) -> dict[Key, PropertyResult]:
    """All verdicts on an example."""
    results = explored(example).result.properties
    found = {(result.property.id, result.property.subject): result for result in results}
    assert len(found) == len(results)
    return found


def counterexample(example: str, key: Key) -> Trace:
    """The trace of a violation."""
    trace = findings(example)[key].trace
    assert trace is not None
    return trace


def story_of(example: str, key: Key) -> Story:
    """The story of a violation as reports tell it."""
    (scenario,) = api.report([explored(example)]).scenarios
    (story,) = (p.story for p in scenario.properties if (p.id, p.subject) == key)
    assert story is not None
    return story


@pytest.mark.parametrize("example", [*CASES, *SOUND])
def test_exhaustive(example: str) -> None:
    """Every example is small enough for a search of every state, and nothing is left open."""
    statistics = explored(example).result.statistics
    assert (statistics.exhaustive, statistics.stopped_by) == (True, None)


@pytest.mark.parametrize("name", CASES)
def test_violated(name: str) -> None:
    """A case violates what is expected of it, and nothing else."""
    bad = {key for key, found in findings(name).items() if found.verdict is not Verdict.HOLDS}
    assert bad == {violation.key for violation in CASES[name].violated}
    assert api.report([explored(name)]).result is Result.FAILED


@pytest.mark.parametrize("example", SOUND)
def test_repaired(example: str) -> None:
    """Everything holds in a sound variant, and what the case violates not only vacuously."""
    found = findings(example)
    assert {result.verdict for result in found.values()} == {Verdict.HOLDS}
    assert not any(found[violation.key].vacuous for violation in SOUND[example].violated)
    assert api.report([explored(example)]).result is Result.PASSED


@pytest.mark.parametrize(("name", "violation"), VIOLATIONS)
def test_shape(name: str, violation: Violation) -> None:
    """A counterexample ends as expected, and is as short as expected."""
    trace = counterexample(name, violation.key)
    ends = "loop" if trace.loop_start is not None else "standstill" if trace.standstill else "step"
    assert ends == violation.ends
    assert len(trace.steps) <= violation.steps
    if trace.loop_start is not None:
        assert len(trace.steps) - trace.loop_start <= violation.repeating


@pytest.mark.parametrize(("name", "violation"), VIOLATIONS)
def test_story(name: str, violation: Violation) -> None:
    """The story of a counterexample tells what it is about."""
    story = story_of(name, violation.key)
    told = [part for step in story.steps for part in (step.summary, step.why)]
    text = "\n".join([*told, *story.conclusion])
    assert [word for word in violation.words if word not in text] == []


@pytest.mark.parametrize("example", [*CASES, *SOUND])
def test_sarif(example: str, sarif_validator: jsonschema.Draft4Validator) -> None:
    """The SARIF log of every example is valid by the schema of the standard."""
    log = json.loads(sarif.render(api.report([explored(example)])))
    assert list(sarif_validator.iter_errors(log)) == []
    assert example in SOUND or log["runs"][0]["results"]


@pytest.mark.parametrize(("name", "violation"), VIOLATIONS)
def test_replay(name: str, violation: Violation) -> None:
    """A counterexample that was recorded fails again, step by step, from its record alone."""
    recorded = api.recording(explored(name), findings(name)[violation.key])
    assert recorded is not None
    again = api.replay(recorded)
    assert again.repeat.status is RepeatStatus.STILL_FAILS
    assert again.repeat.trace == counterexample(name, violation.key)


def test_every_example_is_expected() -> None:
    """Each directory of examples is in the table, and the other way round."""
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    others = ("placement-", "own-controller")
    present = {name for name in folders if not name.startswith(others)}
    assert present == {*CASES, *SOUND, "whole-flow"}


def test_whole_flow() -> None:
    """From kubectl apply to the first request that is served, whatever comes first."""
    found = findings("whole-flow")
    assert {result.verdict for result in found.values()} == {Verdict.HOLDS}
    assert not found["LB-3", "Service default/shop"].vacuous
    assert not found["ING-3", "Ingress default/shop to shop"].vacuous
    statistics = explored("whole-flow").result.statistics
    assert (statistics.exhaustive, statistics.states) == (True, 460)


@pytest.mark.parametrize("name", CASES)
def test_documented(name: str) -> None:
    """Each case has its section in the gallery, with its source and the commands to try."""
    section = DOCUMENT.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert CASES[name].source in section
    for example in (name, *(f"{name}-{variant}" for variant in CASES[name].sound)):
        assert f"kubelemma check examples/{example}/\n" in section
