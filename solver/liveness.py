"""Fair loops among the steps of controllers.

Fairness is weak, per task: a run is unfair if some task can act from some point on for ever, and
never does. The states that a run visits infinitely often, and the steps between them that it takes
infinitely often, lie in one strongly connected component. A component with at least one inner step
admits a fair run that stays in it exactly if every task takes a step inside or cannot act in some
of its states; the run that keeps visiting all of it is then fair. A step that changes nothing is a
step: its task has acted.

Steps that are known to be on no loop may be left out, as long as it is known who can act where.
States that were not gone through have no steps here, so they are in no loop: what is found in a
part of the states is true of the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from .search import Finding, Goal, Search
from .space import TASK_BITS, Hop, Links, Ways


def find_loops(search: Search, links: Links) -> None:
    """Look for fair loops outside the goals of a search, for the properties that rule them out.

    Where a standstill refutes a property already, a loop takes its place if its stem is shorter.
    """
    loops = FairLoops(len(search.space), links)
    for goal in search.goals:
        if goal.must_converge:
            _find_loop(search, goal, loops)


def _find_loop(search: Search, goal: Goal, loops: FairLoops) -> None:
    space, standstill = search.space, goal.track.finding
    start = loops.first_outside(goal.reached[: len(space)])
    if start is None:
        return
    if standstill is None or space.depth(start) < space.depth(standstill.stem):
        search.violated(goal.track, Finding(start, tuple(loops.loop(start)), loop=0))


def edges_from(
    ways: Ways, states: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All edges that leave these states: where in ``states`` each begins, and its number."""
    first = ways.offsets[states]
    counts = ways.offsets[states + 1] - first
    sources = np.repeat(np.arange(states.size), counts)
    begins = np.cumsum(counts) - counts
    return sources, np.arange(sources.size) - np.repeat(begins, counts) + np.repeat(first, counts)


@dataclass(frozen=True, slots=True)
class _Components:
    """The strongly connected components among some states; ``of`` has that of each of them."""

    states: NDArray[np.int64]
    of: NDArray[np.int32]

    def members(self, state: int) -> NDArray[np.int64]:
        """All states in the component of this one; itself if it is none of the states."""
        at = int(np.searchsorted(self.states, state))
        if at == self.states.size or self.states[at] != state:
            return np.array([state])
        members: NDArray[np.int64] = self.states[self.of == self.of[at]]
        return members


