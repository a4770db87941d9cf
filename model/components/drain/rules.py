"""``kubectl drain``: somebody cordons a node, lists its pods, and deletes these.

Source: staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.cluster.component import Component, all_nodes_alike, never
from kubelemma.model.cluster.events import USER, on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import ACTIVE, Marks, NodeState, Phase, remarked
from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.system import Outcome, Rule


def _drain(_world: World, _event: Event, node: NodeState) -> Iterator[tuple[NodeState, str, int]]:
    """It cordons the node, then lists its pods, once: whatever arrives later is left alone.

    Source: staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go, ``RunDrain``. Both are one step: no
    pod that respects the cordon arrives in between, and others might have been there before.
    """
    pods = node.pods
    for group in node.pods:
        if Phase(group.phase) in ACTIVE:
            for _ in range(group.size):
                pods = remarked(pods, group, group.marks | Marks.LISTED)
    after = node._replace(cordoned=True, pods=pods)
    if after != node:
        yield after, "kubectl drain cordons the node and lists its pods", -1


def _deletes(setting: Setting) -> Iterator[Rule]:
    outcomes = partial(_drain_delete, setting.world)
    yield Rule("drain deletes a pod", USER, (NODES,), outcomes, environment=True)


def _drain_delete(world: World, node: NodeState) -> Iterator[Outcome]:
    for group in node.pods:
        if group.marks & Marks.LISTED:
            writes = {NODES: node._replace(pods=world.deleted(node.pods, group))}
            why = "kubectl drain had listed it"
            yield Outcome("drain-delete", writes, (("class", group.pod_class),), why)


COMPONENT = Component(
    name="drain",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    events=(on_node("drain", _drain, undone_by="uncordon", then=_deletes),),
)
