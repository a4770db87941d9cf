"""The loaded part of a system: its cells, bounds and rules, with users and a garbage collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kubelemma.model.custom.calling import Sync, possible
from kubelemma.model.custom.declarations import CustomEvent
from kubelemma.model.custom.legal import DEPLOYMENT
from kubelemma.model.custom.objects import Cluster, Object, Objects, Owner, find
from kubelemma.model.custom.requests import Request, delete, perform
from kubelemma.model.system import Bound, Cell, Rule, View

from . import caches, syncs
from .custom import (
    Custom,
    Outcomes,
    answered,
    gathered,
    objects_cell,
    restarts_cell,
    sentence,
    sources,
    stored,
    sync_cell,
    told,
)
from .world import World

COLLECTOR = "garbage-collector"


def cells(world: World, custom: Custom, initial: Mapping[str, Any]) -> Iterator[Cell]:
    """The cells of the loaded part; ``initial`` has the other cells' values by name."""
    own = {objects_cell(kind): objects for kind, objects in custom.objects.items()}
    yield from (Cell(name, objects) for name, objects in own.items())
    for controller in custom.controllers:
        yield Cell(sync_cell(controller), None)
        if custom.restarts:
            yield Cell(restarts_cell(controller), custom.restarts)
    for event in custom.events:
        yield Cell(_budget(event), event.times)
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
        own.append(_collector_rule(world, custom))
    own += caches.rules(world, custom)
    chances = [r for c in custom.controllers for r in syncs.chance_rules(world, custom, c)]
    return own, [*chances, *(_event_rule(world, event) for event in custom.events)]


# Users and faults


def _event_rule(world: World, event: CustomEvent) -> Rule:
    found = sources(world, event.kinds)
    budget = _budget(event)

    def outcomes(left: int, *values: Any) -> Outcomes:
        if not left:
            return
        shown = tuple(s.shown(v) for s, v in zip(found, values, strict=True))
        for namespace, request in _possible(event, gathered(found, shown)):
            sync = Sync((namespace, ""), ())
            for source, value, objects in zip(found, values, shown, strict=True):
                if source.kind != request.kind:
                    continue
                answer, after = answered(request, objects, sync)
                if after != objects:
                    does = sentence(request, answer, changed=True)
                    writes = {budget: left - 1, source.cell: stored(value, after)}
                    yield told(event.name, does, writes, event.code.text)

    cells = (budget, *(source.cell for source in found))
    return Rule(f"event {event.name}", event.actor, cells, outcomes, environment=True)


def _possible(event: CustomEvent, kinds: Mapping[str, Objects]) -> Iterator[tuple[str, Request]]:
    """The requests that may be sent, each with the namespace that they are about."""
    if event.kind is None:
        yield from (("default", request) for request in possible(event, Cluster(kinds)))
        return
    for subject in kinds.get(event.kind, ()):
        cluster = Cluster(kinds, subject.namespace)
        yield from ((subject.namespace, r) for r in possible(event, subject, cluster))


# The garbage collector


def _collector_rule(world: World, custom: Custom) -> Rule:
    """Source: pkg/controller/garbagecollector/garbagecollector.go, without uids: by name alone."""
    kinds = tuple(custom.objects)
    workloads = frozenset((w.namespace, w.name) for w in world.workloads)

    def outcomes(*values: Objects) -> Outcomes:
        known = dict(zip(kinds, values, strict=True))
        for found in (found for objects in values for found in objects):
            if _is_orphan(found, known, workloads):
                after = perform(delete(found), known[found.kind], found.namespace).objects
                owners = ", ".join(f"{o.kind} {o.name}" for o in found.owners)
                why = f"its owner {owners} does not exist any more"
                writes = {objects_cell(found.kind): after}
                yield told("delete", f"deletes {found}", writes, why)

    name = "collect objects whose owners are gone"
    return Rule(name, COLLECTOR, tuple(map(objects_cell, kinds)), outcomes, task=name)


def _is_orphan(
    found: Object, stored: Mapping[str, Objects], workloads: frozenset[tuple[str, str]]
) -> bool:
    """Whether it has owners, none of which exists; those of kinds that are not kept do."""

    def exists(owner: Owner) -> bool:
        key = (found.namespace, owner.name)
        if owner.kind == DEPLOYMENT:
            return key in workloads
        return owner.kind not in stored or find(stored[owner.kind], key) is not None

    return bool(found.owners) and not found.deleting and not any(map(exists, found.owners))
