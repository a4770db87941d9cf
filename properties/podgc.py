"""What the pod garbage collector promises: GC-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import MACHINE, OUT_OF_SERVICE, PODS, READY
from kubelemma.model.cluster.machines import NODELESS
from kubelemma.model.cluster.state import IN_API, Pods
from kubelemma.model.components.cloudnodelifecycle.actions import COLLECT_ORPHAN
from kubelemma.model.components.cloudnodelifecycle.rules import ORPHANS
from kubelemma.model.components.podgc.actions import FORCE_DELETE
from kubelemma.model.components.podgc.rules import ENDING, POD_GC
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, EachStep
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_SOURCE = (
    "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection; "
    "pkg/controller/podgc/gc_controller.go"
)
_NONE = "None on the user's side: this is an invariant of the controller itself."

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="GC-1",
        title="Pods go with their Node",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="In the end the API has no pod that is bound to a Node which does not exist.",
        why="Until it is gone its controller does not replace it, or not under its name.",
        conditions=(
            "Asked where a Node may be deleted, or its cloud may look after its machine. Users "
            "and faults stop in the end. A kubelet may "
            "register the Node again before: then its pods stay."
        ),
        source=_SOURCE,
        components=("pod-garbage-collector",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="GC-2",
        title="Only what is lost is removed by force",
        kind=Kind.STEP,
        severity=Severity.CRITICAL,
        statement=(
            "The pod garbage collector removes a pod without its kubelet only if its Node does not "
            "exist, or if it is being deleted on a node that is not Ready and out of service."
        ),
        why="Whatever the pod does goes on, and another takes its name and its volumes.",
        conditions=(
            "Asked where a Node may be deleted, or is declared out of service, at the start or "
            "later."
        ),
        source=_SOURCE,
        components=("pod-garbage-collector",),
        remediation=_NONE,
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of the pods of all nodes, where the collector has anything to do."""
    ours = {rule.name for rule in scenario.system.rules if rule.actor == POD_GC}
    if not scenario.world.classes or not ours:
        return
    view = View((MACHINE, READY, OUT_OF_SERVICE, PODS))
    rightly = EachStep(view, _rightly, frozenset({COLLECT_ORPHAN, FORCE_DELETE}))
    found = {"GC-2": rightly}
    yield from asked(STATEMENTS, ALL_NODES, found)
    if ORPHANS in ours:
        yield from asked(
            STATEMENTS, ALL_NODES, {"GC-1": Converges(View((MACHINE, PODS)), _collected)}
        )


def _collected(machine: int, pods: Pods) -> bool:
    return machine not in NODELESS or not any(group.phase in IN_API for group in pods)


def _rightly(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
    (machine, ready, out_of_service, pods), (*_, now) = before, after
    if pods == now:
        return None
    if machine in NODELESS:
        return True
    ends, left = (sum(g.size for g in found if g.phase in ENDING) for found in (pods, now))
    return left < ends and not ready and bool(out_of_service)
