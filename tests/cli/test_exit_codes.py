"""The contract of exit codes: every way a run can end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from kubelemma import api, repairs
from kubelemma.cli.exit import ExitCode
from kubelemma.solver.limits import INTERRUPTED
from kubelemma.solver.result import CheckResult, PropertyResult, Statistics, Verdict

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]


def test_contract() -> None:
    """The numbers are part of the interface and never change."""
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 70, 130]


def test_all_hold(kubelemma: Kubelemma, sound: str) -> None:
    """Everything holds: 0, and nothing on standard error."""
    run = kubelemma("check", sound)
    assert (run.code, run.err) == (0, "")
    assert "PASSED" in run.out


def test_violated(kubelemma: Kubelemma, stuck: str) -> None:
    """Something is violated: 1."""
    run = kubelemma("check", stuck, "--property", "DEP-4")
    assert run.code == 1
    last = run.out.splitlines()[-1]
    assert last.startswith("FAILED: 1 check")
    assert last.endswith(": DEP-4 violated for two-nodes")


def test_inconclusive(kubelemma: Kubelemma, sound: str) -> None:
    """A limit before the end: 3, never success."""
    run = kubelemma("check", sound, "--max-states", "3")
    assert run.code == 3
    assert "INCONCLUSIVE" in run.out


def test_violated_outweighs_inconclusive(kubelemma: Kubelemma, two_scenarios: str) -> None:
    """A violation is certain, whatever else was not decided."""
    run = kubelemma("check", two_scenarios, "--property", "STUCK", "--max-states", "5")
    assert "STUCK violated for two-nodes; 1 check not decided" in " ".join(run.out.split())
    assert run.code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Usage"),
        (("frobnicate",), "No such command"),
        (("check",), "nothing to check"),
        (("check", "absent.yaml"), "absent.yaml: no such file"),
        (("check", "sound.yaml", "--property", "DEP-44"), 'there is no property "DEP-44"'),
        (("check", "sound.yaml", "--property", "DEP-3"), "DEP-3 applies to nothing here"),
        (("check", "sound.yaml", "--workload", "wbe"), 'there is no workload "wbe"'),
        (("check", "sound.yaml", "--event", "rollout=wbe"), 'there is no workload "wbe"'),
        (("check", "sound.yaml", "--event", "none", "--event", "drain"), '"none" means no events'),
        (("check", "sound.yaml", "--nodes", "coutn=3"), "coutn"),
        (("check", "sound.yaml", "--max-states", "0"), "max-states"),
        (("check", "sound.yaml", "--time-limit", "soon"), '"soon" is no duration'),
        (("check", "sound.yaml", "--max-memory", "2GiB"), "2GiB"),
        (("check", "sound.yaml", "--report", "pdf=x"), "is not FORMAT=PATH"),
        (("check", "sound.yaml", "--report", "json=absent/x.json"), "there is no folder"),
        (("check", "sound.yaml", "--report", "json=."), '"." is a folder, where a file'),
        (("check", "sound.yaml", "--report", f"json={'x' * 300}"), "File name too long"),
        (("check", "sound.yaml", "--report", "json=./sound.yaml"), "written over an input"),
        (("place", "sound.yaml", "--report", "json=sound.yaml"), "written over an input"),
        (("check", "sound.yaml", "--write-baseline", "sound.yaml"), '"sound.yaml" is no baseline'),
        (("check", "sound.yaml", "--write-baseline", "absent/x.json"), "there is no folder"),
        (("check", "sound.yaml", "--fail-on", "never"), "fail-on"),
        (("check", "sound.yaml", "--workers", "0"), "workers"),
        (("check", "sound.yaml", "--resume"), "--resume needs --checkpoint DIR"),
        (
            ("check", "sound.yaml", "--engine", "plain", "--workers", "2"),
            "the plain engine has a single worker",
        ),
        (
            ("check", "sound.yaml", "--engine", "plain", "--checkpoint", "kept"),
            "the plain engine keeps no checkpoints",
        ),
        (("check", "sound.yaml", "--checkpoint", "sound.yaml"), "is a file"),
        (("check", "sound.yaml", "--checkpoint", "sound.yaml/in"), "no checkpoints can be kept in"),
        (("properties", "explain", "DEP-44"), "there is no property DEP-44"),
        (("replay", "nothing"), "neither a file nor the name of a recorded counterexample"),
    ],
)
@pytest.mark.usefixtures("sound")
def test_usage(kubelemma: Kubelemma, arguments: tuple[str, ...], message: str) -> None:
    """Wrong options and names: 2, a sentence on standard error, and no traceback."""
    run = kubelemma(*arguments)
    assert run.code == 2
    assert message in run.err
    assert "Traceback" not in run.out + run.err


def test_malformed_input(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """Every mistake of the input is told with its file and line: 2."""
    (tmp_path / "bad.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nspec: [\n", "utf-8")
    run = kubelemma("check", "bad.yaml")
    assert (run.code, run.out) == (2, "")
    assert "bad.yaml:" in run.err


def test_nothing_to_check(kubelemma: Kubelemma, write: Write) -> None:
    """Manifests without anything to check are no success: 2, and what there was is named."""
    kind = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "web"}}
    run = kubelemma("check", write("nightly.yaml", kind))
    assert run.code == 2
    assert "nothing to check" in run.err
    assert "CronJob default/web" in run.err
    assert "kubelemma place" not in run.err


def test_nothing_to_check_but_to_place(kubelemma: Kubelemma, write: Write) -> None:
    """Who has workloads that only a placement knows is told of it."""
    database = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "db"}}
    run = kubelemma("check", write("database.yaml", database))
    assert run.code == 2
    assert "whether its pods fit, kubelemma place tells" in run.err


def fail(*_: object, **_options: object) -> None:
    """Break down."""
    raise RuntimeError("the cat is dead")


def test_internal_error(kubelemma: Kubelemma, sound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of our own: 70, one line and how to see more."""
    monkeypatch.setattr(api, "explore", fail)
    run = kubelemma("check", sound)
    assert run.code == 70
    assert run.err.startswith("kubelemma: internal error: RuntimeError: the cat is dead\n")
    assert "KUBELEMMA_DEBUG" in run.err
    assert "Traceback" not in run.err


