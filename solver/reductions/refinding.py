"""A run of a pool, found again in the system that was pooled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from kubelemma.model.system import State
from kubelemma.properties.statement import Property
from kubelemma.solver.replay import refutes, stands_still, step_of
from kubelemma.solver.result import Trace, TraceStep

from .smaller import Smaller

MOST_LEFT = 2_000
"""After so many states of the system that lead nowhere, a run of the pool is given up."""
MOST_TRIED = 8
"""So many ways round a loop are compared."""
MOST_ROUNDS = 12
"""A loop of the pool is gone round so often, for the system to come back to where it was."""


class Reached(NamedTuple):
    """A state of the system, by which positions are kept in the pool, and the way there."""

    kept: tuple[int, ...]
    trace: Trace


def refound(pool: Smaller, prop: Property, trace: Trace) -> Trace | None:
    """The counterexample in the system, confirmed by its plain semantics; None if none was found.

    It has as many steps as in the pool, unless it ends in a loop.
    """
    loop = trace.loop_start
    ways = _Ways(pool, trace.steps[:loop])
    for reached in ways.ends(_beginnings(pool, trace.initial)):
        if loop is None:
            run: Trace | None = _ended(pool, reached.trace)
        else:
            run = _looping(pool, reached, trace.steps[loop:])
        if run is not None and refutes(pool.whole, prop.formula, run):
            return run
    return None


def _beginnings(pool: Smaller, start: State) -> Iterator[Reached]:
    wanted = pool.system.canonical(start)
    for state in pool.whole.starts:
        for kept, image in pool.images(state):
            if image == wanted:
                yield Reached(kept, Trace(state, ()))


def _ended(pool: Smaller, run: Trace) -> Trace:
    return Trace(run.initial, run.steps, standstill=stands_still(pool.whole, run.end))


class _Ways:
    """The runs of the system that are a run of the pool, one after the other, depth first.

    Of states that were left in vain, none is left again; after `MOST_LEFT` there are no more.
    """

    def __init__(self, pool: Smaller, steps: Sequence[TraceStep]) -> None:
        self._pool, self._steps = pool, steps
        self._images = [pool.system.canonical(step.state) for step in steps]
        self._left: set[tuple[int, tuple[int, ...], State]] = set()

    def ends(self, begin: Iterable[Reached]) -> Iterator[Reached]:
        """Where the runs end that begin so."""
        waiting = [iter(begin)]
        while waiting:
            reached = next(waiting[-1], None)
            if reached is None:
                waiting.pop()
                continue
            taken = len(waiting) - 1
            key = (taken, reached.kept, reached.trace.end)
            if key in self._left:
                continue
            self._left.add(key)
            if taken == len(self._steps):
                yield reached
            elif len(self._left) < MOST_LEFT:
                waiting.append(self._continued(reached, taken))

    def _continued(self, reached: Reached, taken: int) -> Iterator[Reached]:
        """Every step of the system that is the next one in the pool."""
        pool, step, wanted = self._pool, self._steps[taken], self._images[taken]
        kept, trace = reached
        for transition in pool.whole.successors(trace.end, pool.origin[step.rule]):
            outcome = transition.outcome
            alike = (outcome.action, outcome.arguments)
            if alike != (step.outcome.action, step.outcome.arguments):
                continue
            if pool.image(transition.state, kept) == wanted:
                yield Reached(kept, Trace(trace.initial, (*trace.steps, step_of(transition))))


def _looping(pool: Smaller, head: Reached, steps: Sequence[TraceStep]) -> Trace | None:
    """The run that comes back to the very same state after some rounds, if it does."""
    rounds = {head.trace.end: len(head.trace.steps)}
    at = head
    for _ in range(MOST_ROUNDS):
        ends = list(islice(_Ways(pool, steps).ends([at]), MOST_TRIED))
        if not ends:
            return None
        at = next((each for each in ends if each.trace.end in rounds), ends[0])
        if at.trace.end in rounds:
            return Trace(at.trace.initial, at.trace.steps, loop_start=rounds[at.trace.end])
        rounds[at.trace.end] = len(at.trace.steps)
    return None
