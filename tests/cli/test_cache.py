"""``kubelemma check``: what earlier runs found out, and what is found out before an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from kubelemma import api
from kubelemma.reports.json import schema
from kubelemma.solver.limits import INTERRUPTED

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]
Documents: TypeAlias = tuple[dict[str, Any], dict[str, Any]]

MARK = "remembered: an earlier run found this, and these are its seconds and memory"
HEAVY = ("numpy", "numba", "scipy", "networkx", "z3", "hypothesis", "jsonschema", "pytest")

MODULES = """
import sys
from kubelemma.cli.run import run
code = run(["check", "stuck.yaml", "--no-save", "-o", "wide"])
print(code, *sys.modules, file=sys.stderr)
"""
"""A check that tells in the end what it has imported."""


def scenarios(out: str) -> list[dict[str, Any]]:
    """The scenarios of a JSON report, which is valid."""
    report: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(report)
    found: list[dict[str, Any]] = report["scenarios"]
    return found


def remembered(out: str) -> list[bool]:
    """Which scenarios an earlier run has found out about."""
    return [s["statistics"].get("remembered", False) for s in scenarios(out)]


def entries(folder: Path) -> list[Path]:
    """The files with what is remembered."""
    return sorted(folder.glob("*.json"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where verdicts are remembered where nobody says."""
    return tmp_path / ".kubelemma" / "cache"


def test_second_run(kubelemma: Kubelemma, two_scenarios: str) -> None:
    """The second run tells the same, to the second, and says that it was remembered."""
    check = ("check", two_scenarios, "-o", "json")
    first, second = kubelemma(*check), kubelemma(*check)
    assert (first.code, second.code) == (1, 1)
    assert (remembered(first.out), remembered(second.out)) == ([False] * 2, [True] * 2)
    again = scenarios(second.out)
    for scenario in again:
        del scenario["statistics"]["remembered"]
    assert again == scenarios(first.out)


def test_text(kubelemma: Kubelemma, stuck: str) -> None:
    """In wide text it is a line below the figures, and all else is as it was."""
    first, second = (kubelemma("check", stuck, "-o", "wide") for _ in range(2))
    assert MARK not in first.out
    assert MARK in second.out
    assert [line for line in second.out.splitlines() if MARK not in line] == first.out.splitlines()


def test_saved_reports(kubelemma: Kubelemma, stuck: str) -> None:
    """A kept result knows it, too."""
    for _ in range(2):
        kubelemma("check", stuck, "--report", "json=result.json")
    assert MARK in kubelemma("report", "result.json", "--format", "wide").out


def test_nothing_heavy(kubelemma: Kubelemma, stuck: str) -> None:
    """What is remembered is told without importing anything that searches."""
    kubelemma("check", stuck)
    command = [sys.executable, "-c", MODULES]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=dict(os.environ)
    )
    code, *modules = run.stderr.split()
    assert (code, MARK in run.stdout) == ("1", True)
    assert set(HEAVY) & set(modules) == set()
    assert {m for m in modules if m.startswith("kubelemma.solver.compiled")} == set()


