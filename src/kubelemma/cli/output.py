"""Reports in the formats that there are, to standard output and to files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from .options import Target
from .session import Session, width

if TYPE_CHECKING:
    from kubelemma.reports.document import Report


def print_report(session: Session, report: Report, form: str) -> None:
    """Write the report to standard output."""
    session.print(rendered(report, form, colour=session.colour(), columns=width()))


def write_reports(report: Report, targets: Iterable[Target]) -> None:
    """Write the report to files.

    Raises:
        ClickException: a file cannot be written.
    """
    for target in targets:
        text = rendered(report, target.format, colour=False, columns=100)
        try:
            target.path.write_text(text, "utf-8")
        except OSError as error:
            raise click.ClickException(f"{target.path}: {error.strerror}") from error


def rendered(report: Report, form: str, *, colour: bool, columns: int) -> str:
    """The report in one of the formats; only text has colours."""
    from kubelemma.reports import json, text

    if form == "json":
        return json.render(report)
    return text.render(report, wide=form == "wide", colour=colour, width=columns)
