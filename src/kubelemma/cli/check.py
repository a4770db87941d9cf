"""``kubelemma check``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .exit import ExitCode, exit_code
from .keeping import keep_all
from .options import FORMATS, SEVERITIES, Target, duration, input_options, memory, question, targets
from .output import print_report, write_reports
from .searching import ENGINES, Means, explore_all, means_of
from .session import Session, common_options


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

    means = means_of(**{name: given.pop(name) for name in Means._fields})
    asked = api.ask(question(**given))
    for warning in asked.warnings:
        session.tell(f"warning: {warning}")
    found = explore_all(session, asked.cases, means)
    report = api.report(found, Severity(fail_on), keep_all(session, found, save=save))
    print_report(session, report, output)
    write_reports(report, reports)
    return exit_code(report)
