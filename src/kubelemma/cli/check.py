"""``kubelemma check``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .exit import ExitCode, exit_code, was_interrupted
from .options import FORMATS, SEVERITIES, Target, duration, input_options, memory, question, targets
from .output import print_report, write_reports
from .progress import progress_line
from .session import Session, common_options

if TYPE_CHECKING:
    from kubelemma.api import Case, Engine, Explored, Repeater


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
    help="Give up when the search needs more memory, such as 2Gi.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="plain",
    show_default=True,
    help="How to search; all engines give the same answers.",
)
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
    engine: Engine,
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

    asked = api.ask(question(**given))
    for warning in asked.warnings:
        session.tell(f"warning: {warning}")
    found = _explore_all(session, asked.cases, engine)
    report = api.report(found, Severity(fail_on), _repeater(session, found, save=save))
    print_report(session, report, output)
    write_reports(report, reports)
    return exit_code(report)


def _explore_all(session: Session, cases: Iterable[Case], engine: Engine) -> list[Explored]:
    """Explore one case after the other; an interrupt ends the one at hand and skips the rest."""
    from kubelemma import api

    found: list[Explored] = []
    for case in cases:
        if was_interrupted(explored.result.statistics.stopped_by for explored in found):
            found.append(api.not_explored(case))
            continue
        session.detail(_described(case))
        with progress_line(session, case.scenario.name) as listener:
            found.append(api.explore(case, listener, engine))
    return found


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
        command = ["kubelemma", "replay", name] if name in kept else session.command
        return (shlex.join(command),)

    return repeat
