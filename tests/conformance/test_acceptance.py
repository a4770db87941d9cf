"""Recorded runs of the real control plane are behaviours of the model, as far as the table says.

``runs.txt`` beside this has the answer for every run, and for those that are refused how many
writes are. It may only grow: a run must come out at least as well as it says. A few runs are judged
here, all of them with ``--all-runs`` (``make conform``).
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubelemma.reports.conformance import Answer, JudgedRun, refusal_classes
from kubelemma.runs.acceptance import judge_file

TRACES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "traces"
TABLE = Path(__file__).with_name("runs.txt")

ONE_IN = 24
"""Of so many runs one is judged where not all are."""
RANKS = (Answer.ACCEPTED, Answer.IN_PART, Answer.UNDECIDED, Answer.REFUSED)
"""The answers, from best to worst."""


class Row(NamedTuple):
    """What the table says of a run."""

    name: str
    answer: Answer
    refusals: int = 0


def rows() -> list[Row]:
    """The table."""
    found = []
    for line in TABLE.read_text("utf-8").splitlines():
        name, answer, *number = line.split("\t")
        found.append(Row(name, Answer(answer), *map(int, number)))
    return found


def rank(answer: Answer, refusals: int) -> tuple[int, int]:
    """Sorts what comes out better first."""
    return RANKS.index(answer), refusals


@pytest.fixture
def traces() -> Path:
    """The folder with the recorded runs."""
    if not TRACES.is_dir():
        pytest.skip("conformance data is absent: ../shared/conformance/traces")
    return TRACES


def judged(paths: list[Path]) -> list[JudgedRun]:
    """What is said of runs, two of which are judged at a time."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return list(pool.map(judge_file, paths))


def test_runs_come_out_as_the_table_says(
    traces: Path, tally: Any, pytestconfig: pytest.Config
) -> None:
    """No run comes out worse than the table says; one that comes out better belongs into it."""
    step = 1 if pytestconfig.getoption("--all-runs") else ONE_IN
    table = rows()[::step]
    runs = judged([traces / f"{row.name}.jsonl.gz" for row in table])
    for row, run in zip(table, runs, strict=True):
        now, before = rank(run.answer, len(run.refusals)), rank(row.answer, row.refusals)
        if now > before:
            found = f"{run.answer}, {len(run.refusals)} refused; expected {row.answer}"
            tally.failed("recorded runs", row.name, f"{found}, at most {row.refusals}")
        elif now < before:
            tally.skipped("recorded runs", f"{row.name} comes out better than the table says")
        elif run.answer is Answer.ACCEPTED:
            tally.passed("recorded runs")
        else:
            tally.skipped("recorded runs", f"is {run.answer}, as the table says")
    for found in refusal_classes(runs):
        name = f"refused: {found.actor} {found.what}"
        tally.skipped(name, f"{found.number} times, {found.late} of them possible earlier")
    tally.verify("recorded runs")


def test_the_table_has_every_run(traces: Path) -> None:
    """No run is left out of the table."""
    there = sorted(path.name.removesuffix(".jsonl.gz") for path in traces.glob("*.jsonl.gz"))
    assert there == [row.name for row in rows()]
