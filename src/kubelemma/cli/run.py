"""One run of the command line: every way it can end becomes an exit code here."""

from __future__ import annotations

import io
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
from .session import Session, say


def run(arguments: Sequence[str], program: str = "kubelemma") -> int:
    """Run one command of a program that is called so; gives its exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal without arrows shows question marks; a report must not fail for that.
            stream.reconfigure(errors="replace")
    if not _is_somewhere():
        say("kubelemma: the working directory is gone, or may not be entered")
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
        say("kubelemma: interrupted")
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
    from kubelemma.model.visible import visible

    where = blamed(error)
    if where:
        say(": ".join((*where, error.message)))
    else:
        told = io.StringIO()
        error.show(told)
        message = error.format_message()
        _say_all(told.getvalue().replace(message, visible(message)))


def _failed(error: Exception, *, verbose: bool) -> ExitCode:
    """Report what no command has dealt with."""
    from kubelemma.model.manifests.problems import InvalidInput
    from kubelemma.solver.checkpoints import CheckpointError
    from kubelemma.solver.stateful.sampling import ExamplesError

    if isinstance(error, CheckpointError | ExamplesError):
        say(f"kubelemma: {error}")
        return ExitCode.USAGE
    if isinstance(error, InvalidInput):
        for problem in error.problems:
            say(str(problem))
        if verbose and error.__cause__ is not None:
            _trace(error.__cause__)
        return ExitCode.USAGE
    if verbose:
        _trace(error)
    what = f"{type(error).__name__}: {error}".split("\n")[0]
    say(f"kubelemma: internal error: {what}")
    if not verbose:
        say("Run it again with -v (or KUBELEMMA_DEBUG=1) to see where.")
    return ExitCode.INTERNAL


def _trace(error: BaseException) -> None:
    """Tell where an error arose, line by line: its message may hold whatever the input does."""
    _say_all("".join(traceback.format_exception(error)))


def _say_all(text: str) -> None:
    for line in text.rstrip("\n").split("\n"):
        say(line)
