"""The report for people: what is violated first, then how, then what it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tabulate import tabulate

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.properties.statement import Severity
from kubelemma.solver.result import Statistics, Verdict

from .advice import advice
from .dependence_text import influence_lines
from .document import Finding, PropertyReport, Report, Result, ScenarioReport
from .left_out import left_out_lines
from .shown import shown
from .story import Story
from .story_text import conclusion_lines, run_lines
from .style import Paint, Role, bullets, enumeration, laid_out, painter, plural, wrap

_FINDING_ROLES: Mapping[Finding, Role] = {
    "holds": Role.GOOD,
    "vacuous": Role.UNSURE,
    "violated": Role.BAD,
    "inconclusive": Role.UNSURE,
}
_RESULT_ROLES = {
    Result.PASSED: Role.GOOD,
    Result.FAILED: Role.BAD,
    Result.INCONCLUSIVE: Role.UNSURE,
}
_TALLY_WORDS = {
    (Verdict.VIOLATED, ""): "violated",
    (Verdict.VIOLATED, "suppressed"): "violated but suppressed",
    (Verdict.VIOLATED, "known"): "violated but known",
    (Verdict.INCONCLUSIVE, ""): "inconclusive",
    (Verdict.HOLDS, ""): "hold",
}
_STOPS = {
    "max-states": "the limit of states was hit",
    "time-limit": "the time limit was hit",
    "max-memory": "the memory limit was hit",
    "interrupted": "it was interrupted",
    "max-runs": "it is a sample",
    "all-violated": "nothing was left to decide",
    "fail-fast": "--fail-fast stopped at the first failure",
    "error": "an error came first",
}


def render(report: Report, *, wide: bool = False, colour: bool = False, width: int = 100) -> str:
    """The whole report as text that ends in a line break.

    Args:
        report: what was found.
        wide: show every field that is not modelled, every action with its count, and the tables.
        colour: add terminal colours.
        width: how long lines may be, in characters.
    """
    report = shown(report)
    paint = painter(colour=colour)
    lines: list[str] = []
    for scenario in report.scenarios:
        lines += [*_scenario(scenario, report.fail_on, paint, width, wide=wide), ""]
    lines += _left_out(report, paint, width, wide=wide)
    lines += _summary(report, paint, width)
    return laid_out(lines)


def _scenario(
    scenario: ScenarioReport, fail_on: Severity, paint: Paint, width: int, *, wide: bool
) -> Iterator[str]:
    yield paint(f"Scenario {scenario.name}", Role.HEADING)
    yield ""
    yield from verdict_table(scenario.properties, fail_on, paint, width)
    yield from _section("What was assumed", bullets(scenario.setting, width), paint)
    told: list[Story] = []
    for prop in scenario.properties:
        if prop.story is not None and (wide or not prop.excused):
            yield ""
            story = _within(prop.story, scenario)
            yield from _violation(prop, story, told, paint, width, wide=wide)
            told.append(prop.story)
    for title, section in (
        ("What does not count", bullets(excuses(scenario), width)),
        ("What was not decided", _undecided(scenario, width)),
        ("What was explored", _explored(scenario, width, wide=wide)),
        ("What depends on what", influence_lines(scenario.influence, width) if wide else ()),
    ):
        yield from _section(title, section, paint)


def _section(title: str, lines: Iterable[str], paint: Paint) -> Iterator[str]:
    """A heading and its lines; nothing where there are none."""
    body = list(lines)
    if body:
        yield from ("", paint(title, Role.HEADING), *body)


def _within(story: Story, scenario: ScenarioReport) -> Story:
    """The story without what has been said about its scenario already."""
    return replace(story, allowed=()) if story.allowed == scenario.setting else story


def verdict_table(
    properties: Iterable[PropertyReport], fail_on: Severity, paint: Paint, width: int
) -> list[str]:
    """One line a property: its verdict, how severe a violation is, what it promises."""
    rows = tuple(properties)
    expecting = any(p.expected is not None for p in rows)
    table = [_row(p, fail_on, paint, expecting=expecting) for p in rows]
    headers = ["PROPERTY", "SUBJECT", "VERDICT", "SEVERITY", *["EXPECTED"] * expecting, "PROMISE"]
    used = tabulate(table, headers, tablefmt="plain", disable_numparse=True).index("PROMISE")
    widths = [None] * (len(headers) - 1) + [max(width - used, 30)]
    text = tabulate(table, headers, tablefmt="plain", disable_numparse=True, maxcolwidths=widths)
    return text.splitlines()


def _row(prop: PropertyReport, fail_on: Severity, paint: Paint, *, expecting: bool) -> list[str]:
    quiet = prop.verdict is Verdict.HOLDS or bool(prop.excused)
    role = Role.UNSURE if prop.excused else _FINDING_ROLES[prop.finding]
    verdict = paint(prop.finding if quiet else prop.finding.upper(), role)
    severity = str(prop.severity)
    if _is_mild(prop, fail_on):
        severity += "*"
    expected = [_expectation(prop, paint)] if expecting else []
    return [prop.id, prop.subject, verdict, severity, *expected, prop.statement.title]


def _is_mild(prop: PropertyReport, fail_on: Severity) -> bool:
    """Whether a violation lets the check pass for its severity, and for nothing else."""
    violated = prop.verdict is Verdict.VIOLATED and not prop.excused
    return violated and not prop.counts(fail_on)


def _expectation(prop: PropertyReport, paint: Paint) -> str:
    if prop.expected is None:
        return "<none>"
    role = Role.GOOD if prop.expected == prop.finding else Role.BAD
    return paint(prop.expected, role)


def _violation(
    prop: PropertyReport,
    story: Story,
    told: Iterable[Story],
    paint: Paint,
    width: int,
    *,
    wide: bool,
) -> Iterator[str]:
    """The story of a violation; where it has been told already, only what is different."""
    expected = ", as expected" if prop.expected == prop.finding else ""
    title = f"{prop.id} is violated for {prop.subject}{expected}"
    role = Role.UNSURE if expected else Role.BAD
    yield paint(f"── {title} {'─' * max(width - len(title) - 4, 2)}", role)
    yield from wrap(prop.statement.title, width, "  ")
    circumstance = prop.message.removesuffix(story.headline()).removesuffix("; ")
    if circumstance:
        yield from wrap(f"({circumstance})", width, "  ")
    yield ""
    same = next((other for other in told if other.run() == story.run()), None)
    if same is None:
        yield from run_lines(story, paint, width, wide=wide)
    else:
        text = f"What happens is what is told for {same.property_id} of {same.subject}."
        yield from wrap(text, width)
    yield ""
    yield from conclusion_lines(story, paint, width, wide=wide)
    yield ""
    yield paint("What to do about it", Role.HEADING)
    yield from bullets(map(str, advice(prop)), width)


def excuses(scenario: ScenarioReport) -> Iterator[str]:
    """The violations that do not count, each with the reason, in one sentence."""
    for prop in scenario.properties:
        if prop.excused:
            yield f"{prop.id} is violated for {prop.subject}, {prop.excuse}"


def _undecided(scenario: ScenarioReport, width: int) -> Iterator[str]:
    open_ones = (p for p in scenario.properties if p.verdict is Verdict.INCONCLUSIVE)
    for message, names in _by_message(open_ones).items():
        yield from bullets([f"{message}: {names}"], width)


def _by_message(properties: Iterable[PropertyReport]) -> dict[str, str]:
    """The properties of which the same is said, such as ``DEP-4 of Deployment default/web``."""
    found: dict[str, list[str]] = defaultdict(list)
    for prop in properties:
        found[prop.message].append(f"{prop.id} of {prop.subject}")
    return {message: "; ".join(names) for message, names in found.items()}


def _left_out(report: Report, paint: Paint, width: int, *, wide: bool) -> Iterator[str]:
    """What is not modelled, once for all scenarios of the same input."""
    for title, parts in left_out_of(report):
        yield paint(title, Role.HEADING)
        yield from (*left_out_lines(parts, width, wide=wide), "")


def left_out_of(report: Report) -> Iterator[tuple[str, tuple[NotModelled, ...]]]:
    """What is not modelled with its title, once for all scenarios of the same input."""
    by_input: dict[tuple[NotModelled, ...], list[str]] = defaultdict(list)
    for scenario in report.scenarios:
        by_input[scenario.not_modelled].append(scenario.name)
    for parts, names in by_input.items():
        if parts:
            where = f" in {enumeration(names)}" if len(by_input) > 1 else ""
            yield f"What is not modelled{where}", parts


def _explored(scenario: ScenarioReport, width: int, *, wide: bool) -> Iterator[str]:
    statistics = scenario.statistics
    yield from bullets(coverage(statistics), width)
    if statistics.rules_never_fired:
        never = "; ".join(statistics.rules_never_fired)
        yield from bullets([f"never happened, though modelled: {never}"], width)
    for message, names in _by_message(
        p for p in scenario.properties if p.finding == "vacuous"
    ).items():
        yield from bullets([f"vacuous ({message}): {names}"], width)
    if wide:
        yield from _figures(statistics, width)


def _figures(statistics: Statistics, width: int) -> Iterator[str]:
    """What only those want to know who wonder what a search is made of."""
    if statistics.out_degree:
        yield from bullets([f"at most {plural(statistics.out_degree, 'step')} from a state"], width)
    for headers, rows in (
        (("ACTION", "TRANSITIONS"), statistics.actions),
        (("TABLE", "ENTRIES"), statistics.tables),
    ):
        if rows:
            cells = [(name, f"{count:,}") for name, count in rows]
            table = tabulate(
                cells, headers, "plain", colalign=("left", "right"), maxcolwidths=[width - 15, None]
            )
            yield from ("", *table.splitlines())


def coverage(found: Statistics) -> Iterator[str]:
    """How much was explored, one sentence after the other."""
    whole = "every reachable state" if found.exhaustive else "not every reachable state"
    stop = found.stopped_by
    reason = f" ({_STOPS.get(stop, f'stopped by {stop}')})" if stop else ""
    full = f"{found.concrete_states:,} in full, " if found.concrete_states else ""
    yield (
        f"{whole}{reason}: {plural(found.states, 'state')} up to symmetry, {full}"
        f"{plural(found.transitions, 'transition')}, depth {found.depth}"
    )
    if found.runs:
        yield f"{plural(found.runs, 'run')} drawn at random by Hypothesis, with seed {found.seed}"
    if found.cut_states:
        yield f"{plural(found.cut_states, 'state')} outside the bounds, reached but not left"
    yield (
        f"{found.seconds:.1f} s, {found.peak_memory_bytes / 2**20:,.0f} MiB, "
        f"{plural(found.model_calls, 'call')} of model code"
    )
    for reduction in found.reductions:
        used = "" if reduction.used else " not used"
        yield f"{reduction.name}{used}: {reduction.why}"
    if found.remembered:
        yield "remembered: an earlier run found this, and these are its seconds and memory"


def _summary(report: Report, paint: Paint, width: int) -> Iterator[str]:
    properties = [p for s in report.scenarios for p in s.properties]
    if any(_is_mild(p, report.fail_on) for p in properties):
        yield from wrap(
            f"* violated, but less severe than {report.fail_on}, from which on it fails the check",
            width,
        )
    yield from _missed_expectations(report, width)
    yield from _regraded(properties, width)
    if report.remarks:
        yield paint("Suppressions and baseline", Role.HEADING)
        yield from (*bullets(map(str, report.remarks), width), "")
    if len(report.scenarios) > 1:
        yield from _overview(report, paint)
    word = report.result.upper()
    first, *more = wrap(outcome(report), width)
    yield paint(word, _RESULT_ROLES[report.result]) + first[len(word) :]
    yield from more


def _missed_expectations(report: Report, width: int) -> Iterator[str]:
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.expected not in {None, prop.finding}:
                yield from wrap(
                    f"{scenario.name}: {prop.id}, {prop.subject}: expected {prop.expected}, "
                    f"found {prop.finding}",
                    width,
                )


def _regraded(properties: Iterable[PropertyReport], width: int) -> Iterator[str]:
    """The severities that are not the catalogue's."""
    found = {p.id: p for p in properties if p.severity is not p.statement.severity}
    for prop in found.values():
        sentence = (
            f"{prop.id} counts as {prop.severity}; the catalogue says {prop.statement.severity}"
        )
        yield from wrap(sentence, width)


