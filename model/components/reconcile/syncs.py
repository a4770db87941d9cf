"""The syncs of loaded controllers: one request a step, and restarts between them.

A sync reads (what it reads is kept), and then sends one request after the other; anything may
happen in between. What is kept of it is what it had read and the answers that it got, from which
its function is run again to say what comes next.

A controller has a cell for each of its workers. A sync is started in the first that is free, of an
object that no other is at; a restart forgets the syncs of all.

A sync that would change nothing, were it left alone, may be started, as by a resync or an event
that does not matter, but need not be: so controllers rest when nothing is to be done, and what such
a sync writes too late is seen all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from kubelemma.model.cluster.forgetting import NOTHING_IN_HAND, Forgetting, Loss
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Rule

from .actions import RESTART, SYNC, VERBS
from .caches import Watch, caches_of, relisted
from .calling import Answer, Sync, next_request
from .declarations import Controller
from .legal import BUILT_IN
from .objects import Object, Objects, find, leaves, title
from .requests import Request
from .sources import (
    PAST,
    Custom,
    Outcomes,
    Source,
    answered,
    cells_of,
    deed,
    existing,
    gathered,
    reads_of,
    restarts_cell,
    sentence,
    sources,
    stored,
    sync_cells,
    targets,
    told,
)

Key: TypeAlias = tuple[str, str]

MOST_FIELDS = 6
"""So many fields of an object are told as what a sync has read."""


def rules(world: World, custom: Custom, controller: Controller) -> Iterator[Rule]:
    """What a controller must do: one task to start syncs, and one for each worker to go on."""
    yield _start_rule(world, custom, controller, due=True)
    for worker, cell in enumerate(sync_cells(controller), 1):
        named = f"worker {worker} of {controller.name}" if worker > 1 else controller.name
        yield from _request_rules(world, controller, cell, named)


def chance_rules(world: World, custom: Custom, controller: Controller) -> Iterator[Rule]:
    """What may happen to a controller at any time: a sync that is not due, and a restart."""
    yield _start_rule(world, custom, controller, due=False)
    if custom.restarts_of(controller):
        yield _restart_rule(world, custom, controller)


def _start_rule(world: World, custom: Custom, controller: Controller, *, due: bool) -> Rule:
    """A sync reads, and acts on that whatever happens meanwhile."""
    found = sources(world, controller.kinds)
    slots = sync_cells(controller)
    cached = caches_of(world, custom, controller)

    def outcomes(*values: Any) -> Outcomes:
        syncs, values = values[: len(slots)], values[len(slots) :]
        if None not in syncs:
            return
        free = slots[syncs.index(None)]
        seen = gathered(found, tuple(v.shown for v in values) if cached else _read(found, values))
        real = gathered(found, tuple(v.actual for v in values)) if cached else seen
        busy = frozenset(sync.key for sync in syncs if sync is not None)
        for subject, started in _syncs(controller, seen, busy):
            if _changes_something(controller, started, real) is due:
                why = _seen(subject, seen) + ("" if due else _NOT_DUE)
                yield told(SYNC, f"reads, for a sync of {subject}", {free: started}, why)

    cells = (*slots, *((watch.cell for watch in cached) if cached else cells_of(found)))
    name = f"{controller.name} starts a sync" + ("" if due else " that is not due")
    return Rule(
        name,
        controller.name,
        cells,
        outcomes,
        reads=() if cached else reads_of(found),
        environment=not due,
        task=due * controller.name,
    )


def _read(found: tuple[Source, ...], values: tuple[Any, ...]) -> tuple[Objects, ...]:
    return tuple(source.shown(value) for source, value in zip(found, values, strict=True))


_NOT_DUE = "; nothing is to be changed, but something has called it"


def _syncs(
    controller: Controller, seen: Mapping[str, Objects], busy: frozenset[Key]
) -> Iterator[tuple[Object, Sync]]:
    """The syncs that send anything, with the objects that they are of; those at work have none."""
    read = tuple(seen.get(kind, ()) for kind in controller.kinds)
    for subject in seen.get(controller.kind, ()):
        started = Sync(subject.key, read)
        if subject.key not in busy and next_request(controller, started) is not None:
            yield subject, started


def _seen(subject: Object, seen: Mapping[str, Objects]) -> str:
    """What a sync has read, in a few words."""
    fields = [*leaves("spec", subject.spec), *leaves("status", subject.status)]
    own = ", ".join(f"{path} {value}" for path, value in fields[:MOST_FIELDS])
    parts = [f"it sees {own or 'no fields'}{', ...' if fields[MOST_FIELDS:] else ''}"]
    for kind, objects in seen.items():
        if kind != subject.kind:
            names = ", ".join("/".join(filter(None, found.key)) for found in objects)
            parts.append(f"{kind}: {names or 'none'}")
    return "; ".join(parts)


def _changes_something(controller: Controller, sync: Sync, real: Mapping[str, Objects]) -> bool:
    """Whether the sync would change an object, were it left alone."""
    now = dict(real)
    while (request := next_request(controller, sync)) is not None:
        answer, objects = answered(request, now.get(request.kind, ()))
        if objects != now.get(request.kind, ()):
            return True
        sync = sync._replace(answers=(*sync.answers, answer))
    return False


def _request_rules(world: World, controller: Controller, cell: str, named: str) -> Iterator[Rule]:
    """One rule for each cell that a worker may write to."""
    actor = controller.name
    for source in targets(world, controller.kinds):
        outcomes = partial(_write, controller, cell, source)
        yield Rule(
            f"{named} writes to {source.cell}", actor, (cell, source.cell), outcomes, task=cell
        )
    for kind in sorted(BUILT_IN & frozenset(controller.kinds)):
        outcomes = partial(_ask_in_vain, controller, cell, kind, existing(world, kind))
        name = f"{named} asks for a {kind} that does not exist"
        yield Rule(name, actor, (cell,), outcomes, task=cell)


def _write(
    controller: Controller, cell: str, source: Source, sync: Sync | None, value: Any
) -> Outcomes:
    request = None if sync is None else next_request(controller, sync)
    if sync is None or request is None or request.kind != source.kind:
        return
    objects = source.shown(value)
    if source.kind in BUILT_IN and find(objects, request.key) is None:
        return
    answer, after = answered(request, objects)
    writes = {cell: _advanced(controller, sync, answer)}
    if after != objects:
        writes[source.cell] = stored(value, after)
    does = sentence(request, answer, changed=after != objects)
    yield told(VERBS[request.verb], does, writes, _before(controller, sync))


def _ask_in_vain(
    controller: Controller, cell: str, kind: str, known: frozenset[Key], sync: Sync | None
) -> Outcomes:
    request = None if sync is None else next_request(controller, sync)
    if sync is not None and request is not None and request.kind == kind:
        if request.key in known:
            return
        answer, _ = answered(request, ())
        writes = {cell: _advanced(controller, sync, answer)}
        yield told(
            VERBS[request.verb],
            sentence(request, answer, changed=False),
            writes,
            _before(controller, sync),
        )


def _advanced(controller: Controller, sync: Sync, answer: Answer) -> Sync | None:
    """The sync after an answer; None where that was its last request."""
    after = sync._replace(answers=(*sync.answers, answer))
    return None if next_request(controller, after) is None else after


def _before(controller: Controller, sync: Sync) -> str:
    which = f" of {title(controller.kind, *sync.key)}" if controller.workers > 1 else ""
    sent = len(sync.answers)
    if not sent:
        return f"its sync{which} has decided on this from what it had read"
    return f"its sync{which} goes on after {sent} {'request' if sent == 1 else 'requests'}"


# Restarts


def _restart_rule(world: World, custom: Custom, controller: Controller) -> Rule:
    """A restart forgets syncs and fills caches anew; there is none that would change nothing."""
    budget, slots = restarts_cell(controller), sync_cells(controller)
    cached = caches_of(world, custom, controller)

    def outcomes(left: int, *values: Any) -> Outcomes:
        if not left:
            return
        for loss in _losses(custom, controller, cached, values, again=left > 1):
            if loss.why:
                writes = {budget: left - 1, **loss.writes}
                yield told(RESTART, f"{controller.name} restarts", writes, loss.why)

    cells = (budget, *slots, *(watch.cell for watch in cached))
    name = f"{controller.name} restarts"
    return Rule(name, "fault", cells, outcomes, environment=True)


def forgotten(world: World, custom: Custom, controller: Controller) -> Forgetting:
    """What a controller forgets with the controller manager that it is a part of."""
    slots, cached = sync_cells(controller), caches_of(world, custom, controller)

    def lose(*values: Any) -> Iterator[Loss]:
        for loss in _losses(custom, controller, cached, values, again=True):
            yield loss._replace(why=loss.why or NOTHING_IN_HAND)

    cells = (*slots, *(watch.cell for watch in cached))
    what = f"the syncs of {controller.name}"
    return Forgetting(what=what, actor=controller.name, cells=cells, lose=lose)


def _losses(
    custom: Custom,
    controller: Controller,
    cached: tuple[Watch, ...],
    values: tuple[Any, ...],
    *,
    again: bool,
) -> Iterator[Loss]:
    """The syncs go, and caches are filled anew; without a word why where nothing changes.

    ``values`` are those of the slots, and then the caches; ``again``: another restart may follow.
    """
    slots = sync_cells(controller)
    syncs, known = values[: len(slots)], values[len(slots) :]
    for filled in relisted(cached, known, custom.lists, again=again):
        older = [
            watch.source.cell
            for watch, cache in zip(cached, known, strict=True)
            if filled[watch.cell].behind > cache.behind
        ]
        why = _forgets(controller, syncs, older)
        yield Loss({**dict.fromkeys(slots), **filled}, why)


def _forgets(controller: Controller, syncs: tuple[Sync | None, ...], older: list[str]) -> str:
    """What a restart does away with."""
    parts = [
        f"it forgets its sync of {title(controller.kind, *sync.key)}, which had "
        f"{_done(controller, sync)}"
        for sync in syncs
        if sync is not None
    ]
    if older:
        parts.append(f"it lists {', '.join(older)} anew, from an API server that lags behind")
    return "; ".join(parts)


def _done(controller: Controller, sync: Sync) -> str:
    """What a sync has written, for "had ..."."""
    parts = [
        deed(request, answer)
        for request, answer in sent(controller, sync)
        if isinstance(answer, Object) and request.verb in PAST
    ]
    return ", ".join(parts) or "written nothing yet"


def sent(controller: Controller, sync: Sync) -> Iterator[tuple[Request, Answer]]:
    """The requests of a sync so far, with their answers."""
    for index, answer in enumerate(sync.answers):
        request = next_request(controller, sync._replace(answers=sync.answers[:index]))
        if request is not None:
            yield request, answer
