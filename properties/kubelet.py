"""What kubelets promise: KUB-*."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.columns import SHOWN, of_shown
from kubelemma.model.cluster.state import ADMITTED, Phase, ShownNode
from kubelemma.model.cluster.world import World
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Formula
from .overcommitment import is_extended, overcommitted
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="KUB-7",
        title="Admitted pods fit their node",
        kind=Kind.SAFETY,
        severity=Severity.CRITICAL,
        statement=(
            "The requests of all pods that a kubelet has admitted and not yet finished sum up to "
            "at most what the node has allocatable, in every resource and in number."
        ),
        why="Requests are guarantees; an overcommitted node cannot honour them.",
        conditions=(
            "Critical pods and static pods, which the kubelet admits all the same, are out; so are "
            "extended resources that the node does not list, which it does not look at."
        ),
        source="pkg/kubelet/lifecycle/predicate.go",
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of the kubelets of all nodes."""
    if scenario.world.classes:
        yield from asked(STATEMENTS, ALL_NODES, _formulas(scenario.world))


def _formulas(world: World) -> dict[str, Formula]:
    """The formulas about all nodes, by property."""

    def admitted_fit(node: ShownNode) -> bool | None:
        if not any(Phase(g.phase) in ADMITTED for g in node.pods):
            return None
        listed = world.shapes[node.shape].node.status.allocatable or {}
        short = overcommitted(world, node, ADMITTED)
        return all(is_extended(name) and name not in listed for name in short)

    return {"KUB-7": Always(View(SHOWN), of_shown(admitted_fit))}
