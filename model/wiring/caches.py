"""The caches of loaded controllers: events on their way, of what anybody writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.custom.declarations import Controller
from kubelemma.model.custom.objects import Objects
from kubelemma.model.system import Cell, Rule

from .custom import Custom, Outcomes, Source, sources, told
from .world import World


class Watch(NamedTuple):
    """A controller's cache of what one cell shows: what it has seen, then what is on its way."""

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


def caches_of(world: World, custom: Custom, controller: Controller) -> dict[str, str]:
    """The names of a controller's caches, by the cells that they are of."""
    found = watches(world, custom)
    return {watch.source.cell: watch.cell for watch in found if watch.controller == controller.name}


def cells(world: World, custom: Custom, initial: Mapping[str, Any]) -> Iterator[Cell]:
    """The caches, current at the start; ``initial`` has the values of the cells watched."""
    for watch in watches(world, custom):
        yield Cell(watch.cell, (watch.source.shown(initial[watch.source.cell]),))


def rules(world: World, custom: Custom) -> Iterator[Rule]:
    """The next event arrives: one task for each cache."""
    for watch in watches(world, custom):
        name = f"{watch.cell} catches up"
        yield Rule(name, watch.controller, (watch.cell,), partial(_catch_up, watch), task=name)


def _catch_up(watch: Watch, versions: tuple[Objects, ...]) -> Outcomes:
    if len(versions) > 1:
        does = f"learns what has become of {watch.source.cell}"
        yield told("watch", does, {watch.cell: versions[1:]}, "its cache gets the next event")


def observed(world: World, custom: Custom, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules, whose writes now are on their way to the caches that watch their cells."""
    found = watches(world, custom)
    return tuple(_observed(rule, found, custom.lag) for rule in rules)


def _observed(rule: Rule, found: tuple[Watch, ...], lag: int) -> Rule:
    own = tuple(watch for watch in found if watch.source.cell in rule.cells)
    if not own:
        return rule
    before, after = len(rule.cells), len(rule.cells) + len(own)

    def outcomes(*values: Any) -> Outcomes:
        for outcome in rule.outcomes(*values[:before], *values[after:]):
            news = {
                watch.cell: (*versions, shown)[-lag - 1 :]
                for watch, versions in zip(own, values[before:after], strict=True)
                if watch.source.cell in outcome.writes
                for shown in (watch.source.shown(outcome.writes[watch.source.cell]),)
                if shown != versions[-1]
            }
            yield outcome._replace(writes={**outcome.writes, **news})

    cells = (*rule.cells, *(watch.cell for watch in own))
    return replace(rule, cells=cells, outcomes=outcomes)
