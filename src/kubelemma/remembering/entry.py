"""A result of a search on file, and back: what it says is taken for true only if it still is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from kubelemma.properties.statement import Property
from kubelemma.question import Case
from kubelemma.recording import Step, as_recorded, steps_of
from kubelemma.solver.replay import RepeatStatus, replay_steps
from kubelemma.solver.result import CheckResult, PropertyResult, Statistics, Trace, Verdict


class Unfit(Exception):
    """What was remembered cannot be true of the case; the message says why."""


class Found(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The verdict on one property; ``steps`` are those of its counterexample, where it has one."""

    id: str
    subject: str
    verdict: Verdict
    vacuous: bool = False
    reason: str = ""
    steps: tuple[Step, ...] | None = None
    loop_start: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is remembered of a case; ``scenario`` is for people who look into the file."""

    scenario: str
    kubelemma_version: str
    engine: str
    properties: tuple[Found, ...]
    statistics: Statistics


def is_decided(result: CheckResult) -> bool:
    """Whether nothing is left to find out: only then searching again would be of no use."""
    return all(found.verdict is not Verdict.INCONCLUSIVE for found in result.properties)


def entry_of(case: Case, result: CheckResult, version: str) -> Entry:
    """What is to be remembered of a result."""
    return Entry(
        scenario=case.scenario.name,
        kubelemma_version=version,
        engine=result.engine,
        properties=tuple(map(_found, result.properties)),
        statistics=_plain(result.statistics),
    )


def _plain(found: Statistics) -> Statistics:
    """The statistics with names as texts: a rule may be called as its action."""
    return replace(found, rules_never_fired=tuple(map(str, found.rules_never_fired)))


def _found(result: PropertyResult) -> Found:
    trace = result.trace
    return Found(
        id=result.property.id,
        subject=result.property.subject,
        verdict=result.verdict,
        vacuous=result.vacuous,
        reason=result.reason,
        steps=None if trace is None else steps_of(trace),
        loop_start=None if trace is None else trace.loop_start,
    )


def result_of(case: Case, entry: Entry) -> CheckResult:
    """The result as if the search had just ended, its counterexamples replayed on the case.

    Raises:
        Unfit: it is about other properties, decides nothing, or a counterexample of it is none.
    """
    results = tuple(_results(case, entry))
    result = CheckResult(entry.engine, results, replace(entry.statistics, remembered=True))
    if not is_decided(result):
        raise Unfit("it leaves a property undecided")
    return result


def _results(case: Case, entry: Entry) -> Iterator[PropertyResult]:
    remembered = {(found.id, found.subject): found for found in entry.properties}
    if len(remembered) != len(case.properties):
        raise Unfit("it is about other properties")
    for prop in case.properties:
        found = remembered.get((prop.id, prop.subject))
        if found is None:
            raise Unfit(f"it says nothing about {prop.id} of {prop.subject}")
        trace = _replayed(case, prop, found)
        yield PropertyResult(prop, found.verdict, found.vacuous, trace, found.reason)


def _replayed(case: Case, prop: Property, found: Found) -> Trace | None:
    """The counterexample of a violation, taken once more in plain semantics."""
    if found.verdict is not Verdict.VIOLATED:
        return None
    steps = as_recorded(found.steps or ())
    again = replay_steps(case.scenario.system, prop.formula, steps, found.loop_start)
    if again.status is not RepeatStatus.STILL_FAILS:
        raise Unfit(f"its counterexample to {prop.id} of {prop.subject} is none")
    return again.trace
