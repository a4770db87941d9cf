"""What a node is at the start, with its pods that change."""

from __future__ import annotations

from collections.abc import Sequence

from kubelemma.model.cluster.state import NodeState, Pods, shifted
from kubelemma.model.cluster.world import CONDITION_TAINTS, World
from kubelemma.model.objects.node import Node, Taint

from .start import Placed, class_at


def node_state(world: World, placed: Sequence[Placed], node: Node, shape: int) -> NodeState:
    """The node at the start."""
    ready = is_ready(node)
    pods: Pods = ()
    for workload, there in zip(world.workloads, placed, strict=True):
        for spot, number in there.on_nodes.get(node.metadata.name, {}).items():
            pods = shifted(pods, class_at(workload, spot), spot.phase, number)
    return NodeState(
        shape,
        up=ready,
        ready=ready,
        tainted=not ready,
        evicting=not ready and any(t.effect == "NoExecute" for t in _condition_taints(node)),
        cordoned=node.spec.unschedulable,
        pods=pods,
    )


def _condition_taints(node: Node) -> tuple[Taint, ...]:
    return tuple(t for t in node.spec.taints or () if t.key in CONDITION_TAINTS)


def is_ready(node: Node) -> bool:
    """What the node's Ready condition says; a node that says nothing is taken to be Ready."""
    conditions = {c.type: c.status for c in node.status.conditions or ()}
    return conditions.get("Ready", "True") == "True"
