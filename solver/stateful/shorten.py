"""Stories made shorter than Hypothesis makes them.

Hypothesis makes what it has drawn shorter, of which the steps of a run follow only in part: many of
them are the controllers' own, once users and faults have stopped. So first steps are left out, as
many as can be. Then the neighbourhood of the story, the places that are the fewest steps away from
it, is searched for a shorter way to an end like its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .places import Passage, Place, Places, Way
from .walk import Story, Walk

NEIGHBOURS = 2000
"""How many places are left by every step in search of a shorter way."""


def _go_on() -> None:
    """Nothing is a reason to stop."""


def shorter_stories(
    ground: Places,
    story: Story,
    neighbours: int = NEIGHBOURS,
    pause: Callable[[], None] = _go_on,
) -> Iterator[Story]:
    """Stories of the same property, none longer than the one before it.

    After every attempt there is one, so that whoever has no time left may stop there. ``pause`` is
    called for every place whose neighbours are looked at, which takes long where they are new, and
    may raise an exception to stop as well.
    """
    best = story
    shorter: Story | None = story
    while shorter is not None:
        for best in _without_steps(ground, shorter):
            yield best
        shorter = _shorter_way(ground, best, neighbours, pause)


def retaken(
    ground: Places, number: int, ways: Iterable[Way], start: Place | None = None
) -> Story | None:
    """What such steps violate of one property, once they do; those that are not possible left out.

    The places may be others than those that the steps were taken from.
    """
    walk = Walk(ground, start)
    stories = walk.first()
    for way in ways:
        if any(story.number == number for story in stories):
            break
        like = _like(walk.place, way)
        stories = walk.take(like) if like else ()
    return next((story for story in stories if story.number == number), None)


def _like(place: Place, wanted: Way) -> Way | None:
    """The step from a place that is most like another: of the same rule, and what it does."""
    ways = place.ways.get(wanted.move.rule.name, ())
    same = (way for way in ways if way.move.number == wanted.move.number)
    alike = (way for way in ways if way.move.action == wanted.move.action)
    return next(same, None) or next(alike, None)


def _without_steps(ground: Places, story: Story) -> Iterator[Story]:
    """The story without steps that it can do without: of many in a row first, then of single ones.

    What follows from a step that is left out falls away with it. Single steps are tried again as
    long as leaving one out makes others superfluous.
    """
    yield story
    size = len(story.ways) // 2 or 1
    while size:
        length, start = len(story.ways), len(story.ways) - size
        while start >= 0:
            rest = (*story.ways[:start], *story.ways[start + size :])
            found = retaken(ground, story.number, rest, story.places[0])
            if found is not None and len(found.ways) < len(story.ways):
                story = found
            start = min(start, len(story.ways)) - size
            yield story
        size = size // 2 if size > 1 or len(story.ways) == length else 1


def _shorter_way(
    ground: Places, story: Story, neighbours: int, pause: Callable[[], None]
) -> Story | None:
    """A story with a shortest way through the neighbourhood, if that is shorter."""
    start = len(story.ways) if story.loop_start is None else story.loop_start
    loop, round_trip = story.places[start:-1], story.ways[start:]
    search = _Neighbourhood(ground, story.number, set(loop), pause)
    near = search.around(story.places, neighbours)
    for begin, ways, place in search.ways_to_ends(near):
        if len(ways) + len(round_trip) >= len(story.ways):
            return None
        at = loop.index(place) if place in loop else 0
        whole = (*ways, *round_trip[at:], *round_trip[:at])
        found = retaken(ground, story.number, whole, begin)
        if found is not None and len(found.ways) < len(story.ways):
            return found
    return None


@dataclass(frozen=True, slots=True)
class _Neighbourhood:
    """A search for ways that may violate a property: by how they end, or by coming to a loop."""

    ground: Places
    number: int
    loop: set[Place]
    pause: Callable[[], None]

    def around(self, places: Iterable[Place], most: int) -> set[Place]:
        """The places that are the fewest steps from some, as many as that."""
        near: set[Place] = set()
        level = dict.fromkeys(places)
        while level:
            further: dict[Place, None] = {}
            for place in level:
                if len(near) >= most:
                    return near
                near.add(place)
                further |= dict.fromkeys(passage.target for _, passage in self._steps(place))
            level = {place: None for place in further if place not in near}
        return near

    def ways_to_ends(self, near: set[Place]) -> Iterator[tuple[Place, tuple[Way, ...], Place]]:
        """From an initial state to each end, through places nearby: shortest ways first."""
        starts = [self._at(start, due=False) for start in self.ground.starts]
        before: dict[_At, tuple[_At, Way] | None] = dict.fromkeys(starts)
        queue = deque(starts)
        while queue:
            at = queue.popleft()
            if self._may_end(at):
                yield *_back(before, at), at.place
            for way, (target, violated, _) in self._steps(at.place) if at.place in near else ():
                if self.number in violated:
                    first, ways_here = _back(before, at)
                    yield first, (*ways_here, way), target
                then = self._at(target, due=at.due)
                if then not in before:
                    before[then] = (at, way)
                    queue.append(then)

    def _steps(self, place: Place) -> Iterator[tuple[Way, Passage]]:
        self.pause()
        for ways in place.ways.values():
            for way in ways:
                yield way, self.ground.passage(place, way)

    def _at(self, place: Place, *, due: bool) -> _At:
        met = place.met.get(self.number)
        return _At(place, (due or met is False) and not met)

    def _may_end(self, at: _At) -> bool:
        place, due = at
        missed = due or self.number in place.outside
        return self.number in place.violated or (place.still and missed) or place in self.loop


class _At(NamedTuple):
    """A place, and whether the goal is due there, of a property that leads to one."""

    place: Place
    due: bool


def _back(before: Mapping[_At, tuple[_At, Way] | None], at: _At) -> tuple[Place, tuple[Way, ...]]:
    """The start, and the ways from there to here."""
    ways = []
    while (last := before[at]) is not None:
        at, way = last
        ways.append(way)
    return at.place, tuple(reversed(ways))
