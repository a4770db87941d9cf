"""One run through places, and what it violates on its way.

Invariants and properties of steps are asked in each step. Where only the environment can act, the
run may end there: goals that are missed then, and what is still due, are missed for ever. And where
the controllers come back to a place they have been at since the environment last acted, they may
come back to it again and again: if that is fair, and leaves the goal, it is a violation too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kubelemma.properties.formula import Converges
from kubelemma.solver.replay import CanonicalStep

from .places import Place, Places, Way


class Story(NamedTuple):
    """A run that violates a property, known by its number.

    The ways lead from an initial state. Those from ``loop_start`` on (counted from 0) come back to
    where they begin, and repeat for ever.
    """

    number: int
    ways: tuple[Way, ...]
    places: tuple[Place, ...]
    loop_start: int | None = None

    def steps(self, ground: Places) -> list[CanonicalStep]:
        """The steps as the plain semantics can take them again."""
        pairs = zip(self.ways, self.places[1:], strict=True)
        return [ground.step(way, target) for way, target in pairs]


class Walk:
    """A run from an initial state, the first where no other is meant; empty at first.

    ``ways`` and ``places`` have what was taken and where it led to, the initial state first.
    """

    def __init__(self, ground: Places, start: Place | None = None) -> None:
        self.ground = ground
        self.ways: list[Way] = []
        self.places: list[Place] = [start or ground.starts[0]]
        self._been: dict[Place, list[int]] = {self.place: [0]}
        formulas = [prop.formula for prop in ground.properties]
        self._converging = [n for n, f in enumerate(formulas) if isinstance(f, Converges)]
        self._due: dict[int, int] = {}
        self._owe()

    @property
    def place(self) -> Place:
        """Where the run is."""
        return self.places[-1]

    @property
    def ended(self) -> bool:
        """Whether nobody can act any more, or a bound forbids to go on."""
        return not self.place.ways

    def came_round(self) -> bool:
        """Whether the controllers may go on for ever as they did since they were here before."""
        starts = self._been[self.place]
        return len(starts) > 1 and self._fair(starts[0])

    def first(self) -> tuple[Story, ...]:
        """What the initial state violates."""
        return tuple(self._stories(()))

    def take(self, way: Way) -> tuple[Story, ...]:
        """Take a step from where the run is; gives what it violates by that."""
        target, violated, _ = self.ground.passage(self.place, way)
        self.ground.fired[way.move.number] += 1
        self.ways.append(way)
        self.places.append(target)
        self._owe()
        if way.move.rule.environment:
            self._been = {}
        self._been.setdefault(target, []).append(len(self.ways))
        return tuple(self._stories(violated))

    def _owe(self) -> None:
        for number, met in self.place.met.items():
            if met:
                self._due.pop(number, None)
            elif met is False:
                self._due.setdefault(number, len(self.ways))

    def _stories(self, violated: Sequence[int]) -> Iterator[Story]:
        place = self.place
        for number in (*place.violated, *violated):
            yield self._story(number)
        if place.still:
            for number in sorted({*place.outside, *self._due}):
                yield self._story(number)
        if len(self._been[place]) > 1:
            yield from self._loops()

    def _story(self, number: int, loop_start: int | None = None) -> Story:
        return Story(number, tuple(self.ways), tuple(self.places), loop_start)

    def _loops(self) -> Iterator[Story]:
        """What is violated if the controllers go on for ever as they did since they were here."""
        starts = self._been[self.place]
        for number in self._converging:
            # The longer a way round, the fairer: if the longest is no violation, none is.
            if self._is_wrong(number, starts[0]):
                shortest = next(s for s in reversed(starts[:-1]) if self._is_wrong(number, s))
                yield self._story(number, shortest)
        for number, since in self._due.items():
            start = next((s for s in starts[:-1] if s >= since), None)
            if start is not None and self._fair(start):
                yield self._story(number, start)

    def _is_wrong(self, number: int, start: int) -> bool:
        """Whether the way round since then is fair, and leaves the goal."""
        outside = any(number in place.outside for place in self.places[start:])
        return outside and self._fair(start)

    def _fair(self, start: int) -> bool:
        """Whether every task acted since then, or could not somewhere."""
        waiting = frozenset.intersection(*[place.tasks for place in self.places[start:]])
        return not waiting - {way.move.rule.fairness for way in self.ways[start:]}
