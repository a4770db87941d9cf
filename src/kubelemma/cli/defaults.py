"""From the values of a configuration file to the defaults of a command's options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from kubelemma.model.findings import did_you_mean
from kubelemma.model.manifests.problems import InvalidInput, Problem
from kubelemma.settings import Settings

from .keys import MAIN, Options, commands_in, keys_of, meant, tables_in

_PATHS = {"FILE", "DIR", "PATH"}
"""What the metavar of an option says that takes a path, possibly after ``KEY=``."""


def defaults(
    settings: Settings | None, context: click.Context, command: click.Command
) -> dict[str, Any]:
    """What the file says of a command's options, by the names of their parameters.

    Raises:
        InvalidInput: something in the file is wrong, be it about another command.
    """
    if settings is None:
        return {}
    problems = tuple(_problems(settings, context))
    if problems:
        raise InvalidInput(problems)
    folder = settings.path.parent
    return {
        option.name or "": _handed_on(option, settings.value(where), folder)
        for where, option in meant(settings.values, context, command)
    }


def _problems(settings: Settings, context: click.Context) -> Iterator[Problem]:
    """Everything that is wrong with the file."""
    commands = commands_in(context)
    tables = tables_in(settings.values, context)
    main = keys_of(commands[MAIN])
    for key, value in settings.values.items():
        if key in tables:
            yield from _in_table(settings, key, keys_of(commands[key]), context)
        elif key not in main:
            yield settings.problem((key,), _unknown(settings, key, commands))
        elif message := _complaint(main[key], value, context):
            yield settings.problem((key,), message)


def _in_table(
    settings: Settings, name: str, known: Options, context: click.Context
) -> Iterator[Problem]:
    for key, value in settings.values[name].items():
        if key not in known:
            yield settings.problem((name, key), f"unknown key{did_you_mean(key, known)}")
        elif message := _complaint(known[key], value, context):
            yield settings.problem((name, key), message)


def _unknown(settings: Settings, key: str, commands: Mapping[str, click.Command]) -> str:
    """That a key outside of all tables is none, and what is likely meant."""
    owners = [name for name, command in commands.items() if key in keys_of(command)]
    if owners:
        tables = " or ".join(f"[{settings.table(name)}]" for name in owners)
        return f"is no option of {MAIN}: write it under {tables}"
    return f"unknown key{did_you_mean(key, (*keys_of(commands[MAIN]), *commands))}"


def _complaint(option: click.Option, value: Any, context: click.Context) -> str:
    """What is wrong with a value, as far as that shows without the command; else empty."""
    expected, fits = _expectation(option, value)
    if not fits:
        quotes = " (write it in quotes)" if expected == "a string" and _is_number(value) else ""
        return f"expected {expected}, found {_found(value)}{quotes}"
    try:
        option.type_cast_value(context, _handed_on(option, value, Path()))
    except click.BadParameter as error:
        return error.message.removesuffix(".")
    return ""


def _expectation(option: click.Option, value: Any) -> tuple[str, bool]:
    """What an option takes, and whether the value is such."""
    if option.is_flag:
        return "true or false", isinstance(value, bool)
    if option.multiple and _takes_pairs(option) and isinstance(value, dict):
        scalars = all(isinstance(v, str) or _is_number(v) for v in value.values())
        return "a string or number for each key", scalars
    if option.multiple:
        strings = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return f"a list of strings{' or a table' * _takes_pairs(option)}", strings
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number", isinstance(value, int) and not isinstance(value, bool)
    return "a string", isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _found(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the string "{value}"'
    words = ((list, "a list"), (dict, "a table"))
    return next((word for kind, word in words if isinstance(value, kind)), str(value))


def _takes_pairs(option: click.Option) -> bool:
    """Whether an option takes ``KEY=VALUE``, for which a table may be written."""
    return "=" in (option.metavar or "")


def _handed_on(option: click.Option, value: Any, folder: Path) -> Any:
    """The value as the command line would give it; paths are seen from the file's own folder."""
    if isinstance(value, dict):
        return _handed_on(option, [f"{key}={inner}" for key, inner in value.items()], folder)
    if isinstance(value, list):
        return [_seen_from_here(option, item, folder) for item in value]
    return _seen_from_here(option, value, folder)


def _seen_from_here(option: click.Option, value: Any, folder: Path) -> Any:
    """The value; where it is a path, as it is called in the working directory."""
    kinds = set((option.metavar or "").rpartition("=")[2].split("|"))
    if not isinstance(value, str) or not kinds & _PATHS:
        return value
    head, sign, path = value.partition("=") if _takes_pairs(option) else ("", "", value)
    return value if path in ("", "-") else f"{head}{sign}{os.path.normpath(folder / path)}"
