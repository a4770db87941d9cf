"""What a report has in common: one row for each workload, and equal stories once.

Every renderer groups alike; only how a group looks is its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Verdict

from .document import SEVERITIES, PropertyReport, Report, Result, ScenarioReport
from .story import Story

IMPLIED = {"STUCK": "DEP-4"}
"""What says nothing more where the other one is violated by the same run."""


class Found(NamedTuple):
    """A property of a scenario."""

    scenario: ScenarioReport
    prop: PropertyReport


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that are told at once: of one run, or of runs that differ in names alone.

    ``first`` are those of the scenario whose story is told, the most severe first, without those
    that another one implies; ``all`` are these and those of others.
    """

    first: tuple[Found, ...]
    all: tuple[Found, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The properties, the most severe first."""
        return tuple(dict.fromkeys(found.prop.id for found in (*self.first, *self.all)))

    @property
    def story(self) -> Story | None:
        """What is told."""
        return self.first[0].prop.story

    @property
    def severity(self) -> Severity:
        """That of the most severe."""
        return self.first[0].prop.severity

    @property
    def workloads(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return tuple(dict.fromkeys(found.scenario.about for found in self.all))

    @property
    def questions(self) -> tuple[str, ...]:
        """What was asked where it came out; empty where nothing of the usual."""
        asked = (found.scenario.question for found in self.all)
        return tuple(dict.fromkeys(question for question in asked if question))


def fails(found: Found, fail_on: Severity) -> bool:
    """Whether a violation makes the check fail, or comes where something else is expected."""
    return found.prop.result(fail_on) is Result.FAILED


def warns(found: Found, fail_on: Severity) -> bool:
    """Whether a violation counts, but not for enough to fail."""
    prop = found.prop
    violated = prop.verdict is Verdict.VIOLATED and not prop.excused and prop.expected is None
    return violated and not prop.counts(fail_on)


def failures(report: Report) -> tuple[Group, ...]:
    """What makes the check fail, grouped by how it happens."""
    return _grouped(_of(report, fails), by=_shape)


def warnings(report: Report) -> tuple[Group, ...]:
    """The violations that are less severe than what fails, grouped by the property."""
    return _grouped(_of(report, warns), by=lambda found: (found.prop.id,))


def _of(report: Report, wanted: Callable[[Found, Severity], bool]) -> Iterator[Found]:
    for scenario in report.scenarios:
        for prop in scenario.properties:
            found = Found(scenario, prop)
            if wanted(found, report.fail_on):
                yield found


def _grouped(findings: Iterable[Found], by: Callable[[Found], object]) -> tuple[Group, ...]:
    alike: dict[object, list[Found]] = {}
    for found in findings:
        alike.setdefault(by(found), []).append(found)
    groups = [_group(found) for found in alike.values()]
    return tuple(sorted(groups, key=lambda group: -SEVERITIES.index(group.severity)))


def _group(findings: list[Found]) -> Group:
    scenario = findings[0].scenario
    own = [found for found in findings if found.scenario is scenario]
    ids = {found.prop.id for found in own}
    telling = [found for found in own if IMPLIED.get(found.prop.id) not in ids]
    first = sorted(telling, key=lambda found: -SEVERITIES.index(found.prop.severity))
    return Group(tuple(first), tuple(findings))


def _shape(found: Found) -> object:
    """What two runs have in common that differ in nothing but the names of workloads."""
    story = found.prop.story
    if story is None:
        return (found.scenario.name, found.prop.id, found.prop.subject)
    plain = _without_names(found.scenario.about)
    steps = tuple(
        (
            step.actor,
            plain(step.summary),
            plain(step.why),
            tuple(tuple(map(plain, (c.object, c.field, c.before, c.after))) for c in step.changes),
            tuple(map(plain, step.unseen)),
        )
        for step in story.steps
    )
    waiting = tuple((plain(each.pod), plain(each.message)) for each in story.waiting)
    return (steps, story.loop_start, story.standstill, waiting)


def _without_names(about: str) -> Callable[[str], str]:
    """A function that puts numbers in the place of the workloads' names."""
    names = sorted({name.rpartition("/")[2] for name in about.split("+")}, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![a-z0-9]){re.escape(n)}(?![a-z0-9])" for n in names if n))

    def plain(text: str) -> str:
        return pattern.sub(lambda match: f"\0{names.index(match[0])}", text)

    return plain


class Row(NamedTuple):
    """The scenarios of a workload, by what was asked; without a question by their own name."""

    about: str
    scenarios: Mapping[str, ScenarioReport]


def rows(report: Report) -> tuple[Row, ...]:
    """One row for each workload, or group of workloads."""
    found: dict[str, dict[str, ScenarioReport]] = {}
    for scenario in report.scenarios:
        of = found.setdefault(scenario.about, {})
        question = scenario.question or "result"
        if question in of:  # of another Check, or another start
            found[scenario.name] = {question: scenario}
        else:
            of[question] = scenario
    return tuple(Row(about, scenarios) for about, scenarios in found.items())


def columns(found: Iterable[Row]) -> tuple[str, ...]:
    """The questions that were asked of anybody, in their order."""
    return tuple(dict.fromkeys(question for row in found for question in row.scenarios))
