"""What the cloud node controller promises of new Nodes: CCM-2."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.cloudnode.rules import WAITING
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="CCM-2",
        title="A new Node is initialised",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A Node with the taint node.cloudprovider.kubernetes.io/uninitialized loses it, and "
            "gets the labels of its machine."
        ),
        why="Until then no pod goes there: what a new Node was added for waits for ever.",
        conditions=(
            "Asked where a scenario states a cloud, and has such a Node, or one that is deleted "
            "and may be registered again. Users and faults stop in the end."
        ),
        source=(
            "https://kubernetes.io/docs/tasks/administer-cluster/running-cloud-controller/; "
            "staging/src/k8s.io/cloud-provider/controllers/node/node_controller.go"
        ),
        components=("cloud-node-controller",),
        remediation=(
            "See that the cloud controller manager runs, that it may look at machines, and that "
            "the Node has the name, or the provider id, that the cloud knows its machine by."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all Nodes."""
    if any(tally.name == WAITING for tally in scenario.system.tallies):
        settled = Converges(View((), (WAITING,)), _none)
        yield from asked(STATEMENTS, ALL_NODES, {"CCM-2": settled})


def _none(waiting: tuple[int]) -> bool:
    return not waiting[0]
