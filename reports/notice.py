"""What a report has to say to somebody who reads only what is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from kubelemma.model.manifests.problems import Position
from kubelemma.model.visible import visible
from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Verdict

from .document import Finding, PropertyReport, Report, Result, ScenarioReport
from .story import Story

_FOUND: Mapping[Finding, str] = {
    "holds": "holds",
    "vacuous": "holds vacuously",
    "violated": "is violated",
    "inconclusive": "is inconclusive",
}


IMPLIED: Mapping[str, str] = {"STUCK": "DEP-4"}
"""What says nothing more where the other one is violated by the same run."""


class Level(StrEnum):
    """How loudly something has to be said."""

    ERROR = "error"
    """It fails the check."""
    WARNING = "warning"
    """It is not known."""
    NOTE = "note"
    """It is violated, but that was expected or excused, or is too mild to fail the check."""


class Notice(NamedTuple):
    """A property that somebody should hear of, and the scenario that it belongs to."""

    level: Level
    scenario: ScenarioReport
    property: PropertyReport

    def title(self) -> str:
        """What was found, in a few words, such as ``DEP-4 is violated, as expected``."""
        prop = self.property
        if prop.expected not in {None, prop.finding}:
            return f"{prop.id} {_FOUND[prop.finding]}, where {prop.expected} was expected"
        excuse = f", but {prop.excused}" if prop.excused else ""
        what = ", as expected" if prop.expected else excuse
        return f"{prop.id} {_FOUND[prop.finding]}{what}"

    def sentence(self) -> str:
        """What was found, of what, and how, on one line."""
        prop = self.property
        where = f"for {prop.subject} in {self.scenario.name}"
        circumstances = "; ".join(filter(None, (prop.message, prop.excuse)))
        how = f" ({circumstances})" if circumstances else ""
        return f"{self.title()} {where}: {prop.statement.title}{how}"

    def explanation(self) -> str:
        """The sentence, where the story contradicts the property, and how it is repeated."""
        story = self.property.story
        lines = [self.sentence()]
        if story is not None:
            lines += [*story.conclusion, *(f"Repeat it with: {c}" for c in story.repeat)]
        return "\n".join(lines)

    def file(self) -> str:
        """The file in which the object stands; empty where it stands in none."""
        return file_of(self.property.position)

    def finding(self) -> tuple[str, str, str]:
        """Whom it is about, the property and the object, whatever was asked where it came out."""
        return (self.scenario.about, self.property.id, self.property.subject)

    def fingerprint(self) -> str:
        """The same for the same finding in every run, whatever its story and its line."""
        return hashlib.sha256(json.dumps(self.finding()).encode()).hexdigest()

    def implied(self) -> str:
        """The property that says as much of the same object by the same run; empty for none."""
        wanted, story = IMPLIED.get(self.property.id), self.property.story
        for other in self.scenario.properties:
            same = other.id == wanted and other.subject == self.property.subject
            weighs = (other.excused, other.expected) == (
                self.property.excused,
                self.property.expected,
            )
            if same and weighs and _same_run(other.story, story):
                return other.id
        return ""


def notices(report: Report) -> tuple[Notice, ...]:
    """What is to be said, the loudest first, else in the order of the report."""
    all_of_them = (notice(s, p, report.fail_on) for s in report.scenarios for p in s.properties)
    levels = list(Level)
    return tuple(sorted(filter(None, all_of_them), key=lambda n: levels.index(n.level)))


def findings(report: Report) -> tuple[tuple[Notice, ...], ...]:
    """The same, for each property of an object at once: the loudest of each comes first."""
    found: dict[tuple[str, str, str], list[Notice]] = {}
    for one in notices(report):
        found.setdefault(one.finding(), []).append(one)
    return tuple(map(tuple, found.values()))


def notice(scenario: ScenarioReport, prop: PropertyReport, fail_on: Severity) -> Notice | None:
    """What is to be said about one property of a scenario; None where all is well."""
    level = _level(prop, fail_on)
    return None if level is None else Notice(level, scenario, prop)


def _same_run(one: Story | None, other: Story | None) -> bool:
    return one is not None and other is not None and one.run() == other.run()


def file_of(position: Position | None) -> str:
    """The file of a position, visibly; empty for standard input and for options."""
    if position is None or position.file.startswith(("<", "-")):
        return ""
    return visible(position.file)


def _level(prop: PropertyReport, fail_on: Severity) -> Level | None:
    match prop.result(fail_on):
        case Result.FAILED:
            return Level.ERROR
        case Result.INCONCLUSIVE:
            return Level.WARNING
        case _:
            return Level.NOTE if prop.verdict is Verdict.VIOLATED else None
