"""What the route controller promises of Nodes: CCM-4."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.cloudroute.rules import WITHOUT_ROUTE
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="CCM-4",
        title="A Node gets its route",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A Node whose condition NetworkUnavailable is True gets a route to its pods, and loses "
            "the taint node.kubernetes.io/network-unavailable."
        ),
        why="Until then no pod goes there: what the Node was added for waits for ever.",
        conditions=(
            "Asked where a scenario states a cloud, and has such a Node. Users and faults stop in "
            "the end."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/architecture/cloud-controller/#route-controller; "
            "staging/src/k8s.io/cloud-provider/controllers/route/route_controller.go"
        ),
        components=("route-controller", "node-lifecycle-controller"),
        remediation=(
            "Raise the quota of routes of the cloud's network, or delete those of Nodes that are "
            "gone; the controller tries again by itself."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all Nodes."""
    if any(tally.name == WITHOUT_ROUTE for tally in scenario.system.tallies):
        reached = Converges(View((), (WITHOUT_ROUTE,)), _none)
        yield from asked(STATEMENTS, ALL_NODES, {"CCM-4": reached})


def _none(waiting: tuple[int]) -> bool:
    return not waiting[0]
