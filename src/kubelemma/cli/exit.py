"""What the exit code means: the contract, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kubelemma.model.manifests.problems import Problem
    from kubelemma.reports.document import Report


class ExitCode(IntEnum):
    """The exit codes of ``kubelemma``. They mean the same in every release."""

    OK = 0
    """Everything holds, or came out as expected."""
    VIOLATED = 1
    """Something is violated, or did not come out as expected."""
    USAGE = 2
    """Wrong options, unreadable or invalid input, or nothing to check."""
    INCONCLUSIVE = 3
    """A limit was hit before everything was decided, or what is asked about is not modelled."""
    INTERNAL = 70
    """A mistake in kubelemma itself."""
    INTERRUPTED = 130
    """Interrupted with Ctrl-C; what had been found out by then was reported."""


def exit_code(report: Report) -> ExitCode:
    """The exit code of a check, whatever the format of its report."""
    from kubelemma.reports.document import Result

    if was_interrupted(s.statistics.stopped_by for s in report.scenarios):
        return ExitCode.INTERRUPTED
    codes = {
        Result.PASSED: ExitCode.OK,
        Result.FAILED: ExitCode.VIOLATED,
        Result.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    }
    return codes[report.result]


def unless_unread(code: ExitCode, unread: Iterable[Problem]) -> ExitCode:
    """The exit code where some of the input could not be read, which is told last.

    What could be read was reported by then, and what was interrupted stays so.
    """
    problems = tuple(unread)
    for problem in problems:
        click.echo(str(problem), err=True)
    return ExitCode.USAGE if problems and code is not ExitCode.INTERRUPTED else code


def was_interrupted(stops: Iterable[str | None]) -> bool:
    """Whether one of the searches was stopped by Ctrl-C."""
    from kubelemma.solver.limits import INTERRUPTED

    return INTERRUPTED in stops
