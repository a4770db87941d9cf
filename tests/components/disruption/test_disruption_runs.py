"""What the real disruption controller wrote in recorded runs, against what a sync would write.

A sync reads the budget whose version it PUTs, and pods and workloads from caches that may lag: so
it must be what a sync of some earlier moment comes to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from recordings import (
    SCALED,
    UNSCALED,
    History,
    Line,
    Objects,
    budget_of,
    is_covered,
    matched_pod,
    workloads,
)

from kubelemma.model.components.disruption.decision import sync
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget

KINDS = frozenset(("PodDisruptionBudget", "Pod")) | SCALED | UNSCALED
LAG = 20
"""Writes of these kinds that a cache may not have seen yet."""
CONTROLLER = "sa:disruption-controller"


def test_syncs_in_runs(
    histories: Callable[[frozenset[str]], Iterator[History]], tally: Any
) -> None:
    """Every status that was written is that of a sync; nine in ten missed nothing at all."""
    lags: Counter[int] = Counter()
    for run in histories(KINDS):
        began = int(datetime.fromisoformat(run.lines[0]["startTime"]).timestamp())
        for before, after in writes(run):
            lag = explained(run, before, after, began + int(after["t"]))
            if lag is None:
                tally.failed("budgets in runs", f"{run.name} {after['rv']}", "no sync says this")
            else:
                tally.passed("budgets in runs")
                lags[lag] += 1
    tally.verify("budgets in runs")
    assert lags[0] > 0.9 * lags.total()


def writes(run: History) -> Iterator[tuple[Line, Line]]:
    """The budgets that the controller had read, and the lines of what it then wrote."""
    versions: dict[str, Line] = {}
    for line in run.lines:
        if line.get("kind") == "PodDisruptionBudget" and line["type"] != "DELETED":
            if line["actor"] == CONTROLLER:
                yield versions[str(line["preRV"])], line
            versions[str(line["rv"])] = line["object"]


def explained(run: History, before: Line, after: Line, now: int) -> int | None:
    """How many writes caches had missed when a sync says what was written; None if it never does.

    Pods and workloads are either as old as each other, or the workloads are up to date.
    """
    wanted = budget_of(after["object"]).status
    moments = list(islice(run.before(after["rv"]), LAG))
    for lag, moment in enumerate(moments):
        if any(said(before, moment, of, now) == wanted for of in (moment, moments[0])):
            return lag
    return None


def said(before: Line, pods: Objects, owners: Objects, now: int) -> object:
    """The status that a sync comes to."""
    budget = decode(before, PodDisruptionBudget)
    found = [p for p in pods.values() if p["kind"] == "Pod" and is_covered(budget, p)]
    return sync(budget_of(before), list(map(matched_pod, found)), workloads(owners), now).status
