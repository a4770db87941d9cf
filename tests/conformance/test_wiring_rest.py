"""Recorded runs at rest: where the real controllers had nothing to write, the model's have not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wired import count, rest, runs, sample


def test_pauses(traces: Path, tally: Any) -> None:
    """After a pause of a second no rule of the Deployment or ReplicaSet controller may act."""
    for name in sample(runs.runs(traces), 2):
        for case in rest.pauses(traces, name):
            count(tally, "wired pauses", case["id"], rest.compare(case))
    tally.verify("wired pauses")
