"""The columns of the family of nodes, as rules, tallies and views name them: see `NodeState`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .state import ShownNode
from .world import NODES

SHAPE = f"{NODES}.shape"
UP = f"{NODES}.up"
READY = f"{NODES}.ready"
TAINTED = f"{NODES}.tainted"
EVICTING = f"{NODES}.evicting"
CORDONED = f"{NODES}.cordoned"
OUT_OF_SERVICE = f"{NODES}.out_of_service"
PODS = f"{NODES}.pods"
VOLUMES = f"{NODES}.volumes"
CUT_OFF = f"{NODES}.cut_off"
MACHINE = f"{NODES}.machine"
AILS = f"{NODES}.ails"
REPORTED = f"{NODES}.reported"
MEMORY = f"{NODES}.memory"
UNSETTLED = f"{NODES}.unsettled"

TAINTS = (TAINTED, EVICTING, CORDONED, OUT_OF_SERVICE)
"""What taints follow, beside those of the shape: the fields of `Taints`."""

SHOWN = (SHAPE, *TAINTS, UNSETTLED, PODS)
"""What a `ShownNode` is put together of."""

AnswerT = TypeVar("AnswerT")


def of_shown(function: Callable[..., AnswerT]) -> Callable[..., AnswerT]:
    """A function that takes a `ShownNode` first, as one that takes the columns `SHOWN` instead."""
    width = len(SHOWN)

    def of_columns(*seen: Any) -> AnswerT:
        return function(ShownNode(*seen[:width]), *seen[width:])

    return of_columns
