"""What options are called in configuration files and in the environment.

A key is the long name of an option. Keys that stand in no table are options of ``check``; other
commands heed some of them, where their option is the same. Variables are called likewise:
``KUBELEMMA_FAIL_ON`` is ``--fail-on`` of ``check``, ``KUBELEMMA_PLACE_TIME_LIMIT`` that of
``place``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import click

Options: TypeAlias = Mapping[str, click.Option]

MAIN = "check"
"""The command whose options need no table of their own."""
_NOT_IN_FILES = {"config", "no-config"}
_SHARED = {
    *("filename", "load", "no-kustomize", "strict", "variant", "namespace", "workload"),
    "together",
    *("nodes", "event", "scoring", "kubernetes"),
    *("color", "quiet", "verbose"),
}
"""What is said of the input and of the terminal is likely meant for every command; how to search,
and where to write, is not."""


def commands_of(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by what has to be typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def options_of(command: click.Command) -> Options:
    """The options of a command, by their keys."""
    options = (p for p in command.params if isinstance(p, click.Option))
    return {max(o.opts, key=len).lstrip("-"): o for o in options}


def keys_of(command: click.Command) -> Options:
    """The options of a command that a configuration file may set."""
    return {key: o for key, o in options_of(command).items() if key not in _NOT_IN_FILES}


def shared_options(main_command: click.Command, command: click.Command) -> Options:
    """The options of a command that mean what they mean for the main one."""
    main, own = keys_of(main_command), keys_of(command)
    if command is main_command:
        return own
    return {k: o for k, o in own.items() if k in _SHARED and _meaning(o) == _meaning(main[k])}


def _meaning(option: click.Option) -> tuple[object, ...]:
    return (option.opts, option.metavar, option.help)


def commands_in(context: click.Context) -> Mapping[str, click.Command]:
    """All commands of the command line that is being read, by what has to be typed."""
    group = context.find_root().command
    return dict(commands_of(group)) if isinstance(group, click.Group) else {}


def tables_in(values: Mapping[str, Any], context: click.Context) -> Mapping[str, Mapping[str, Any]]:
    """What a configuration file says of single commands."""
    commands = commands_in(context)
    return {k: v for k, v in values.items() if k in commands and isinstance(v, dict)}


def meant(
    values: Mapping[str, Any], context: click.Context, command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    """The keys of a file that say something of a command; those of its own table come last."""
    commands, tables = commands_in(context), tables_in(values, context)
    for key, option in shared_options(commands[MAIN], command).items():
        if key in values and key not in tables:
            yield (key,), option
    name = next(name for name, found in commands.items() if found is command)
    own = keys_of(command)
    for key in tables.get(name, ()):
        yield (name, key), own[key]


def name_variables(group: click.Group) -> None:
    """Let every option of every command be set by the environment."""
    for name, command in commands_of(group):
        shared = shared_options(group.commands[MAIN], command)
        for key, option in options_of(command).items():
            common = key in shared or key in _NOT_IN_FILES
            variables = [f"{name}_{key}", *([key] if common else [])]
            option.envvar = tuple(map(_variable, variables))


def _variable(name: str) -> str:
    return f"KUBELEMMA_{name}".upper().replace("-", "_").replace(" ", "_")
