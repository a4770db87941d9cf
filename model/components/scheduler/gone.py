"""Nodes that are deleted, of which the scheduler's snapshot has nothing.

Source: pkg/scheduler/backend/cache/cache.go, ``updateNodeInfoSnapshotList``: a node that is known
by its pods alone is in no list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kubelemma.model.cluster.columns import MACHINE
from kubelemma.model.cluster.machines import NODELESS
from kubelemma.model.system import Best, Tally

Measures = Mapping[Any, Callable[..., Any]]


def not_counted(tally: Tally) -> Tally:
    """The tally without what nodes add whose Node object does not exist."""
    return replace(tally, measures=_of_standing(tally.measures, (0,) * tally.width))


def not_scored(best: Best) -> Best:
    """The best of those nodes whose Node object exists."""
    return replace(best, scores=_of_standing(best.scores, None))


def _of_standing(measures: Measures, otherwise: Any) -> Measures:
    return {
        (*named, MACHINE): _unless_gone(measure, len(named), otherwise)
        for named, measure in measures.items()
    }


def _unless_gone(measure: Callable[..., Any], width: int, otherwise: Any) -> Callable[..., Any]:
    def measured(*seen: Any) -> Any:
        columns, machine, reads = seen[:width], seen[width], seen[width + 1 :]
        return otherwise if machine in NODELESS else measure(*columns, *reads)

    return measured
