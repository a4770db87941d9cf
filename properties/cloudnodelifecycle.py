"""What the cloud node lifecycle controller promises of Nodes: CCM-1 and CCM-3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import MACHINE, READY, UNSETTLED
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.components.cloudnodelifecycle.actions import (
    DELETE_NODE,
    MACHINE_MISSING,
    MACHINE_STOPPED,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, EachStep
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
    Statement(
        id="CCM-3",
        title="A Node that is Ready again takes pods again",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A Node that is Ready loses the taint node.cloudprovider.kubernetes.io/shutdown, which "
            "it has got as its machine was switched off."
        ),
        why="No pod would go to a machine that has been switched on again.",
        conditions=(
            "Asked where the cloud may say of any machine that it is switched off. Users and "
            "faults stop in the end."
        ),
        source=(
            "https://kubernetes.io/docs/reference/labels-annotations-taints/"
            "#node-cloudprovider-kubernetes-io-shutdown; "
            "staging/src/k8s.io/cloud-provider/controllers/nodelifecycle/"
            "node_lifecycle_controller.go"
        ),
        components=("cloud-node-lifecycle-controller",),
        remediation="None on the user's side: this is for the controller itself to keep.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all Nodes."""
    happens = {event.action for event in scenario.events}
    if happens & {MACHINE_STOPPED}:
        loses = Converges(View((READY, MACHINE, UNSETTLED)), _takes_pods)
        yield from asked(STATEMENTS, ALL_NODES, {"CCM-3": loses})
    if happens & {MACHINE_MISSING, MACHINE_STOPPED}:
        rightly = EachStep(View((READY, MACHINE)), _rightly, frozenset({DELETE_NODE}))
        yield from asked(STATEMENTS, ALL_NODES, {"CCM-1": rightly})


def _rightly(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
    (ready, was), (_, now) = before, after
    if was == now or now != Machine.DELETED:
        return None
    return not ready and was == Machine.MISSING


def _takes_pods(ready: bool, machine: int, unsettled: Unsettled) -> bool:  # noqa: FBT001
    return not ready or machine in NODELESS or not unsettled & Unsettled.SHUTDOWN
