"""Recorded runs of the real control plane: evictions and pods of templates, asked of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from wired import count, differing, runs, sample


def test_evictions(traces: Path, tally: Any) -> None:
    """Whatever the real controller evicts, a rule evicts from a node with these taints."""
    for name in sample(runs.runs(traces), 2):
        for case in runs.evictions(traces, name):
            count(tally, "wired evictions", case["id"], runs.compare_eviction(case))
    tally.verify("wired evictions")


def test_pods_of_templates(traces: Path, tally: Any) -> None:
    """A Deployment's template gives the pods that the API server stored, admission included."""
    for name in sample(runs.runs(traces), 2):
        for case in runs.stamped(traces, name):
            count(tally, "wired templates", case["id"], runs.compare_stamped(case))
    tally.verify("wired templates")


@pytest.mark.parametrize("family", ["node-down-deploy", "taint-noexecute"])
def test_shortest_toleration_counts(traces: Path, family: str) -> None:
    """An eviction stays due if the pod tolerates one more taint of its node, for ever."""
    names = [name for name in runs.runs(traces) if name.startswith(family)]
    cases = [case for name in names for case in runs.evictions(traces, name)]
    assert cases
    assert differing(runs.compare_tolerant_eviction, cases) == []
