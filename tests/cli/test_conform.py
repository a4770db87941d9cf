"""``kubelemma conform``: exit codes, streams and formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from kubelemma.reports import conformance_json

Kubelemma: TypeAlias = Callable[..., Any]


@pytest.fixture
def good(recorder: Any) -> Path:
    """A run that is accepted."""
    recorder.rolled_out("node-1")
    return recorder.save("good.jsonl")  # type: ignore[no-any-return]


@pytest.fixture
def partly(good: Path, recorder: Any) -> Path:
    """The same with a write of what is not modelled."""
    spec = {"replicas": 2}
    recorder.write("sa:horizontal-pod-autoscaler", "update/scale", "Deployment", "web", spec=spec)
    path: Path = recorder.save("partly.jsonl")
    recorder.lines.pop()
    assert good.exists()
    return path


@pytest.fixture
def bad(partly: Path, recorder: Any) -> Path:
    """The same with a pod too many instead."""
    recorder.pod("web-1-2", "web-1")
    assert partly.exists()
    return recorder.save("bad.jsonl")  # type: ignore[no-any-return]


def test_accepted(kubelemma: Kubelemma, good: Path) -> None:
    """Exit code 0, and one line that says so."""
    run = kubelemma("conform", str(good))
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("Run good: ACCEPTED\n")
    assert "\nACCEPTED: of 1 run 1 accepted; 6 of 6 writes" in run.out


def test_in_part(kubelemma: Kubelemma, partly: Path) -> None:
    """Exit code 3, with who wrote what."""
    run = kubelemma("conform", str(partly))
    assert run.code == 3
    assert "sa:horizontal-pod-autoscaler: update/scale Deployment, 1 write" in run.out


def test_refused(kubelemma: Kubelemma, bad: Path) -> None:
    """Exit code 1, with the write and what is said of it."""
    run = kubelemma("conform", str(bad))
    assert run.code == 1
    assert "sa:replicaset-controller: create Pod default/web-1-2" in run.out
    assert "pods of web-1 without a node: 0 -> 1" in run.out


@pytest.mark.usefixtures("bad")
def test_many(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """A directory is all runs in it: details of what is refused, then a table."""
    run = kubelemma("conform", str(tmp_path))
    assert run.code == 1
    assert run.out.count("\nRun ") + run.out.startswith("Run ") == 1
    table = [
        line.split()[:2] for line in run.out.splitlines() if line.startswith(("bad ", "good "))
    ]
    assert table == [["bad", "REFUSED"], ["good", "accepted"]]
    assert "REFUSED: of 3 runs 1 accepted, 1 in part, 1 refused" in run.out


@pytest.mark.usefixtures("bad")
def test_several_workers(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The answer does not depend on how many are judged at once; the summary is by scenario."""
    run = kubelemma("conform", str(tmp_path), "--summary", "--workers", "2")
    assert run.code == 1
    assert run.out.splitlines()[0].split()[:3] == ["SCENARIO", "RUNS", "ACCEPTED"]
    assert run.out.splitlines()[1].split()[:5] == ["small", "3", "1", "1", "1"]


@pytest.mark.usefixtures("bad")
def test_json(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The JSON is what the published schema describes."""
    run = kubelemma("conform", str(tmp_path), "-o", "json")
    data = json.loads(run.out)
    jsonschema.Draft202012Validator.check_schema(conformance_json.schema())
    jsonschema.validate(data, conformance_json.schema())
    assert [r["answer"] for r in data["runs"]] == ["refused", "accepted", "in part"]
    assert data["refusalClasses"][0]["what"] == "create Pod"


def test_what_breaks_off(kubelemma: Kubelemma, good: Path) -> None:
    """Exit code 2: what can be read is judged and reported, the sentence goes to standard error."""
    good.write_text(good.read_text() + "{\n")
    number = len(good.read_text().splitlines())
    run = kubelemma("conform", str(good))
    assert run.code == 2
    assert run.err.startswith(f"{good}:{number}: is no JSON")
    assert "BROKEN OFF: of 1 run 1 broken off; 6 of 6 writes" in run.out


def test_others_are_judged_beside_what_is_no_run(kubelemma: Kubelemma, bad: Path) -> None:
    """A file that is no run keeps nobody else from being judged."""
    empty = bad.with_name("empty.jsonl")
    empty.touch()
    run = kubelemma("conform", str(empty), str(bad))
    assert run.code == 2
    assert run.err == f"{empty}: is empty, where a run was expected\n"
    assert "1 refused" in run.out


def test_nothing_named(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """Without runs there is nothing to judge."""
    assert kubelemma("conform").code == 2
    run = kubelemma("conform", str(tmp_path))
    assert run.code == 2
    assert "no run (*.jsonl, *.jsonl.gz) lies in the directory" in run.err
