"""``kubelemma check``: input, output, files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]
Documents: TypeAlias = tuple[dict[str, Any], dict[str, Any]]

TRACE = Path(".kubelemma/traces/two-nodes-DEP-4.json")


def test_json_is_all_there_is(kubelemma: Kubelemma, stuck: str) -> None:
    """With -o json, standard output is one valid document, and the exit code stays the same."""
    run = kubelemma("check", stuck, "-o", "json")
    assert run.code == 1
    report = json.loads(run.out)
    jsonschema.Draft202012Validator(schema()).validate(report)
    (scenario,) = report["scenarios"]
    assert (scenario["verdict"], report["result"]) == ("violated", "failed")
    trace = next(p["trace"] for p in scenario["properties"] if p["id"] == "DEP-4")
    assert [step["index"] for step in trace["steps"]] == list(range(1, len(trace["steps"]) + 1))
    assert trace["standstill"]


def test_reports_to_files(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """One run writes several reports, which agree with standard output."""
    run = kubelemma("check", stuck, "--report", "text=a.txt", "--report", "json=b.json")
    assert (tmp_path / "a.txt").read_text("utf-8") == run.out
    assert json.loads((tmp_path / "b.json").read_text("utf-8"))["result"] == "failed"


def test_colour(kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour is for terminals, unless asked for; NO_COLOR outweighs FORCE_COLOR."""
    assert "\x1b[" not in kubelemma("check", stuck).out
    assert "\x1b[" in kubelemma("check", stuck, "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in kubelemma("check", stuck).out
    assert "\x1b[" not in kubelemma("check", stuck, "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in kubelemma("check", stuck).out


def test_standard_input(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """A dash is standard input, as an argument and after -f."""
    text = (tmp_path / stuck).read_text("utf-8")
    for arguments in (("-",), ("-f", "-")):
        run = kubelemma("check", *arguments, "--property", "DEP-4", stdin=text)
        assert run.code == 1


def test_counterexamples_are_kept(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """A violation is kept in a folder that git ignores, and the report names its replay."""
    run = kubelemma("check", stuck, "--property", "DEP-4")
    assert (tmp_path / TRACE).is_file()
    assert (tmp_path / ".kubelemma/.gitignore").read_text("utf-8") == "*\n"
    assert "kubelemma replay two-nodes-DEP-4" in run.out


def test_counterexamples_are_not_kept(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """On request nothing is written, and the check itself is what repeats the violation."""
    run = kubelemma("check", stuck, "--property", "DEP-4", "--no-save")
    assert not (tmp_path / ".kubelemma").exists()
    assert "kubelemma check stuck.yaml --property DEP-4 --no-save" in run.out


def test_folder_that_cannot_be_written(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> None:
    """A counterexample that cannot be kept is a warning; the verdict stands."""
    (tmp_path / ".kubelemma").write_text("in the way", "utf-8")
    run = kubelemma("check", stuck, "--property", "DEP-4")
    assert run.code == 1
    assert "warning: a counterexample cannot be kept" in run.err


def test_own_files_are_no_manifests(kubelemma: Kubelemma, sound: str) -> None:
    """What kubelemma wrote into the folder that it checks does not stand in its way."""
    written = ("--report", "json=r.json", "--report", "yaml=r.yaml", "--write-baseline", "b.json")
    assert kubelemma("check", sound, "--no-save", *written).code == 0
    kubelemma("place", sound, "--nodes", "count=3,cpu=64", "--report", "json=p.json")
    assert Path("p.json").is_file()
    run = kubelemma("check", ".", "--no-save", "-o", "wide")
    assert (run.code, run.err) == (0, "")
    assert "b.json:1" in run.out
    assert "is what kubelemma wrote" in run.out
    alone = kubelemma("check", "r.json")
    assert (alone.code, "nothing to check" in alone.err) == (2, True)


def test_fail_on(kubelemma: Kubelemma, stuck: str) -> None:
    """The threshold is in the report; what is as severe as it fails the check."""
    run = kubelemma("check", stuck, "--fail-on", "critical", "-o", "json")
    assert (run.code, json.loads(run.out)["failOn"]) == (1, "critical")


def test_verbose(kubelemma: Kubelemma, sound: str) -> None:
    """With -v, what is explored is told on standard error; the result stays the same."""
    run = kubelemma("check", sound, "-v", "-o", "json")
    assert run.err.startswith("exploring sound: ")
    assert json.loads(run.out)["result"] == "passed"


@pytest.fixture
def with_expectations(write: Write, documents: Documents) -> Callable[..., str]:
    """The stuck scenario with these expectations."""
    web, scenario = documents

    def expecting(**expect: str) -> str:
        by_id = {name.replace("_", "-"): verdict for name, verdict in expect.items()}
        scenario["spec"] |= {"expect": by_id, "properties": ["DEP-4", "DEP-6"]}
        return write("expecting.yaml", web, scenario)

    return expecting


def test_expected_violation(kubelemma: Kubelemma, with_expectations: Callable[..., str]) -> None:
    """A violation that was expected and came out is success, and the report says so."""
    check = ("check", with_expectations(DEP_4="violated"))
    run = kubelemma(*check)
    assert run.code == 0
    assert run.out.endswith(": 1 violated as expected (DEP-4)\n")
    wide = kubelemma(*check, "-o", "wide").out
    assert "EXPECTED" in wide
    assert "as expected" in wide


def test_missing_violation(kubelemma: Kubelemma, with_expectations: Callable[..., str]) -> None:
    """A violation that was expected and did not come out is a failure."""
    run = kubelemma("check", with_expectations(DEP_4="violated", DEP_6="violated"))
    assert run.code == 1
    assert "expected violated, found holds" in run.out


def test_expectation_that_means_nothing(
    kubelemma: Kubelemma, with_expectations: Callable[..., str]
) -> None:
    """An expectation about a property that is not checked is a mistake, at its line."""
    run = kubelemma("check", with_expectations(DEP_3="holds"))
    assert run.code == 2
    assert "spec.expect.DEP-3" in run.err


def test_resources_of_a_scenario(kubelemma: Kubelemma, write: Write, documents: Documents) -> None:
    """A scenario finds its resources beside itself; what nobody checks is told."""
    web, scenario = documents
    scenario["spec"]["resources"] = ["web.yaml"]
    write("case/web.yaml", web)
    write("case/check.yaml", scenario)
    write("case/other.yaml", {**web, "metadata": {"name": "other"}})
    run = kubelemma("check", "case", "--property", "DEP-4", "--no-save")
    assert run.code == 1
    assert "Deployment other is not checked" in run.err
    assert "Deployment other is not checked" not in kubelemma("check", "case", "-q").err


def test_options_outweigh_the_scenario(kubelemma: Kubelemma, stuck: str) -> None:
    """With a third node from the command line, the rollout completes."""
    run = kubelemma("check", stuck, "--nodes", "count=3,cpu=4", "--property", "DEP-4")
    assert run.code == 0


def kubelemma_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``kubelemma check`` as a process of its own."""
    command = [sys.executable, "-m", "kubelemma", "check", *arguments, "--no-save"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("where", ["option", "scenario"])
def test_no_events(write: Write, documents: Documents, tmp_path: Path, where: str) -> None:
    """Without events nothing rolls out, so nothing gets stuck; the report says what was assumed."""
    web, scenario = documents
    if where == "scenario":
        scenario["spec"]["events"] = []
    given = write("quiet.yaml", web, scenario)
    options = ("--event", "none") if where == "option" else ()
    run = kubelemma_process(tmp_path, given, *options, "-o", "wide")
    assert (run.returncode, run.stderr) == (0, "")
    assert "  - events: none, the control plane runs by itself\n" in run.stdout
    assert "every reachable state: 1 state" in run.stdout


def test_no_event_beside_none(stuck: str, tmp_path: Path) -> None:
    """No events, and one: that is an error of one sentence."""
    run = kubelemma_process(tmp_path, stuck, "--event", "none", "--event", "rollout=web")
    assert (run.returncode, run.stdout) == (2, "")
    sentence = '--event: "none" means no events at all: no other can stand beside it\n'
    assert run.stderr == sentence


def test_namespace(kubelemma: Kubelemma, repaired: str) -> None:
    """Objects without a namespace are put into the one asked for."""
    check = ("check", repaired, "--namespace", "prod", "--property", "DEP-6")
    assert "\nprod/web " in kubelemma(*check).out
    assert "Deployment prod/web" in kubelemma(*check, "-o", "wide").out


def test_together(kubelemma: Kubelemma, write: Write, documents: Documents) -> None:
    """Workloads that are checked together make one scenario, others one each."""
    web, _ = documents
    pair = write("pair.yaml", web, {**web, "metadata": {"name": "other"}})
    options = ("--property", "DEP-6", "--event", "rollout=web", "--nodes", "count=2,cpu=4")
    options += ("-o", "wide")
    assert kubelemma("check", pair, *options).out.count("Scenario ") == 2
    assert kubelemma("check", pair, *options, "--together", "web,other").out.count("Scenario ") == 1
    assert kubelemma("check", pair, *options, "--workload", "web").out.count("Scenario ") == 1
