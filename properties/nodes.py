"""What nodes and kubelets promise: NODE-*, KUB-*."""

from __future__ import annotations

from kubelemma.model.cluster.state import ACTIVE, ADMITTED, NodeState, Phase
from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, Lifecycle, zones
from kubelemma.model.system import View

from .capacity import is_extended, overcommitted
from .formula import Always, Converges, Formula
from .statement import Kind, Severity, Statement

STATEMENTS = (
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
    ),
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


def formulas(world: World) -> dict[str, Formula]:
    """The formulas about all nodes, by property."""
    names = zones(world)

    def admitted_fit(node: NodeState) -> bool | None:
        if not any(Phase(g.phase) in ADMITTED for g in node.pods):
            return None
        listed = world.shapes[node.shape].node.status.allocatable or {}
        short = overcommitted(world, node, ADMITTED)
        return all(is_extended(name) and name not in listed for name in short)

    def left(node: NodeState, memory: Lifecycle) -> bool:
        if node.up or not memory.evicts(names.index(world.shapes[node.shape].zone)):
            return True
        return not any(
            Phase(g.phase) in ACTIVE and not world.tolerates_unreachable(g.pod_class)
            for g in node.pods
        )

    return {
        "KUB-7": Always(View((NODES,)), admitted_fit),
        "NODE-2": Converges(View((NODES, LIFECYCLE)), left),
    }
