"""``kubelemma check``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completion
from .configured import told_by
from .exit import ExitCode, exit_code, unless_unread
from .helping import Command
from .judging import Judging, judging_options, policy_of, write_violations
from .keeping import keep_all
from .occasion import occasion_of
from .options import (
    FORMATS,
    QUESTIONS,
    SEVERITIES,
    Format,
    Target,
    duration,
    input_options,
    memory,
    question,
    targets_of,
)
from .output import print_report, refuse_inputs, write_reports
from .searching import ENGINES, Means, explore_all, means_of, with_tried
from .session import Session, common_options
from .warning import warn

if TYPE_CHECKING:
    from kubelemma.question import Asked

EXAMPLES = (
    (
        "The usual questions about each workload of a folder",
        "check deploy/",
    ),
    (
        "What a chart renders, under one question",
        "helm template my-chart | check - --question drain",
    ),
    (
        "A rollout while a node may crash, on a cluster of your own",
        "check web.yaml --event rollout=web --event node-crash --nodes count=3,cpu=4,memory=16Gi",
    ),
    (
        "What becomes of a cluster when this is applied to it",
        "check deploy/ --from live.yaml",
    ),
    (
        "Reports for people and for CI",
        "check deploy/ --report html=report.html --report sarif=kubelemma.sarif",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@input_options
@click.option(
    "--from",
    "base",
    multiple=True,
    metavar="FILE|DIR|-",
    shell_complete=completion.files,
    help="What stands: manifests, or the output of kubectl get. PATH is applied to it, and the "
    "change is what is asked. Repeatable.",
)
@click.option(
    "--prune",
    is_flag=True,
    help="With --from: take away what stands and is not in PATH, as kubectl apply --prune does.",
)
@click.option(
    "--question",
    "questions",
    multiple=True,
    type=click.Choice(QUESTIONS),
    help="Ask only this of the usual questions, which are asked where nothing is said of events. "
    "Repeatable.",
)
@click.option(
    "--thorough",
    is_flag=True,
    help="Ask products of the usual questions, too, such as a rollout while a node is lost; with "
    "--from, ask them of what is applied as well.",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="ID",
    shell_complete=completion.property_ids,
    help="Check only this property, such as DEP-4; all are also those that only a defect of "
    "Kubernetes breaks. Repeatable.",
)
@click.option("--max-states", type=click.IntRange(min=1), help="Give up after so many states.")
@click.option(
    "--time-limit",
    "time_limit_seconds",
    metavar="TIME",
    callback=duration,
    help="Give up on a question after so long, such as 90s or 5m (60s where nobody says): the "
    "processor's time, and by the wall three times that.",
)
@click.option(
    "--max-memory",
    "max_memory_bytes",
    metavar="AMOUNT",
    callback=memory,
    help="Give up when the search needs more memory, such as 2Gi (most of what is available "
    "where nobody says).",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="How to search; all engines that visit every state give the same answers. For systems "
    "beyond that, stateful draws runs at random: it refutes, but proves nothing.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="Draw the runs of this number (0 where nobody says).",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Give up after so many runs that violate nothing new (1000 where nobody says).",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    metavar="N",
    help="The most steps of a run until users and faults stop (100 where nobody says).",
)
@click.option(
    "--examples",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep failing runs in this folder, and try them first (.kubelemma/examples where nobody "
    "says).",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many threads search at once, where the compiled engine does.",
)
@click.option(
    "--no-reduction",
    metavar="NAMES",
    default="",
    callback=lambda _context, _option, text: tuple(filter(None, text.split(","))),
    help="Do without these reductions, such as pooling, or without all. What earlier runs found "
    "out is not used then.",
)
@click.option(
    "--checkpoint",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep long searches in this folder, so that they can be resumed.",
)
@click.option("--resume", is_flag=True, help="Go on with the searches that --checkpoint has kept.")
@click.option(
    "--cache/--no-cache",
    default=True,
    show_default=True,
    help="Use what earlier runs found out: verdicts on the same scenario, and counterexamples.",
)
@click.option(
    "--cache-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where verdicts are remembered (.kubelemma/cache where nobody says).",
)
@click.option(
    "--fail-fast",
    is_flag=True,
    help="Stop at the first scenario that fails; counterexamples of earlier runs are tried first.",
)
@click.option(
    "-o",
    "--output",
    type=Format(FORMATS),
    default="text",
    show_default=True,
    help="The format of standard output.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=PATH",
    callback=targets_of(FORMATS),
    shell_complete=completion.report_targets,
    help="Write a report to a file as well. Repeatable.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default=None,
    help="The severity from which on a violation fails the check; less severe ones are warnings "
    "(high where nobody says, low where all properties are named).",
)
@judging_options
@click.option(
    "--save/--no-save",
    default=True,
    show_default=True,
    help="Keep counterexamples in .kubelemma/traces, to be replayed, and remember verdicts.",
)
@common_options
@click.pass_obj
def check(
    session: Session,
    /,
    *,
    output: str,
    reports: tuple[Target, ...],
    fail_on: str | None,
    **given: Any,
) -> ExitCode:
    """Check what may happen to the workloads of manifests.

    PATH is a file or directory of manifests, a Kustomize base, or a scenario (kind: Check); - is
    standard input. Without events each workload is asked the usual questions, each by itself: a
    rollout, a bad version, a lost node, a drain; in a cluster on which all fits with one node less,
    unless options or a scenario say otherwise.
    """
    from kubelemma import api
    from kubelemma.reports.document import Result

    def fails(explored: api.Explored) -> bool:
        return api.report((explored,), severity, policy=policy).result is Result.FAILED

    _refuse_questions(**given)
    if session.quiet and output not in ("text", "wide"):
        told = told_by("output")
        message = f"-q is for text: -o {output}{told} is data, and has no summary line"
        raise click.UsageError(message)
    read = (*given["paths"], *given["files"], *given["base"], *given["load"])
    refuse_inputs(reports, read)
    means = means_of(**{name: given.pop(name) for name in Means._fields})
    judging = Judging(**{name: given.pop(name) for name in Judging._fields})
    chosen = bool(given["thorough"] or given["questions"])
    asked = api.ask(question(**given))
    policy = policy_of(judging, asked.statements)
    severity = api.severity_for(asked.cases, fail_on)
    warn(session, (*asked.warnings, *_unasked(asked, chosen=chosen)))
    if asked.unchanged:
        session.tell(asked.unchanged)
    if asked.unchanged and not asked.cases:
        nothing = api.report((), severity, policy=policy)
        if output not in ("text", "wide"):
            print_report(session, nothing, output)
        write_reports(nothing, reports)
        return unless_unread(_unless_open(ExitCode.OK, asked), asked.problems)
    occasion = occasion_of(session, asked.cases)
    found, error = explore_all(session, asked.cases, means, fails)
    kept = keep_all(session, found, save=means.save)
    wanted = _influence({output, *(target.format for target in reports)})
    report = api.report(found, severity, kept, policy, wanted)
    report = replace(report, occasion=occasion)
    if error is None and exit_code(report) is not ExitCode.INTERRUPTED:
        report = with_tried(session, report, [each.case for each in found], means)
    print_report(session, report, output)
    write_reports(report, reports)
    write_violations(session, report, policy, judging.write_baseline)
    if error is not None:
        raise error
    return unless_unread(_unless_open(exit_code(report), asked), asked.problems)


def _unless_open(code: ExitCode, asked: Asked) -> ExitCode:
    """The exit code, but no success where what differs is not modelled."""
    return ExitCode.INCONCLUSIVE if asked.left_open and code is ExitCode.OK else code


def _refuse_questions(**given: Any) -> None:
    """See to it that the usual questions are not chosen where others are asked, nor half a change.

    Raises:
        UsageError: they are.
    """
    if given["prune"] and not given["base"]:
        raise click.UsageError("--prune asks what is taken away: name what stands with --from")
    if "-" in given["base"] and "-" in (*given["paths"], *given["files"]):
        raise click.UsageError("standard input is either what stands (--from) or what is applied")
    if given["thorough"] and given["events"]:
        raise click.UsageError(
            f"--thorough{told_by('thorough')} asks products of the usual questions, and "
            f"--event{told_by('events')} says what happens instead: leave out one"
        )
    if given["questions"] and given["events"]:
        raise click.UsageError(
            f"--question{told_by('questions')} chooses among the usual questions, and "
            f"--event{told_by('events')} says what happens instead: leave out one"
        )


def _unasked(asked: Asked, *, chosen: bool) -> Iterator[str]:
    """That questions were ``chosen``, but scenarios or a change say what happens: none is asked."""
    from kubelemma.question import CHANGE

    questions = {case.scenario.question for case in asked.cases}
    if chosen and questions == {""}:
        yield "--question and --thorough change nothing: what happens is said by scenarios"
    if chosen and questions == {CHANGE}:
        yield (
            "--question changes nothing: a change is asked about by itself; with --thorough "
            "the usual questions are asked of what is applied, too"
        )


def _influence(forms: set[str]) -> int | None:
    """Whether a report tells what depends on what, and in how many states rules are asked."""
    from kubelemma.solver.influence import STATES

    if "wide" in forms:
        return STATES
    return 0 if forms & {"json", "yaml"} else None
