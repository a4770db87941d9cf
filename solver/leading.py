"""Leads-to: whether the goal can stay away for ever once the premise held.

From every state in which the premise holds outside the goal, all steps are followed, users' and
faults' too, as long as they do not reach the goal: the states on these ways *owe* it. It stays away
for ever if only the environment can act in one of them, or if one is on a fair loop of controllers
that keeps to them. So components are those among the states that owe, but who can act in a state is
asked of all its steps, also of those that reach the goal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .liveness import FairLoops, edges_from
from .search import Duty, Finding, Search
from .space import DUE, MET, Hop, Links, Ways

NOWHERE = -1
"""The place of a state that owes nothing, and the one before a state where the premise holds."""


def find_unmet(
    search: Search, duties: Iterable[Duty], ways: tuple[Links, Ways], *, turning: bool
) -> None:
    """Look for ways on which a premise holds and its goal is never reached after that.

    ``ways`` are all steps of controllers, and those of the environment. There may be loops only if
    ``turning``. Of all standstills one with a shortest way is told of; a loop, if the way to it is
    shorter.
    """
    for duty in duties:
        finding = _unmet(search, ways, duty, turning=turning)
        if finding is not None:
            search.violated(duty.track, finding)


def _unmet(
    search: Search, ways: tuple[Links, Ways], duty: Duty, *, turning: bool
) -> Finding | None:
    links, met = ways[0], search.met(duty)
    owing = _follow(search, ways, met)
    states = np.flatnonzero(owing.steps != NOWHERE)
    stuck = owing.nearest(states[links.offsets[states] == links.offsets[states + 1]])
    if turning:
        loops = FairLoops(met.size, _among(links, states))
        round_ = owing.nearest(np.flatnonzero(loops.fair))
        if round_ is not None and (stuck is None or owing.steps[round_] < owing.steps[stuck]):
            start, lead = owing.way(ways, round_)
            return Finding(start, (*lead, *loops.loop(round_)), loop=len(lead))
    return None if stuck is None else Finding(*owing.way(ways, stuck))


def _among(links: Links, states: NDArray[np.int64]) -> Links:
    """The links for a search for loops that keep to some states."""
    core = states
    if links.core is not None:
        core = np.intersect1d(states, np.append(links.core, links.alone))
    return replace(links, core=core, alone=[])


@dataclass(frozen=True, slots=True)
class _Owing:
    """Of each state the steps to it on a shortest way on which the goal is due, or `NOWHERE`.

    ``before`` has the state before it on that way, `NOWHERE` where the premise holds: there any
    shortest way to the state will do.
    """

    steps: NDArray[np.int32]
    before: NDArray[np.int32]

    def nearest(self, states: NDArray[np.int64]) -> int | None:
        """The first of these states with a shortest way."""
        return int(states[np.argmin(self.steps[states])]) if states.size else None

    def way(self, ways: Sequence[Ways], state: int) -> tuple[int, tuple[Hop, ...]]:
        """A state where the premise holds, and the steps from there to this one."""
        hops: list[Hop] = []
        while (before := int(self.before[state])) != NOWHERE:
            hops.append(_hop(ways, before, state))
            state = before
        return state, tuple(hops[::-1])


def _follow(search: Search, ways: Sequence[Ways], met: NDArray[np.uint8]) -> _Owing:
    """Breadth-first from all states where the premise holds; each joins at its own depth."""
    owing = _Owing(
        np.full(met.size, NOWHERE, dtype=np.int32), np.full(met.size, NOWHERE, dtype=np.int32)
    )
    due = np.flatnonzero(met == DUE)
    depths = np.searchsorted(search.space.levels, due, side="right") - 1
    level, depth, joined = due[:0], 0, 0
    while level.size or joined < due.size:
        if not level.size:
            depth = int(depths[joined])
        end = int(np.searchsorted(depths, depth, side="right"))
        level, joined = np.union1d(level, due[joined:end]), end
        owing.steps[level] = depth
        depth += 1
        level = _next_level(ways, level, met, owing, depth)
    return owing


def _next_level(
    ways: Sequence[Ways],
    level: NDArray[np.int64],
    met: NDArray[np.uint8],
    owing: _Owing,
    depth: int,
) -> NDArray[np.int64]:
    """The states that these lead to without reaching the goal, and that were not met before."""
    found = []
    for kind in ways:
        sources, edges = edges_from(kind, level)
        targets = kind.targets[edges].astype(np.int64)
        fresh = (met[targets] != MET) & (owing.steps[targets] == NOWHERE)
        targets, first = np.unique(targets[fresh], return_index=True)
        owing.steps[targets] = depth
        owing.before[targets] = level[sources[fresh][first]]
        found.append(targets)
    return np.concatenate(found)


def _hop(ways: Sequence[Ways], source: int, target: int) -> Hop:
    """A step from one state to another."""
    return next(
        Hop(int(kind.moves[edge]), target)
        for kind in ways
        for edge in range(int(kind.offsets[source]), int(kind.offsets[source + 1]))
        if kind.targets[edge] == target
    )
