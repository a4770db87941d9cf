"""What the cloud node lifecycle controller promises of Nodes: CCM-1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import MACHINE, READY
from kubelemma.model.cluster.state import Machine
from kubelemma.model.components.cloudnodelifecycle.actions import DELETE_NODE, MACHINE_MISSING
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import EachStep
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="CCM-1",
        title="Only Nodes without a machine are deleted",
        kind=Kind.STEP,
        severity=Severity.CRITICAL,
        statement=(
            "The cloud node lifecycle controller deletes a Node only if it is not Ready, and the "
            "cloud says that its machine does not exist."
        ),
        why="All pods of a Node that is deleted are removed at once, whatever they do.",
        conditions="Asked where the cloud may say so of any machine.",
        source=(
            "https://kubernetes.io/docs/concepts/architecture/cloud-controller/#node-controller; "
            "staging/src/k8s.io/cloud-provider/controllers/nodelifecycle/"
            "node_lifecycle_controller.go"
        ),
        components=("cloud-node-lifecycle-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all Nodes."""
    if any(event.action == MACHINE_MISSING for event in scenario.events):
        rightly = EachStep(View((READY, MACHINE)), _rightly, frozenset({DELETE_NODE}))
        yield from asked(STATEMENTS, ALL_NODES, {"CCM-1": rightly})


def _rightly(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
    (ready, was), (_, now) = before, after
    if was == now or now != Machine.DELETED:
        return None
    return not ready and was == Machine.MISSING
