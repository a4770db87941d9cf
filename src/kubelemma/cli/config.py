"""``kubelemma config``: which options are in effect, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from .configured import origin, settings_of
from .exit import ExitCode
from .helping import Command
from .keys import MAIN, commands_in, keys_of
from .session import Session, common_options

EXAMPLES = (
    (
        "What is in effect for place",
        "config place",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("name", metavar="[COMMAND]", default=MAIN)
@common_options
@click.pass_context
def config(context: click.Context, name: str) -> ExitCode:
    """Show which options are in effect, and where they are set.

    They are those of COMMAND, check where none is named. Each comes from a configuration file, from
    the environment, or is the default.
    """
    from tabulate import tabulate

    from kubelemma.model.findings import did_you_mean
    from kubelemma.model.visible import visible
    from kubelemma.reports.shown import shown
    from kubelemma.reports.style import laid_out

    from .defaults import defaults

    commands = commands_in(context)
    if name not in commands:
        raise click.UsageError(f'there is no command "{name}"{did_you_mean(name, commands)}')
    command = commands[name]
    asked = click.Context(command, parent=context, info_name=name)
    settings = settings_of(context)
    asked.default_map = defaults(settings, context, command)
    rows = shown(list(_rows(asked, command)))
    file = visible(str(settings.path)) if settings else "<none>"
    table = tabulate(rows, ("OPTION", "VALUE", "FROM"), tablefmt="plain", disable_numparse=True)
    text = laid_out((f"Configuration file: {file}", "", *table.split("\n")))
    context.ensure_object(Session).print(text)
    return ExitCode.OK


def _rows(asked: click.Context, command: click.Command) -> Iterator[tuple[str, str, str]]:
    for key, option in keys_of(command).items():
        value, source = option.consume_value(asked, {})
        asked.set_parameter_source(option.name or "", source)
        yield f"--{key}", _shown(value), (*origin(asked, option), "default")[0]


def _shown(value: Any) -> str:
    """A value as a configuration file would have it; what is not set as nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value) or "<none>"
    items = list(value) if isinstance(value, list | tuple) else []
    return ", ".join(map(str, items)) or "<none>"
