"""What is reconciled in a system: cells, bounds and rules, with users and a garbage collector.

Files that are loaded bring controllers, and so do components (``Component.reconciles``): both are
run by the same machinery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kubelemma.model.cluster.component import Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.forgetting import Forgetting
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Bound, Cell, Rule, Tally, View

from . import builtin, caches, syncs
from .actions import ACTIONS, DELETE
from .calling import possible
from .declarations import CustomEvent
from .legal import NODE
from .objects import Cluster, Object, Objects, Owner, within_reach
from .requests import Request, delete, perform
from .sources import (
    Custom,
    Outcomes,
    Source,
    answered,
    cells_of,
    gathered,
    objects_cell,
    reads_of,
    restarts_cell,
    sentence,
    sources,
    stored,
    sync_cells,
    targets,
    told,
)

COLLECTOR = "garbage-collector"


def cells(world: World, custom: Custom, initial: Mapping[str, Any]) -> Iterator[Cell]:
    """The cells; ``initial`` has the other cells' values by name."""
    own = {objects_cell(kind): objects for kind, objects in custom.objects.items()}
    yield from (Cell(name, objects) for name, objects in own.items())
    for controller in custom.controllers:
        yield from (Cell(slot, None) for slot in sync_cells(controller))
        if restarts := custom.restarts_of(controller):
            yield Cell(restarts_cell(controller), restarts, int)
    for event in custom.events:
        yield Cell(_budget(event), event.times, int)
    yield from caches.cells(world, custom, {**initial, **own})


def _budget(event: CustomEvent) -> str:
    return f"event {event.name}: {event.name}"


def bounds(custom: Custom) -> Iterator[Bound]:
    """Where the search stops following more and more objects."""
    for kind, most in custom.most.items():
        within = partial(_at_most, most)
        yield Bound(f"at most {most} {kind} objects", View((objects_cell(kind),)), within)


def _at_most(most: int, objects: Objects) -> bool:
    return len(objects) <= most


def rules(world: World, custom: Custom) -> tuple[list[Rule], list[Rule]]:
    """The rules of controllers, and those of users and faults."""
    own: list[Rule] = []
    for controller in custom.controllers:
        own += syncs.rules(world, custom, controller)
    if custom.objects:
        own.append(_collector_rule(custom))
    own += caches.rules(world, custom)
    chances = [r for c in custom.controllers for r in syncs.chance_rules(world, custom, c)]
    return own, [*chances, *(r for event in custom.events for r in _event_rules(world, event))]


# Users and faults


def _event_rules(world: World, event: CustomEvent) -> Iterator[Rule]:
    """One rule for what is in cells, and one for Nodes, which it sees one by one to write."""
    name = f"event {event.name}"
    others = tuple(kind for kind in event.kinds if kind != NODE)
    if others:
        where = " elsewhere than on a Node" if NODE in event.kinds else ""
        yield _event_rule(world, event, f"{name}{where}", sources(world, others))
    if NODE in event.kinds:
        yield _event_rule(world, event, f"{name} on a Node", targets(world, (NODE,)))


def _event_rule(world: World, event: CustomEvent, name: str, written: tuple[Source, ...]) -> Rule:
    """What may be sent to ``written``, given all that the event sees."""
    found = sources(world, event.kinds)
    budget = _budget(event)
    cells = tuple(dict.fromkeys((*cells_of(written), *cells_of(found))))
    names = (*cells, *reads_of(found))

    def outcomes(left: int, *values: Any) -> Outcomes:
        if not left:
            return
        held = dict(zip(names, values, strict=True))
        shown = tuple(source.shown(held[source.cell]) for source in found)
        for request in _possible(event, gathered(found, shown)):
            for source in written:
                spent = {budget: left - 1}
                yield from _sent(event, spent, request, source, held[source.cell])

    seen = (budget, *cells)
    return Rule(name, event.actor, seen, outcomes, reads_of(found), environment=True)


def _sent(
    event: CustomEvent, spent: dict[str, int], request: Request, source: Source, value: Any
) -> Outcomes:
    """What a request does to one place, if it is about that and changes it."""
    if source.kind != request.kind:
        return
    answer, after = answered(request, objects := source.shown(value))
    if after != objects:
        writes = {**spent, source.cell: stored(value, after)}
        yield told(event.action, sentence(request, answer, changed=True), writes, event.code.text)


def _possible(event: CustomEvent, kinds: Mapping[str, Objects]) -> Iterator[Request]:
    """The requests that may be sent."""
    if event.kind is None:
        yield from possible(event, Cluster(kinds))
        return
    for subject in kinds.get(event.kind, ()):
        yield from possible(event, subject, Cluster(kinds, subject.namespace))


# The garbage collector


def _collector_rule(custom: Custom) -> Rule:
    """Source: pkg/controller/garbagecollector/garbagecollector.go, without uids: by name alone."""
    kinds = tuple(custom.objects)

    def outcomes(*values: Objects) -> Outcomes:
        known = dict(zip(kinds, values, strict=True))
        for found in (found for objects in values for found in objects):
            if _is_orphan(found, known):
                after = perform(delete(found), known[found.kind]).objects
                owners = ", ".join(f"{o.kind} {o.name}" for o in found.owners)
                why = f"its owner {owners} does not exist any more"
                writes = {objects_cell(found.kind): after}
                yield told(DELETE, f"deletes {found}", writes, why)

    name = "collect objects whose owners are gone"
    return Rule(name, COLLECTOR, tuple(map(objects_cell, kinds)), outcomes, task=name)


def _is_orphan(found: Object, stored: Mapping[str, Objects]) -> bool:
    """Whether it has owners, none of which exists; those of kinds that are not kept always do."""

    def exists(owner: Owner) -> bool:
        objects = stored.get(owner.kind)
        return objects is None or within_reach(objects, found.namespace, owner.name) is not None

    return bool(found.owners) and not found.deleting and not any(map(exists, found.owners))


# The component


def _parts(setting: Setting) -> Parts:
    world, custom = setting.world, setting.loaded
    initial: dict[str, Any] = dict(
        zip((w.cell for w in world.workloads), setting.start.owners, strict=True)
    )
    tallies: tuple[Tally, ...] = ()
    if NODE in custom.built_in:
        tallies = (builtin.node_tally(world),)
        initial[builtin.NODE_OBJECTS] = builtin.all_nodes(world, setting.start.nodes)
    own, others = rules(world, custom)
    return Parts(
        cells=tuple(cells(world, custom, initial)),
        tallies=tallies,
        tasks=tuple(own),
        chances=tuple(others),
        bounds=tuple(bounds(custom)),
    )


def _forgets(setting: Setting) -> tuple[Forgetting, ...]:
    world, custom = setting.world, setting.loaded
    managed = (controller for controller in custom.controllers if controller.managed)
    return tuple(syncs.forgotten(world, custom, controller) for controller in managed)


def _overhears(setting: Setting, found: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return caches.observed(setting.world, setting.loaded, found)


COMPONENT = Component(
    name="reconcile",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    forgets=_forgets,
    overhears=_overhears,
)
"""Loaded code tells nodes apart by name, so nodes that it looks at are named."""
