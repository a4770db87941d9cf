"""The cluster at one moment of a run, with the names that the story uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from kubelemma.model.cluster.owners import revision_hash
from kubelemma.model.cluster.snapshot import Place, Snapshot
from kubelemma.model.cluster.state import NodeState, Phase
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.reports.picture import AnyBox, NodeBox, Picture, PodBox

from .amounts import usages
from .cast import Cast
from .names import full_name
from .phases import PHASES
from .tellers import TELLERS
from .written import Written

_UNKNOWN = Written()
_STILL = " (still running)"
"""Behind the name of a pod that the API does not show any more: another may be called so."""

Observer: TypeAlias = Callable[[State, Cast], Picture]
"""Gives the picture of a state, whose pods the cast names."""


def observer(scenario: Scenario, written: Written = _UNKNOWN) -> Observer:
    """A function that gives pictures, and looks at every state of a node only once."""
    looks = [teller.boxes(scenario, written) for teller in TELLERS]

    @cache
    def node_box(name: str, node: NodeState) -> NodeBox:
        return _node_box(scenario, name, node)

    def boxes(state: State, cast: Cast) -> Iterator[AnyBox]:
        seen = Snapshot(scenario, state)
        for look in looks:
            yield from look(seen, cast)
        yield from (node_box(name, node) for name, node in seen.nodes().items())
        yield from _pod_boxes(scenario, cast)

    return lambda state, cast: Picture.of(boxes(state, cast))


def _pod_boxes(scenario: Scenario, cast: Cast) -> Iterator[PodBox]:
    for place, names in cast.names.items():
        for name in names:
            yield _pod_box(scenario, place, name)


def _pod_box(scenario: Scenario, place: Place, name: str) -> PodBox:
    pod_class = scenario.world.classes[place.pod_class]
    workload = scenario.world.workloads[pod_class.workload]
    still = _STILL if place.phase == Phase.LINGERING else ""
    return PodBox(
        name=f"{workload.namespace}/{name.rpartition('/')[2]}{still}",
        workload=full_name(workload),
        version=revision_hash(pod_class.template),
        phase=PHASES[place.phase],
        node=place.node,
    )


def _node_box(scenario: Scenario, name: str, node: NodeState) -> NodeBox:
    shape = scenario.world.shapes[node.shape]
    return NodeBox(
        name=name,
        zone=shape.zone,
        conditions=tuple(words for teller in TELLERS for words in teller.conditions(node)),
        standing=len(shape.standing),
        usage=tuple(usages(scenario.world.node_info(node))),
    )
