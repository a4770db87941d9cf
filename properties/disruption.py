"""What budgets and evictions promise: PDB-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import Marks, Pods
from kubelemma.model.components.disruption.rules import READY, BudgetState, Guard, guards
from kubelemma.model.components.eviction.actions import EVICT_UNREADY_POD, GRANT_EVICTION
from kubelemma.model.components.eviction.rules import UNDER_WAY
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, EachStep, Formula, LeadsTo
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"
_EVICTION = "pkg/registry/core/pod/storage/eviction.go"
_CONTROLLER = "pkg/controller/disruption/disruption.go"
_NONE = "None on the user's side: this is an invariant of {} itself."

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="PDB-1",
        title="Evictions spend their budget",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "Each eviction that is granted consumes one of the budget's "
            "disruptionsAllowed, and none is granted where there are none left."
        ),
        why="Two drains at once would otherwise both be granted the last disruption.",
        conditions=(
            "As healthy pods were last counted: the status may be older than the pods, and direct "
            "deletions, failures of nodes and taints ask no budget."
        ),
        source=f"{_DOCS}; {_EVICTION}",
        components=("api-server", "disruption-controller"),
        remediation=_NONE.format("the API server"),
        defect_only=True,
    ),
    Statement(
        id="PDB-2",
        title="A budget allows no more than it has to spare",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement=(
            "disruptionsAllowed is never negative, and never more than currentHealthy - "
            "desiredHealthy of the same status."
        ),
        why="Whoever drains nodes goes by this number.",
        conditions="Of one status; how old it is is another question.",
        source=_CONTROLLER,
        components=("disruption-controller", "api-server"),
        remediation=_NONE.format("the controller"),
        defect_only=True,
    ),
    Statement(
        id="PDB-3",
        title="A granted eviction is carried out or given back",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A pod whose eviction was granted is deleted in the end, or its budget counts it again."
        ),
        why="What a budget has paid for would otherwise be lost to everybody.",
        conditions="A budget counts it again two minutes after the grant (DeletionTimeout).",
        source=f"{_EVICTION}; {_CONTROLLER}",
        components=("api-server", "disruption-controller"),
        remediation=_NONE.format("the API server and the controller"),
        defect_only=True,
    ),
    Statement(
        id="PDB-4",
        title="Unready pods go free of charge by the policy alone",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod that runs and is not Ready is evicted without spending of its budget only where "
            "the policy is AlwaysAllow, or where as many pods are healthy as are desired."
        ),
        why="An unready pod may be about to become Ready, and others may count on it.",
        conditions="By the status that the eviction reads.",
        source=(
            "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
            f"#unhealthy-pod-eviction-policy; {_EVICTION}"
        ),
        components=("api-server",),
        remediation=_NONE.format("the API server"),
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each budget that is followed, and of evictions."""
    cells = {cell.name for cell in scenario.system.cells}
    found = [guard for guard in guards(scenario.world) if guard.cell in cells]
    for guard in found:
        yield from asked(STATEMENTS, guard.cell, _of_budget(guard))
    if found:
        view = View((), (UNDER_WAY,))
        carried_out = LeadsTo(view, lambda granted: granted[0] > 0, lambda granted: not granted[0])
        yield from asked(STATEMENTS, ALL_NODES, {"PDB-3": carried_out})


def _of_budget(guard: Guard) -> dict[str, Formula]:
    return {
        "PDB-1": EachStep(View((PODS, guard.cell)), _spends(guard), frozenset({GRANT_EVICTION})),
        "PDB-2": Always(View((guard.cell,)), _within),
        "PDB-4": EachStep(View((PODS, guard.cell)), _spares(guard), frozenset({EVICT_UNREADY_POD})),
    }


Seen = tuple[Pods, BudgetState]


def _spends(guard: Guard) -> Any:
    def granted(pods: Pods) -> int:
        own = (g for g in pods if g.pod_class in guard.classes and g.marks & Marks.EVICTED)
        return sum(group.size for group in own)

    def holds(before: Seen, _action: str, after: Seen) -> bool | None:
        if granted(after[0]) == granted(before[0]):
            return None
        left = before[1].status.allowed
        return left > 0 and after[1].status.allowed == left - 1

    return holds


def _within(state: BudgetState) -> bool:
    status = state.status
    return 0 <= status.allowed <= max(0, status.healthy - status.desired)


def _spares(guard: Guard) -> Any:
    always = guard.budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow"

    def holds(before: Seen, _action: str, after: Seen) -> bool | None:
        pods, budget = before
        lost = [g for g in pods if g not in after[0] and g.pod_class in guard.classes]
        if not lost or any(group.phase in READY for group in lost):
            return None
        return always or 0 < budget.status.desired <= budget.status.healthy

    return holds