class FairLoops:
    """The fair strongly connected components of the steps of controllers.

    ``size`` is the number of states; ``fair`` says of each whether it is on a fair loop.
    """

    def __init__(self, size: int, links: Links) -> None:
        self._links = links
        self._size = size
        self._tasks = frozenset(range(links.task_count))
        self.fair = np.zeros(size, dtype=np.bool_)
        self.fair[links.alone] = True
        core = np.arange(size) if links.core is None else links.core
        self._components = _Components(core, np.zeros(0, dtype=np.int32))
        if core.size:
            self._find_components(core)

    def first_outside(self, goal: bytearray) -> int | None:
        """The first state found that is outside the goal and on a fair loop, if there is one.

        ``goal`` has a byte for each state, zero outside.
        """
        outside = np.flatnonzero(self.fair & (np.frombuffer(goal, dtype=np.uint8) == 0))
        return int(outside[0]) if outside.size else None

    def loop(self, start: int) -> list[Hop]:
        """A short fair loop through a state that is on one."""
        inside = np.zeros(self._size, dtype=np.bool_)
        inside[self._components.members(start)] = True
        unmet = self._tasks & self._enabled(start)
        hops: list[Hop] = []
        at = start
        while unmet or at != start or not hops:
            way = self._way(at, inside, self._meets(unmet) if unmet else self._leads_to(start))
            for _, edge in way:
                unmet -= self._met_by(edge)
                at = int(self._links.targets[edge])
                hops.append(Hop(int(self._links.moves[edge]), at))
        return hops

    def _find_components(self, core: NDArray[np.int64]) -> None:
        """Find the components among these states, and which of them are fair."""
        links = self._links
        sources, edges = edges_from(links, core)
        targets = np.minimum(np.searchsorted(core, links.targets[edges]), core.size - 1)
        inside = core[targets] == links.targets[edges]
        graph = csr_array(
            (np.ones(int(inside.sum()), dtype=np.bool_), (sources[inside], targets[inside])),
            shape=(core.size, core.size),
        )
        _, of = connected_components(graph, directed=True, connection="strong")
        self._components = _Components(core, of)
        inner = inside & (of[sources] == of[targets])
        acting = links.tasks[links.moves[edges]]
        self.fair[core] |= self._fair_components(of, sources, inner, acting)[of]

    def _fair_components(
        self,
        component: NDArray[np.int32],
        sources: NDArray[np.int64],
        inner: NDArray[np.bool_],
        acting: NDArray[np.int32],
    ) -> NDArray[np.bool_]:
        """Which components are fair; ``sources`` and ``acting`` are those of all their steps."""
        fair = np.zeros(component.max(initial=-1) + 1, dtype=np.bool_)
        fair[component[sources[inner]]] = True
        core = self._components.states
        pressing = np.zeros(core.size, dtype=np.bool_)
        for task in self._links.urgent:
            pressing |= self._can_act(task, core)
        for task in self._tasks:
            met = np.zeros_like(fair)
            met[component[sources[inner & (acting == task)]]] = True
            met[component[~(self._can_act(task, core) | pressing)]] = True
            fair &= met
        return fair

    def _can_act(self, task: int, states: NDArray[np.int64]) -> NDArray[np.bool_]:
        """In which of these states a task can act."""
        words = self._links.enabled[states, task // TASK_BITS]
        able: NDArray[np.bool_] = (words >> task % TASK_BITS & 1).astype(np.bool_)
        return able

    def _way(
        self, start: int, inside: NDArray[np.bool_], wanted: Callable[[int], bool]
    ) -> list[tuple[int, int]]:
        """A shortest way inside a component that ends with a wanted edge: sources and edges."""
        reached_by: dict[int, tuple[int, int]] = {}
        queue = deque([start])
        while True:
            source = queue.popleft()
            for edge in self._edges_of(source):
                target = int(self._links.targets[edge])
                if not inside[target]:
                    continue
                if wanted(edge):
                    return [*_back(reached_by, start, source), (source, edge)]
                if target not in reached_by:
                    reached_by[target] = (source, edge)
                    queue.append(target)

    def _meets(self, unmet: frozenset[int]) -> Callable[[int], bool]:
        return lambda edge: bool(unmet & self._met_by(edge))

    def _leads_to(self, state: int) -> Callable[[int], bool]:
        return lambda edge: int(self._links.targets[edge]) == state

    def _met_by(self, edge: int) -> frozenset[int]:
        """The tasks to whom a loop is fair if it has this edge."""
        disabled = self._tasks - self._enabled(int(self._links.targets[edge]))
        return disabled | {int(self._links.tasks[self._links.moves[edge]])}

    def _enabled(self, state: int) -> frozenset[int]:
        """The tasks that can act in a state, or wait there for an urgent one."""
        words = self._links.enabled[state].tolist()
        acting = frozenset(
            task for task in self._tasks if words[task // TASK_BITS] >> task % TASK_BITS & 1
        )
        return self._tasks if acting & self._links.urgent else acting

    def _edges_of(self, state: int) -> range:
        offsets = self._links.offsets
        return range(int(offsets[state]), int(offsets[state + 1]))


def _back(reached_by: dict[int, tuple[int, int]], start: int, state: int) -> list[tuple[int, int]]:
    way = []
    while state != start:
        source, edge = reached_by[state]
        way.append((source, edge))
        state = source
    return way[::-1]
