"""For tests: checks as a function, strategies, a state machine, and a plugin for pytest.

What is here is imported when it is asked for: pytest loads the plugin in every run, also where
nobody uses it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checking import Checked, Means, check
    from .machine import ControlPlane, Refuted, invariant, rule
    from .run import Run
    from .view import ClusterView, NodeView, PodView, WorkloadView

__all__ = [
    "Checked",
    "ClusterView",
    "ControlPlane",
    "Means",
    "NodeView",
    "PodView",
    "Refuted",
    "Run",
    "WorkloadView",
    "check",
    "invariant",
    "rule",
]

_HOMES = {
    "Checked": "checking",
    "ClusterView": "view",
    "ControlPlane": "machine",
    "WorkloadView": "view",
    "Means": "checking",
    "NodeView": "view",
    "PodView": "view",
    "Refuted": "machine",
    "Run": "run",
    "check": "checking",
    "invariant": "machine",
    "rule": "machine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
