"""``kubelemma conform``: are recorded runs of a real control plane behaviours of the model?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from . import completion
from .exit import ExitCode
from .helping import Command
from .session import Session, common_options, say, width

if TYPE_CHECKING:
    from kubelemma.reports.conformance import ConformanceReport, JudgedRun

FORMATS = ("text", "wide", "json")
SUFFIXES = (".jsonl", ".jsonl.gz")

_ERASE = "\r\x1b[K"

Tell: TypeAlias = Callable[[int, str], None]
"""Told how many runs are done, and the name of the last one."""


EXAMPLES = (
    (
        "Is what a real cluster did a behaviour of the model?",
        "conform runs/",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=completion.files)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="The format of standard output; wide tells every refusal.",
)
@click.option("--summary", is_flag=True, help="Print only tables, by scenario instead of by run.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many runs are judged at once.",
)
@common_options
@click.pass_obj
def conform(
    session: Session, runs: tuple[str, ...], output: str, *, summary: bool, workers: int
) -> ExitCode:
    """Judge recorded runs of a real control plane by the model.

    RUN is a file of JSON lines, compressed by gzip or not, or a directory of such files. Each write
    of a modelled controller is one that the model could have done there, or it is refused, with
    what comes nearest to it; writes of what is not modelled are taken as they come, and counted.
    """
    from kubelemma import __version__
    from kubelemma.reports.conformance import ConformanceReport

    paths = _files(runs)
    judged: list[JudgedRun] = []
    interrupted = False
    try:
        with _progress(session, len(paths)) as tell:
            for run in _judged(paths, workers):
                judged.append(run)
                tell(len(judged), run.name)
    except KeyboardInterrupt:
        interrupted = True
    report = ConformanceReport(__version__, tuple(judged))
    session.print(_rendered(report, output, summary=summary, colour=session.colour()))
    for run in judged:
        if run.problem is not None:
            say(str(run.problem))
    if interrupted:
        say("kubelemma: interrupted")
        return ExitCode.INTERRUPTED
    return _exit_code(report)


def _files(runs: tuple[str, ...]) -> tuple[Path, ...]:
    """The files that are meant; those of directories sorted.

    Raises:
        UsageError: there are none.
    """
    if not runs:
        raise click.UsageError("nothing to judge: name files of recorded runs, or directories")
    found: list[Path] = []
    for run in map(Path, runs):
        inside = _inside(run) if run.is_dir() else [run]
        if not inside:
            raise click.UsageError(f'no run (*.jsonl, *.jsonl.gz) lies in the directory "{run}"')
        found += inside
    return tuple(found)


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES))


def _judged(paths: tuple[Path, ...], workers: int) -> Iterator[JudgedRun]:
    """The runs in the order of their files."""
    from kubelemma.runs.acceptance import judge_file

    if workers == 1 or len(paths) == 1:
        yield from map(judge_file, paths)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    from signal import SIG_IGN, SIGINT, signal

    # Ctrl-C reaches all processes at the terminal; only this one has something to say then.
    with ProcessPoolExecutor(workers, get_context("spawn"), signal, (SIGINT, SIG_IGN)) as pool:
        yield from pool.map(judge_file, paths)


@contextmanager
def _progress(session: Session, number: int) -> Iterator[Tell]:
    """One line at the terminal that says which runs are done."""
    from kubelemma.model.visible import visible

    shown = session.shows_progress()

    def tell(done: int, name: str) -> None:
        if shown:
            line = visible(f"{done} of {number} runs judged, the last one {name}")
            line = line[: shutil.get_terminal_size().columns - 1]
            click.echo(f"{_ERASE}{line}", nl=False, err=True, color=True)

    try:
        yield tell
    finally:
        if shown:
            click.echo(_ERASE, nl=False, err=True, color=True)


def _rendered(report: ConformanceReport, output: str, *, summary: bool, colour: bool) -> str:
    if output == "json":
        from kubelemma.reports import conformance_json

        return conformance_json.render(report)
    from kubelemma.reports import conformance_text

    return conformance_text.render(
        report, wide=output == "wide", summary=summary, colour=colour, width=width()
    )


def _exit_code(report: ConformanceReport) -> ExitCode:
    """The contract: all accepted, some refused, only in part; what cannot be read comes first."""
    from kubelemma.reports.conformance import Answer

    if any(run.problem is not None for run in report.runs):
        return ExitCode.USAGE
    if report.number(Answer.REFUSED):
        return ExitCode.VIOLATED
    partly = report.number(Answer.IN_PART) + report.number(Answer.UNDECIDED)
    return ExitCode.INCONCLUSIVE if partly else ExitCode.OK
