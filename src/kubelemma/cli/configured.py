"""The configuration file: how it is named, and what comes from it.

The command line comes first, then the environment, then the file, then the option's own default.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from .keys import meant

if TYPE_CHECKING:
    from kubelemma.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])

_META = "kubelemma.settings"


def config_options(command: Function) -> Function:
    """Add ``--config`` and ``--no-config``."""
    options = (
        click.option(
            "--no-config",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_refuse_files,
            help="Take no options from a configuration file.",
        ),
        click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_read_file,
            help="Take options from this file (kubelemma.toml or [tool.kubelemma] in "
            "pyproject.toml, here or in a folder above, where nobody says).",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _refuse_files(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if not value:
        return
    if _META not in context.meta:
        context.meta[_META] = None
    elif _given(context, "no_config"):
        raise _contradiction()


def _read_file(context: click.Context, _parameter: click.Parameter, given: Path | None) -> None:
    """Read the file before the other options are looked at."""
    from kubelemma.settings import find_settings, load_settings

    from .defaults import defaults

    if context.resilient_parsing:
        return
    if _META not in context.meta:
        here = Path.cwd()
        context.meta[_META] = load_settings(given) if given else find_settings(here, home())
    elif given is not None and _given(context, "config"):
        raise _contradiction()
    context.default_map = defaults(settings_of(context), context, context.command)


def _contradiction() -> click.UsageError:
    return click.UsageError("--config and --no-config contradict each other: leave out one")


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def home() -> Path | None:
    """The user's own folder, above which nothing is looked for; None where it is not known."""
    found = os.environ.get("HOME")
    return Path(found) if found else None


def settings_of(context: click.Context) -> Settings | None:
    """The configuration file in effect; None where there is none."""
    found: Settings | None = context.meta.get(_META)
    return found


def origin(context: click.Context, option: click.Option) -> tuple[str, ...]:
    """Where the value of an option comes from, such as ``kubelemma.toml:3`` and the key there.

    Empty for the command line, and for defaults.
    """
    source = context.get_parameter_source(option.name or "")
    settings = settings_of(context)
    if source is ParameterSource.ENVIRONMENT:
        return tuple(name for name in option.envvar or () if os.environ.get(name))[:1]
    if source is ParameterSource.DEFAULT_MAP and settings is not None:
        keys = meant(settings.values, context, context.command)
        *_, where = (where for where, found in keys if found is option)
        return str(settings.position(where)), ".".join(where)
    return ()


def blamed(error: click.ClickException) -> tuple[str, ...]:
    """The file and key, or the variable, that a complaint about an option is due to; or nothing."""
    if (
        isinstance(error, click.BadParameter)
        and error.ctx
        and isinstance(error.param, click.Option)
    ):
        return origin(error.ctx, error.param)
    return ()


def told_by(name: str) -> str:
    """Where the value of a parameter comes from that nobody gave on the command line, in brackets.

    Empty where somebody did.
    """
    context = click.get_current_context()
    option = next(p for p in context.command.params if p.name == name)
    where = origin(context, option) if isinstance(option, click.Option) else ()
    return f" ({where[0]})" if where else ""
