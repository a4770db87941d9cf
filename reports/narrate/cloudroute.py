"""Nodes without a route to their pods."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.machines import NODELESS, Unsettled
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.components.cloudroute.actions import (
    CREATE_ROUTE,
    REFUSE_ROUTES,
    UNTAINT_NETWORK,
)
from kubelemma.model.components.cloudroute.rules import REFUSED, ROUTE_CONTROLLER
from kubelemma.reports.story import Fact, Idle

from .causes import event
from .scene import Belied, Claim, Seen, Standstill
from .teller import Teller

_BOTH = Unsettled.WITHOUT_ROUTE | Unsettled.NETWORK


def _waiting(seen: Seen) -> tuple[str, ...]:
    nodes = seen.nodes().items()
    return tuple(n for n, s in nodes if s.unsettled & _BOTH and s.machine not in NODELESS)


def _conditions(node: NodeState) -> Iterator[str]:
    if node.unsettled & _BOTH:
        yield "NetworkUnavailable"


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "NetworkUnavailable", str(bool(node.unsettled & Unsettled.WITHOUT_ROUTE))
    tainted = node.unsettled & Unsettled.NETWORK
    yield "taint network-unavailable", "present" if tainted else "absent"


def _idle(end: Standstill) -> Iterator[Idle]:
    if end.acts(ROUTE_CONTROLLER):
        waiting = ", ".join(_waiting(end.seen))
        if waiting:
            yield Idle(ROUTE_CONTROLLER, f"the cloud refuses a route to {waiting}", held_up=True)
        else:
            yield Idle(ROUTE_CONTROLLER, "every Node has its route")


def _unreached(belied: Belied) -> Iterator[Claim]:
    refused = "yes" if belied.seen.value(REFUSED) else "no"
    for name in _waiting(belied.seen):
        yield Claim(
            f"{name} never gets a route to its pods, and takes none",
            (
                Fact(f"NetworkUnavailable of {name}", "True"),
                Fact("the cloud refuses routes", refused),
            ),
        )


TELLER = Teller(
    name="cloudroute",
    sentences={
        REFUSE_ROUTES: "the cloud makes no more routes from now on",
        CREATE_ROUTE: "has the cloud make a route to the pods of {node}, and writes that",
        UNTAINT_NETWORK: "takes the taint network-unavailable away from {node}",
    },
    causes={REFUSE_ROUTES: event("refuseRoutes")},
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
    claims={"CCM-4": _unreached},
)
