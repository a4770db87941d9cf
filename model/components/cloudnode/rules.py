"""The cloud node controller: a new Node waits until its cloud says what machine it is.

Its kubelet registers it with a taint that keeps all pods away. The controller asks the cloud for
the machine, writes provider id, addresses and the labels of zone, region and type, and takes the
taint away, all in one write. A cloud that does not find the machine keeps it waiting.

Source: staging/src/k8s.io/cloud-provider/controllers/node/node_controller.go (``syncNode``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.columns import MACHINE, UNSETTLED
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import REMOVE_NODE
from kubelemma.model.components.servicelb.decision import Cloud
from kubelemma.model.system import Outcome, Rule, Tally

from .actions import ACTIONS, INITIALIZE_NODE, MACHINE_UNKNOWN
from .decision import initializes

CLOUD_NODE = "cloud-node-controller"
WAITING = "Nodes that wait to be initialised"
"""Tally: how many there are."""


def followed(setting: Setting) -> bool:
    """Whether any Node is new at the start or registered later, and its cloud is followed."""
    new = any(node.unsettled & Unsettled.UNINITIALIZED for node in setting.start.nodes)
    comes = setting.may_happen(REMOVE_NODE) and bool(setting.world.objects_of(Cloud))
    return new or comes


def waits(unsettled: Unsettled, machine: int) -> tuple[int]:
    """1 for a Node that is there and has yet to be initialised, else 0."""
    there = machine not in NODELESS
    return (int(there and bool(unsettled & Unsettled.UNINITIALIZED)),)


def initialize(unsettled: Unsettled, machine: int) -> Iterator[Outcome]:
    """The Node gets what its cloud says of the machine, and loses the taint."""
    known = machine in (Machine.THERE, Machine.STOPPED)
    if initializes(tainted=bool(unsettled & Unsettled.UNINITIALIZED), known=known):
        after = unsettled & ~Unsettled.UNINITIALIZED
        why = "the cloud says what machine it is, where, and by which addresses it is reached"
        yield Outcome(INITIALIZE_NODE, {UNSETTLED: after}, (), why)


def _unknown(
    _world: World, _event: Event, unsettled: Unsettled, machine: int
) -> Iterator[tuple[dict[str, int], str, int]]:
    if unsettled & Unsettled.UNINITIALIZED and machine == Machine.THERE:
        why = "its name is another one there, or the controller may not look"
        yield {MACHINE: Machine.MISSING}, why, -1


def _parts(setting: Setting) -> Parts:
    if not followed(setting):
        return NO_PARTS
    seen = (UNSETTLED, MACHINE)
    rule = Rule("initialise a Node", CLOUD_NODE, seen, initialize, writes=(UNSETTLED,))
    return Parts(tallies=(Tally(WAITING, {seen: waits}, 1),), rules=(rule,))


COMPONENT = Component(
    name="cloudnode",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(
        on_node(MACHINE_UNKNOWN, _unknown, (UNSETTLED, MACHINE), writes=(MACHINE,), fault=True),
    ),
)
