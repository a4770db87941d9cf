"""What verdicts mean for whoever asked."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.system import View
from kubelemma.properties.formula import Always
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.reports.document import (
    SEVERITIES,
    Finding,
    PropertyReport,
    Report,
    Result,
    ScenarioReport,
    property_report,
)
from kubelemma.reports.story import Story, StoryStep
from kubelemma.solver.result import PropertyResult, Statistics, Verdict


def statement(severity: Severity = Severity.HIGH) -> Statement:
    """A statement of this severity."""
    return Statement("X-1", "t", Kind.SAFETY, severity, "s", "w", "c", "src", (), "r")


def found(verdict: Verdict) -> PropertyReport:
    """A report of this verdict."""
    return PropertyReport(statement(), "x", verdict)


def scenario(*properties: PropertyReport) -> ScenarioReport:
    """A scenario with these properties."""
    return ScenarioReport("s", (), properties, Statistics())


VERDICTS = st.lists(st.sampled_from(Verdict), min_size=1, max_size=5)


def test_severities_are_all_and_ordered() -> None:
    """The order has every severity once."""
    assert sorted(SEVERITIES) == sorted(Severity)
    assert SEVERITIES[0] is Severity.LOW
    assert SEVERITIES[-1] is Severity.CRITICAL


@given(VERDICTS)
def test_precedence(verdicts: list[Verdict]) -> None:
    """Violated outweighs inconclusive, which outweighs holds; the result follows."""
    report = Report("1", (scenario(*map(found, verdicts)),))
    if Verdict.VIOLATED in verdicts:
        wanted = Verdict.VIOLATED, Result.FAILED
    elif Verdict.INCONCLUSIVE in verdicts:
        wanted = Verdict.INCONCLUSIVE, Result.INCONCLUSIVE
    else:
        wanted = Verdict.HOLDS, Result.PASSED
    assert (report.scenarios[0].verdict, report.result) == wanted


@given(st.sampled_from(Severity), st.sampled_from(Severity))
def test_fail_on(severity: Severity, fail_on: Severity) -> None:
    """A violation fails the check exactly from the chosen severity on."""
    violated = PropertyReport(statement(severity), "x", Verdict.VIOLATED)
    severe = SEVERITIES.index(severity) >= SEVERITIES.index(fail_on)
    assert violated.result(fail_on) is (Result.FAILED if severe else Result.PASSED)


@given(
    st.sampled_from(Verdict),
    st.sampled_from(get_args(Finding)),
    st.sampled_from(Severity),
    st.booleans(),
)
def test_expectations(
    verdict: Verdict, expected: Finding, fail_on: Severity, vacuous: object
) -> None:
    """With an expectation, the result is whether it came out; inconclusive is never success."""
    found_out = PropertyReport(
        statement(), "x", verdict, vacuous=vacuous is True, expected=expected
    )
    if verdict is Verdict.INCONCLUSIVE:
        wanted = Result.INCONCLUSIVE
    else:
        wanted = Result.PASSED if found_out.finding == expected else Result.FAILED
    assert found_out.result(fail_on) is wanted


def test_holding_vacuously_is_not_what_holds_expects() -> None:
    """A property that never had to hold misses the expectation that it holds."""
    vacuous = PropertyReport(statement(), "x", Verdict.HOLDS, vacuous=True, expected="holds")
    assert vacuous.result(Severity.LOW) is Result.FAILED
    assert replace(vacuous, expected="vacuous").result(Severity.LOW) is Result.PASSED


def test_nothing_checked_is_refused() -> None:
    """A scenario without properties cannot be reported."""
    with pytest.raises(ValueError, match="nothing was checked in the scenario s"):
        scenario()


def result_of(verdict: Verdict, *, reason: str = "", vacuous: bool = False) -> PropertyResult:
    """What an engine says about a property of no content."""
    asked = Property(statement(), "x", Always(View(), lambda: True))
    return PropertyResult(asked, verdict, vacuous=vacuous, reason=reason)


def story(steps: int, loop_start: int | None = None, *, standstill: bool = False) -> Story:
    """A story of this length."""
    told = tuple(StoryStep(i + 1, "a", "b", "c") for i in range(steps))
    return Story("X-1", "x", (), told, loop_start, standstill, ())


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (story(1), "1 step"),
        (story(4, standstill=True), "4 steps, then standstill"),
        (story(5, 3), "5 steps, the last 2 of them repeating for ever"),
        (story(3, 0), "3 steps, all of them repeating for ever"),
    ],
)
def test_message_of_a_violation(told: Story, message: str) -> None:
    """The message tells how long the story is and how it ends."""
    assert property_report(result_of(Verdict.VIOLATED), story=told).message == message


def test_message_otherwise() -> None:
    """Reasons are passed on, and a vacuous property is said to be so."""
    undecided = result_of(Verdict.INCONCLUSIVE, reason="the state limit")
    assert property_report(undecided).message == "the state limit"
    vacuous = property_report(result_of(Verdict.HOLDS, vacuous=True))
    assert "never came true" in vacuous.message
    assert property_report(result_of(Verdict.HOLDS)).message == ""
