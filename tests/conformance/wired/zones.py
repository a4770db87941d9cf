"""Passes of the node lifecycle controller over zones: where it evicts, and when it gives up.

The nodes of the model stay, so that only recorded sequences count in which no node comes or goes.
Of a node that is not Ready it makes no difference here what it says.
"""

from __future__ import annotations

from typing import NamedTuple

from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import Ailment, NodeState
from kubelemma.model.cluster.world import NODES, NodeShape, World
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, Lifecycle
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import State, System

from . import AGREES, Case, Found, matched

LARGE, UNHEALTHY = 50, 0.55
"""The default flags: from which size on a zone is large, and which share of nodes disrupts it."""

FLAGS = "flags of the controller that make a difference to the default ones"
COMING = "nodes or zones that come or go"

JUDGED = "zones are judged"
"""The rule that is a pass over all zones."""


class Zones(NamedTuple):
    """After a pass: the zones that evict, and whether taints are lifted from all nodes."""

    evicting: dict[str, bool]
    lifted: bool


def left_out(case: Case) -> str:
    """Why no state of the model says what the case is about; empty if one does."""
    given = case["input"]
    sizes = [len(nodes) for step in given["steps"] for nodes in step.values()]
    threshold = given["largeClusterSizeThreshold"]
    if given["unhealthyZoneThreshold"] != UNHEALTHY or any(
        (size > threshold) != (size > LARGE) for size in sizes
    ):
        return FLAGS
    shapes = [{zone: nodes.keys() for zone, nodes in step.items()} for step in given["steps"]]
    return COMING if any(shape != shapes[0] for shape in shapes) else ""


def compare_rates(case: Case) -> Found:
    """After every pass exactly the zones whose rate is not 0 evict."""
    return _compare(case, "evicting")


def compare_lifting(case: Case) -> Found:
    """Taints are lifted where all zones are fully disrupted, and nowhere else."""
    return _compare(case, "lifted")


def _compare(case: Case, what: str) -> Found:
    reason = left_out(case)
    if reason:
        return Found(skipped=reason)
    system = _system(case["input"]["steps"][0])
    state = system.initial
    for step, expect in zip(case["input"]["steps"], case["expect"]["steps"], strict=True):
        state = passed(system, _observed(system, state, step))
        answer = _answer(system, state, step)
        found = matched(getattr(answer, what), getattr(_expected(expect), what), what)
        if found.difference:
            return found
    return AGREES


def _expected(zones: dict[str, Case]) -> Zones:
    rates = {zone: found["evictionRateAfter"] for zone, found in zones.items()}
    full = all(found["zoneStateAfter"] == "FullDisruption" for found in zones.values())
    return Zones({zone: rate > 0 for zone, rate in rates.items()}, full)


def _system(step: dict[str, dict[str, str]]) -> System:
    """The nodes of each zone are one shape; one node of each is down, or nobody would watch."""
    names = sorted(step)
    shapes = tuple(NodeShape(Node(metadata=ObjectMeta(name=zone)), (), zone) for zone in names)
    sizes = tuple(len(step[zone]) for zone in names)
    world = World((), (), shapes, sizes, frozenset())
    nodes = (
        NodeState(shape, up=i > 0, ready=i > 0) for shape, n in enumerate(sizes) for i in range(n)
    )
    return assemble(world, (Start((), (), tuple(nodes)),), (), Choices())


def _observed(system: System, state: State, step: dict[str, dict[str, str]]) -> State:
    """The state in which so many nodes of each zone are Ready, all others tainted for long."""
    after = list(state)
    left = {zone: [status == "True" for status in nodes.values()] for zone, nodes in step.items()}
    names = sorted(step)
    for position in system.positions[NODES]:
        node: NodeState = state[position]
        ready = left[names[node.shape]].pop()
        evicting = Ailment.NONE if ready else Ailment.UNREACHABLE
        after[position] = node._replace(up=ready, ready=ready, evicting=evicting)
    return tuple(after)


def passed(system: System, state: State) -> State:
    """The state after a pass over all zones."""
    return next((step.state for step in system.successors(state, JUDGED)), state)


def _answer(system: System, state: State, step: dict[str, dict[str, str]]) -> Zones:
    memory = _memory(system, state)
    evicting = {zone: memory.evicts(i) for i, zone in enumerate(sorted(step))}
    return Zones(evicting, memory.all_disrupted)


def _memory(system: System, state: State) -> Lifecycle:
    (position,) = system.positions[LIFECYCLE]
    found: Lifecycle = state[position]
    return found
