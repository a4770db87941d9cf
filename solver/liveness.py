"""Fair loops among the steps of controllers.

Fairness is weak, per task: a run is unfair if some task can act from some point on for ever, and
never does. The states that a run visits infinitely often, and the steps between them that it takes
infinitely often, lie in one strongly connected component. A component with at least one inner step
admits a fair run that stays in it exactly if every task takes a step inside or cannot act in some
of its states; the run that keeps visiting all of it is then fair. A step that changes nothing is a
step: its task has acted.

States that were not expanded have no steps here, so they are in no loop: what is found in a part of
the states is true of the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from kubelemma.model.system import System

from .search import Finding, Goal, Search
from .space import Edges, Hop


def find_loops(system: System, search: Search) -> None:
    """Look for fair loops outside the goals of a search, for the properties that rule them out.

    Where a standstill refutes a property already, a loop takes its place if its stem is shorter.
    """
    names = sorted({rule.fairness for rule in system.rules if not rule.environment})
    numbers = {name: number for number, name in enumerate(names)}
    task_of_move = [numbers.get(move.rule.fairness, -1) for move in search.tables.moves]
    loops = FairLoops(len(search.space), search.edges, task_of_move, len(names))
    for goal in search.goals:
        if goal.must_converge:
            _find_loop(search, goal, loops)


def _find_loop(search: Search, goal: Goal, loops: FairLoops) -> None:
    space, standstill = search.space, goal.track.finding
    start = loops.first_outside(goal.reached[: len(space)])
    if start is None:
        return
    if standstill is None or space.depth(start) < space.depth(standstill.stem):
        search.violated(goal.track, Finding(start, tuple(loops.loop(start)), loop=True))


class FairLoops:
    """The fair strongly connected components of the steps of controllers.

    ``size`` is the number of states, ``task_of_move`` gives the number of each move's task, from
    0 to ``tasks`` - 1; moves of the environment are not among the edges.
    """

    def __init__(self, size: int, edges: Edges, task_of_move: Sequence[int], tasks: int) -> None:
        self._edges = edges
        self._task_of_move = task_of_move
        self._tasks = frozenset(range(tasks))
        count = edges.offsets[-1]
        offsets = np.full(size + 1, count, dtype=np.int64)
        offsets[: len(edges.offsets)] = edges.offsets
        targets = np.asarray(edges.targets)[:count]
        graph = csr_array((np.ones(count, dtype=np.int8), targets, offsets), shape=(size, size))
        _, self._component = connected_components(graph, directed=True, connection="strong")
        sources = np.repeat(np.arange(size), np.diff(offsets))
        acting = np.asarray(task_of_move, dtype=np.int64)[np.asarray(edges.moves)[:count]]
        self._fair = self._fair_states(sources, targets, acting)

    def first_outside(self, goal: bytearray) -> int | None:
        """The first state found that is outside the goal and on a fair loop, if there is one.

        ``goal`` has a byte for each state, zero outside.
        """
        outside = np.flatnonzero(self._fair & (np.frombuffer(goal, dtype=np.uint8) == 0))
        return int(outside[0]) if outside.size else None

    def loop(self, start: int) -> list[Hop]:
        """A short fair loop through a state that is on one."""
        inside = (self._component == self._component[start]).tobytes()
        unmet = self._tasks & self._enabled(start)
        hops: list[Hop] = []
        at = start
        while unmet or at != start or not hops:
            leg = self._way(at, inside, self._meets(unmet) if unmet else lambda h: h.state == start)
            hops += leg
            for hop in leg:
                unmet -= self._met_by(hop)
            at = hops[-1].state
        return hops

    def _fair_states(
        self, sources: NDArray[np.int64], targets: NDArray[np.int32], acting: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which states are in a fair component."""
        component = self._component
        inner = component[sources] == component[targets]
        fair = np.zeros(component.max(initial=-1) + 1, dtype=np.bool_)
        fair[component[sources[inner]]] = True
        for task in self._tasks:
            met = np.zeros_like(fair)
            met[component[sources[inner & (acting == task)]]] = True
            disabled = np.ones(component.size, dtype=np.bool_)
            disabled[sources[acting == task]] = False
            met[component[disabled]] = True
            fair &= met
        return np.asarray(fair[component])

    def _way(self, start: int, inside: bytes, wanted: Callable[[Hop], bool]) -> list[Hop]:
        """A shortest way inside a component that ends with a wanted step."""
        reached_by: dict[int, tuple[int, Hop]] = {}
        queue = deque([start])
        while True:
            source = queue.popleft()
            for hop in self._hops(source):
                if not inside[hop.state]:
                    continue
                if wanted(hop):
                    return [*_back(reached_by, start, source), hop]
                if hop.state not in reached_by:
                    reached_by[hop.state] = (source, hop)
                    queue.append(hop.state)

    def _meets(self, unmet: frozenset[int]) -> Callable[[Hop], bool]:
        return lambda hop: bool(unmet & self._met_by(hop))

    def _met_by(self, hop: Hop) -> frozenset[int]:
        """The tasks to whom a loop is fair if it has this step."""
        disabled = self._tasks - self._enabled(hop.state)
        return disabled | {self._task_of_move[hop.move]}

    def _enabled(self, state: int) -> frozenset[int]:
        return frozenset(self._task_of_move[hop.move] for hop in self._hops(state))

    def _hops(self, state: int) -> list[Hop]:
        edges = self._edges
        entries = slice(edges.offsets[state], edges.offsets[state + 1])
        return list(map(Hop, edges.moves[entries], edges.targets[entries]))


def _back(reached_by: dict[int, tuple[int, Hop]], start: int, state: int) -> list[Hop]:
    hops = []
    while state != start:
        state, hop = reached_by[state]
        hops.append(hop)
    return hops[::-1]
