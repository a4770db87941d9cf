"""The route controller of a cloud: a Node takes no pods until a route leads to them.

The cloud may refuse one, as there is a quota of them. The condition NetworkUnavailable of the Node
says whether it has its route; the node lifecycle controller takes the taint away that follows it.
Every Node is taken to have its range of addresses of pods.

Source: staging/src/k8s.io/cloud-provider/controllers/route/route_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.columns import MACHINE, UNSETTLED
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.machines import NODELESS, Unsettled
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.components.nodelifecycle.rules import NODE_LIFECYCLE
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from .actions import ACTIONS, CREATE_ROUTE, REFUSE_ROUTES, UNTAINT_NETWORK
from .decision import makes_route, untaints

ROUTE_CONTROLLER = "route-controller"
REFUSED = "routes of the cloud refused"
"""The cell that says whether the cloud makes no more routes."""
WITHOUT_ROUTE = "Nodes without a route"
"""Tally: how many there are, with those whose taint says so still."""

_BOTH = Unsettled.WITHOUT_ROUTE | Unsettled.NETWORK


def followed(setting: Setting) -> bool:
    """Whether any Node is without its route at the start, and its cloud is followed."""
    return any(node.unsettled & _BOTH for node in setting.start.nodes)


def waits(unsettled: Unsettled, machine: int) -> tuple[int]:
    """1 for a Node that is there and takes no pods as no route leads to them, else 0."""
    return (int(machine not in NODELESS and bool(unsettled & _BOTH)),)


def create(refused: bool, unsettled: Unsettled, machine: int) -> Iterator[Outcome]:  # noqa: FBT001
    """The route is made, and the condition says so."""
    has_route = machine in NODELESS or not unsettled & Unsettled.WITHOUT_ROUTE
    if makes_route(has_route=has_route, refused=refused):
        after = unsettled & ~Unsettled.WITHOUT_ROUTE
        yield Outcome(CREATE_ROUTE, {UNSETTLED: after}, (), "no route leads to its pods")


def untaint(unsettled: Unsettled, machine: int) -> Iterator[Outcome]:
    """The taint follows the condition."""
    tainted = machine not in NODELESS and bool(unsettled & Unsettled.NETWORK)
    if untaints(tainted=tainted, unavailable=bool(unsettled & Unsettled.WITHOUT_ROUTE)):
        after = unsettled & ~Unsettled.NETWORK
        yield Outcome(UNTAINT_NETWORK, {UNSETTLED: after}, (), "NetworkUnavailable is False")


_REFUSING = on_cell(
    REFUSE_ROUTES,
    REFUSED,
    lambda _setting, _now: (True, "its quota of them is used up"),
    fault=True,
)


def _refusing(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Where no Node waits for a route nobody notices."""
    return _REFUSING.rules(setting, event, budget) if followed(setting) else iter(())


def _parts(setting: Setting) -> Parts:
    if not followed(setting):
        return NO_PARTS
    seen, told = (UNSETTLED, MACHINE), (UNSETTLED,)
    return Parts(
        cells=(Cell(REFUSED, False, bool),),  # noqa: FBT003 - its value at the start
        tallies=(Tally(WITHOUT_ROUTE, {seen: waits}, 1),),
        rules=(
            Rule("create a route", ROUTE_CONTROLLER, (REFUSED, *seen), create, writes=told),
            Rule("untaint a Node with a route", NODE_LIFECYCLE, seen, untaint, writes=told),
        ),
    )


COMPONENT = Component(
    name="cloudroute",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(EventKind(REFUSE_ROUTES, _refusing, fault=True),),
)
