"""A node lifecycle controller that overlooks nodes, or evicts what it must not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mutating import TWO, Mutant, Small, node, pod

from kubelemma.model.cluster.state import Ailment, ShownNode, Taints
from kubelemma.model.components.nodelifecycle import health, rules
from kubelemma.model.components.tainteviction import rules as eviction
from kubelemma.model.system import Outcome


def marks_none(*_seen: Any) -> Iterator[Outcome]:
    """Nobody writes that a node is silent, or of its pods."""
    yield from ()


def taints_anyway(world: Any, memory: rules.Lifecycle, *seen: Any) -> Iterator[Outcome]:
    """A node gets its NoExecute taint whatever its zone is like."""
    usual = memory._replace(zones=rules.unknown(world))
    yield from _NO_EXECUTE(world, usual, *seen)


def taints_silent(shown: health.Health, taints: Taints, *, evicts: bool) -> Ailment:
    """A node whose kubelet reports that it cannot work gets no NoExecute taint."""
    if shown.status == "False":
        return taints.evicting
    return health.next_no_execute(shown, taints, evicts=evicts)


def never_cancels(world: Any, ready: bool, *shown: Any) -> Iterator[Outcome]:  # noqa: FBT001
    """A timer runs out also where the taint is gone (kubernetes#90794)."""
    tainted = ShownNode(*shown)._replace(evicting=Ailment.UNREACHABLE)
    yield from _EVICT(world, ready, *tainted)


def knows_the_first(world: Any, ready: bool, *shown: Any) -> Iterator[Outcome]:  # noqa: FBT001
    """No timer is set for a taint that takes another one's place (kubernetes#107543)."""
    if ShownNode(*shown).evicting != Ailment.UNREACHABLE:
        yield from _EVICT(world, ready, *shown)


_NO_EXECUTE, _EVICT = rules._no_execute, eviction._evict

LIFECYCLE_PY = "components.nodelifecycle.rules"
TAINT_EVICTION_PY = "components.tainteviction.rules"

LOSING_ONE = Small((*TWO, node("c")), ({"nodeCrash": {}},), replicas=1)
LOSING_ALL = Small(TWO, ({"nodeCrash": {"max": 2}},), replicas=1)
STAYING = Small(
    TWO,
    ({"nodeCrash": {}},),
    replicas=1,
    spec=pod(tolerations=[{"operator": "Exists", "effect": "NoExecute"}]),
)
"""Its pod is never evicted."""
FAILING_ONE = Small((*TWO, node("c")), ({"runtimeOutage": {}},), replicas=1)
FAILING_THEN_SILENT = Small(
    (*TWO, node("c")), ({"runtimeOutage": {}}, {"nodeCrash": {}}), replicas=1
)

NODE_MUTANTS = (
    Mutant("NODE-1", "nodes stay Ready", LIFECYCLE_PY, "_unknown", marks_none, LOSING_ONE),
    Mutant("NODE-1", "pods stay Ready", LIFECYCLE_PY, "_unready", marks_none, STAYING),
    Mutant("NODE-2", "not Ready", LIFECYCLE_PY, "next_no_execute", taints_silent, FAILING_ONE),
    Mutant(
        "NODE-2",
        "the second taint",
        TAINT_EVICTION_PY,
        "_evict",
        knows_the_first,
        FAILING_THEN_SILENT,
    ),
    Mutant("NODE-3", "taints all", LIFECYCLE_PY, "_no_execute", taints_anyway, LOSING_ALL),
    Mutant("NODE-4", "never cancels", TAINT_EVICTION_PY, "_evict", never_cancels, LOSING_ONE),
)