def test_internal_error_in_full(
    kubelemma: Kubelemma, sound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback comes on request, by option or by environment."""
    monkeypatch.setattr(api, "explore", fail)
    assert "Traceback" in kubelemma("check", sound, "-v").err
    monkeypatch.setenv("KUBELEMMA_DEBUG", "1")
    assert "Traceback" in kubelemma("check", sound).err


def interrupt(*_: object) -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


def test_interrupted(kubelemma: Kubelemma, sound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C outside a search: 130."""
    monkeypatch.setattr(api, "ask", interrupt)
    run = kubelemma("check", sound)
    assert (run.code, run.out) == (130, "")
    assert run.err.strip() == "kubelemma: interrupted"


def interrupted_search(case: api.Case, *_: object, **_options: object) -> api.Explored:
    """A search in which Ctrl-C came after one property had been refuted."""
    undecided = [PropertyResult(p, Verdict.INCONCLUSIVE) for p in case.properties]
    return api.Explored(
        case, CheckResult("plain", tuple(undecided), Statistics(stopped_by=INTERRUPTED))
    )


def test_interrupted_search_reports(
    kubelemma: Kubelemma, two_scenarios: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a search: 130, and a report of what was found out; later cases are not begun."""
    monkeypatch.setattr(api, "explore", interrupted_search)
    run = kubelemma("check", two_scenarios, "--property", "DEP-4", "-o", "wide")
    assert run.code == 130
    assert "it was interrupted" in run.out
    assert "interrupted before its turn" in run.out


def test_interrupted_trial(
    kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while repairs are tried: what was found out is told all the same."""
    monkeypatch.setattr(repairs, "with_trials", interrupt)
    run = kubelemma("check", stuck, "--property", "DEP-4")
    assert run.code == 1
    assert "DEP-4 violated for two-nodes" in run.out
