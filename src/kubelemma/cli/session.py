"""How one run of the command line talks: colour, verbosity, progress."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TextIO, TypeAlias, TypeVar

import click

from .configured import config_options

ColourChoice: TypeAlias = Literal["auto", "always", "never"]
Function = TypeVar("Function", bound=Callable[..., Any])

_NARROWEST, _WIDEST, _UNKNOWN = 40, 120, 100


@dataclass(slots=True)
class Session:
    """The options that every command has; filled while the command line is parsed.

    ``command`` is the command line itself.
    """

    command: tuple[str, ...] = ("kubelemma",)
    verbose: bool = False
    quiet: bool = False
    colour_choice: ColourChoice = "auto"

    def colour(self, stream: TextIO | None = None) -> bool:
        """Whether text for a stream (standard output) is coloured.

        The option comes before the environment (https://no-color.org, https://force-color.org),
        and the environment before the kind of stream.
        """
        if self.colour_choice != "auto":
            return self.colour_choice == "always"
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()

    def print(self, text: str) -> None:
        """Write a result, or part of one, as it is: whoever renders it shows what is in it.

        Raises:
            ClickException: it cannot be written.
        """
        try:
            click.echo(text, nl=False, color=True)
        except OSError as error:
            raise click.ClickException(f"standard output: {error.strerror}") from error

    def tell(self, text: str) -> None:
        """Write a diagnostic to standard error, unless quiet."""
        if not self.quiet:
            say(text)

    def detail(self, text: str) -> None:
        """Write what only somebody who asked for more wants to know to standard error."""
        if self.verbose:
            say(text)

    def shows_progress(self) -> bool:
        """Whether there is somebody at a terminal to watch."""
        return not self.quiet and sys.stderr.isatty()


def say(text: str) -> None:
    """Write one line to standard error, whatever there is in what it tells of."""
    from kubelemma.model.visible import spoken, visible

    click.echo(spoken(visible(text)), err=True)


def width() -> int:
    """The characters of a line: those of the terminal within reason, 100 where there is none."""
    columns = shutil.get_terminal_size((_UNKNOWN, 0)).columns if sys.stdout.isatty() else _UNKNOWN
    return min(max(columns, _NARROWEST), _WIDEST)


def _set_verbose(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value:
        context.ensure_object(Session).verbose = True


def _set_quiet(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value:
        context.ensure_object(Session).quiet = True


def _set_colour(context: click.Context, _parameter: click.Parameter, value: ColourChoice) -> None:
    context.ensure_object(Session).colour_choice = value


def common_options(command: Function) -> Function:
    """Add ``--color``, ``--quiet`` and ``--verbose``, which fill the session, and ``--config``."""
    options = (
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            expose_value=False,
            is_eager=True,
            callback=_set_colour,
            help="Colour the output; NO_COLOR and FORCE_COLOR are respected.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set_quiet,
            help="Print nothing but errors and the result; of a check the summary line alone.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set_verbose,
            help="Tell what is being done, and give tracebacks of internal errors.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return config_options(command)
