"""``kubectl lemma``: the command as a plugin, and its completion by kubectl's protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelemma import __version__
from kubelemma.properties.catalogue import STATEMENTS

COMMANDS = Path(sys.executable).parent
KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl")


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of those installed beside Python, or one of the system."""
    environment = {**os.environ, "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, input=stdin, env=environment
    )


def completed(*words: str) -> list[str]:
    """The answer to kubectl's question how a line may go on."""
    found = run("kubectl_complete-lemma", *words)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout.splitlines()


def test_usage_names_the_plugin() -> None:
    """Whoever calls it through kubectl reads how to call it through kubectl."""
    assert run("kubectl-lemma", "--version").stdout == f"kubectl lemma {__version__}\n"
    assert run("kubectl-lemma", "check", "-h").stdout.startswith("Usage: kubectl lemma check [")
    wrong = run("kubectl-lemma", "check")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Usage: kubectl lemma check [")


def test_it_is_the_same_command(documents: tuple[Any, Any]) -> None:
    """What is found does not depend on the name that it is called by."""
    stdin = yaml.safe_dump_all(documents)
    options = ("check", "-f", "-", "--no-save", "--property", "DEP-4", "-o", "github")
    found = run("kubectl-lemma", *options, stdin=stdin)
    assert found.returncode == 1
    assert found.stdout.startswith("::error title=DEP-4 is violated::")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["properties", "explain", "STU"], [f"STUCK\t{STATEMENTS['STUCK'].title}", ":4"]),
        (["check", "--fail-on", "c"], ["critical", ":4"]),
        (["check", "--property=KUB-7"], [f"KUB-7\t{STATEMENTS['KUB-7'].title}", ":4"]),
        (["check", ""], [":0"]),
        (["check", "deploy/"], [":0"]),
    ],
    ids=" ".join,
)
def test_completion_protocol(words: list[str], expected: list[str]) -> None:
    """One choice a line, with its help behind a tab, and whether files may follow as the last."""
    assert completed(*words) == expected


def test_completion_of_nothing() -> None:
    """Without a word, and with an empty one, the commands are offered."""
    assert completed() == completed("")
    assert {line.split("\t")[0] for line in completed("")} >= {"check", "place", "properties", ":4"}


@needs_kubectl
def test_kubectl_finds_it() -> None:
    """A real kubectl runs the plugin, passes on its exit code, and asks it for completions."""
    assert run("kubectl", "lemma", "--version").stdout == f"kubectl lemma {__version__}\n"
    assert run("kubectl", "lemma", "check").returncode == 2
    offered = run("kubectl", "__complete", "lemma", "check", "--fail-on", "c").stdout
    assert offered.splitlines() == ["critical", ":4"]
