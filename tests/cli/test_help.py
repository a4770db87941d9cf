"""What ``--help`` says: every option under a heading, and examples that can be typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import click
import pytest

from kubelemma.cli.commands import cli
from kubelemma.cli.helping import HEADINGS, Command, place_of
from kubelemma.cli.keys import commands_of

Kubelemma: TypeAlias = Callable[..., Any]

COMMANDS = dict(commands_of(cli))
FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def options(command: click.Command) -> Iterator[click.Parameter]:
    """The options of a command, ``--help`` among them."""
    params = command.get_params(click.Context(command))
    return (param for param in params if isinstance(param, click.Option))


def test_headings_and_options_are_the_same() -> None:
    """Every option has one place, and every place an option."""
    keys = [key for keys in HEADINGS.values() for key in keys]
    assert len(keys) == len(set(keys))
    every = [option for command in (cli, *COMMANDS.values()) for option in options(command)]
    assert {HEADINGS[heading][place] for heading, place in map(place_of, every)} == set(keys)


@pytest.mark.parametrize("name", COMMANDS)
def test_all_that_a_command_takes(kubelemma: Kubelemma, name: str) -> None:
    """Help has every option once, below a heading, in lines that fit."""
    run = kubelemma(*name.split(), "--help")
    assert (run.code, run.err) == (0, "")
    told = re.findall(r"^  (--?[a-z-]+)", run.out, re.MULTILINE)
    first = [min(option.opts, key=len) for option in options(COMMANDS[name])]
    assert sorted(told) == sorted(first)
    headings = re.findall(r"^([A-Z][a-z ]+):$", run.out, re.MULTILINE)
    assert [h for h in headings if h in HEADINGS] == [h for h in HEADINGS if h in headings]


@pytest.mark.parametrize("name", [n for n, c in COMMANDS.items() if isinstance(c, Command)])
def test_examples(name: str) -> None:
    """Every command has examples, with options that it takes, or says how to go on."""
    command = COMMANDS[name]
    assert isinstance(command, Command)
    flags = {opt for option in options(command) for opt in (*option.opts, *option.secondary_opts)}
    for purpose, line in command.examples:
        own = line.rpartition("| ")[2]
        assert purpose[0].isupper()
        assert own.split()[0] == name.split(maxsplit=1)[0]
        assert set(FLAG.findall(own)) <= flags
    assert command.examples or command.epilog or name == "properties list"


def test_the_main_command(kubelemma: Kubelemma) -> None:
    """What is asked comes before how it is searched, and examples come last."""
    out = kubelemma("check", "--help").out
    order = ("What is asked:", "Cluster:", "What counts:", "How to search:", "What is printed:")
    places = [out.index(f"\n{heading}\n") for heading in order]
    assert places == sorted(places)
    last = out.partition("\nExamples:\n")[2]
    assert last.startswith("  # The usual questions about each workload of a folder\n")
    assert "\n  helm template my-chart | kubelemma check - " in last


def test_commands_are_told_whole(kubelemma: Kubelemma) -> None:
    """The list of commands begins with what most people want, and cuts no sentence off."""
    listed = kubelemma("--help").out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed[:3]] == ["check", "place", "replay"]
    assert [line for line in listed if line.endswith("...")] == []
