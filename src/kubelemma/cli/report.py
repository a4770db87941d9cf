"""``kubelemma report``: a kept result in another format."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import completion
from .exit import ExitCode
from .helping import Command
from .options import FORMATS
from .output import print_report, rendered, write
from .session import Session, common_options

STDIN = "-"


EXAMPLES = (
    (
        "A page to look at the counterexamples step by step",
        "report result.json --format html --output report.html",
    ),
    (
        "A comment for a pull request",
        "report result.json --format markdown",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("result", metavar="RESULT", shell_complete=completion.files)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="The format to write.",
)
@click.option(
    "--output",
    metavar="FILE",
    shell_complete=completion.files,
    help="Write to this file instead of standard output.",
)
@common_options
@click.pass_obj
def report(session: Session, result: str, form: str, output: str | None) -> ExitCode:
    """Write the result of an earlier check in another format.

    RESULT is a file that check --report json=FILE (or yaml=FILE) wrote, or - for standard input.
    Nothing is checked again, and the exit code does not depend on what the result says.
    """
    from kubelemma.reports import saved

    found = saved.load("<stdin>" if result == STDIN else result, _text(result))
    if output is None:
        print_report(session, found, form)
    else:
        write(Path(output), rendered(found, form, colour=False, columns=100))
    return ExitCode.OK


def _text(result: str) -> str:
    """What stands in the file."""
    from kubelemma.model.manifests.problems import InvalidInput, Position, Problem

    try:
        data = sys.stdin.buffer.read() if result == STDIN else Path(result).read_bytes()
        return data.decode()
    except OSError as error:
        message = error.strerror or str(error)
    except UnicodeDecodeError:
        message = "is not UTF-8 text"
    raise InvalidInput([Problem(Position(result), "", message)])
