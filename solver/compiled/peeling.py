# ruff: noqa: PLR0917 - a bundle costs machine code more than many arguments
"""Which states can be on a loop: most of a search for fair loops is over before it begins."""

from __future__ import annotations

import numpy as np

from kubelemma.solver.space import TASK_BITS

from .arrays import Bytes, Long, Small
from .jit import compiled, entry, inlined, prefetch

_FAR = 32
"""How many edges ahead a count is asked to be near, and how many states ahead their edges."""

OFF, CORE, ALONE = range(3)
"""What a state can be: on no fair loop, perhaps on one with others, on one of its own."""


@entry
def peel(
    offsets: Long,
    targets: Small,
    moves: Small,
    tasks: Small,
    enabled: Long,
    entering: Small,
    queue: Small,
    kinds: Bytes,
) -> None:
    """Take away states that no edge leads to, again and again; those that stay are the core.

    Edges have moves, and moves tasks; ``enabled`` has bits for those that can act in a state.
    ``entering`` comes with zeros, ``kinds`` with all states in the core.
    """
    size, first, end = kinds.shape[0], 0, 0
    last = int(offsets[size]) - 1
    for state in range(size):
        for edge in range(offsets[state], offsets[state + 1]):
            prefetch(entering, int(targets[min(int(edge) + _FAR, last)]))
            entering[targets[edge]] += targets[edge] != state
    for state in range(size):
        if entering[state] == 0:
            queue[end] = state
            end += 1
    while first < end:
        state = queue[first]
        first += 1
        kinds[state] = OFF
        _bring_near(offsets, targets, entering, queue, first, end)
        turns = False
        for edge in range(offsets[state], offsets[state + 1]):
            target = targets[edge]
            if target == state:
                turns = True
                continue
            entering[target] -= 1
            if entering[target] == 0:
                queue[end] = target
                end += 1
        if turns and _is_fair_alone(offsets, targets, moves, tasks, enabled, state):
            kinds[state] = ALONE


@inlined
def _bring_near(
    offsets: Long, targets: Small, entering: Small, queue: Small, first: int, end: int
) -> None:
    """Ask for what the next states in the queue will need: first the edges, then their targets."""
    if first + 2 * _FAR < end:
        prefetch(offsets, queue[first + 2 * _FAR])
    if first + _FAR < end:
        prefetch(targets, offsets[queue[first + _FAR]])
    if first + _FAR // 2 < end:
        near = queue[first + _FAR // 2]
        for edge in range(offsets[near], offsets[near + 1]):
            prefetch(entering, int(targets[edge]))


@compiled
def _is_fair_alone(
    offsets: Long, targets: Small, moves: Small, tasks: Small, enabled: Long, state: int
) -> bool:
    """Whether every task that can act in a state can do so without leaving it."""
    for word in range(enabled.shape[1]):
        waiting = enabled[state, word]
        for edge in range(offsets[state], offsets[state + 1]):
            task = tasks[moves[edge]]
            if targets[edge] == state and task // TASK_BITS == word:
                waiting &= ~(np.int64(1) << (task % TASK_BITS))
        if waiting != 0:
            return False
    return True
