"""Concrete names: which pod is where, step by step.

States hold counts of interchangeable pods. Along one run they can be told apart: a step takes pods
from some places and puts pods of the same class into others, so names follow them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubelemma.model.cluster.state import Marks, Queue
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State

NOWHERE = ""
PENDING = -1
"""The phase of a pod that has no node."""


class Place(NamedTuple):
    """Where pods of one class may be: on a node (by name, `NOWHERE` for none), in a phase.

    ``marks`` says what somebody has in mind for them, as in `Marks`.
    """

    pod_class: int
    node: str
    phase: int
    marks: int = 0


class Move(NamedTuple):
    """A named pod that a step created (``before`` None), removed (``after`` None) or moved."""

    pod: str
    before: Place | None
    after: Place | None


@dataclass(frozen=True, slots=True)
class Cast:
    """The names at every place, and how many names each class has used up."""

    scenario: Scenario
    names: Mapping[Place, tuple[str, ...]]
    used: Mapping[int, int]

    def follow(self, before: State, after: State) -> tuple[Cast, tuple[Move, ...]]:
        """The cast after a step, and the pods that it touched."""
        old, new = (Counter(dict(_places(self.scenario, s))) for s in (before, after))
        left = [place for place, n in sorted((old - new).items()) for _ in range(n)]
        reached = [place for place, n in sorted((new - old).items()) for _ in range(n)]
        names = dict(self.names)
        used = dict(self.used)
        moves: list[Move] = []
        for source in left:
            pod, *rest = names[source]
            names[source] = tuple(rest)
            target = next((p for p in reached if p.pod_class == source.pod_class), None)
            if target is not None:
                reached.remove(target)
                names[target] = (*names.get(target, ()), pod)
            moves.append(Move(pod, source, target))
        for target in reached:
            pod = self._fresh(target.pod_class, used)
            names[target] = (*names.get(target, ()), pod)
            moves.append(Move(pod, None, target))
        return Cast(self.scenario, names, used), tuple(moves)

    def _fresh(self, pod_class: int, used: dict[int, int]) -> str:
        used[pod_class] = used.get(pod_class, 0) + 1
        return f"{set_name(self.scenario, pod_class)}-{used[pod_class]}"


def workload_name(scenario: Scenario, workload: Workload) -> str:
    """The name of a workload; with its namespace where the scenario has several."""
    several = len({other.namespace for other in scenario.world.workloads}) > 1
    return f"{workload.namespace}/{workload.name}" if several else workload.name


def set_name(scenario: Scenario, pod_class: int) -> str:
    """The name of the ReplicaSet that owns the pods of a class."""
    found = scenario.world.classes[pod_class]
    workload = scenario.world.workloads[found.workload]
    return replica_set_name(scenario, workload, found.template)


def replica_set_name(scenario: Scenario, workload: Workload, template: int) -> str:
    """The name of the ReplicaSet of a template of a workload."""
    return f"{workload_name(scenario, workload)}-{revision_hash(template)}"


def opening(scenario: Scenario, state: State) -> Cast:
    """Names for all pods of the first state."""
    empty = Cast(scenario, {}, {})
    return empty.follow(blank(scenario, state), state)[0]


def blank(scenario: Scenario, state: State) -> State:
    """The state without any pods."""
    values = list(state)
    for workload in scenario.world.workloads:
        nobody = Queue.of((0,) * len(workload.classes))
        values[scenario.system.positions[workload.queue].start] = nobody
    for position in scenario.system.positions[NODES]:
        values[position] = values[position]._replace(pods=())
    return tuple(values)


def node_name(scenario: Scenario, position: int) -> str:
    """The name of the node at a position of the state."""
    return scenario.node_names[position - scenario.system.positions[NODES].start]


def _places(scenario: Scenario, state: State) -> Iterator[tuple[Place, int]]:
    for workload in scenario.world.workloads:
        queue: Queue = state[scenario.system.positions[workload.queue].start]
        for pod_class, free, chosen in zip(workload.classes, *queue, strict=True):
            if free:
                yield Place(pod_class, NOWHERE, PENDING), free
            if chosen:
                yield Place(pod_class, NOWHERE, PENDING, Marks.CHOSEN), chosen
    for position in scenario.system.positions[NODES]:
        for group in state[position].pods:
            name = node_name(scenario, position)
            yield Place(group.pod_class, name, group.phase, group.marks), group.size
