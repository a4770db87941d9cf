"""The initial values of a scenario: what the API has of its workloads, and its nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kubelemma.model.cluster.clouds import at_start
from kubelemma.model.cluster.machines import Unsettled
from kubelemma.model.cluster.owners import Part
from kubelemma.model.cluster.setting import Start
from kubelemma.model.cluster.state import (
    ACTIVE,
    Ailment,
    NodeState,
    OwnerState,
    Phase,
    Pods,
    Queue,
    shifted,
)
from kubelemma.model.cluster.world import CONDITION_TAINTS, Workload, World
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.servicelb.decision import Cloud
from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import Pod

from .history import History
from .start import ENDING, NOWHERE, Placed, Placement, class_at
from .templates import key_of, kind_of


class Ground(NamedTuple):
    """What all starts of a scenario have in common.

    ``focus`` are its owners, ``lone`` the pods of nobody's that it follows, ``shape_of`` gives the
    shape of each of the ``nodes`` by name.
    """

    world: World
    focus: tuple[Any, ...]
    lone: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    shape_of: Mapping[str, int]

    def start(self, placement: Placement) -> tuple[Start, tuple[str, ...]]:
        """The initial values where all is placed so, and the names of the nodes in their order."""
        names = tuple(node.metadata.name for node in self.nodes)
        start = self.start_in_order(placement, names)
        ordered = sorted(zip(start.nodes, range(len(names)), strict=True))
        nodes = tuple(state for state, _ in ordered)
        return replace(start, nodes=nodes), tuple(names[index] for _, index in ordered)

    def start_in_order(self, placement: Placement, names: Sequence[str]) -> Start:
        """The same with the nodes in a given order."""
        placed = self._placed(placement)
        by_name = {node.metadata.name: node for node in self.nodes}
        nodes = tuple(
            _node_state(self.world, placed, by_name[name], self.shape_of[name]) for name in names
        )
        for component in COMPONENTS:
            nodes = component.equips(self.world, nodes)
        owners = tuple(
            _owner(workload, owner, placement.histories[key_of(owner)], there)
            for workload, owner, there in zip(self.world.owners, self.focus, placed, strict=False)
        )
        nobody = (None,) * (len(self.world.workloads) - len(owners))
        queues = tuple(
            Queue.of(there.queued(workload))
            for workload, there in zip(self.world.workloads, placed, strict=True)
        )
        return Start((*owners, *nobody), queues, nodes)

    def called(self, placement: Placement) -> Iterator[tuple[Workload, Placed]]:
        """Of each workload that has an owner, where its pods are."""
        yield from zip(self.world.owners, self._placed(placement), strict=False)

    def _placed(self, placement: Placement) -> list[Placed]:
        """Where the pods of each workload are, those of nobody's last."""
        found = [
            *(placement.placed[key_of(owner)] for owner in self.focus),
            *(placement.place_of(pod) for pod in self.lone),
        ]
        unready = frozenset(n.metadata.name for n in self.nodes if not is_ready(n))
        beside = [there.beside(unready) for there in found]
        return beside + [NOWHERE] * (len(self.world.workloads) - len(beside))


def _owner(workload: Workload, owner: Any, history: History, placed: Placed) -> OwnerState:
    """What the API has of an owner at the start."""
    parts = tuple(
        Part(
            template=number,
            replicas=history.wanted(number),
            active=placed.count(number, *ACTIVE) + placed.homeless(number),
            available=placed.count(number, Phase.AVAILABLE),
            made=template.made,
        )
        for number, template in enumerate(history.templates)
        if not (history.unmade and number == history.current)
    )
    return kind_of(owner).start(workload, owner, history.current, parts)


def _node_state(world: World, placed: Sequence[Placed], node: Node, shape: int) -> NodeState:
    """The node at the start.

    Of one whose Ready is False the kubelet has said so: it works on no pod, but its machine runs.
    """
    ready, ails = is_ready(node), _ails(node)
    ailment = Ailment.NONE if ready else ails or Ailment.UNREACHABLE
    evicts = any(taint.effect == "NoExecute" for taint in _condition_taints(node))
    pods: Pods = ()
    for workload, there in zip(world.workloads, placed, strict=True):
        for spot, number in there.on_nodes.get(node.metadata.name, {}).items():
            pods = shifted(pods, class_at(workload, spot), spot.phase, number)
    return NodeState(
        shape,
        up=ready,
        ready=ready,
        tainted=ailment,
        evicting=ailment if evicts else Ailment.NONE,
        cordoned=node.spec.unschedulable,
        pods=pods,
        cut_off=bool(ails),
        ails=ails,
        reported=ails,
        unsettled=at_start(node) if world.objects_of(Cloud) else Unsettled.NONE,
    )


def _ails(node: Node) -> Ailment:
    said = {c.type: c.status for c in node.status.conditions or ()}
    return Ailment.NOT_READY if said.get("Ready") == "False" else Ailment.NONE


def _condition_taints(node: Node) -> tuple[Taint, ...]:
    return tuple(t for t in node.spec.taints or () if t.key in CONDITION_TAINTS)


def is_ready(node: Node) -> bool:
    """What the node's Ready condition says; a node that says nothing is taken to be Ready."""
    conditions = {c.type: c.status for c in node.status.conditions or ()}
    return conditions.get("Ready", "True") == "True"


def without_ending(start: Start) -> Start:
    """The start where nobody minds pods that terminate."""
    nodes = (
        node._replace(pods=tuple(g for g in node.pods if g.phase not in ENDING))
        for node in start.nodes
    )
    return replace(start, nodes=tuple(nodes))
