"""Nodes that somebody deletes, and that their kubelets register again under their names.

A kubelet registers its Node when it starts, and never again: one whose Node is deleted works on,
for pods that are bound to it, until it restarts. The new Node knows nothing of the old one.

Source: pkg/kubelet/kubelet_node_status.go (``registerWithAPIServer``, ``registrationCompleted``),
plugin/pkg/admission/nodetaint/admission.go, which taints each new Node not-ready:NoSchedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import (
    CORDONED,
    EVICTING,
    MACHINE,
    OUT_OF_SERVICE,
    PODS,
    READY,
    REPORTED,
    TAINTED,
    UNSETTLED,
    UP,
)
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Ailment, Pods
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import REMOVE_NODE
from kubelemma.model.components.kubelet.shutdown import may_begin
from kubelemma.model.components.servicelb.decision import Cloud

from .actions import REGISTER_NODE

Changed = Iterator[tuple[dict[str, Any], str, int]]


def _removed(
    _world: World,
    event: Event,
    machine: int,
    cordoned: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
    *_seen: Any,
) -> Changed:
    """The object goes with its taints and conditions; pods that are bound to it do not.

    Whether it was cordoned is kept, though nobody sees it: whoever cordoned it may count on it.
    """
    if machine in NODELESS or not may_begin(event, pods, cordoned=cordoned):
        return
    gone = machine == Machine.MISSING
    health: dict[str, Any] = {READY: False, REPORTED: Ailment.NONE}
    taints = {TAINTED: Ailment.NONE, EVICTING: Ailment.NONE, OUT_OF_SERVICE: False}
    after = Machine.DELETED if gone else Machine.UNREGISTERED
    why = "kubectl delete node asks no budget, and its kubelet does not register it again"
    yield {MACHINE: after, **health, **taints, UNSETTLED: Unsettled.NONE}, why, -1


def _registered(
    world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    machine: int,
    *_seen: Any,
) -> Changed:
    """A new Node is not Ready at first, tainted so, and nobody has cordoned it.

    With a cloud its kubelet taints it until the cloud has said what machine it is.
    """
    if up and machine == Machine.UNREGISTERED:
        new = {READY: False, REPORTED: Ailment.NOT_READY, TAINTED: Ailment.NOT_READY}
        why = "its kubelet restarts and registers it: a new Node, which nobody has cordoned"
        waits = Unsettled.UNINITIALIZED if world.objects_of(Cloud) else Unsettled.NONE
        yield {MACHINE: Machine.THERE, CORDONED: False, UNSETTLED: waits, **new}, why, -1


_HEALTH = (READY, REPORTED, TAINTED)

EVENTS = (
    on_node(
        REMOVE_NODE,
        _removed,
        (MACHINE, CORDONED, PODS, *_HEALTH, EVICTING, OUT_OF_SERVICE, UNSETTLED),
        writes=(MACHINE, *_HEALTH, EVICTING, OUT_OF_SERVICE, UNSETTLED),
        undone_by=REGISTER_NODE,
    )._replace(given="deleteNode"),
    on_node(
        REGISTER_NODE,
        _registered,
        (UP, MACHINE, CORDONED, *_HEALTH, UNSETTLED),
        writes=(MACHINE, CORDONED, *_HEALTH, UNSETTLED),
        fault=True,
    ),
)
