"""``kubelemma check``: engines, workers, and searches that are kept and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from kubelemma import api
from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]

COMPILED = ("--engine", "compiled")


def repeatable(out: str) -> dict[str, Any]:
    """A JSON report without what differs from run to run, and valid."""
    report: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(report)
    del report["occasion"]
    for scenario in report["scenarios"]:
        for name in ("seconds", "peak_memory_bytes"):
            del scenario["statistics"][name]
        # A small system is searched as it is at once, unless that is to be kept.
        scenario["statistics"].pop("reductions", None)
        scenario["setting"] = [line for line in scenario["setting"] if "gives up" not in line]
        for prop in scenario["properties"]:
            for name in ("allowed", "repeat"):
                prop.get("trace", {}).pop(name, None)
    return report


def test_limit_and_resume(kubelemma: Kubelemma, two_scenarios: str, tmp_path: Path) -> None:
    """Each case is kept in a folder of its own, the report says so, and --resume goes on there."""
    check = ("check", two_scenarios, *COMPILED, "--no-save", "--property", "DEP-4")
    whole = kubelemma(*check, "-o", "json")
    short = kubelemma(*check, "--checkpoint", "kept", "--max-states", "20")
    assert short.code == 1  # of what is violated within the limit
    message = "the search is kept in kept/three-nodes: --resume goes on from there"
    assert message in " ".join(short.out.split())
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "three-nodes",
        "two-nodes",
    ]
    resumed = kubelemma(*check, "--checkpoint", "kept", "--resume", "-o", "json")
    assert (resumed.code, resumed.err) == (whole.code, "") == (1, "")
    assert repeatable(resumed.out) == repeatable(whole.out)


@pytest.mark.parametrize("option", [("--checkpoint", "kept"), ("--checkpoint=kept",)])
def test_repeating(kubelemma: Kubelemma, stuck: str, option: tuple[str, ...]) -> None:
    """The command that repeats a violation is one that can be given again."""
    check = ("check", stuck, "--no-save", "--property", "DEP-4", *option, "--resume", *COMPILED)
    out = kubelemma(*check).out
    assert f"kubelemma check {stuck} --no-save --property DEP-4 --engine compiled\n" in out


def test_forgotten_resume(kubelemma: Kubelemma, two_scenarios: str, tmp_path: Path) -> None:
    """What is kept is refused before anything is searched, unless it is to be resumed: 2."""
    check = ("check", two_scenarios, *COMPILED, "--checkpoint", "kept", "--no-save")
    kubelemma(*check, "--max-states", "20")
    for path in (tmp_path / "kept" / "two-nodes").iterdir():
        path.unlink()
    run = kubelemma(*check, "-v")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "kubelemma: kept/three-nodes has a checkpoint already: resume it (--resume), or choose "
        "another folder\n"
    )


def test_checkpoint_of_something_else(kubelemma: Kubelemma, stuck: str) -> None:
    """What was kept of another question is refused: 2, and a sentence that says what differs."""
    check = ("check", stuck, *COMPILED, "--checkpoint", "kept")
    kubelemma(*check, "--property", "DEP-4")
    run = kubelemma(*check, "--property", "DEP-6", "--resume")
    assert (run.code, run.out) == (2, "")
    assert "has the checkpoint of another search: its properties is" in run.err


def test_limits_below_what_is_kept(kubelemma: Kubelemma, stuck: str) -> None:
    """How many states there are, how many the limit allows, and what still works: 2."""
    check = ("check", stuck, *COMPILED, "--checkpoint", "kept", "--no-save", "--property", "DEP-6")
    assert kubelemma(*check, "--max-states", "4").code == 3
    run = kubelemma(*check, "--max-states", "3", "--resume")
    assert (run.code, run.out) == (2, "")
    message = "keeps a search of 4 states, and the limit is 3: allow as many at least, or begin"
    assert message in run.err
    assert kubelemma(*check, "--max-states", "5", "--resume").code == 0


def test_small_searches_need_no_checkpoint(
    kubelemma: Kubelemma, sound: str, tmp_path: Path
) -> None:
    """What is over in a moment is not kept, and to resume it is to do it again, with a warning."""
    check = ("check", sound, "--checkpoint", "kept")
    assert kubelemma(*check).code == 0
    assert not (tmp_path / "kept").exists()
    run = kubelemma(*check, "--resume")
    assert run.code == 0
    assert "there is no checkpoint in kept: starting from the beginning" in run.err


def test_folders_are_told_apart() -> None:
    """Names that are the same as folders are numbered."""
    names = ("a/b-c", "a-b/c", "a-b-c-2", "d", "a/b/c")
    assert api._folder_names(names) == ("a-b-c", "a-b-c-2", "a-b-c-2-2", "d", "a-b-c-3")


@pytest.mark.parametrize("engine", ["auto", "compiled"])
def test_workers(kubelemma: Kubelemma, stuck: str, engine: str) -> None:
    """The number of workers changes nothing in the report."""
    check = ("check", stuck, "--no-save", "--engine", engine, "-o", "json")
    one, two = kubelemma(*check), kubelemma(*check, "--workers", "2")
    assert (one.code, two.code) == (1, 1)
    assert repeatable(one.out) == repeatable(two.out)


def test_figures(kubelemma: Kubelemma, sound: str) -> None:
    """Wide text has the tables and the most steps from a state, the usual text has not."""
    wide, text = kubelemma("check", sound, "-o", "wide").out, kubelemma("check", sound).out
    statistics = json.loads(kubelemma("check", sound, "-o", "json").out)["scenarios"][0]
    tables, most = (statistics["statistics"][name] for name in ("tables", "out_degree"))
    assert tables["rules: sync default/web"] > 1
    assert f"at most {most} steps from a state" in wide
    assert "TABLE" in wide
    assert "rules: sync default/web" in wide
    assert "steps from a state" not in text
    assert "TABLE" not in text
