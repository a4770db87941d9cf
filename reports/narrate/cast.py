"""Concrete names: which pod is where, step by step.

States hold counts of interchangeable pods. Along one run they can be told apart: a step takes pods
from some places and puts pods of the same class into others, so names follow them. No step removes
a pod and makes another: one that is of another class then has other labels, or another owner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubelemma.model.cluster.snapshot import Place, Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State

from .names import given_name, owner_name, pod_name


class Move(NamedTuple):
    """A named pod that a step created (``before`` None), removed (``after`` None) or moved."""

    pod: str
    before: Place | None
    after: Place | None


@dataclass(frozen=True, slots=True)
class Cast:
    """The names at every place, and how many names each owner has used up."""

    scenario: Scenario
    names: Mapping[Place, tuple[str, ...]]
    used: Mapping[str, int]

    def follow(self, before: State, after: State) -> tuple[Cast, tuple[Move, ...]]:
        """The cast after a step, and the pods that it touched."""
        old, new = (Snapshot(self.scenario, state).places() for state in (before, after))
        return self.moved(old, new)

    def moved(
        self, before: Mapping[Place, int], after: Mapping[Place, int]
    ) -> tuple[Cast, tuple[Move, ...]]:
        """The cast when there are other pods at some places, and the pods that this is about."""
        old, new = Counter(before), Counter(after)
        left = [place for place, n in sorted((old - new).items()) for _ in range(n)]
        reached = [place for place, n in sorted((new - old).items()) for _ in range(n)]
        names = dict(self.names)
        used = dict(self.used)
        moves: list[Move] = []
        for source in left:
            pod, *rest = names[source]
            names[source] = tuple(rest)
            alike = (p for p in reached if p.pod_class == source.pod_class)
            target = next(alike, next(iter(reached), None))
            if target is not None:
                reached.remove(target)
                names[target] = (*names.get(target, ()), pod)
            moves.append(Move(pod, source, target))
        for target in reached:
            pod = self._fresh(target.pod_class, used)
            names[target] = (*names.get(target, ()), pod)
            moves.append(Move(pod, None, target))
        return Cast(self.scenario, names, used), tuple(moves)

    def _fresh(self, pod_class: int, used: dict[str, int]) -> str:
        """The next name of its owner's pods that no pod of the input has, or that of its identity.

        The latter a pod of the input may have had before it.
        """
        world = self.scenario.world
        if world.classes[pod_class].ordinal >= 0:
            return pod_name(world, pod_class, 1)
        stem = owner_name(world, pod_class)
        while True:
            used[stem] = used.get(stem, 0) + 1
            name = pod_name(world, pod_class, used[stem])
            if not self._is_taken(pod_class, name):
                return name

    def _is_taken(self, pod_class: int, name: str) -> bool:
        workload = self.scenario.world.workloads[self.scenario.world.classes[pod_class].workload]
        own = (workload.namespace, name.removeprefix(f"{workload.namespace}/"))
        return bool(workload.templates) and own in self.scenario.taken


def opening(scenario: Scenario, state: State) -> Cast:
    """Names for all pods of the first state: those of the input are called as they are there."""
    places = Snapshot(scenario, state).places()
    first = state == scenario.system.initial
    given = {
        place: tuple(given_name(scenario.world, place.pod_class, name) for name in names)
        for place, names in (scenario.called if first else ())
        if len(names) == places.get(place)
    }
    known = {place: number for place, number in places.items() if place in given}
    return Cast(scenario, given, {}).moved(known, places)[0]
