"""Loaded controllers and their objects, as stories, states and explanations tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.components.reconcile.actions import ACTIONS, DOES, SYNC
from kubelemma.model.components.reconcile.caches import Cache, watches
from kubelemma.model.components.reconcile.calling import Sync, next_request
from kubelemma.model.components.reconcile.declarations import Controller
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.components.reconcile.objects import Object, Objects, title
from kubelemma.model.components.reconcile.sources import (
    deed,
    gathered,
    refused_because,
    sources,
    sync_cells,
)
from kubelemma.model.components.reconcile.syncs import sent
from kubelemma.reports.narrate.differing import NONE
from kubelemma.reports.narrate.scene import Belied, Claim, Scene, Seen, Standstill
from kubelemma.reports.narrate.teller import Teller
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural

from .boxes import boxes
from .objects import EXISTS, differences, fields, named, objects_of, shown_by, workers

_ASIDE = {NODE: "metadata."}
"""Fields that are many, and seldom what a promise is about, by their beginning."""


# What a step changes


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for kind in before.scenario.custom.objects:
        yield from differences(objects_of(before, kind), objects_of(after, kind))


# What is seen, and what is not


def _read(scene: Scene) -> Iterator[Fact]:
    """What a sync reads when it starts; of a request, what its sync had read, and had sent."""
    for controller in scene.scenario.custom.controllers:
        for cell in sync_cells(controller):
            if cell in scene.step.outcome.writes:
                started = scene.step.outcome.writes[cell] if scene.action == SYNC else None
                sync = started or scene.before.value(cell)
                if sync is not None:
                    yield from _rests_on(controller, sync)


def _rests_on(controller: Controller, sync: Sync) -> Iterator[Fact]:
    for kind, objects in zip(controller.kinds, sync.read, strict=True):
        yield Fact(kind, named(objects))
    subject = next(o for o in sync.read[0] if o.key == sync.key)
    for field, value in fields(subject):
        yield Fact(f"{subject}: {field}", value)
    for number, request in enumerate(sent(controller, sync), 1):
        yield Fact(f"request {number}", deed(*request))


def _unseen(scene: Scene) -> Iterator[str]:
    """Where the caches that a sync reads lag behind."""
    if scene.action != SYNC:
        return
    for watch in watches(scene.world, scene.scenario.custom):
        if watch.controller == scene.step.actor:
            cache: Cache = scene.before.value(watch.cell)
            yield from _lagging(cache.shown, cache.actual)


def _lagging(seen: Objects, actual: Objects) -> Iterator[str]:
    found = tuple(differences(seen, actual))
    whole = {change.object for change in found if change.field == EXISTS}
    for change in found:
        if change.field == EXISTS:
            there = ("exists", "does not show it") if change.after == "yes" else _GONE
            yield f"{change.object} {there[0]}; its cache {there[1]}"
        elif change.object not in whole:
            what = f"{change.object} {change.field}"
            yield f"{what} is {change.after}; its cache still says {change.before}"


_GONE = ("does not exist any more", "still shows it")


# States, and how stories end


def _lines(seen: Seen) -> Iterator[str]:
    """A line for each object, sync under way, and cache that lags."""
    custom = seen.scenario.custom
    for kind in custom.objects:
        for found in objects_of(seen, kind):
            yield _described(found)
    for controller, _, sync in workers(seen):
        if sync is not None:
            so_far = f", {plural(len(sync.answers), 'request')} sent" if sync.answers else ""
            subject = title(controller.kind, *sync.key)
            yield f"{controller.name}: in a sync of {subject}{so_far}"
    for watch in watches(seen.world, custom):
        cache: Cache = seen.value(watch.cell)
        if cache.behind:
            yield f"{watch.cell}: {cache.behind} behind"


def _described(found: Object) -> str:
    """An object in a line."""
    told = _listed(found)
    return f"{found}: {told}" if told else str(found)


def _listed(found: Object, left_out: str = NONE) -> str:
    told = (f"{field} {value}" for field, value in fields(found) if not field.startswith(left_out))
    return ", ".join(told)


def _remarks(belied: Belied) -> Iterator[Claim]:
    """The objects that a property looks at, as they are."""
    terms = tuple(_terms(belied))
    if terms:
        there = "; ".join(f"{term.name} ({term.value})" for term in terms)
        yield Claim(f"The objects are now: {there}", terms)


def _terms(belied: Belied) -> Iterator[Fact]:
    custom, view = belied.seen.scenario.custom, belied.prop.formula.view
    for source in sources(belied.world, (*custom.objects, *sorted(custom.built_in))):
        if source.cell in (*view.cells, *view.reads):
            for each in shown_by(belied.seen, source):
                listed = _listed(each, _ASIDE.get(each.kind, NONE))
                yield Fact(str(each), listed or "no fields")


def _idle(end: Standstill) -> Iterator[Idle]:
    """Why each loaded controller does nothing."""
    for controller in end.seen.scenario.custom.controllers:
        found = sources(end.world, controller.kinds)
        kinds = gathered(found, tuple(shown_by(end.seen, source) for source in found))
        refusals = tuple(_refusals(controller, kinds))
        if refusals:
            yield from (Idle(controller.name, reason, held_up=True) for reason in refusals)
        else:
            yield Idle(controller.name, f"it has nothing to change for any {controller.kind}")


def _refusals(controller: Controller, kinds: Mapping[str, Objects]) -> Iterator[str]:
    read = tuple(kinds.get(kind, ()) for kind in controller.kinds)
    for subject in kinds.get(controller.kind, ()):
        sync = Sync(subject.key, read)
        request = next_request(controller, sync)
        if request is not None:
            answer = refused_because(request, kinds.get(request.kind, ()))
            if answer:
                yield f"its sync of {subject} would {request}, and be refused: {answer}"


TELLER = Teller(
    name="reconcile",
    spoken=DOES,
    facts=dict.fromkeys(ACTIONS, _read),
    unseen=_unseen,
    changes=_changes,
    idle=_idle,
    remarks=_remarks,
    boxes=boxes,
    lines=_lines,
)
