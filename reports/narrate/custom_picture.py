"""What is loaded, as boxes: the objects, the workers with their syncs under way, the caches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.components.reconcile.caches import Watch, watches
from kubelemma.model.components.reconcile.calling import Sync, next_request
from kubelemma.model.components.reconcile.declarations import Controller
from kubelemma.model.components.reconcile.objects import Object, Objects, title
from kubelemma.model.components.reconcile.sources import deed, gathered, intention, sources
from kubelemma.model.components.reconcile.syncs import sent
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.reports.picture import CacheBox, Leaf, ObjectBox, Outdated, WorkerBox

from .custom import Worker, differences, fields, named, objects_of, shown_by, value_of, workers

_APART = ("metadata.finalizers", "metadata.deletionTimestamp")
"""Fields that a box shows in another way."""


class CustomBoxes(NamedTuple):
    """The loaded part of a picture."""

    objects: tuple[ObjectBox, ...]
    workers: tuple[WorkerBox, ...]
    caches: tuple[CacheBox, ...]


Look: TypeAlias = Callable[[State], CustomBoxes]


def custom_boxes(scenario: Scenario) -> Look:
    """A function that gives the boxes; it runs a controller once for each sync that it meets."""
    box, plan = cache(_object_box), cache(_plan)
    found = watches(scenario.world, scenario.custom)

    def look(state: State) -> CustomBoxes:
        kinds = scenario.custom.objects
        objects = [o for kind in kinds for o in objects_of(scenario, state, kind)]
        names = frozenset(map(str, objects))
        return CustomBoxes(
            tuple(box(each, _owners(each, names)) for each in objects),
            tuple(
                _worker_box(scenario, state, worker, plan) for worker in workers(scenario, state)
            ),
            tuple(_cache_box(watch, value_of(scenario, state, watch.cell)) for watch in found),
        )

    return look


def _owners(found: Object, names: frozenset[str]) -> tuple[str, ...]:
    """The names of the owners: in the object's namespace, or those of the cluster."""
    return tuple(
        in_none
        if (in_none := title(kind, "", name)) in names
        else title(kind, found.namespace, name)
        for kind, name in found.owners
    )


def _object_box(found: Object, owners: tuple[str, ...]) -> ObjectBox:
    return ObjectBox(
        name=str(found),
        kind=found.kind,
        owners=owners,
        finalizers=found.finalizers,
        deleting=found.deleting,
        fields=tuple(Leaf(field, value) for field, value in fields(found) if field not in _APART),
    )


class _Plan(NamedTuple):
    """What a sync has sent, and what it sends next."""

    done: tuple[str, ...]
    next: str


def _plan(controller: Controller, sync: Sync) -> _Plan:
    done = tuple(deed(*each) for each in sent(controller, sync))
    following = next_request(controller, sync)
    return _Plan(done, "" if following is None else intention(following))


def _worker_box(
    scenario: Scenario, state: State, worker: Worker, plan: Callable[[Controller, Sync], _Plan]
) -> WorkerBox:
    controller, number, sync = worker
    name = f"{controller.name}, worker {number}" if controller.workers > 1 else controller.name
    if sync is None:
        return WorkerBox(name, controller.name)
    done, following = plan(controller, sync)
    read = dict(zip(controller.kinds, sync.read, strict=True))
    found = sources(scenario.world, controller.kinds)
    now = gathered(found, tuple(shown_by(scenario, state, source) for source in found))
    return WorkerBox(
        name=name,
        controller=controller.name,
        subject=title(controller.kind, *sync.key),
        read=tuple(f"{kind}: {named(objects)}" for kind, objects in read.items()),
        done=done,
        next=following,
        outdated=tuple(o for kind in read for o in _outdated(read[kind], now.get(kind, ()))),
    )


def _cache_box(watch: Watch, cache: Any) -> CacheBox:
    outdated = tuple(_outdated(cache.shown, cache.actual))
    return CacheBox(watch.cell, watch.controller, cache.behind, outdated)


def _outdated(seen: Objects, actual: Objects) -> Iterator[Outdated]:
    for change in differences(seen, actual):
        yield Outdated(change.object, change.field, change.before, change.after)
