"""The result of a check as one typed document, from which every format is rendered.

A *verdict* is what was found out. A *result* is what that means for whoever asked: a violation that
was expected, or of too low a severity, does not fail a check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.properties.statement import Severity, Statement
from kubelemma.solver.result import Influence, PropertyResult, Statistics, Verdict

from .story import Story

SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
"""All severities, from the mildest."""


Finding: TypeAlias = Literal["holds", "violated", "inconclusive", "vacuous"]
"""A verdict, or vacuous for a property that holds because its premise never came true."""


BaselineState: TypeAlias = Literal["new", "unchanged", "updated"]
"""How a finding compares with the baseline: not in it, violated there too, or violated there and
undecided now. The words are SARIF's."""


Excuse: TypeAlias = Literal["", "suppressed", "known"]
"""Why a violation does not count; empty where it does."""


UNEXPLAINED = "the premise never came true"
"""What is said of a vacuous verdict of which no reason is known."""


class Result(StrEnum):
    """What the verdicts mean: success, failure, or neither."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Suppression:
    """That somebody has looked at a violation and accepted it.

    ``kind`` tells whether that is written in the manifest itself or apart from it, ``position``
    where. After the day ``expires`` the suppression does not count any more.
    """

    kind: Literal["inSource", "external"]
    reason: str
    position: Position
    expires: date | None = None

    def __str__(self) -> str:
        until = f" until {self.expires}" if self.expires else ""
        return f"suppressed{until} in {self.position}: {self.reason}"


HELPS = "tried: holds"
NO_HELP = "tried: violated as well"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of asking again with a repair: the verdict, and what is violated in its place."""

    repair: str
    verdict: Verdict
    instead: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.verdict is Verdict.HOLDS and self.instead:
            return f"{HELPS}, but {', '.join(self.instead)} is violated then"
        words = {
            Verdict.HOLDS: HELPS,
            Verdict.VIOLATED: NO_HELP,
            Verdict.INCONCLUSIVE: "tried: not decided",
        }
        return words[self.verdict]


@dataclass(frozen=True, slots=True)
class PropertyReport:
    """The verdict on one property of one object.

    ``expected`` is what the scenario's ``expect`` says about it, None where it says nothing.
    ``vacuous`` tells that the property's premise never came true, so that it says nothing.
    ``position`` is where the object stands in the input; None where it stands nowhere.
    ``baseline`` is None where all is well, and where there is no baseline. ``regraded`` is how
    severe a violation is for whoever asked, None where it is what the catalogue says. ``tried``
    are the repairs of which it was searched whether they help.
    """

    statement: Statement
    subject: str
    verdict: Verdict
    message: str = ""
    vacuous: bool = False
    expected: Finding | None = None
    story: Story | None = None
    position: Position | None = None
    suppression: Suppression | None = None
    baseline: BaselineState | None = None
    regraded: Severity | None = None
    tried: tuple[Tried, ...] = ()

    @property
    def finding(self) -> Finding:
        """The verdict, with vacuous told apart from holds."""
        vacuous = self.vacuous and self.verdict is Verdict.HOLDS
        return "vacuous" if vacuous else self.verdict.value

    @property
    def id(self) -> str:
        """The identifier, such as ``DEP-4``."""
        return self.statement.id

    @property
    def severity(self) -> Severity:
        """How much a violation matters."""
        return self.regraded or self.statement.severity

    @property
    def excused(self) -> Excuse:
        """Whether a violation does not count, for having been accepted or known before.

        An expectation of the scenario comes first: what it asks for is not excused.
        """
        if self.verdict is not Verdict.VIOLATED or self.expected is not None:
            return ""
        if self.suppression is not None:
            return "suppressed"
        return "known" if self.baseline == "unchanged" else ""

    @property
    def excuse(self) -> str:
        """Why a violation does not count, in words that begin with `excused`; else empty."""
        words = {"suppressed": str(self.suppression), "known": "known from the baseline"}
        return words.get(self.excused, "")

    def result(self, fail_on: Severity) -> Result:
        """What the verdict means where violations from severity ``fail_on`` on count."""
        if self.verdict is Verdict.INCONCLUSIVE:  # never success, not even where it was expected
            return Result.INCONCLUSIVE
        if self.expected is not None:
            return Result.PASSED if self.finding == self.expected else Result.FAILED
        violated = self.verdict is Verdict.VIOLATED and not self.excused
        counts = violated and self.counts(fail_on)
        return Result.FAILED if counts else Result.PASSED

    def counts(self, fail_on: Severity) -> bool:
        """Whether a violation is at least as severe as ``fail_on``."""
        return SEVERITIES.index(self.severity) >= SEVERITIES.index(fail_on)


