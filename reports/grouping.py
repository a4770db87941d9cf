"""What a report has in common: one row for each workload, and equal stories once.

Every renderer groups alike; only how a group looks is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Verdict

from .advice import cause, together
from .alike import run_likeness
from .cases import Advice
from .document import SEVERITIES, PropertyReport, Report, Result, ScenarioReport
from .notice import IMPLIED
from .story import Story
from .style import few


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
    def advice(self) -> tuple[Advice, ...]:
        """What to do about it, each thing once."""
        return together(found.prop for found in self.first)

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
    return _grouped(_of(report, fails), by=_run)


def warnings(report: Report) -> tuple[Group, ...]:
    """The violations that are less severe than what fails, grouped by what is to be done."""
    return _grouped(_of(report, warns), by=_what)


def _of(report: Report, wanted: Callable[[Found, Severity], bool]) -> Iterator[Found]:
    for scenario in report.scenarios:
        for prop in scenario.properties:
            found = Found(scenario, prop)
            if wanted(found, report.fail_on):
                yield found


def _grouped(findings: Iterable[Found], by: Callable[[Found], Hashable]) -> tuple[Group, ...]:
    alike: dict[Hashable, list[Found]] = {}
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


def _run(found: Found) -> Hashable:
    """What two findings have in common whose stories differ in nothing but names."""
    story = found.prop.story
    if story is None:
        return (found.scenario.name, found.prop.id, found.prop.subject)
    return run_likeness(story)


def _what(found: Found) -> Hashable:
    """The property, and what it comes to."""
    return (found.prop.id, found.prop.severity, how(found.prop), cause(found.prop))


def how(prop: PropertyReport) -> str:
    """What a violation comes to, in a sentence without its full stop."""
    claims = prop.story.contradictions if prop.story is not None else ()
    return claims[0].claim if claims else prop.statement.title


class Row(NamedTuple):
    """The scenarios of a workload, by what was asked; without a question by their own name."""

    about: str
    scenarios: Mapping[str, ScenarioReport]


def rows(report: Report) -> tuple[Row, ...]:
    """One row for each workload, or group of workloads; another one for what is asked twice."""
    found: list[tuple[str, dict[str, ScenarioReport]]] = []
    for scenario in report.scenarios:
        question = scenario.question or "result"
        free = (of for about, of in found if about == scenario.about and question not in of)
        of = next(free, None)
        if of is None:
            of = {}
            found.append((scenario.about, of))
        of[question] = scenario
    return tuple(Row(about, scenarios) for about, scenarios in found)


def merged(found: Iterable[Row], fail_on: Severity) -> tuple[Row, ...]:
    """One row for each workload alone: of what was asked in several starts, the worst."""
    of: dict[str, dict[str, ScenarioReport]] = {}
    for row in found:
        own = of.setdefault(row.about, {})
        for question, scenario in row.scenarios.items():
            before = own.get(question)
            if before is None or _badness(scenario, fail_on) > _badness(before, fail_on):
                own[question] = scenario
    return tuple(Row(about, scenarios) for about, scenarios in of.items())


def _badness(scenario: ScenarioReport, fail_on: Severity) -> tuple[int, int]:
    order = (Result.PASSED, Result.INCONCLUSIVE, Result.FAILED)
    verdicts = (Verdict.HOLDS, Verdict.INCONCLUSIVE, Verdict.VIOLATED)
    return order.index(scenario.result(fail_on)), verdicts.index(scenario.verdict)


def row_title(found: Iterable[Row]) -> str:
    """What rows are of: workloads, or Checks, which have names without a namespace."""
    return "workload" if any("/" in row.about for row in found) else "check"


def columns(found: Iterable[Row]) -> tuple[str, ...]:
    """The questions that were asked of anybody, in their order."""
    return tuple(dict.fromkeys(question for row in found for question in row.scenarios))


# What stands in the table


class Word(NamedTuple):
    """What came out for one question: what is violated, or else the least that can be said.

    ``result`` is None where the word is neither good nor bad, such as that of a warning.
    ``properties`` are those that it names, by their numbers within the scenario.
    """

    text: str
    result: Result | None = None
    properties: tuple[int, ...] = ()


NOT_ASKED = Word("-")


def word(scenario: ScenarioReport | None, fail_on: Severity) -> Word:
    """The word for a scenario; a star marks what is violated without failing the check."""
    if scenario is None:
        return NOT_ASKED
    found = scenario.properties
    failed = [n for n, p in enumerate(found) if fails(Found(scenario, p), fail_on)]
    if failed:
        return _naming(found, failed, "", Result.FAILED)
    mild = [n for n, p in enumerate(found) if p.verdict is Verdict.VIOLATED]
    undecided = any(p.verdict is Verdict.INCONCLUSIVE for p in found)
    if mild:
        return _naming(found, mild, "*" + ", not decided" * undecided, None)
    if undecided:
        return Word("not decided", Result.INCONCLUSIVE)
    if all(p.vacuous for p in found):
        return Word("vacuous")
    return Word("holds", Result.PASSED)


def _naming(
    properties: Sequence[PropertyReport], numbers: Sequence[int], end: str, result: Result | None
) -> Word:
    """The identifiers, without those that others imply."""
    ids = sorted({properties[n].id for n in numbers})
    named = [name for name in ids if IMPLIED.get(name) not in ids]
    first = {properties[n].id: n for n in reversed(numbers)}
    return Word(",".join(named) + end, result, tuple(first[name] for name in named))


def spoken(question: str) -> str:
    """A question as people read it, such as ``rollout + node lost``."""
    return question.replace("-", " ").replace("+", " + ")


def whom(group: Group) -> str:
    """Whom a group concerns, and what was asked where it came out."""
    return f"{few(group.workloads)}{asked(group)}"


def asked(group: Group) -> str:
    """The questions of a group in brackets after a space; empty where there are none."""
    return f" ({', '.join(map(spoken, group.questions))})" if group.questions else ""
