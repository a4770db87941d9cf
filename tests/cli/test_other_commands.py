"""``kubelemma properties``, ``simulate``, ``--help`` and ``--version``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

import kubelemma as package
from kubelemma.cli.progress import counted, describe, progress_line
from kubelemma.cli.session import Session
from kubelemma.model.manifests import Bounds
from kubelemma.model.objects.quantity import Quantity
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


@pytest.mark.parametrize("command", [("explain",), ("properties", "explain")])
def test_explain_suggests(kubelemma: Kubelemma, command: tuple[str, ...]) -> None:
    """A name that is nearly right gets the right one, whatever its case."""
    for wrong, right in (("STUKC", "STUCK"), ("dep4", "DEP-4")):
        run = kubelemma(*command, wrong)
        assert (run.code, run.out) == (2, "")
        assert f'there is no property {wrong} (did you mean "{right}"?)' in run.err


def test_explain_is_one(kubelemma: Kubelemma) -> None:
    """Both ways to ask get the same answer."""
    assert kubelemma("explain", "dep-4") == kubelemma("properties", "explain", "DEP-4")


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
    """The progress line says where the search is, and how fast it got there."""
    first = Progress(12_000, 90_000, 8, 900, 1.0, 200 * 2**20, 40)
    second = Progress(15_000, 99_999, 9, 678, 2.5, 300 * 2**20, 4_321)
    line = "web: 15,000 states ({}/s), depth 9, 678 waiting, 2 s, 300 MiB{}, "
    rest = "99,999 transitions, 4,321 answers of the model"
    assert describe("web", second, 0, None, Bounds()) == line.format("6,000", "") + rest
    assert describe("web", second, 0, first, Bounds()) == line.format("2,000", "") + rest
    found = describe("web", second, 2, first, Bounds())
    assert found == line.format("2,000", ", 2 violated") + rest


def test_progress_counts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each question is told as it begins, with its number where there are several."""
    assert counted("default/web: drain", 1, 1) == "default/web: drain"
    monkeypatch.setattr(Session, "shows_progress", lambda _session: True)
    with progress_line(Session(), counted("default/web: drain", 3, 48), Bounds()):
        assert capfd.readouterr().err == "\r\x1b[K3 of 48: default/web: drain ..."
    assert capfd.readouterr().err == "\r\x1b[K"


def test_progress_of_another_engine() -> None:
    """Where a second engine begins anew, there is no rate for once."""
    last, event = (Progress(states, 0, 1, 1, states / 4, 0) for states in (8, 4))
    assert describe("web", event, 0, last, Bounds()).startswith("web: 4 states, depth 1, ")


@pytest.mark.parametrize(
    ("bounds", "used"),
    [
        (Bounds(max_states=60_000), "25% of the states that may be used"),
        (Bounds(max_states=60_000, time_limit_seconds=5), "50% of the time that may be used"),
        (Bounds(max_memory=Quantity(400 * 2**20)), "75% of the memory that may be used"),
        (Bounds(time_limit_seconds=2), "100% of the time that may be used"),
    ],
)
def test_progress_towards_a_limit(bounds: Bounds, used: str) -> None:
    """What remains nobody knows, but how much of the nearest limit is used up."""
    event = Progress(15_000, 99_999, 9, 678, 2.5, 300 * 2**20, 4_321)
    assert f" MiB, {used}, " in describe("web", event, 0, None, bounds)
