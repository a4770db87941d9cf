"""What a breadth-first search has found so far, as plain arrays.

States are known by their index, in the order in which they were found. An interrupt may come
between any two writes: the entry in ``index`` is written last, and only what it has counts.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .numbering import Ids

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


DUE, MET, CLEAR = range(3)
"""What a leads-to says of a state: the premise holds outside the goal, the goal holds, neither."""


TASK_BITS = 62
"""The tasks that a word has bits for."""


class Hop(NamedTuple):
    """A step to a state: the number of the move, the index of the state that it leads to."""

    move: int
    state: int


def _integers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Edges:
    """Steps between states, either of controllers or of the environment, by the state they leave.

    Those of state ``n`` are the entries ``offsets[n]`` to ``offsets[n + 1]``; states with no such
    entry have not been gone through.
    """

    offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    targets: array[int] = field(default_factory=lambda: array("i"))
    moves: array[int] = field(default_factory=lambda: array("i"))

    def add(self, move: int, target: int) -> None:
        """A step from the state that is being gone through."""
        self.targets.append(target)
        self.moves.append(move)

    def close(self) -> None:
        """All steps from the state that is being gone through have been added."""
        self.offsets.append(len(self.targets))

    def ways(self, size: int) -> Ways:
        """The edges that were closed, of so many states."""
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        count = self.offsets[-1]
        offsets = np.full(size + 1, count, dtype=np.int64)
        offsets[: len(self.offsets)] = self.offsets
        return Ways(
            offsets=offsets,
            targets=np.asarray(self.targets, dtype=np.int32)[:count],
            moves=np.asarray(self.moves, dtype=np.int32)[:count],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Steps between all states found, either of controllers or of the environment.

    The edges of state ``n`` are ``offsets[n]`` to ``offsets[n + 1]``; each has a target, and the
    number of its move.
    """

    offsets: NDArray[np.int64]
    targets: NDArray[np.int32]
    moves: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links(Ways):
    """Steps of controllers that may be part of a loop.

    ``tasks`` has for each move the number of the task that it is of, below ``task_count``, or -1.
    ``enabled`` has words
    of `TASK_BITS` bits for each state, with a bit for each task that can act there, be it by a step
    that is no edge. Where a task in ``urgent`` can act all others wait for it, and count as able to
    act. Only states in ``core`` (in order; None: all) can be on loops with others. Those in
    ``alone`` have steps to themselves that make a fair run, and are not in ``core``.
    """

    tasks: NDArray[np.int32]
    task_count: int
    enabled: NDArray[np.int64]
    urgent: frozenset[int] = frozenset()
    core: NDArray[np.int64] | None = None
    alone: NDArray[np.int64] | list[int] = field(default_factory=list)


@dataclass(slots=True)
class Space:
    """All states found: canonical, with their summaries, and how each was first reached."""

    index: dict[Ids, int] = field(default_factory=dict)
    states: list[Ids] = field(default_factory=list)
    summaries: list[Ids] = field(default_factory=list)
    _parents: array[int] = field(default_factory=_integers)
    _moves: array[int] = field(default_factory=_integers)
    levels: list[int] = field(default_factory=lambda: [0])
    roots: int = 1

    def __len__(self) -> int:
        return len(self.index)

    def add(self, ids: Ids, summary: Ids, parent: int, move: int) -> int:
        """Append a state that counts once ``index`` has it too; gives its index."""
        self.states.append(ids)
        self.summaries.append(summary)
        self._parents.append(parent)
        self._moves.append(move)
        return len(self.states) - 1

    def next_level(self) -> range:
        """The states to expand next: all that were found and do not belong to an earlier level."""
        level = range(self.levels[-1], len(self))
        if level:
            self.levels.append(level.stop)
        return level

    def depth(self, state: int) -> int:
        """The level of a state, 1 for the initial one."""
        return bisect_right(self.levels, state)

    def path(self, state: int) -> list[Hop]:
        """A shortest way from an initial state."""
        hops = []
        while state >= self.roots:
            hops.append(Hop(self._by(state), state))
            state = self._before(state)
        return hops[::-1]

    def root(self, state: int) -> int:
        """The initial state that this way begins in."""
        while state >= self.roots:
            state = self._before(state)
        return state

    def _before(self, state: int) -> int:
        return self._parents[state]

    def _by(self, state: int) -> int:
        return self._moves[state]
