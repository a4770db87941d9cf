"""``kubelemma check``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .exit import ExitCode, exit_code, was_interrupted
from .options import FORMATS, SEVERITIES, Target, duration, input_options, memory, question, targets
from .output import print_report, write_reports
from .progress import progress_line
from .session import Session, common_options

if TYPE_CHECKING:
    from kubelemma.api import Case, Checkpoints, Engine, Explored, Repeater

ENGINES = ("plain", "compiled", "auto")


@click.command()
@input_options
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="ID",
    help="Check only this property, such as DEP-4. Repeatable.",
)
@click.option("--max-states", type=click.IntRange(min=1), help="Give up after so many states.")
@click.option(
    "--time-limit",
    "time_limit_seconds",
    metavar="TIME",
    callback=duration,
    help="Give up on a scenario after so long, such as 90s or 5m (60s where nobody says).",
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
    help="How to search; all engines give the same answers.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many threads search at once, where the compiled engine does.",
)
@click.option(
    "--checkpoint",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep long searches in this folder, so that they can be resumed.",
)
@click.option("--resume", is_flag=True, help="Go on with the searches that --checkpoint has kept.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="The format of standard output.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=PATH",
    callback=targets,
    help="Write a report to a file as well. Repeatable.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="low",
    show_default=True,
    help="The severity from which on a violation fails the check.",
)
@click.option(
    "--save/--no-save",
    default=True,
    show_default=True,
    help="Keep counterexamples in .kubelemma/traces, to be replayed.",
)
@common_options
@click.pass_obj
def check(
    session: Session,
    /,
    *,
    output: str,
    reports: tuple[Target, ...],
    fail_on: str,
    save: bool,
    **given: Any,
) -> ExitCode:
    """Check what may happen to the workloads of manifests.

    PATH is a file or directory of manifests, a Kustomize base, or a scenario (kind: Check); - is
    standard input. Each Deployment is checked by itself while it is rolled out and a node crashes,
    in a cluster on which all fits with one node less, unless options or a scenario say otherwise.
    """
    from kubelemma import api
    from kubelemma.properties.statement import Severity

    means = _means(**{name: given.pop(name) for name in Means._fields})
    asked = api.ask(question(**given))
    for warning in asked.warnings:
        session.tell(f"warning: {warning}")
    found = _explore_all(session, asked.cases, means)
    report = api.report(found, Severity(fail_on), _repeater(session, found, save=save))
    print_report(session, report, output)
    write_reports(report, reports)
    return exit_code(report)


class Means(NamedTuple):
    """How to search."""

    engine: Engine
    workers: int
    checkpoint: Path | None
    resume: bool


def _means(**given: Any) -> Means:
    """How to search, unless the options contradict each other."""
    means = Means(**given)
    if means.resume and means.checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR: where the search was kept")
    if means.engine == "plain" and means.workers > 1:
        raise click.UsageError("the plain engine has a single worker: leave out --workers")
    if means.engine == "plain" and means.checkpoint is not None:
        raise click.UsageError("the plain engine keeps no checkpoints: leave out --checkpoint")
    return means


def _explore_all(session: Session, cases: tuple[Case, ...], means: Means) -> list[Explored]:
    """Explore one case after the other; an interrupt ends the one at hand and skips the rest."""
    from kubelemma import api

    found: list[Explored] = []
    for case, kept in zip(cases, _kept(session, cases, means), strict=True):
        if was_interrupted(explored.result.statistics.stopped_by for explored in found):
            found.append(api.not_explored(case))
            continue
        session.detail(_described(case))
        with progress_line(session, case.scenario.name, case.check.spec.bounds) as listener:
            explored = api.explore(
                case, listener, means.engine, workers=means.workers, checkpoints=kept
            )
        found.append(explored)
    return found


def _kept(
    session: Session, cases: tuple[Case, ...], means: Means
) -> tuple[Checkpoints | None, ...]:
    """Where the search of each case is kept, if it is."""
    from kubelemma import api

    folder = means.checkpoint
    if folder is None:
        return (None,) * len(cases)
    kept = api.checkpoints_of(cases, folder, resume=means.resume)
    if means.resume and not any(where.folder.exists() for where in kept):
        session.tell(f"warning: there is no checkpoint in {folder}: starting from the beginning")
    return kept


def _described(case: Case) -> str:
    system = case.scenario.system
    families = sum(len(family.initial) for family in system.families)
    return (
        f"exploring {case.scenario.name}: {len(system.cells)} cells and {families} in families, "
        f"{len(system.tallies) + len(system.bests)} summaries, {len(system.rules)} rules, "
        f"{len(case.properties)} properties"
    )


def _repeater(session: Session, found: Iterable[Explored], *, save: bool) -> Repeater:
    """How a counterexample is repeated: from its file, or where that is not kept, by this check."""
    from kubelemma import api, recording

    kept = set()
    for explored in found if save else ():
        for result in explored.result.properties:
            recorded = api.recording(explored, result)
            try:
                if recorded is not None:
                    recording.save(recorded, Path.cwd())
                    kept.add(recorded.name)
            except OSError as error:
                session.tell(f"warning: a counterexample cannot be kept: {error}")

    def repeat(name: str) -> tuple[str, ...]:
        command = ("kubelemma", "replay", name) if name in kept else _anew(session.command)
        return (shlex.join(command),)

    return repeat


def _anew(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command without its checkpoints, with which it could not be given a second time."""
    words: list[str] = []
    for before, word in pairwise(("", *command)):
        kept = before == "--checkpoint" or word.startswith("--checkpoint") or word == "--resume"
        words += [] if kept else [word]
    return tuple(words)
