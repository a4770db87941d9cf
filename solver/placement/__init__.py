"""Placement: can these pods be placed on these nodes, where, or why not?

``check`` and ``verify`` are loaded when they are first asked for; so is what ``decide`` needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .decide import decide
from .decision import Decision, Effort
from .problem import Answer, Assignment, Cluster, Placement, Problem, Question, Workload

if TYPE_CHECKING:
    from .certificate import verify
    from .checker import check

__all__ = [
    "Answer",
    "Assignment",
    "Cluster",
    "Decision",
    "Effort",
    "Placement",
    "Problem",
    "Question",
    "Workload",
    "check",
    "decide",
    "verify",
]

_HOMES = {"check": "checker", "verify": "certificate"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
