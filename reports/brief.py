"""The report for people who want to know what to do: failures in full, all else in a few lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tabulate import tabulate

from kubelemma.solver.result import Verdict

from .document import PropertyReport, Report, Result, ScenarioReport
from .grouping import IMPLIED, Found, Group, columns, fails, failures, rows, warnings
from .left_out import by_reason
from .shown import shown
from .story import Story
from .story_text import conclusion_lines, run_lines, starting_line
from .style import Paint, Role, enumeration, few, laid_out, painter, plural, wrap

RESULT_ROLES = {
    Result.PASSED: Role.GOOD,
    Result.FAILED: Role.BAD,
    Result.INCONCLUSIVE: Role.UNSURE,
}
MOST_REASONS = 4
"""How many kinds of what is not modelled are named."""
MOST_CHANGES = 5
CHANGES = ("change, ", "differ in what is not modelled", "nothing differs")
"""How what is assumed begins where it says what is applied."""


def render(report: Report, *, colour: bool = False, width: int = 100, quiet: bool = False) -> str:
    """The report as text that ends in a line break; with ``quiet``, its last line alone."""
    report, paint = shown(report), painter(colour=colour)
    lines = [] if quiet else list(_body(report, paint, width))
    return laid_out([*lines, *summary(report, paint, width)])


def _body(report: Report, paint: Paint, width: int) -> Iterator[str]:
    for group in failures(report):
        yield from (*_failure(group, paint, width), "")
    yield from (*_matrix(report, paint), "")
    said = [
        *(line for label, text in _remarks(report) for line in _labelled(label, text, paint, width))
    ]
    yield from (*said, *([""] if said else []))


def _remarks(report: Report) -> Iterator[tuple[str, str]]:
    """What is to be known beside the failures: a label, and what there is to say."""
    yield from (("warning", text) for text in _warned(report))
    yield from (("not decided", text) for text in _open(report))
    yield from (("not as expected", text) for text in _unexpected(report))
    yield from (("remark", text) for text in (*map(str, report.remarks), *_regraded(report)))
    yield from (("does not count", text) for text in _excused(report))
    yield from (("change", text) for text in _changes(report))
    yield from (("assumed", text) for text in _clusters(report))
    yield from (("not modelled", text) for text in _left_out(report))


def _labelled(label: str, text: str, paint: Paint, width: int) -> Iterator[str]:
    first, *more = wrap(text, width, f"{label}: ", "  ")
    yield paint(f"{label}:", Role.HEADING) + first[len(label) + 1 :]
    yield from more


# Failures


def _failure(group: Group, paint: Paint, width: int) -> Iterator[str]:
    """How it happens, once for all whom it concerns."""
    found, story = group.first[0], group.story
    title = f"{enumeration(group.ids)}: {whom(group)}"
    yield paint(f"── {title} {'─' * max(width - len(title) - 4, 2)}", Role.BAD)
    for each in group.first:
        prop = each.prop
        yield from wrap(f"{prop.id} ({prop.severity}): {prop.statement.title}", width, "  ")
    if story is None:
        yield from wrap(found.prop.message, width, "  ")
    else:
        yield ""
        yield from starting_line(story, width)
        yield from run_lines(replace(story, allowed=_happening(story)), paint, width)
        for each in group.first:
            if each.prop.story is not None:
                yield ""
                yield from conclusion_lines(each.prop.story, paint, width)
    yield ""
    yield paint("What to do about it", Role.HEADING)
    for text in dict.fromkeys(each.prop.statement.remediation for each in group.first):
        yield from wrap(text, width, "  ")


def _happening(story: Story) -> tuple[str, ...]:
    """What may happen; all else that is assumed is left to the wide report."""
    return tuple(line for line in story.allowed if line.startswith(("change", "events")))


def whom(group: Group) -> str:
    """Whom a group concerns, and where it came out."""
    asked = f" ({', '.join(map(_spoken, group.questions))})" if group.questions else ""
    return f"{few(group.workloads)}{asked}"


def _spoken(question: str) -> str:
    return question.replace("-", " ").replace("+", " + ")


# The table


def _matrix(report: Report, paint: Paint) -> Iterator[str]:
    found = rows(report)
    asked = columns(found)
    table = [
        [row.about, *(_cell(row.scenarios.get(name), report, paint) for name in asked)]
        for row in found
    ]
    headers = ("WORKLOAD", *(_spoken(name).upper() for name in asked))
    yield from tabulate(table, headers, tablefmt="plain", disable_numparse=True).splitlines()


def _cell(scenario: ScenarioReport | None, report: Report, paint: Paint) -> str:
    """What came out, in a word: what is violated, or else the least that can be said."""
    if scenario is None:
        return "-"
    failed = [p for p in scenario.properties if fails(Found(scenario, p), report.fail_on)]
    if failed:
        return paint(_named(failed), Role.BAD)
    mild = [p for p in scenario.properties if p.verdict is Verdict.VIOLATED]
    undecided = any(p.verdict is Verdict.INCONCLUSIVE for p in scenario.properties)
    words = [
        *([_named(mild) + "*"] if mild else []),
        *(["not decided"] if undecided else []),
    ]
    if words:
        return paint(", ".join(words), Role.UNSURE)
    if all(p.vacuous for p in scenario.properties):
        return paint("vacuous", Role.UNSURE)
    return paint("holds", Role.GOOD)


def _named(properties: Iterable[PropertyReport]) -> str:
    """The identifiers, without those that others imply."""
    ids = sorted({p.id for p in properties})
    return ",".join(name for name in ids if IMPLIED.get(name) not in ids)


# What is said in a line or two


def _warned(report: Report) -> Iterator[str]:
    everybody = len(rows(report))
    for group in warnings(report):
        prop, number = group.first[0].prop, len(group.workloads)
        who = f"all {number} workloads" if number == everybody > 1 else few(group.workloads)
        asked = f" ({', '.join(map(_spoken, group.questions))})" if group.questions else ""
        advice = _first_sentence(prop.statement.remediation)
        yield f"{prop.id} ({prop.severity}) of {who}{asked}: {_how(prop)}. {advice}"


def _excused(report: Report) -> Iterator[str]:
    kinds = Counter(
        f"{p.id} ({p.excused})" for s in report.scenarios for p in s.properties if p.excused
    )
    if kinds:
        said = ", ".join(f"{kind} of {plural(n, 'subject')}" for kind, n in kinds.items())
        yield f"{said} (-o wide gives the reasons)"


def _how(prop: PropertyReport) -> str:
    """What it comes to, in a sentence."""
    claims = prop.story.conclusion if prop.story is not None else ()
    return claims[0].rstrip(".") if claims else prop.statement.title


def _first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return f"{head}." if dot else text


def _open(report: Report) -> Iterator[str]:
    """What was not decided, by what stands in the way."""
    found: dict[str, list[Found]] = defaultdict(list)
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.verdict is Verdict.INCONCLUSIVE:
                found[prop.message].append(Found(scenario, prop))
    for message, alike in found.items():
        ids = ", ".join(dict.fromkeys(each.prop.id for each in alike))
        names = list(dict.fromkeys(each.scenario.name for each in alike))
        yield f"{ids} of {few(names)}: {message}"


def _unexpected(report: Report) -> Iterator[str]:
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.expected not in {None, prop.finding}:
                what = f"expected {prop.expected}, found {prop.finding}"
                yield f"{scenario.name}: {prop.id}, {prop.subject}: {what}"


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


def summary(report: Report, paint: Paint, width: int) -> Iterator[str]:
    """The result in one line, or a few where it is long."""
    word = report.result.upper()
    first, *more = wrap(outcome(report), width)
    yield paint(word, RESULT_ROLES[report.result]) + first[len(word) :]
    yield from more


def outcome(report: Report) -> str:
    """The result in one sentence, such as ``FAILED: 1 of 4 checks of 1 workload: DEP-4 of web``."""
    found = rows(report)
    checks = len(report.scenarios)
    what = f"{plural(checks, 'check')} of {plural(len(found), 'workload')}"
    parts = [*_counts(report)]
    whole = all(s.statistics.exhaustive for s in report.scenarios)
    states = sum(s.statistics.states for s in report.scenarios)
    said = f"every state ({states:,})" if whole else f"{states:,} states"
    return f"{report.result.upper()}: {what}, {said}: {'; '.join(parts) or 'all hold'}"


def _counts(report: Report) -> Iterator[str]:
    failed, warned = failures(report), warnings(report)
    for group in failed:
        yield f"{enumeration(group.ids)} violated for {few(group.workloads)}"
    undecided = [s for s in report.scenarios if _is_open(s)]
    if undecided:
        yield f"{plural(len(undecided), 'check')} not decided"
    if failed or undecided:
        rest = sum(s.result(report.fail_on) is Result.PASSED for s in report.scenarios)
        if rest:
            yield f"{rest} passed"
    if warned:
        ids = ", ".join(group.ids[0] for group in warned)
        number = sum(len(group.workloads) for group in warned)
        yield f"{plural(number, 'warning')} ({ids})"
    every = [p for s in report.scenarios for p in s.properties]
    expected = [p.id for p in every if p.verdict is Verdict.VIOLATED and p.expected == p.finding]
    if expected:
        ids = ", ".join(dict.fromkeys(expected))
        yield f"{len(expected)} violated as expected ({ids})"
    excused = sum(bool(p.excused) for p in every)
    if excused:
        yield f"{excused} suppressed or known"


def _is_open(scenario: ScenarioReport) -> bool:
    return any(p.verdict is Verdict.INCONCLUSIVE for p in scenario.properties)