def _overview(report: Report, paint: Paint) -> Iterator[str]:
    rows = []
    for scenario in report.scenarios:
        result = scenario.result(report.fail_on)
        rows.append(
            (
                scenario.name,
                paint(str(result), _RESULT_ROLES[result]),
                scenario.verdict,
                violated(scenario),
                len(scenario.properties),
                f"{scenario.statistics.states:,}",
            )
        )
    headers = ("NAME", "RESULT", "VERDICT", "VIOLATED", "PROPERTIES", "STATES")
    yield from tabulate(rows, headers, tablefmt="plain", disable_numparse=True).splitlines()
    yield ""


def violated(scenario: ScenarioReport) -> str:
    """The identifiers of what is violated in a scenario."""
    return _identifiers(p for p in scenario.properties if p.verdict is Verdict.VIOLATED)


def outcome(report: Report) -> str:
    """The result in one line, such as ``FAILED: of 9 properties 1 violated (DEP-4), 8 hold``."""
    properties = [p for s in report.scenarios for p in s.properties]
    return f"{report.result.upper()}: {_tally(properties)}"


def _tally(properties: list[PropertyReport]) -> str:
    """How many came out how, such as ``of 9 properties 1 violated (DEP-4), 8 hold``."""
    parts = []
    for sort, word in _TALLY_WORDS.items():
        found = [p for p in properties if (p.verdict, p.excused) == sort]
        if found:
            parts.append(f"{len(found)} {word}{_named(found, sort[0])}")
    return f"of {plural(len(properties), 'property', 'properties')} {', '.join(parts)}"


def _named(found: list[PropertyReport], verdict: Verdict) -> str:
    """The identifiers worth naming; of those that hold, the number that do so vacuously."""
    if verdict is Verdict.HOLDS:
        vacuous = sum(p.vacuous for p in found)
        return f" ({vacuous} of them vacuously)" if vacuous else ""
    return f" ({_identifiers(found)})"


def _identifiers(found: Iterable[PropertyReport]) -> str:
    return ", ".join(sorted({p.id for p in found})) or "<none>"
