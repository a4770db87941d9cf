"""The network between zones, which may break while all nodes reach the API server.

No component of the control plane sees that: nodes and pods stay Ready, and kube-proxies send as
before. So it is but a mark, and what becomes of traffic is a matter of who sends to whom then.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import PODS, SHAPE
from kubelemma.model.cluster.component import Crowd, Telling
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import Pods, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.endpointslice.fronts import Front, stands_ready
from kubelemma.model.components.endpointslice.rules import SERVING
from kubelemma.model.components.endpointslice.rules import followed as traffic_of
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.system import Tally

from .actions import ZONE_SPLIT

BETWEEN = "network between zones"
"""The cell with a `Between`."""


class Between(NamedTuple):
    """The network between zones; ``parted``: no connection gets from one to another."""

    parted: bool = False


def followed(setting: Setting) -> tuple[Front, ...]:
    """The Services whose ready endpoints are counted by zone."""
    if not setting.may_happen(ZONE_SPLIT):
        return ()
    return tuple(front for front in traffic_of(setting) if front.route == BY_PROXY)


def tally_name(front: Front) -> str:
    """The name of the tally of its ready endpoints in each zone."""
    return f"ready endpoints of {front.label} by zone"


def by_zone(world: World, front: Front) -> Tally:
    """How many ready endpoints a Service has in each zone, those that stand by among them."""
    every = world.zones()
    at = [every.index(shape.zone) for shape in world.shapes]
    beside = [0] * len(every)
    for zone, shape, size in zip(at, world.shapes, world.sizes, strict=True):
        beside[zone] += size * sum(stands_ready(front.service, pod) for pod in shape.standing)

    def measure(shape: int, pods: Pods) -> tuple[int, ...]:
        found = [0] * len(every)
        found[at[shape]] = sum(count(pods, index, SERVING) for index in front.classes)
        return tuple(found)

    def reduced(total: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(own + more for own, more in zip(total, beside, strict=True))

    return Tally(tally_name(front), {(SHAPE, PODS): measure}, len(every), reduced, each=PODS)


def own_zone(_crowd: Crowd) -> Telling:
    """By what nodes are told apart: by their zones."""
    return lambda shape: shape.zone


def _part(_setting: Setting, between: Any) -> tuple[Between, str]:
    return between._replace(parted=True), "all nodes reach the API server, so nobody notices"


EVENT = on_cell(ZONE_SPLIT, BETWEEN, _part, fault=True)
