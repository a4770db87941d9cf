"""State counts of a published slice of the control plane, on which other model checkers agree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

SOURCE = Path(__file__).parents[2] / "benchmarks" / "kuberollout.py"
if not SOURCE.exists():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kuberollout", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


kuberollout = _load()


def _explore(level: str) -> CheckResult:
    parameters = kuberollout.LEVELS[level]
    return check(kuberollout.system(parameters), kuberollout.properties(parameters), Limits())


@pytest.mark.parametrize(
    ("level", "orbits", "terminal", "depth"),
    [
        ("L0", 12, 1, 12),
        ("L1", 523, 2, 28),
        ("L2", 3315, 2, 33),
        ("L2-renew", 3837, 0, 34),
        ("L3", 4296, 2, 35),
        ("L4", 6958, 2, 29),
        ("L5", 8962, 2, 44),
        ("S5", 10744, 1, 54),
        ("V1", 5796, 2, 33),
        ("V2", 13, 1, 10),
    ],
)
def test_counts(level: str, orbits: int, terminal: int, depth: int) -> None:
    """Orbits, terminal orbits and depth are those of TLC, Spin, rumur and a C++ search."""
    statistics = _explore(level).statistics
    assert (statistics.states, statistics.terminal_states, statistics.depth) == (
        orbits,
        terminal,
        depth,
    )


@pytest.mark.parametrize("level", ["L1", "L2", "L2-renew", "L4"])
def test_rollouts_converge(level: str) -> None:
    """Where there is room, every fair run ends with all new pods ready."""
    results = {p.property.id: p for p in _explore(level).properties}
    assert results["Converges"].verdict is Verdict.HOLDS


def test_surge_is_exceeded_at_level_16() -> None:
    """Counting spec.replicas alone, as Kubernetes does, lets live pods exceed the surge."""
    (surge,) = (p for p in _explore("V1").properties if p.property.id == "SurgeOK")
    assert surge.trace is not None
    assert len(surge.trace.steps) + 1 == 16


def test_a_full_cluster_stops_the_rollout() -> None:
    """Without a free slot the new pod waits for ever."""
    (converges,) = (p for p in _explore("V2").properties if p.property.id == "Converges")
    assert converges.verdict is Verdict.VIOLATED
    assert converges.trace is not None
    assert converges.trace.standstill
