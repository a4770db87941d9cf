"""``kubelemma check --engine stateful``: runs drawn at random, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]

STATEFUL = ("--engine", "stateful", "--runs", "20", "--no-cache")


def report_of(out: str) -> dict[str, Any]:
    """The one scenario of a JSON report that is valid."""
    report: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(report)
    (scenario,) = report["scenarios"]
    return dict(scenario)


def test_violated(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """A violation is told and recorded, and the seed is in the report."""
    check = ("check", stuck, *STATEFUL, "--seed", "5", "--property", "DEP-4")
    run = kubelemma(*check, "-o", "wide")
    assert run.code == 1
    text = " ".join(run.out.split())
    assert "kubelemma replay two-nodes-DEP-4" in text
    assert "drawn at random by Hypothesis, with seed 5" in text
    assert kubelemma("replay", "two-nodes-DEP-4").code == 1
    kept = {path.name for path in (tmp_path / ".kubelemma").iterdir()}
    assert {"examples", "traces"} <= kept


def test_inconclusive(kubelemma: Kubelemma, sound: str) -> None:
    """Where nothing is violated, nothing holds either, and the exit code says so."""
    run = kubelemma("check", sound, *STATEFUL, "-o", "json")
    assert run.code == 3
    scenario = report_of(run.out)
    assert {found["verdict"] for found in scenario["properties"]} == {"inconclusive"}
    statistics = scenario["statistics"]
    assert (statistics["seed"], statistics["stopped_by"]) == (0, "max-runs")
    assert statistics["runs"] >= 20
    assert not statistics["exhaustive"]
    messages = [found["message"] for found in scenario["properties"]]
    assert any("its premise never came true" in message for message in messages)


def test_examples(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """The folder can be taken elsewhere: the next search begins with what is in it."""
    check = ("check", stuck, *STATEFUL, "--property", "DEP-4", "-o", "json", "--examples")
    first = report_of(kubelemma(*check, "kept").out)
    (tmp_path / "kept").rename(tmp_path / "artifact")
    again = report_of(kubelemma(*check, "artifact").out)
    assert again["statistics"]["runs"] <= first["statistics"]["runs"]
    assert again["properties"][0]["verdict"] == "violated"


def test_nothing_is_kept(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """With --no-save nothing is left behind, and the command to repeat it says with which seed."""
    run = kubelemma("check", stuck, *STATEFUL, "--no-save", "--property", "DEP-4")
    assert run.code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["stuck.yaml"]
    assert "--no-save --property DEP-4 --seed 0\n" in run.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "1"), "--seed is for runs drawn at random: add --engine stateful"),
        (("--runs", "1"), "--runs is for runs drawn at random"),
        (("--steps", "1", "--engine", "plain"), "--steps is for runs drawn at random"),
        (("--examples", "kept"), "--examples is for runs drawn at random"),
        ((*STATEFUL, "--workers", "2"), "the stateful engine has a single worker"),
        ((*STATEFUL, "--checkpoint", "kept"), "use --examples DIR"),
        ((*STATEFUL, "--runs", "0"), "0 is not in the range x>=1"),
    ],
)
def test_options(kubelemma: Kubelemma, stuck: str, options: tuple[str, ...], message: str) -> None:
    """What is meant for another engine is refused, with what to do instead."""
    run = kubelemma("check", stuck, *options)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())


def test_no_folder_for_examples(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """A folder that cannot be written to is wrong usage."""
    (tmp_path / "file").write_text("in the way")
    run = kubelemma("check", stuck, *STATEFUL, "--examples", "file/below")
    assert (run.code, run.out) == (2, "")
    assert run.err == "kubelemma: no examples can be kept in file/below: Not a directory\n"


def test_nowhere_to_keep_examples(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """Where nobody has chosen a folder, one that cannot be written to is no reason to stop."""
    (tmp_path / ".kubelemma").write_text("in the way")
    run = kubelemma("check", stuck, *STATEFUL)
    assert run.code == 1
    assert "failing runs cannot be kept: .kubelemma/examples" in run.err
