"""New Nodes, which a cloud has yet to say the machine of."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.clouds import UNINITIALIZED
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.components.cloudnode.actions import INITIALIZE_NODE, MACHINE_UNKNOWN
from kubelemma.model.components.cloudnode.rules import CLOUD_NODE
from kubelemma.reports.story import Fact, Idle

from .causes import event
from .scene import Belied, Claim, Seen, Standstill
from .teller import Teller


def _waiting(seen: Seen) -> dict[str, NodeState]:
    nodes = seen.nodes().items()
    return {
        name: node
        for name, node in nodes
        if node.unsettled & Unsettled.UNINITIALIZED and node.machine not in NODELESS
    }


def _conditions(node: NodeState) -> Iterator[str]:
    if node.unsettled & Unsettled.UNINITIALIZED:
        yield "uninitialized"


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "initialised", "no" if node.unsettled & Unsettled.UNINITIALIZED else "yes"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(CLOUD_NODE):
        unknown = ", ".join(_waiting(end.seen))
        if unknown:
            yield Idle(CLOUD_NODE, f"the cloud has no machine of {unknown}", held_up=True)
        else:
            yield Idle(CLOUD_NODE, "every Node is initialised")


def _waits(belied: Belied) -> Iterator[Claim]:
    for name, node in _waiting(belied.seen).items():
        known = node.machine in (Machine.THERE, Machine.STOPPED)
        yield Claim(
            f"{name} is never initialised, and takes no pods",
            (
                Fact(f"taint of {name}", f"{UNINITIALIZED}:NoSchedule"),
                Fact(f"machine of {name} in the cloud", "there" if known else "not found"),
            ),
        )


TELLER = Teller(
    name="cloudnode",
    sentences={
        MACHINE_UNKNOWN: "the cloud does not find the machine of {node}",
        INITIALIZE_NODE: "initialises {node}: provider id, addresses, labels, and its taint goes",
    },
    causes={MACHINE_UNKNOWN: event("machineUnknown")},
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
    claims={"CCM-2": _waits},
)