_START = re.compile(r", start [0-9]+$")
"""How a scenario is called in which others stand by elsewhere."""


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """All verdicts on one scenario.

    ``setting`` says in sentences what was assumed: the cluster, the events, the bounds, and which
    parts of Kubernetes stood by. ``question`` is what was asked, where it is one of the usual
    questions. ``influence`` is what depends on what, where somebody wants to know.

    Raises:
        ValueError: there are no properties; an empty check must never look like success.
    """

    name: str
    setting: tuple[str, ...]
    properties: tuple[PropertyReport, ...]
    statistics: Statistics
    not_modelled: tuple[NotModelled, ...] = ()
    question: str = ""
    influence: Influence | None = None

    @property
    def about(self) -> str:
        """The workloads, or whatever else the scenario is called after; in whichever start."""
        name = self.name.removesuffix(f": {self.question}") if self.question else self.name
        return _START.sub("", name)

    def __post_init__(self) -> None:
        if not self.properties:
            raise ValueError(f"nothing was checked in the scenario {self.name}")

    @property
    def verdict(self) -> Verdict:
        """Violated if any property is, else inconclusive if any is, else holds."""
        found = {p.verdict for p in self.properties}
        order = (Verdict.VIOLATED, Verdict.INCONCLUSIVE)
        return next((v for v in order if v in found), Verdict.HOLDS)

    def result(self, fail_on: Severity) -> Result:
        """Failed if any property is, else inconclusive if any is, else passed."""
        return _worst(p.result(fail_on) for p in self.properties)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read; ``sha256`` is that of its bytes in hexadecimal, empty if not known."""

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a check was made and how.

    ``time`` is in UTC, such as ``2025-11-30T12:00:00Z``; ``command`` has the words of the command
    line, ``inputs`` the files in the order in which they were read.
    """

    time: str
    command: tuple[str, ...]
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one run of ``kubelemma check``.

    ``remarks`` say which suppressions and findings of the baseline have outlived their reason.
    ``occasion`` is None where whoever asked does not say: nothing here looks at a clock.
    """

    version: str
    scenarios: tuple[ScenarioReport, ...]
    fail_on: Severity = Severity.LOW
    remarks: tuple[Problem, ...] = ()
    occasion: Occasion | None = None

    @property
    def result(self) -> Result:
        """Failed if any scenario is, else inconclusive if any is, else passed."""
        return _worst(s.result(self.fail_on) for s in self.scenarios)


def property_report(
    found: PropertyResult,
    expected: Finding | None = None,
    story: Story | None = None,
    position: Position | None = None,
) -> PropertyReport:
    """What an engine found out about a property, with its story, expectation and position."""
    return PropertyReport(
        statement=found.property.statement,
        subject=found.property.subject,
        verdict=found.verdict,
        message=_message(found, story),
        vacuous=found.vacuous,
        expected=expected,
        story=story,
        position=position,
    )


def _message(found: PropertyResult, story: Story | None) -> str:
    """The verdict's circumstances in one line; empty where there is nothing to add."""
    if found.vacuous and not found.reason:
        return UNEXPLAINED
    parts = (found.reason, story.headline() if story else "")
    return "; ".join(part for part in parts if part)


def _worst(results: Iterable[Result]) -> Result:
    found = set(results)
    order = (Result.FAILED, Result.INCONCLUSIVE)
    return next((r for r in order if r in found), Result.PASSED)
