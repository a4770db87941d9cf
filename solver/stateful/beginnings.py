"""Beginnings of runs that met something rare, for later runs to go on from.

What is rare is told by the questions that properties were asked: the combinations of values that
they looked at, such as so many available pods beside this spec, or a deletion that leaves so many.
States themselves are no guide. On a large system hardly any is met twice, most of them for reasons
that no property asks about.

Of each question the shortest way to it is kept, because that leaves the most for later: who comes
to a deletion without a crash may still have one. It is known step by step, so that it ends at the
very step before the one that is asked about. A beginning is written into the run that goes on from
it, which is thus a run like all others: it shrinks, and it is kept and repeated without whatever
the search remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

from .places import Place, Places, Way
from .walk import Walk

WIDTH = 3
"""The bytes of a step: its number among those that may be taken."""

BACK = (0, 0, 1, 2, 3, 5)
"""So many steps before a question a run goes on from: what matters may have to come before them."""


@dataclass(slots=True)
class _Kept:
    start: Place
    ways: tuple[Way, ...]
    uses: int = 0


class Beginnings:
    """The beginnings that a search remembers, none at first.

    None has ``most`` steps or more, after which a run could not go on.
    """

    def __init__(self, ground: Places, most: int) -> None:
        self._ground = ground
        self._most = most
        self._kept: dict[int, _Kept] = {}
        self._of: dict[int, list[_Kept]] = {}

    def passed(self, walk: Walk) -> None:
        """Remember what a run was asked about in its last step and the place where it led."""
        steps = len(walk.ways)
        if steps <= self._most:
            last = self._ground.passage(walk.places[-2], walk.ways[-1])
            self._keep(last.asked, walk, steps - 1)
        if steps < self._most:
            self._keep(walk.place.asked, walk, steps)

    def _keep(self, asked: Iterable[int], walk: Walk, steps: int) -> None:
        for question in asked:
            kept = self._kept.get(question)
            if kept is None:
                kept = self._kept[question] = _Kept(walk.places[0], tuple(walk.ways[:steps]))
                number, _ = self._ground.questions.members[question]
                self._of.setdefault(number, []).append(kept)
            elif steps < len(kept.ways):
                kept.start, kept.ways = walk.places[0], tuple(walk.ways[:steps])

    def choose(self, most: int, numbers: Iterable[int], random: Random) -> tuple[bytes, ...]:
        """Some to go on from: of properties alike, and of each first what was used the least."""
        of_each = [self._of[number] for number in numbers if number in self._of]
        chosen = []
        for _ in range(most if of_each else 0):
            several = random.choice(of_each)
            least = min(kept.uses for kept in several)
            kept = random.choice([kept for kept in several if kept.uses == least])
            kept.uses += 1
            steps = max(0, len(kept.ways) - random.choice(BACK))
            chosen.append(recorded(self._ground, kept.ways[:steps], kept.start))
        return tuple(chosen)


def recorded(ground: Places, ways: Sequence[Way], start: Place | None = None) -> bytes:
    """Steps from a start as a run begins with them; which of several comes first."""
    place = start or ground.starts[0]
    numbers = [ground.starts.index(place)] if len(ground.starts) > 1 else []
    for way in ways:
        numbers.append(_in_order(place).index(way))
        place = ground.passage(place, way).target
    return b"".join(number.to_bytes(WIDTH) for number in numbers)


def started(ground: Places, beginning: bytes, choice: int) -> tuple[Place, bytes]:
    """Where a run starts, by what it begins with or else by choice; and the steps of that."""
    number = len(ground.starts)
    if number > 1 and len(beginning) >= WIDTH:
        choice, beginning = int.from_bytes(beginning[:WIDTH]), beginning[WIDTH:]
    return ground.starts[choice % number], beginning


def retraced(walk: Walk, beginning: bytes) -> Iterator[Way]:
    """The steps that a beginning says, one after the other as the walk takes them.

    It ends where there is no such step.
    """
    for start in range(0, len(beginning), WIDTH):
        number, ways = int.from_bytes(beginning[start : start + WIDTH]), _in_order(walk.place)
        if number >= len(ways):
            return
        yield ways[number]


def _in_order(place: Place) -> list[Way]:
    return list(chain.from_iterable(place.ways.values()))
