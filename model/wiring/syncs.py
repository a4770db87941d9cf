"""The syncs of loaded controllers: one request a step, and restarts between them.

A sync reads (what it reads is kept), and then sends one request after the other; anything may
happen in between. What is kept of it is what it had read and the answers that it got, from which
its function is run again to say what comes next.

A sync that would change nothing, were it left alone, may be started, as by a resync or an event
that does not matter, but need not be: so controllers rest when nothing is to be done, and what such
a sync writes too late is seen all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from kubelemma.model.custom.calling import Answer, Sync, next_request
from kubelemma.model.custom.declarations import Controller
from kubelemma.model.custom.legal import DEPLOYMENT
from kubelemma.model.custom.objects import Object, Objects, find, leaves, title
from kubelemma.model.custom.requests import Request
from kubelemma.model.system import Rule

from .caches import caches_of
from .custom import (
    Custom,
    Outcomes,
    Source,
    answered,
    gathered,
    restarts_cell,
    sentence,
    sources,
    stored,
    sync_cell,
    told,
)
from .world import World

Key: TypeAlias = tuple[str, str]

MOST_FIELDS = 6
"""So many fields of an object are told as what a sync has read."""


def rules(world: World, custom: Custom, controller: Controller) -> tuple[Rule, ...]:
    """What a controller must do; it is one task."""
    due = _start_rule(world, custom, controller, due=True)
    return (due, *_request_rules(world, controller))


def chance_rules(world: World, custom: Custom, controller: Controller) -> Iterator[Rule]:
    """What may happen to a controller at any time: a sync that is not due, and a restart."""
    yield _start_rule(world, custom, controller, due=False)
    if custom.restarts:
        yield _restart_rule(controller)


def _start_rule(world: World, custom: Custom, controller: Controller, *, due: bool) -> Rule:
    """A sync reads, and acts on that whatever happens meanwhile."""
    found = sources(world, controller.kinds)
    cell = sync_cell(controller)
    cached = caches_of(world, custom, controller)

    def outcomes(sync: Sync | None, *values: Any) -> Outcomes:
        if sync is not None:
            return
        versions = [v if cached else (s.shown(v),) for s, v in zip(found, values, strict=True)]
        seen = gathered(found, tuple(v[0] for v in versions))
        real = gathered(found, tuple(v[-1] for v in versions))
        for subject, started in _syncs(controller, seen):
            if _changes_something(controller, started, real) is due:
                why = _seen(subject, seen) + ("" if due else _NOT_DUE)
                yield told("sync", f"reads, for a sync of {subject}", {cell: started}, why)

    cells = (cell, *(cached.get(source.cell, source.cell) for source in found))
    name = f"{controller.name} starts a sync" + ("" if due else " that is not due")
    return Rule(
        name, controller.name, cells, outcomes, environment=not due, task=due * controller.name
    )


_NOT_DUE = "; nothing is to be changed, but something has called it"


def _syncs(controller: Controller, seen: Mapping[str, Objects]) -> Iterator[tuple[Object, Sync]]:
    """The syncs that send anything, with the objects that they are of."""
    read = tuple(seen.get(kind, ()) for kind in controller.kinds)
    for subject in seen.get(controller.kind, ()):
        started = Sync(subject.key, read)
        if next_request(controller, started) is not None:
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
        answer, objects = answered(request, now.get(request.kind, ()), sync)
        if objects != now.get(request.kind, ()):
            return True
        sync = sync._replace(answers=(*sync.answers, answer))
    return False


def _request_rules(world: World, controller: Controller) -> Iterator[Rule]:
    """One rule for each cell that the controller may write to."""
    cell, actor = sync_cell(controller), controller.name
    workloads = frozenset((w.namespace, w.name) for w in world.workloads)
    for source in sources(world, controller.kinds):
        outcomes = partial(_write, controller, source)
        name = f"{controller.name} writes to {source.cell}"
        yield Rule(name, actor, (cell, source.cell), outcomes, task=actor)
    if DEPLOYMENT in controller.kinds:
        outcomes = partial(_ask_in_vain, controller, workloads)
        name = f"{controller.name} asks for a Deployment that does not exist"
        yield Rule(name, actor, (cell,), outcomes, task=actor)


def _write(controller: Controller, source: Source, sync: Sync | None, value: Any) -> Outcomes:
    request = None if sync is None else next_request(controller, sync)
    if sync is None or request is None or request.kind != source.kind:
        return
    objects = source.shown(value)
    if source.kind == DEPLOYMENT and find(objects, _key(request, sync)) is None:
        return
    answer, after = answered(request, objects, sync)
    writes = {sync_cell(controller): _advanced(controller, sync, answer)}
    if after != objects:
        writes[source.cell] = stored(value, after)
    does = sentence(request, answer, changed=after != objects)
    yield told(request.verb, does, writes, _before(sync))


def _ask_in_vain(controller: Controller, workloads: frozenset[Key], sync: Sync | None) -> Outcomes:
    request = None if sync is None else next_request(controller, sync)
    if sync is None or request is None or request.kind != DEPLOYMENT:
        return
    if _key(request, sync) not in workloads:
        answer, _ = answered(request, (), sync)
        writes = {sync_cell(controller): _advanced(controller, sync, answer)}
        yield told(request.verb, sentence(request, answer, changed=False), writes, _before(sync))


def _key(request: Request, sync: Sync) -> Key:
    namespace = sync.key[0] if request.namespace is None else request.namespace
    return (namespace, request.name)


def _advanced(controller: Controller, sync: Sync, answer: Answer) -> Sync | None:
    """The sync after an answer; None where that was its last request."""
    after = sync._replace(answers=(*sync.answers, answer))
    return None if next_request(controller, after) is None else after


def _before(sync: Sync) -> str:
    done = len(sync.answers)
    if not done:
        return "its sync has decided on this from what it had read"
    return f"its sync goes on after {done} {'request' if done == 1 else 'requests'}"


# Restarts


def _restart_rule(controller: Controller) -> Rule:
    """A restart during a sync: at any other time it would change nothing."""
    budget, cell = restarts_cell(controller), sync_cell(controller)

    def outcomes(left: int, sync: Sync | None) -> Outcomes:
        if not left or sync is None:
            return
        subject = title(controller.kind, *sync.key)
        why = f"it forgets its sync of {subject}, which had {_done(controller, sync)}"
        writes = {budget: left - 1, cell: None}
        yield told("restart", f"{controller.name} restarts", writes, why)

    name = f"{controller.name} restarts"
    return Rule(name, "fault", (budget, cell), outcomes, environment=True)


def _done(controller: Controller, sync: Sync) -> str:
    """What a sync has written, for "had ..."."""
    parts = []
    for index, answer in enumerate(sync.answers):
        request = next_request(controller, sync._replace(answers=sync.answers[:index]))
        if isinstance(answer, Object) and request is not None and request.verb in _PAST:
            parts.append(f"{_PAST[request.verb]} {answer}")
    return ", ".join(parts) or "written nothing yet"


_PAST = {"create": "created", "update": "updated", "patch": "patched", "delete": "deleted"}
