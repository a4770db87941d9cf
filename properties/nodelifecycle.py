"""What the controllers of nodes promise: NODE-*."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.columns import PODS, SHAPE, UP
from kubelemma.model.cluster.state import ACTIVE, Phase, Pods
from kubelemma.model.cluster.world import World
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, Lifecycle, zones
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, Formula
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="NODE-2",
        title="Pods leave unreachable nodes",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once users and faults stop, no pod that does not tolerate it for ever is left "
            "undeleted on a node that is down."
        ),
        why="Until the old pod is deleted its ReplicaSet does not replace it.",
        conditions=(
            "The node's zone still evicts: not when all zones are disrupted, nor when more than "
            "two nodes of a zone of up to 50, and at least 55 % of them, are down."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"
            "#taint-based-evictions; pkg/controller/tainteviction/taint_eviction.go; "
            "pkg/controller/nodelifecycle/node_lifecycle_controller.go"
        ),
        components=("node-lifecycle-controller", "taint-eviction-controller"),
        remediation=(
            "None on the user's side: this is an invariant of the controllers themselves. How long "
            "a pod stays is for its toleration of node.kubernetes.io/unreachable to say: with "
            "tolerationSeconds it leaves after that time, without it stays and is not asked about."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all nodes."""
    if scenario.world.classes:
        yield from asked(STATEMENTS, ALL_NODES, _formulas(scenario.world))


def _formulas(world: World) -> dict[str, Formula]:
    """The formulas about all nodes, by property."""
    names = zones(world)

    def left(shape: int, up: bool, pods: Pods, memory: Lifecycle) -> bool:  # noqa: FBT001
        if up or not memory.evicts(names.index(world.shapes[shape].zone)):
            return True
        return not any(
            Phase(g.phase) in ACTIVE and not world.tolerates_unreachable(g.pod_class) for g in pods
        )

    return {"NODE-2": Converges(View((SHAPE, UP, PODS, LIFECYCLE)), left)}
