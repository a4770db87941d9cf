"""The documents and the command line say the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kubelemma.cli.commands import cli
from kubelemma.cli.exit import ExitCode
from kubelemma.cli.options import FORMATS
from kubelemma.cli.run import run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

INVOCATION = re.compile(
    r"(?:^|[`$ ])(?:\.venv/bin/)?kubelemma ((?:[a-z]+ ?)?[^`\n#|]*)", re.MULTILINE
)
FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands below one, by what has to be typed."""
    yield name, command
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}".strip())


COMMANDS = dict(commands(cli))
LEAVES = {name: c for name, c in COMMANDS.items() if not isinstance(c, click.Group)}


def flags(command: click.Command) -> set[str]:
    """The options that a command takes."""
    own = {o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")}
    return own | {"-h", "--help"}


def meant(text: str) -> tuple[str, click.Command] | None:
    """The command that an invocation in a document means; None where it is only a word."""
    words = text.split()
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS and name:
            return name, COMMANDS[name]
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_options_exist(document: Path) -> None:
    """Every option that a document shows with a command is one that the command takes."""
    for found in INVOCATION.finditer(document.read_text("utf-8")):
        command = meant(found[1])
        if command is not None:
            name, known = command
            unknown = set(FLAG.findall(found[1])) - flags(known)
            assert unknown == set(), f"{document.name}: kubelemma {name}: {unknown}"


@pytest.mark.parametrize("name", LEAVES)
def test_commands_are_documented(name: str) -> None:
    """Every command has its place in the README."""
    assert f"kubelemma {name}" in README


@pytest.mark.parametrize("flag", sorted(flags(COMMANDS["check"])))
def test_options_of_check_are_documented(flag: str) -> None:
    """Every option of the main command is in the README."""
    assert re.search(rf"(?<![\w-]){flag}(?![\w-])", README)


def test_exit_codes_are_documented() -> None:
    """Every exit code is in the table of the README, and in the help."""
    for code in ExitCode:
        assert f"| {code.value} |" in README
        assert re.search(rf"^ +{code.value}  ", cli.epilog or "", re.MULTILINE)


def test_formats_are_documented() -> None:
    """Every format is in the README."""
    assert all(f"`{name}`" in README for name in FORMATS)


def test_shown_output_is_real(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the README shows is what the command prints, but for what it leaves out."""
    shown = README.partition("```\n$ kubelemma ")[2].partition("\n```")[0]
    command, _, output = shown.partition("\n")
    monkeypatch.chdir(ROOT)
    run(shlex.split(command))
    printed = capfd.readouterr().out
    head, end = (part.splitlines() for part in output.split("\n\n...\n\n"))
    assert len(head) > 20
    assert printed.splitlines()[: len(head)] == head
    assert printed.splitlines()[-len(end) :] == end


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document leads to a file."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
    assert [t for t in targets if not (document.parent / t).exists()] == []
