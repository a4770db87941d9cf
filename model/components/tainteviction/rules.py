"""The taint eviction controller: pods that do not tolerate a NoExecute taint are deleted.

Source: pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import msgspec

from kubelemma.model.cluster.columns import EVICTING, PODS, READY, SHOWN, TAINTED
from kubelemma.model.cluster.component import NO_PARTS, Component, Crowd, Parts, Telling, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import ACTIVE, Ailment, Phase, ShownNode
from kubelemma.model.cluster.world import NodeShape, World
from kubelemma.model.components.nodelifecycle.rules import nodes_fail
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, EVICT

TAINT_EVICTION = "taint-eviction-controller"


def eviction(world: World) -> Rule:
    """The rule of the controller."""
    cells, writes = (READY, *SHOWN), (TAINTED, EVICTING, PODS)
    act = partial(_evict, world)
    return Rule("tolerationSeconds run out", TAINT_EVICTION, cells, act, writes=writes, each=PODS)


def _evict(world: World, ready: bool, *shown: Any) -> Iterator[Outcome]:  # noqa: FBT001
    """Delete a pod that does not tolerate a NoExecute taint for ever; time is order."""
    node = ShownNode(*shown)
    for group in node.pods:
        seconds = world.evicted_after(group.pod_class, node)
        if seconds is None or Phase(group.phase) not in ACTIVE:
            continue
        elsewhere = world.evicted_after(group.pod_class, node._replace(evicting=Ailment.NONE))
        after = _after_window(node, seconds, ready=ready) if elsewhere is None else node
        if after is None:
            continue
        why = f"it tolerates the node's NoExecute taint for {seconds} s only, and they are over"
        if seconds == 0:
            why = "it does not tolerate the node's NoExecute taint"
        writes: dict[str, Any] = {PODS: world.deleted(node.pods, group)}
        if after != node:
            writes |= {TAINTED: after.tainted, EVICTING: after.evicting}
        yield Outcome(EVICT, writes, (("class", group.pod_class),), why)


def _after_window(node: ShownNode, seconds: int, *, ready: bool) -> ShownNode | None:
    """The node when a pod is evicted that tolerates its taint for so many seconds.

    Between the two taints pods may be bound that tolerate NoExecute for a time. The other write
    comes within moments, long before any of their seconds are over: None. Who tolerates it for 0 s
    is evicted again at once (kubernetes#112930), and then the other write comes; so this happens
    once each time, where the real controllers leave time for a few more.
    """
    if ready:
        return None if seconds else node._replace(evicting=Ailment.NONE)
    if not node.tainted & ~Ailment.MEMORY_PRESSURE:
        return None if seconds else node._replace(tainted=node.tainted | node.evicting)
    return node


def _parts(setting: Setting) -> Parts:
    """Only where a node may fail, or carries a taint that evicts."""
    shapes = setting.world.shapes
    evicts = any(t.effect == "NoExecute" for s in shapes for t in s.node.spec.taints or ())
    there = nodes_fail(setting) or evicts
    return Parts(rules=(eviction(setting.world),)) if there else NO_PARTS


def _by_taints(_crowd: Crowd) -> Telling:
    def telling(shape: NodeShape) -> Hashable:
        taints = [t for t in shape.node.spec.taints or () if t.effect == "NoExecute"]
        return msgspec.json.encode(taints)

    return telling


COMPONENT = Component(
    name="tainteviction",
    distinguishes=_by_taints,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
)
