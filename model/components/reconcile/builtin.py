"""Deployments and Nodes as loaded code sees them, and what it may write of them.

Both are made from what the model has of them. Nodes are a family, of which a rule sees one member;
who reads them all reads a tally, in which each node stands at the place of its shape: where loaded
code looks at Nodes, every node has a shape of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubelemma.model.cluster.columns import CORDONED, READY, SHAPE
from kubelemma.model.cluster.state import DeploymentState, NodeState, SetState
from kubelemma.model.cluster.world import NodeShape, Workload, World
from kubelemma.model.system import Tally

from .legal import DEPLOYMENT, NODE
from .objects import GENERATION, FrozenMap, Object, Objects

NODE_OBJECTS = "Node objects"
"""Tally: all Nodes as loaded code sees them, by name."""
SHOWN_OF_NODES = (SHAPE, READY, CORDONED)
"""The columns that loaded code sees of a node."""


# Deployments


def shown_deployment(world: World, workload: Workload, state: DeploymentState) -> Objects:
    """The Deployment as an object; its status sums up those of its ReplicaSets."""
    if state.absent:
        return ()
    newest = max(state.sets, key=_revision, default=None)
    available = sum(s.status_available for s in state.sets)
    status = {
        "replicas": sum(s.status_replicas for s in state.sets),
        "updatedReplicas": newest.status_replicas if newest else 0,
        "availableReplicas": available,
        "observedGeneration": GENERATION if _is_observed(state, newest) else GENERATION - 1,
    }
    if not any(world.classes[index].min_ready_seconds for index in workload.classes):
        status["readyReplicas"] = available  # both are counted in one write of a ReplicaSet
    spec = FrozenMap({"replicas": state.replicas, "paused": bool(state.paused)})
    return (
        Object(
            DEPLOYMENT,
            workload.namespace,
            workload.name,
            spec=spec,
            status=FrozenMap(status),
        ),
    )


def _revision(replica_set: SetState) -> int:
    return replica_set.revision


def _is_observed(state: DeploymentState, newest: SetState | None) -> bool:
    """Whether the controller has finished a sync since the template or the size was changed."""
    rolled_out = newest is not None and newest.template == state.template
    scaled = all(s.desired == state.replicas for s in state.sets if s.replicas)
    return rolled_out and scaled and not state.plan


def written_deployment(state: DeploymentState, after: Object) -> DeploymentState:
    """The Deployment with what loaded code may write."""
    return state._replace(replicas=after.spec["replicas"], paused=after.spec["paused"])


# Nodes


def node_tally(world: World) -> Tally:
    """The tally of all Nodes."""

    def measure(shape: int, ready: bool, cordoned: bool) -> tuple[int, ...]:  # noqa: FBT001
        code = 2 * ready + cordoned
        return tuple(code if i == shape else 0 for i in range(len(world.shapes)))

    def reduce(codes: tuple[int, ...]) -> Objects:
        pairs = zip(world.shapes, codes, strict=True)
        return _sorted(_object(shape, *map(bool, divmod(code, 2))) for shape, code in pairs)

    return Tally(NODE_OBJECTS, {SHOWN_OF_NODES: measure}, len(world.shapes), reduce)


def all_nodes(world: World, nodes: Iterable[NodeState]) -> Objects:
    """All Nodes as loaded code sees them."""
    return _sorted(found for node in nodes for found in shown_node(world, node))


def shown_node(world: World, node: NodeState) -> Objects:
    """One Node as an object."""
    return shown_columns(world, node.shape, node.ready, node.cordoned)


def shown_columns(world: World, shape: int, ready: bool, cordoned: bool) -> Objects:  # noqa: FBT001
    """The same, by the columns `SHOWN_OF_NODES`."""
    return (_object(world.shapes[shape], ready, cordoned),)


def _object(shape: NodeShape, ready: bool, cordoned: bool) -> Object:  # noqa: FBT001
    condition = FrozenMap({"type": "Ready", "status": "True" if ready else "Unknown"})
    return Object(
        NODE,
        "",
        shape.node.metadata.name,
        labels=FrozenMap(shape.node.metadata.label_map()),
        spec=FrozenMap({"unschedulable": cordoned}),
        status=FrozenMap({"conditions": (condition,)}),
    )


def written_node(node: NodeState, after: Object) -> NodeState:
    """The node with what loaded code may write; a drain of somebody's goes on."""
    return node._replace(cordoned=after.spec["unschedulable"])


def replaced(objects: Objects, after: Objects) -> Objects:
    """All Nodes, of which those in ``after`` are as they are there."""
    new = {found.key: found for found in after}
    return tuple(new.get(found.key, found) for found in objects)


def _sorted(found: Iterator[Object]) -> Objects:
    return tuple(sorted(found, key=lambda node: node.key))
