"""Recorded runs and what became of them, for people: what is refused first, then the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tabulate import tabulate

from .conformance import (
    Answer,
    ConformanceReport,
    JudgedRun,
    Refusal,
    outside_classes,
    refusal_classes,
)
from .shown import shown
from .style import Paint, Role, bullets, laid_out, painter, plural, wrap

TOLD = 3
"""How many refusals of a run are told where not all are asked for."""

_ROLES: Mapping[Answer, Role] = {
    Answer.ACCEPTED: Role.GOOD,
    Answer.IN_PART: Role.UNSURE,
    Answer.REFUSED: Role.BAD,
    Answer.UNDECIDED: Role.UNSURE,
    Answer.BROKEN: Role.BAD,
}
_RUN_COLUMNS = ("RUN", "ANSWER", "WRITES", "REFUSED", "NOT MODELLED", "INPUTS", "STATES", "SECONDS")
_SCENARIO_COLUMNS = ("SCENARIO", "RUNS", *(answer.value.upper() for answer in Answer), "SECONDS")


def render(
    report: ConformanceReport,
    *,
    wide: bool = False,
    summary: bool = False,
    colour: bool = False,
    width: int = 100,
) -> str:
    """The whole report as text that ends in a line break.

    Args:
        report: what was found.
        wide: tell every refusal, and of every run what of it is not modelled.
        summary: only tables, of scenarios instead of runs.
        colour: add terminal colours.
        width: how long lines may be, in characters.
    """
    report = shown(report)
    paint = painter(colour=colour)
    lines: list[str] = []
    for run in () if summary else report.runs:
        if wide or run.refusals or len(report.runs) == 1:
            lines += [*_run(run, paint, width, wide=wide), ""]
    if summary:
        lines += [*_scenarios(report.runs), ""]
    elif len(report.runs) > 1:
        lines += [*_runs(report.runs, paint), ""]
    lines += _classes(report.runs)
    lines.append(_conclusion(report, paint))
    return laid_out(lines)


# One run


def _run(run: JudgedRun, paint: Paint, width: int, *, wide: bool) -> Iterator[str]:
    yield f"{paint(f'Run {run.name}', Role.HEADING)}: {_answer(run, paint)}"
    yield from wrap(_counted(run), width, "  ")
    if run.problem is not None:
        yield from wrap(f"It can be read no further: {run.problem}", width, "  ")
    told = run.refusals if wide else run.refusals[:TOLD]
    for refusal in told:
        yield ""
        yield from _refusal(refusal, paint, width)
    more = len(run.refusals) - len(told)
    if more:
        yield ""
        yield f"  {plural(more, 'refusal')} more (-o wide tells them)"
    if run.outside:
        yield ""
        yield paint("  Taken as it came, because it is not modelled", Role.HEADING)
        kinds = (f"{o.actor}: {o.what}, {plural(o.number, 'write')}" for o in run.outside)
        yield from bullets(kinds, width)


def _answer(run: JudgedRun, paint: Paint) -> str:
    return paint(run.answer.value.upper(), _ROLES[run.answer])


def _counted(run: JudgedRun) -> str:
    parts = [
        f"{run.accepted:,} of {plural(run.writes, 'write')} of what is modelled accepted",
        plural(run.inputs, "input"),
        f"{plural(run.states, 'state')} at most",
        f"{run.seconds:.1f} s",
    ]
    if not run.complete:
        parts.append("given up because there were too many states")
    return ", ".join(parts)


def _refusal(refusal: Refusal, paint: Paint, width: int) -> Iterator[str]:
    title = f"{refusal.actor or 'unknown'}: {refusal.what} {refusal.object}"
    where = f"line {refusal.line}, revision {refusal.revision}, {refusal.time:.2f} s"
    yield from wrap(f"{paint(title, Role.BAD)} ({where})", width, "  ", "    ")
    yield "    observed"
    yield from _indented(refusal.changes, width)
    if refusal.nearest is None:
        yield "    the model could have done nothing there that can be seen"
    else:
        found = refusal.nearest
        yield from wrap(f"nearest: {found.action}, because {found.why}", width, "    ", "      ")
        yield from _indented(found.changes, width)
    yield "    in hand"
    yield from _indented(refusal.in_hand, width)
    yield from wrap(_late(refusal), width, "    ")


def _indented(items: Iterable[str], width: int) -> Iterator[str]:
    for item in items:
        yield from wrap(item, width, "      - ")


def _late(refusal: Refusal) -> str:
    if refusal.read_at is None:
        return "not possible as of any earlier revision that was tried"
    return f"possible if it had been decided as of revision {refusal.read_at}"


# Tables


def _runs(runs: Iterable[JudgedRun], paint: Paint) -> Iterator[str]:
    rows = [
        (
            run.name,
            _answer(run, paint) if run.answer is not Answer.ACCEPTED else run.answer.value,
            run.writes,
            len(run.refusals),
            sum(o.number for o in run.outside),
            run.inputs,
            run.states,
            f"{run.seconds:.1f}",
        )
        for run in runs
    ]
    yield from tabulate(rows, _RUN_COLUMNS, tablefmt="plain").splitlines()


def _scenarios(runs: Iterable[JudgedRun]) -> Iterator[str]:
    groups: dict[str, list[JudgedRun]] = {}
    for run in runs:
        groups.setdefault(run.scenario or run.name, []).append(run)
    rows = [
        (
            name,
            len(members),
            *(sum(run.answer is answer for run in members) for answer in Answer),
            f"{sum(run.seconds for run in members):.1f}",
        )
        for name, members in groups.items()
    ]
    yield from tabulate(rows, _SCENARIO_COLUMNS, tablefmt="plain").splitlines()


def _classes(runs: tuple[JudgedRun, ...]) -> Iterator[str]:
    refused = refusal_classes(runs)
    if len(runs) > 1 and refused:
        yield "What is refused"
        rows = [(c.actor or "unknown", c.what, c.number, c.late, c.runs) for c in refused]
        headers = ("BY", "WRITE", "NUMBER", "POSSIBLE EARLIER", "RUNS")
        yield from tabulate(rows, headers, tablefmt="plain").splitlines()
        yield ""
    outside = outside_classes(runs)
    if len(runs) > 1 and outside:
        yield "What is not modelled"
        others = [(o.actor, o.what, o.number) for o in outside]
        yield from tabulate(others, ("BY", "WRITE", "NUMBER"), tablefmt="plain").splitlines()
        yield ""


def _conclusion(report: ConformanceReport, paint: Paint) -> str:
    counts = [(answer, report.number(answer)) for answer in Answer]
    parts = [f"{number} {answer.value}" for answer, number in counts if number]
    writes = sum(run.writes for run in report.runs)
    accepted = sum(run.accepted for run in report.runs)
    worst = max((run.answer for run in report.runs), key=_SEVERITY.index, default=Answer.ACCEPTED)
    text = f"of {plural(len(report.runs), 'run')} {', '.join(parts) or 'none'}"
    return (
        f"{paint(worst.value.upper(), _ROLES[worst])}: {text}; "
        f"{accepted:,} of {plural(writes, 'write')} of what is modelled accepted"
    )


_SEVERITY = (Answer.ACCEPTED, Answer.IN_PART, Answer.UNDECIDED, Answer.REFUSED, Answer.BROKEN)
