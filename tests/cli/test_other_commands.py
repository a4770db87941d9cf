"""``kubelemma properties``, ``simulate``, ``--help`` and ``--version``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

import kubelemma as package
from kubelemma.cli.progress import describe
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.solver.events import Progress

Kubelemma: TypeAlias = Callable[..., Any]

HEAVY = ("hypothesis", "kubelemma.model", "msgspec", "networkx", "pytest", "tabulate", "yaml", "z3")


def test_list(kubelemma: Kubelemma) -> None:
    """Every property of the catalogue has its line, under a header."""
    run = kubelemma("properties", "list")
    header, *rows = run.out.splitlines()
    assert header.split() == ["PROPERTY", "KIND", "SEVERITY", "PROMISE"]
    assert [row.split()[0] for row in rows] == list(STATEMENTS)


@pytest.mark.parametrize("identifier", STATEMENTS)
def test_explain(kubelemma: Kubelemma, identifier: str) -> None:
    """Every property is explained, in lines that fit, whatever the case of its name."""
    run = kubelemma("properties", "explain", identifier.lower())
    assert run.code == 0
    assert run.out.startswith(f"{identifier}: {STATEMENTS[identifier].title}\n")
    assert "What to do about a violation" in run.out


def test_explain_suggests(kubelemma: Kubelemma) -> None:
    """A name that is nearly right gets the right one."""
    assert 'did you mean "STUCK"?' in kubelemma("properties", "explain", "STUKC").err


def test_simulate(kubelemma: Kubelemma, sound: str) -> None:
    """The same seed gives the same run, of no more steps than asked for."""
    first = kubelemma("simulate", sound, "--seed", "7", "--steps", "5")
    assert first.code == 0
    assert "Scenario sound" in first.out
    assert first == kubelemma("simulate", sound, "--seed", "7", "--steps", "5")
    numbered = [line for line in first.out.splitlines() if line[:4].strip().isdigit()]
    assert len(numbered) == 5


def test_version(kubelemma: Kubelemma) -> None:
    """The version is that of the package."""
    run = kubelemma("--version")
    assert (run.code, run.out) == (0, f"kubelemma {package.__version__}\n")


def test_help_is_light() -> None:
    """Help does not wait for libraries that it does not need."""
    script = (
        "import sys; from kubelemma.cli.run import run; run(['--help']); "
        f"print(sorted(sys.modules.keys() & set({HEAVY!r})))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_progress() -> None:
    """The progress line says where the search is."""
    event = Progress(12345, 99999, 9, 678, 1.2, 300 * 2**20)
    line = "web: 12,345 states, depth 9, 678 waiting, 1 s, 300 MiB"
    assert describe("web", event, 0) == line
    assert describe("web", event, 2) == f"{line}, 2 violated"
