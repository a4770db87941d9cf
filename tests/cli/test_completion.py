"""Completion at the prompt: what is offered where, and that real shells take it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest

from kubelemma.cli import place
from kubelemma.cli.commands import cli
from kubelemma.cli.completion import PLACEMENT_FORMATS, REPORT_FILES, SHELLS
from kubelemma.cli.options import FORMATS, SEVERITIES
from kubelemma.properties.catalogue import STATEMENTS

Kubelemma: TypeAlias = Callable[..., Any]

COMMANDS = Path(sys.executable).parent
"""The folder in which the commands are installed beside Python."""
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="there is no bash")

ASK = """
source <(kubelemma completion bash)
compopt() { printf 'compopt %s %s\\n' "$@"; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_kubelemma_completion kubelemma
printf '%s\\n' "${COMPREPLY[@]}"
"""


def environment() -> dict[str, str]:
    """The environment of a shell that finds the commands."""
    return {**os.environ, "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}


def offered(folder: Path, *words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    assert BASH is not None
    run = subprocess.run(
        [BASH, "--norc", "-c", ASK, "bash", "kubelemma", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment(),
    )
    assert run.stderr == ""
    return run.stdout.split("\n")[:-1]


@needs_bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["comp"], ["completion"]),
        (["check", "--fail-o"], ["--fail-on"]),
        (["check", "--fail-on", ""], list(SEVERITIES)),
        (["check", "--property", "DEP-"], [i for i in STATEMENTS if i.startswith("DEP-")]),
        (["check", "--report", "sar"], ["sarif=kubelemma.sarif"]),
        (["properties", "explain", "stu"], ["STUCK"]),
        (["completion", ""], list(SHELLS)),
        (["check", "deploy/"], ["compopt -o default", ""]),
        (["check", "-f", ""], ["compopt -o default", ""]),
        (["replay", ""], ["compopt -o default", ""]),
        (["check", "--no-such-option", "x", "--also-not"], [""]),
    ],
    ids=" ".join,
)
def test_what_bash_offers(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    """Commands, options and values are offered where they may stand, and files where they may."""
    assert offered(tmp_path, *words) == expected


@needs_bash
def test_counterexamples_are_offered(tmp_path: Path) -> None:
    """``replay`` knows what is kept in the working directory."""
    folder = tmp_path / ".kubelemma" / "traces"
    folder.mkdir(parents=True)
    for name in ("web-DEP-4", "web-STUCK", "api-DEP-4"):
        (folder / f"{name}.json").touch()
    assert offered(tmp_path, "replay", "web") == ["web-DEP-4", "web-STUCK"]


@needs_bash
def test_the_tab_key(tmp_path: Path) -> None:
    """At the prompt of a real bash, TAB completes a line that then runs."""
    assert BASH is not None
    typed = (
        "source <(kubelemma completion bash)\n"
        "kubelemma prop\t exp\t sa-2\t > told.txt\n"
        "kubelemma properties explain STU\t >> told.txt\n"
        "exit\n"
    )
    terminal, end = pty.openpty()
    shell = subprocess.Popen(
        [BASH, "--norc", "--noprofile", "-i"],
        stdin=end,
        stdout=end,
        stderr=end,
        cwd=tmp_path,
        env=environment(),
        start_new_session=True,
    )
    os.close(end)
    os.write(terminal, typed.encode())
    read_to_the_end(terminal)
    assert shell.wait(60) == 0
    told = (tmp_path / "told.txt").read_text("utf-8")
    assert told.startswith("SA-2: ")
    assert "\nSTUCK: " in told


def read_to_the_end(terminal: int) -> None:
    """Take what the shell prints, so that it never waits for a reader."""
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # what Linux says when the other end is closed
        os.close(terminal)


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(kubelemma: Kubelemma, shell: str) -> None:
    """Every script is for the command by its name, and one that the shell can parse."""
    run = kubelemma("completion", shell)
    assert (run.code, run.err) == (0, "")
    assert "_KUBELEMMA_COMPLETE" in run.out
    found = shutil.which(shell)
    if found is not None:
        parsed = subprocess.run([found, "-n"], input=run.out, text=True, check=False)
        assert parsed.returncode == 0


def test_unknown_shell(kubelemma: Kubelemma) -> None:
    """Another shell is an error that names those that there are."""
    run = kubelemma("completion", "tcsh")
    assert run.code == 2
    assert all(shell in run.err for shell in SHELLS)


def parameters(command: click.Command) -> Iterator[click.Parameter]:
    """All arguments and options of a command and of those below it."""
    yield from command.params
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from parameters(inner)


def test_files_and_identifiers_are_completed() -> None:
    """Whatever takes a file, a folder or an identifier helps to type it."""
    typed = (click.Path, click.File, click.Choice)
    for found in parameters(cli):
        if set((found.metavar or "").split("|")) & {
            "FILE",
            "DIR",
            "ID",
            "FORMAT=PATH",
            "[PATH]...",
        }:
            assert found._custom_shell_complete or isinstance(found.type, typed), found.opts


def test_every_format_has_a_file() -> None:
    """What is offered for ``--report`` are all formats, each with a file of its own."""
    assert tuple(REPORT_FILES) == FORMATS
    assert PLACEMENT_FORMATS == place.FORMATS
    assert len(set(REPORT_FILES.values())) == len(FORMATS)
