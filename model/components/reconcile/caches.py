"""The caches of controllers: events on their way, of what anybody writes.

While a controller runs, its caches never go back in time: a reflector that lists anew asks for
nothing older than what it has seen. A new process asks for whatever there is (``resourceVersion``
0), and the API server that answers may lag: so caches may be older after a restart than before.
Source: staging/src/k8s.io/client-go/tools/cache/reflector.go (relistResourceVersion; with
WatchListClient, which is on by default from client-go 1.35 on, a new process begins with what is).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.system import Cell, Outcome, Rule

from . import builtin
from .actions import WATCH
from .declarations import Controller
from .objects import Objects
from .sources import Custom, Outcomes, Source, restarts_cell, sources, told


class Cache(NamedTuple):
    """What a cache shows, and what it may come to show.

    ``versions`` are the latest, from the oldest that matters to what is; ``seen`` is the place of
    the one that the cache shows.
    """

    versions: tuple[Objects, ...]
    seen: int = 0

    @property
    def shown(self) -> Objects:
        """The objects as the cache has them."""
        return self.versions[self.seen]

    @property
    def actual(self) -> Objects:
        """The objects as they are."""
        return self.versions[-1]

    @property
    def behind(self) -> int:
        """How many events are on their way."""
        return len(self.versions) - 1 - self.seen

    def with_news(self, objects: Objects, lag: int) -> Cache:
        """The cache when another event is on its way; the oldest may have to arrive for that."""
        versions = (*self.versions, objects)
        dropped = max(0, len(versions) - 1 - lag)
        return Cache(versions[dropped:], max(0, self.seen - dropped))

    def advanced(self) -> Cache:
        """The cache when the next event has arrived."""
        return self._replace(seen=self.seen + 1)

    def trimmed(self, lists: int) -> Cache:
        """The cache without what not even a list that lags so much could bring back."""
        start = min(self.seen, max(0, len(self.versions) - 1 - lists))
        return Cache(self.versions[start:], self.seen - start)

    def relisted(self, lists: int) -> Iterator[Cache]:
        """What it may show after a list that lags; what is newer then, events bring at once."""
        oldest = max(0, len(self.versions) - 1 - lists)
        for seen in range(oldest, max(oldest, self.seen) + 1):
            yield self._replace(seen=seen)


class Watch(NamedTuple):
    """A controller's cache of what one cell or tally shows."""

    cell: str
    controller: str
    source: Source


def watches(world: World, custom: Custom) -> tuple[Watch, ...]:
    """The caches of all controllers; none where they read what is."""
    return tuple(
        Watch(f"{controller.name}'s cache of {source.cell}", controller.name, source)
        for controller in custom.controllers
        for source in sources(world, controller.kinds)
        if custom.lag
    )


def caches_of(world: World, custom: Custom, controller: Controller) -> tuple[Watch, ...]:
    """A controller's caches, in the order of its sources."""
    return tuple(w for w in watches(world, custom) if w.controller == controller.name)


def cells(world: World, custom: Custom, initial: Mapping[str, Any]) -> Iterator[Cell]:
    """The caches, current at the start; ``initial`` has the values of what is watched."""
    for watch in watches(world, custom):
        yield Cell(watch.cell, Cache((watch.source.shown(initial[watch.source.cell]),)))


def rules(world: World, custom: Custom) -> Iterator[Rule]:
    """The next event arrives: one task for each cache."""
    for controller in custom.controllers:
        for watch in caches_of(world, custom, controller):
            name = f"{watch.cell} catches up"
            budget = (restarts_cell(controller),) if custom.restarts_of(controller) else ()
            anew = bool(budget) or (controller.managed and custom.managed_restarts)
            outcomes = partial(_catch_up, watch, custom.lists if anew else 0)
            yield Rule(name, watch.controller, (watch.cell, *budget), outcomes, task=name)


def _catch_up(watch: Watch, lists: int, cache: Cache, restarts: int = 1) -> Outcomes:
    """``restarts`` is how many there may still be, where they are counted."""
    if cache.behind:
        after = cache.advanced().trimmed(lists if restarts else 0)
        does = f"learns what has become of {watch.source.cell}"
        yield told(WATCH, does, {watch.cell: after}, "its cache gets the next event")


def relisted(
    found: tuple[Watch, ...], values: tuple[Cache, ...], lists: int, *, again: bool
) -> Iterator[dict[str, Cache]]:
    """What a controller's caches may be after a restart; ``again`` if another one may follow."""
    for chosen in product(*(cache.relisted(lists) for cache in values)):
        kept = (cache.trimmed(lists if again else 0) for cache in chosen)
        yield {watch.cell: cache for watch, cache in zip(found, kept, strict=True)}


# What becomes of writes


def observed(world: World, custom: Custom, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules, whose writes now are on their way to the caches that watch what they write."""
    found = watches(world, custom)
    return tuple(_observed(rule, world, custom, found) for rule in rules)


def _observed(rule: Rule, world: World, custom: Custom, found: tuple[Watch, ...]) -> Rule:
    own = tuple(watch for watch in found if _may_write(rule, watch.source))
    if not own:
        return rule
    # Of a node, what a cache shows is put together of columns that the rule may not look at.
    apart = NODES not in rule.cells and any(watch.source.summed for watch in own)
    places = tuple(dict.fromkeys((*rule.cells, *(builtin.SHOWN_OF_NODES if apart else ()))))
    before, after = len(places), len(places) + len(own)

    def outcomes(*values: Any) -> Outcomes:
        held, caches = dict(zip(places, values[:before], strict=True)), values[before:after]
        for outcome in rule.outcomes(*values[: len(rule.cells)], *values[after:]):
            now = {**held, **outcome.writes}
            news = {
                watch.cell: cache.with_news(shown, custom.lag).trimmed(custom.lists)
                for watch, cache in zip(own, caches, strict=True)
                if _written_by(outcome, watch.source)
                for shown in (_after(world, watch.source, now, cache.actual),)
                if shown != cache.actual
            }
            yield outcome._replace(writes={**outcome.writes, **news})

    seen = tuple(watch.cell for watch in own)
    writes = (*rule.writable, *seen)
    return replace(rule, cells=(*places, *seen), outcomes=outcomes, writes=writes)


def _may_write(rule: Rule, source: Source) -> bool:
    """Whether a cache that watches this may see what the rule writes."""
    return not _written(source).isdisjoint(rule.writable)


def _written_by(outcome: Outcome, source: Source) -> bool:
    """Whether the outcome writes anything that a cache sees that watches this."""
    return not _written(source).isdisjoint(outcome.writes)


def _written(source: Source) -> frozenset[str]:
    """The cells and columns whose writes a cache sees."""
    return frozenset({NODES, *builtin.SHOWN_OF_NODES} if source.summed else {source.cell})


def _after(world: World, source: Source, held: Mapping[str, Any], before: Objects) -> Objects:
    """The objects after a write, given those before, and what is held then."""
    if not source.summed:
        return source.shown(held[source.cell])
    if NODES in held:
        return builtin.replaced(before, builtin.shown_node(world, held[NODES]))
    columns = (held[name] for name in builtin.SHOWN_OF_NODES)
    return builtin.replaced(before, builtin.shown_columns(world, *columns))
