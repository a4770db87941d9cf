"""What a report says in sentences besides its stories: the outcome, and what else to know.

These are the same in every format that people read.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.solver.result import Verdict

from .advice import advice
from .cases import Advice
from .document import UNEXPLAINED, PropertyReport, Report, Result
from .grouping import Found, asked, failures, how, warnings
from .left_out import by_reason
from .style import enumeration, few, plural

MOST_REASONS = 4
"""How many kinds of what is not modelled are named."""


MOST_CHANGES = 3
CHANGES = ("change, ", "differ in what is not modelled", "nothing differs")
"""How what is assumed begins where it says what is applied."""
_FIGURES = re.compile(r"; no violation in [^;]*deep")


class Remark(NamedTuple):
    """Something to be known, and what kind of thing it is."""

    label: str
    text: str


def remarks(report: Report) -> Iterator[Remark]:
    """What is to be known beside the failures, in a sentence or two each."""
    for label, texts in (
        ("warning", warned(report)),
        ("not decided", undecided(report)),
        ("not as expected", _unexpected(report)),
        ("vacuous", _vacuous(report)),
        ("remark", (*map(str, report.remarks), *_regraded(report))),
        ("does not count", _excused(report)),
        ("change", _changes(report)),
        ("assumed", _clusters(report)),
        ("not modelled", _left_out(report)),
    ):
        yield from (Remark(label, text) for text in texts)


def warned(report: Report) -> Iterator[str]:
    """What is violated without failing the check, once for all whom it concerns."""
    everybody = len({scenario.about for scenario in report.scenarios})
    for group in warnings(report):
        prop, number = group.first[0].prop, len(group.workloads)
        who = f"all {number} workloads" if number == everybody > 1 else few(group.workloads)
        first = _first(prop) if number == 1 else _first(prop)._replace(positions=())
        yield f"{prop.id} ({prop.severity}) of {who}{asked(group)}: {how(prop)}. {first}"


def _first(prop: PropertyReport) -> Advice:
    """The first sentence of the advice: a warning takes a line or two."""
    first = advice(prop)[0]
    return first._replace(text=first.text.partition(". ")[0])


def undecided(report: Report) -> Iterator[str]:
    """What was not decided, by what stands in the way."""
    found: dict[str, list[Found]] = defaultdict(list)
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.verdict is Verdict.INCONCLUSIVE:
                found[cut_short(prop.message)].append(Found(scenario, prop))
    for message, alike in found.items():
        ids = ", ".join(dict.fromkeys(each.prop.id for each in alike))
        names = list(dict.fromkeys(each.scenario.name for each in alike))
        yield f"{ids} of {few(names)}: {message}"


def cut_short(message: str) -> str:
    """Why something was not decided, without how far the search came: that differs for each."""
    return _FIGURES.sub("", message)


def _unexpected(report: Report) -> Iterator[str]:
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.expected not in {None, prop.finding}:
                what = f"expected {prop.expected}, found {prop.finding}"
                yield f"{scenario.name}: {prop.id}, {prop.subject}: {what}"


def _vacuous(report: Report) -> Iterator[str]:
    """Of scenarios in which nothing is said of anything, why."""
    found: dict[str, list[str]] = defaultdict(list)
    for scenario in report.scenarios:
        if all(prop.vacuous for prop in scenario.properties):
            messages = dict.fromkeys(prop.message for prop in scenario.properties)
            telling = [message for message in messages if message != UNEXPLAINED]
            found["; ".join(telling) or UNEXPLAINED].append(scenario.name)
    for message, names in found.items():
        yield f"{few(names)}: {message}"


def _excused(report: Report) -> Iterator[str]:
    kinds = Counter(
        f"{p.id} ({p.excused})" for s in report.scenarios for p in s.properties if p.excused
    )
    if kinds:
        said = ", ".join(f"{kind} of {plural(n, 'subject')}" for kind, n in kinds.items())
        yield f"{said} (-o wide gives the reasons)"


def _changes(report: Report) -> Iterator[str]:
    """What was applied, and what differs beside it; a failure tells that itself."""
    lines = (line for s in report.scenarios for line in s.setting)
    found = list(dict.fromkeys(line for line in lines if line.startswith(CHANGES)))
    if found and not failures(report):
        yield from (line.removeprefix("change, ") for line in found[:MOST_CHANGES])
        if len(found) > MOST_CHANGES:
            yield f"{len(found) - MOST_CHANGES} more (-o wide lists all)"


def _clusters(report: Report) -> Iterator[str]:
    """The cluster, where all scenarios have the same."""
    found = list(
        dict.fromkeys(
            line for s in report.scenarios for line in s.setting if line.startswith("cluster: ")
        )
    )
    more = f"; and {plural(len(found) - 1, 'other cluster')} (-o wide)" if len(found) > 1 else ""
    yield from (line.removeprefix("cluster: ") + more for line in found[:1])


def _left_out(report: Report) -> Iterator[str]:
    """What is not modelled and may matter, each with its reason; the rest is counted."""
    parts = tuple(dict.fromkeys(part for s in report.scenarios for part in s.not_modelled))
    reasons = by_reason(parts)
    said = []
    for reason, alike in list(reasons.items())[:MOST_REASONS]:
        names = list(dict.fromkeys(part.object for part in alike))
        who = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        said.append(f"{reason} ({who})")
    harmless = sum(part.severity == "irrelevant" for part in parts)
    rest = [
        *([f"{len(reasons) - MOST_REASONS} more"] if len(reasons) > MOST_REASONS else []),
        *([f"{plural(harmless, 'field')} without effect"] if harmless else []),
    ]
    if said or rest:
        yield f"{'; '.join((*said, *rest))} (-o wide lists all)"


def _regraded(report: Report) -> Iterator[str]:
    properties = (p for s in report.scenarios for p in s.properties)
    for prop in {p.id: p for p in properties if p.severity is not p.statement.severity}.values():
        yield f"{prop.id} counts as {prop.severity}; the catalogue says {prop.statement.severity}"


# The last line


def outcome(report: Report) -> str:
    """The result in one sentence, such as ``FAILED: 4 checks of 1 workload: DEP-4 of web``."""
    checks = plural(len(report.scenarios), "check")
    usual = any(scenario.question for scenario in report.scenarios)
    workloads = len({scenario.about for scenario in report.scenarios})
    what = f"{checks} of {plural(workloads, 'workload')}" if usual else checks
    whole = all(s.statistics.exhaustive for s in report.scenarios)
    states = sum(s.statistics.states for s in report.scenarios)
    said = f"every state ({states:,})" if whole else plural(states, "state")
    return f"{report.result.upper()}: {what}, {said}: {'; '.join(_counts(report)) or _all(report)}"


def _all(report: Report) -> str:
    """What is said where nothing is violated, undecided or excused."""
    found = {p.finding for s in report.scenarios for p in s.properties}
    return "all vacuous" if found == {"vacuous"} else "all hold"


def _counts(report: Report) -> Iterator[str]:
    failed, warned = failures(report), warnings(report)
    for group in failed:
        yield f"{enumeration(group.ids)} violated for {few(group.workloads)}{asked(group)}"
    undecided = [
        s for s in report.scenarios if any(p.verdict is Verdict.INCONCLUSIVE for p in s.properties)
    ]
    if undecided:
        yield f"{plural(len(undecided), 'check')} not decided"
    if failed or undecided:
        rest = sum(s.result(report.fail_on) is Result.PASSED for s in report.scenarios)
        if rest:
            yield f"{rest} passed"
    if warned:
        ids = ", ".join(dict.fromkeys(group.ids[0] for group in warned))
        number = len({(found.scenario.about, found.prop.id) for g in warned for found in g.all})
        yield f"{plural(number, 'warning')} ({ids})"
    every = [p for s in report.scenarios for p in s.properties]
    expected = [p.id for p in every if p.verdict is Verdict.VIOLATED and p.expected == p.finding]
    if expected:
        ids = ", ".join(dict.fromkeys(expected))
        yield f"{len(expected)} violated as expected ({ids})"
    for excuse in ("suppressed", "known"):
        excused = [p.id for p in every if p.excused == excuse]
        if excused:
            yield f"{len(excused)} {excuse} ({', '.join(dict.fromkeys(excused))})"
