"""What is loaded, as boxes: the objects, the workers with their syncs under way, the caches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from kubelemma.model.components.reconcile.caches import Cache, Watch, watches
from kubelemma.model.components.reconcile.calling import Sync, next_request
from kubelemma.model.components.reconcile.declarations import Controller
from kubelemma.model.components.reconcile.objects import Object, Objects, title
from kubelemma.model.components.reconcile.sources import deed, gathered, intention, sources
from kubelemma.model.components.reconcile.syncs import sent
from kubelemma.model.scenario import Scenario
from kubelemma.reports.narrate.cast import Cast
from kubelemma.reports.narrate.scene import Seen
from kubelemma.reports.narrate.teller import Boxes
from kubelemma.reports.narrate.written import Written
from kubelemma.reports.picture import AnyBox, CacheBox, Leaf, ObjectBox, Outdated, WorkerBox

from .objects import Worker, differences, fields, named, objects_of, shown_by, workers

_APART = ("metadata.finalizers", "metadata.deletionTimestamp")
"""Fields that a box shows in another way."""


def boxes(scenario: Scenario, _written: Written) -> Boxes:
    """A function that gives the boxes; it runs a controller once for each sync that it meets."""
    box, plan = cache(_object_box), cache(_plan)
    found = watches(scenario.world, scenario.custom)

    def look(seen: Seen, _cast: Cast) -> Iterator[AnyBox]:
        objects = [o for kind in scenario.custom.objects for o in objects_of(seen, kind)]
        names = frozenset(map(str, objects))
        yield from (box(each, _owners(each, names)) for each in objects)
        yield from (_worker_box(seen, worker, plan) for worker in workers(seen))
        yield from (_cache_box(watch, seen.value(watch.cell)) for watch in found)

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


def _worker_box(seen: Seen, worker: Worker, plan: Callable[[Controller, Sync], _Plan]) -> WorkerBox:
    controller, number, sync = worker
    name = f"{controller.name}, worker {number}" if controller.workers > 1 else controller.name
    if sync is None:
        return WorkerBox(name, controller.name)
    done, following = plan(controller, sync)
    read = dict(zip(controller.kinds, sync.read, strict=True))
    found = sources(seen.world, controller.kinds)
    now = gathered(found, tuple(shown_by(seen, source) for source in found))
    return WorkerBox(
        name=name,
        controller=controller.name,
        subject=title(controller.kind, *sync.key),
        read=tuple(f"{kind}: {named(objects)}" for kind, objects in read.items()),
        done=done,
        next=following,
        outdated=tuple(o for kind in read for o in _outdated(read[kind], now.get(kind, ()))),
    )


def _cache_box(watch: Watch, cache: Cache) -> CacheBox:
    outdated = tuple(_outdated(cache.shown, cache.actual))
    return CacheBox(watch.cell, watch.controller, cache.behind, outdated)


def _outdated(seen: Objects, actual: Objects) -> Iterator[Outdated]:
    for change in differences(seen, actual):
        yield Outdated(change.object, change.field, change.before, change.after)
