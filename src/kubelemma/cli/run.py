"""One run of the command line: every way it can end becomes an exit code here."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from .commands import cli
from .completion import for_kubectl
from .configured import blamed
from .exit import ExitCode
from .session import Session


def run(arguments: Sequence[str], program: str = "kubelemma") -> int:
    """Run one command of a program that is called so; gives its exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal without arrows shows question marks; a report must not fail for that.
            stream.reconfigure(errors="replace")
    if not _is_somewhere():
        click.echo("kubelemma: the working directory is gone, or may not be entered", err=True)
        return ExitCode.USAGE
    session = Session(
        command=("kubelemma", *arguments), verbose=bool(os.environ.get("KUBELEMMA_DEBUG"))
    )
    try:
        code = cli.main(list(arguments), program, standalone_mode=False, obj=session)
    except click.ClickException as error:
        _show(error)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("kubelemma: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback but on request
        return _failed(error, verbose=session.verbose)
    return int(code or ExitCode.OK)


def _is_somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def complete_for_kubectl(words: Sequence[str]) -> int:
    """Print how a command of kubectl's plugin may go on; gives the exit code."""
    click.echo(for_kubectl(cli, words), nl=False)
    return ExitCode.OK


def _show(error: click.ClickException) -> None:
    """Report wrong usage; where a file or the environment says it, that is where it is wrong."""
    where = blamed(error)
    if where:
        click.echo(": ".join((*where, error.message)), err=True)
    else:
        error.show()


def _failed(error: Exception, *, verbose: bool) -> ExitCode:
    """Report what no command has dealt with."""
    from kubelemma.model.manifests.problems import InvalidInput
    from kubelemma.solver.checkpoints import CheckpointError
    from kubelemma.solver.stateful.sampling import ExamplesError

    if isinstance(error, CheckpointError | ExamplesError):
        click.echo(f"kubelemma: {error}", err=True)
        return ExitCode.USAGE
    if isinstance(error, InvalidInput):
        for problem in error.problems:
            click.echo(str(problem), err=True)
        if verbose and error.__cause__ is not None:
            traceback.print_exception(error.__cause__, file=sys.stderr)
        return ExitCode.USAGE
    if verbose:
        traceback.print_exception(error, file=sys.stderr)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    click.echo(f"kubelemma: internal error: {what}", err=True)
    if not verbose:
        click.echo("Run it again with -v (or KUBELEMMA_DEBUG=1) to see where.", err=True)
    return ExitCode.INTERNAL