def test_positions(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """Places in the input are those of the file as it is now, whatever it is called."""
    first = kubelemma("check", stuck, "--property", "DEP-4", "-o", "json")
    text = (tmp_path / stuck).read_text("utf-8")
    (tmp_path / "moved.yaml").write_text(f"# one\n# two\n{text}", "utf-8")
    second = kubelemma("check", "moved.yaml", "--property", "DEP-4", "-o", "json")
    assert remembered(second.out) == [True]
    (before,), (after,) = (s["properties"] for run in (first, second) for s in scenarios(run.out))
    assert before["location"]["file"] == "stuck.yaml"
    assert after["location"] == {
        **before["location"],
        "file": "moved.yaml",
        "line": before["location"]["line"] + 2,
    }


def test_change(
    kubelemma: Kubelemma, write: Write, documents: Documents, two_scenarios: str
) -> None:
    """A change makes a new case of those that it bears on, and of no others."""
    assert remembered(kubelemma("check", two_scenarios, "-o", "json").out) == [False, False]
    deployment, check = documents
    check["spec"]["cluster"] = {"nodes": [{"count": 4, "allocatable": {"cpu": "4"}}]}
    write("more.yaml", {**check, "metadata": {"name": "four-nodes"}})
    run = kubelemma("check", two_scenarios, "more.yaml", "-o", "json")
    assert remembered(run.out) == [True, True, False]
    deployment["spec"]["replicas"] = 1
    changed = write("changed.yaml", deployment, documents[1])
    assert remembered(kubelemma("check", changed, "-o", "json").out) == [False]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_engines_share(kubelemma: Kubelemma, sound: str, engine: str) -> None:
    """A verdict of one engine that visits every state is as good as that of another."""
    kubelemma("check", sound)
    run = kubelemma("check", sound, "--engine", engine, "-o", "json")
    assert (run.code, remembered(run.out)) == (0, [True])


def test_runs_at_random(kubelemma: Kubelemma, sound: str) -> None:
    """Runs at random are no answer for an engine that visits every state, nor the other way."""
    stateful = ("check", sound, "--engine", "stateful", "--runs", "2", "-o", "json")
    assert kubelemma(*stateful).code == 3
    assert remembered(kubelemma("check", sound, "-o", "json").out) == [False]
    run = kubelemma(*stateful)
    assert (run.code, remembered(run.out)) == (3, [False])


def test_without(kubelemma: Kubelemma, stuck: str, cache: Path) -> None:
    """With --no-cache nothing of earlier runs is used, and nothing is remembered."""
    kubelemma("check", stuck, "--no-cache")
    assert not cache.exists()
    kubelemma("check", stuck)
    run = kubelemma("check", stuck, "--no-cache", "-v", "-o", "json")
    assert remembered(run.out) == [False]
    assert "earlier run" not in run.err


def test_without_saving(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """With --no-save nothing is written, but what is remembered is used."""
    kubelemma("check", stuck, "--no-save")
    assert [p.name for p in tmp_path.iterdir()] == [stuck]
    kubelemma("check", stuck)
    assert remembered(kubelemma("check", stuck, "--no-save", "-o", "json").out) == [True]


def test_folder(kubelemma: Kubelemma, stuck: str, tmp_path: Path, cache: Path) -> None:
    """--cache-dir is where it is remembered, such as for all repositories of a machine."""
    check = ("check", stuck, "--cache-dir", "of/all", "-o", "json")
    kubelemma(*check)
    assert entries(tmp_path / "of" / "all")
    assert not cache.exists()
    assert remembered(kubelemma(*check).out) == [True]


def test_damaged(kubelemma: Kubelemma, sound: str, cache: Path) -> None:
    """What is damaged is searched for again, said with -v only, and replaced."""
    kubelemma("check", sound)
    (path,) = entries(cache)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    run = kubelemma("check", sound, "-v", "-o", "json")
    assert (run.code, remembered(run.out)) == (0, [False])
    assert "sound: what was remembered is of no use" in run.err
    path.write_bytes(whole[:100])
    assert kubelemma("check", sound).err == ""
    assert remembered(kubelemma("check", sound, "-o", "json").out) == [True]


def test_no_place(kubelemma: Kubelemma, two_scenarios: str, tmp_path: Path) -> None:
    """Where nothing can be written there is one warning, and the exit code is that of the check."""
    (tmp_path / "file").write_text("", "utf-8")
    run = kubelemma("check", two_scenarios, "--cache-dir", "file/below")
    assert run.code == 1
    assert run.err.count("warning: verdicts cannot be remembered: ") == 1


def test_undecided(kubelemma: Kubelemma, sound: str, cache: Path) -> None:
    """What a limit left open is not remembered; once it is known, a limit is of no account."""
    limited = ("check", sound, "--max-states", "5", "-o", "json")
    assert (kubelemma(*limited).code, cache.exists()) == (3, False)
    assert kubelemma("check", sound).code == 0
    run = kubelemma(*limited)
    assert (run.code, remembered(run.out)) == (0, [True])


def test_earlier_counterexample(kubelemma: Kubelemma, write: Write, documents: Documents) -> None:
    """What an earlier run has recorded decides what a search has no time for."""
    deployment, check = documents
    kubelemma("check", write("web.yaml", deployment, check), "--property", "DEP-4")
    check["spec"]["cluster"] = {"nodes": [{"count": 2, "allocatable": {"cpu": "8"}}]}
    changed = ("check", write("web.yaml", deployment, check), "--property", "DEP-4")
    run = kubelemma(*changed, "--max-states", "2", "-v", "-o", "wide")
    assert run.code == 1
    assert "the counterexample two-nodes-DEP-4 of an earlier run still fails" in run.err
    assert "DEP-4 is violated for Deployment default/web" in run.out
    assert "(by a counterexample of an earlier run, which still fails: there may be" in run.out
    assert kubelemma(*changed, "--max-states", "2", "--no-cache").code == 3


def test_stop_at_first(kubelemma: Kubelemma, two_scenarios: str) -> None:
    """With --fail-fast the first scenario that fails is the last that is searched."""
    check = ("check", two_scenarios, "--property", "DEP-4", "--fail-fast")
    run = kubelemma(*check)
    assert run.code == 1
    message = "DEP-4 of three-nodes: not searched: --fail-fast stops at the first failure"
    assert message in " ".join(run.out.split())
    failing, other = scenarios(kubelemma(*check, "-o", "json").out)
    assert (failing["verdict"], other["verdict"]) == ("violated", "inconclusive")
    assert other["statistics"]["stopped_by"] == "fail-fast"


def test_expected_failure(
    kubelemma: Kubelemma, write: Write, documents: Documents, sound: str
) -> None:
    """A violation that is expected is no failure."""
    deployment, check = documents
    check["spec"] |= {"expect": {"DEP-4": "violated"}, "properties": ["DEP-4"]}
    expected = write("expected.yaml", deployment, {**check, "spec": check["spec"]})
    run = kubelemma("check", expected, "--fail-fast", "-o", "json")
    assert (run.code, [s["verdict"] for s in scenarios(run.out)]) == (0, ["violated"])
    assert kubelemma("check", sound, "--fail-fast").code == 0


def test_known_failure_first(
    kubelemma: Kubelemma, write: Write, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --fail-fast, a failure that an earlier run has found comes before any search."""
    deployment, check = documents
    kubelemma("check", write("web.yaml", deployment, check), "--property", "DEP-4")
    large = {"nodes": [{"count": 3, "allocatable": {"cpu": "4"}}]}
    other = {**check, "metadata": {"name": "large"}, "spec": {**check["spec"], "cluster": large}}
    check["spec"]["cluster"] = {"nodes": [{"count": 2, "allocatable": {"cpu": "8"}}]}
    both = write("web.yaml", deployment, other, check)
    monkeypatch.setattr(api, "explore", refused)
    run = kubelemma("check", both, "--property", "DEP-4", "--fail-fast", "-o", "json")
    assert run.code == 1
    assert [s["verdict"] for s in scenarios(run.out)] == ["inconclusive", "violated"]


def refused(case: api.Case, *_: object, **_options: object) -> api.Explored:
    """A search that must not be."""
    pytest.fail(f"{case.scenario.name} is searched")


def only(name: str, else_: Callable[[], None]) -> Callable[..., api.Explored]:
    """A search as ever, but for what happens in a scenario of another name."""
    explore = api.explore

    def instead(case: api.Case, *arguments: Any, **options: Any) -> api.Explored:
        if case.scenario.name != name:
            else_()
        return explore(case, *arguments, **options)

    return instead


def failure() -> None:
    """An internal error."""
    raise ZeroDivisionError("one by zero")


def interrupt() -> None:
    """Somebody presses Ctrl-C."""
    raise KeyboardInterrupt


def test_error_in_a_later_case(
    kubelemma: Kubelemma, two_scenarios: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error costs its own case only: the rest is reported, and the error has the last word."""
    monkeypatch.setattr(api, "explore", only("two-nodes", failure))
    run = kubelemma("check", two_scenarios, "--property", "DEP-4", "-o", "json")
    assert run.code == 70
    assert [s["verdict"] for s in scenarios(run.out)] == ["violated", "inconclusive"]
    assert "internal error: ZeroDivisionError: one by zero" in run.err


def test_checkpoint_in_a_later_case(
    kubelemma: Kubelemma, two_scenarios: str, tmp_path: Path
) -> None:
    """So does a checkpoint that cannot be used, which is 2, with its sentence."""
    check = ("check", two_scenarios, "--engine", "compiled", "--property", "DEP-4", "--no-cache")
    kubelemma(*check, "--checkpoint", "kept", "--max-states", "20")
    manifest = tmp_path / "kept" / "three-nodes" / "checkpoint.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"degree": ', '"degree": 1'), "utf-8")
    run = kubelemma(*check, "--checkpoint", "kept", "--resume", "-o", "json")
    assert run.code == 2
    found = scenarios(run.out)
    assert [s["verdict"] for s in found] == ["violated", "inconclusive"]
    assert "checkpoint.json is damaged" in found[1]["properties"][0]["message"]
    assert run.err.endswith("checkpoint.json is damaged: it is not as it was written\n")


def test_interrupted_run(
    kubelemma: Kubelemma, two_scenarios: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is interrupted has remembered what it had decided by then."""
    check = ("check", two_scenarios, "--property", "DEP-4", "-o", "json")
    with monkeypatch.context() as patched:
        patched.setattr(api, "explore", only("two-nodes", interrupt))
        run = kubelemma(*check)
    assert run.code == 130
    assert scenarios(run.out)[1]["statistics"]["stopped_by"] == INTERRUPTED
    assert remembered(kubelemma(*check).out) == [True, False]
