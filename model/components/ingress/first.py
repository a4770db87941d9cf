"""The first request through an Ingress: its controller loads backends once there are any.

Source: internal/ingress/controller/endpointslices.go of ingress-nginx (``getEndpointsFromSlices``):
without a ready endpoint it answers by itself, with 503.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.world import World
from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.rules import followed, ready_endpoints
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from . import decision
from .actions import LOAD_BACKENDS
from .route import BY_INGRESS


class Entrance(NamedTuple):
    """An Ingress with a Service behind it; ``number`` is how steps name it."""

    number: int
    front: Front

    @property
    def cell(self) -> str:
        """The cell that says whether its controller sends requests to pods."""
        return f"backends of {self.front.label}"


def entrances(world: World) -> tuple[Entrance, ...]:
    """All of them that lead to pods in focus."""
    found = (front for front in fronts(world) if front.route == BY_INGRESS)
    return tuple(Entrance(number, front) for number, front in enumerate(found))


def awaited(setting: Setting) -> tuple[Entrance, ...]:
    """Those whose first request is waited for: workloads come that are not there before."""
    return entrances(setting.world) if setting.start.comes and followed(setting) else ()


def load(entrance: Entrance, loaded: bool, ready: int) -> Iterator[Outcome]:  # noqa: FBT001
    """The controller takes over whether there is any ready endpoint."""
    wanted = decision.answers(ready)
    if wanted != loaded:
        why = "the slices have a ready endpoint" if wanted else "the slices have none that is ready"
        about = (("entrance", entrance.number),)
        yield Outcome(LOAD_BACKENDS, {entrance.cell: wanted}, about, why)


def cells(setting: Setting) -> tuple[Cell, ...]:
    """What controllers have loaded at the start."""
    found = awaited(setting)
    return tuple(Cell(e.cell, decision.answers(e.front.beside), bool) for e in found)


def tallies(setting: Setting) -> tuple[Tally, ...]:
    """The ready endpoints behind each."""
    return tuple(ready_endpoints(entrance.front) for entrance in awaited(setting))


def rules(setting: Setting, actor: str) -> tuple[Rule, ...]:
    """What the controller does about each."""
    return tuple(
        Rule(f"load {e.cell}", actor, (e.cell,), partial(load, e), (e.front.tally,))
        for e in awaited(setting)
    )
