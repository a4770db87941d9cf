"""Reports in the formats that there are, to standard output and to files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubelemma.files import write_whole

from .options import Target
from .session import Session, width

if TYPE_CHECKING:
    from kubelemma.reports.document import Report


def print_report(session: Session, report: Report, form: str) -> None:
    """Write the report to standard output.

    Where a session is quiet, text is the summary line alone. Where it is annotations of a CI step,
    the step's summary gets the report as well.
    """
    if session.quiet and form in ("text", "wide"):
        from kubelemma.reports import brief

        session.print(brief.render(report, colour=session.colour(), width=width(), quiet=True))
    else:
        session.print(rendered(report, form, colour=session.colour(), columns=width()))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if form == "github" and summary:
        _append(session, Path(summary), rendered(report, "markdown", colour=False, columns=0))


def _append(session: Session, path: Path, text: str) -> None:
    """Add text to a file that others write to, too; it is a courtesy, no result."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        session.tell(f"warning: {path}: {error.strerror}")


def refuse_inputs(targets: Iterable[Target], inputs: Iterable[str]) -> None:
    """See to it that no report is written over a file that is to be read.

    Raises:
        UsageError: one would be.
    """
    read = {os.path.realpath(name) for name in inputs}
    for target in targets:
        if os.path.realpath(target.path) in read:
            message = f'the report "{target.format}={target.path}" would be written over an input'
            raise click.UsageError(message)


def write_reports(report: Report, targets: Iterable[Target]) -> None:
    """Write the report to files.

    Raises:
        ClickException: a file cannot be written; all others are.
    """
    write_all(
        (target.path, rendered(report, target.format, colour=False, columns=100))
        for target in targets
    )


def write_all(texts: Iterable[tuple[Path, str]]) -> None:
    """Write results to files.

    Raises:
        ClickException: some cannot be written; all others are.
    """
    errors = []
    for path, text in texts:
        try:
            write(path, text)
        except click.ClickException as error:
            errors.append(error.message)
    if errors:
        raise click.ClickException("; ".join(errors))


def write(path: Path, text: str) -> None:
    """Write a result to a file, whole or not at all.

    Raises:
        ClickException: the file cannot be written.
    """
    try:
        write_whole(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error


def rendered(report: Report, form: str, *, colour: bool, columns: int) -> str:
    """The report in one of the formats; only text has colours."""
    if form == "text":
        from kubelemma.reports import brief

        return brief.render(report, colour=colour, width=columns)
    if form == "wide":
        from kubelemma.reports import text

        return text.render(report, wide=True, colour=colour, width=columns)
    render: Callable[[Report], str] = import_module(f"kubelemma.reports.{form}").render
    return render(report)
