"""Loaded controllers and their objects, as stories, states and explanations tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubelemma.model.components.reconcile.caches import watches
from kubelemma.model.components.reconcile.calling import Sync, next_request
from kubelemma.model.components.reconcile.declarations import Controller
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.components.reconcile.objects import Object, Objects, leaves, title
from kubelemma.model.components.reconcile.sources import (
    DOES,
    Source,
    deed,
    gathered,
    objects_cell,
    refused_because,
    sources,
    sync_cells,
)
from kubelemma.model.components.reconcile.syncs import sent
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural
from kubelemma.solver.result import TraceStep

NONE = "<none>"
EXISTS = "exists"
"""The field that tells of an object that came or went."""
_UNTOLD = frozenset(
    f"metadata.annotations.{name}"
    for name in ("kubelemma.dev/ignore", "kubectl.kubernetes.io/last-applied-configuration")
)
"""Annotations that are for tools."""
_ASIDE = {NODE: "metadata."}
"""Fields that are many, and seldom what a promise is about, by their beginning."""
_PARTS = ("labels", "annotations", "finalizers", "spec", "status", "data")


def told(step: TraceStep) -> str:
    """The sentence that a step brings along; empty where it brings none."""
    return str(dict(step.outcome.arguments).get(DOES, ""))


def without_sentence(arguments: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """The arguments of a step that are data."""
    return tuple((name, value) for name, value in arguments if name != DOES)


def value_of(scenario: Scenario, state: State, cell: str) -> object:
    """What a cell holds."""
    return state[scenario.system.positions[cell].start]


def shown_by(scenario: Scenario, state: State, source: Source) -> Objects:
    """What a source shows in a state."""
    if source.summed:
        return source.shown(scenario.system.summary(state)[source.cell])
    return source.shown(value_of(scenario, state, source.cell))


class Worker(NamedTuple):
    """A worker of a controller, counted from 1, and its sync under way, if there is one."""

    controller: Controller
    number: int
    sync: Sync | None


def workers(scenario: Scenario, state: State) -> Iterator[Worker]:
    """The workers of all loaded controllers."""
    for controller in scenario.custom.controllers:
        for number, cell in enumerate(sync_cells(controller), 1):
            sync: Any = value_of(scenario, state, cell)
            yield Worker(controller, number, sync)


def objects_of(scenario: Scenario, state: State, kind: str) -> Objects:
    """The objects of a kind that is kept as objects."""
    found: Objects = state[scenario.system.positions[objects_cell(kind)].start]
    return found


# What a step changes


def changes_of_objects(scenario: Scenario, before: State, after: State) -> Iterator[Change]:
    """Every field of every object that differs."""
    for kind in scenario.custom.objects:
        yield from differences(
            objects_of(scenario, before, kind), objects_of(scenario, after, kind)
        )


def _changed(name: str, before: Object | None, after: Object | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change(name, EXISTS, "no" if before is None else "yes", _exists(after))
    old, new = dict(fields(before)), dict(fields(after))
    for field in sorted({*old, *new}):
        if old.get(field) != new.get(field):
            yield Change(name, field, old.get(field, NONE), new.get(field, NONE))


def _exists(found: Object | None) -> str:
    return "no" if found is None else "yes"


def fields(found: Object | None) -> Iterator[tuple[str, str]]:
    """The fields of an object, innermost first, with their values as text."""
    if found is None:
        return
    if found.deleting:
        yield "metadata.deletionTimestamp", "set"
    for part in _PARTS:
        value = getattr(found, part)
        path = part if part in ("spec", "status", "data") else f"metadata.{part}"
        yield from (leaf for leaf in leaves(path, value) if leaf[0] not in _UNTOLD)


# What is seen, and what is not


def read_by(scenario: Scenario, before: State, step: TraceStep) -> Iterator[Fact]:
    """What a sync reads when it starts; of a request, what its sync had read, and had sent."""
    for controller in scenario.custom.controllers:
        for cell in sync_cells(controller):
            if cell in step.outcome.writes and not step.environment:
                started = step.outcome.writes[cell] if step.outcome.action == "sync" else None
                sync: Any = started or value_of(scenario, before, cell)
                yield from _rests_on(controller, sync)


def _rests_on(controller: Controller, sync: Sync) -> Iterator[Fact]:
    for kind, objects in zip(controller.kinds, sync.read, strict=True):
        yield Fact(kind, named(objects))
    subject = next(o for o in sync.read[0] if o.key == sync.key)
    for field, value in fields(subject):
        yield Fact(f"{subject}: {field}", value)
    for number, request in enumerate(sent(controller, sync), 1):
        yield Fact(f"request {number}", deed(*request))


def named(objects: Objects) -> str:
    """The names of objects of one kind, in a few words."""
    return ", ".join("/".join(filter(None, found.key)) for found in objects) or "none"


def unseen_by_caches(scenario: Scenario, before: State, step: TraceStep) -> Iterator[str]:
    """Where the caches that a sync reads lag behind."""
    if step.outcome.action != "sync":
        return
    for watch in watches(scenario.world, scenario.custom):
        if watch.controller == step.actor:
            cache: Any = value_of(scenario, before, watch.cell)
            yield from _unseen(cache.shown, cache.actual)


def _unseen(seen: Objects, actual: Objects) -> Iterator[str]:
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


def differences(before: Objects, after: Objects) -> Iterator[Change]:
    """Every field of every object that differs."""
    old, new = ({str(found): found for found in objects} for objects in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield from _changed(name, old.get(name), new.get(name))


# States, and how stories end


def state_lines(scenario: Scenario, state: State) -> Iterator[str]:
    """A line for each object, sync under way, and cache that lags."""
    for kind in scenario.custom.objects:
        for found in objects_of(scenario, state, kind):
            yield described(found)
    for controller, _, sync in workers(scenario, state):
        if sync is not None:
            so_far = f", {plural(len(sync.answers), 'request')} sent" if sync.answers else ""
            subject = title(controller.kind, *sync.key)
            yield f"{controller.name}: in a sync of {subject}{so_far}"
    for watch in watches(scenario.world, scenario.custom):
        cache: Any = value_of(scenario, state, watch.cell)
        if cache.behind:
            yield f"{watch.cell}: {cache.behind} behind"


def described(found: Object) -> str:
    """An object in a line."""
    told = _listed(found)
    return f"{found}: {told}" if told else str(found)


def _listed(found: Object, left_out: str = NONE) -> str:
    told = (f"{field} {value}" for field, value in fields(found) if not field.startswith(left_out))
    return ", ".join(told)


def terms_of(scenario: Scenario, prop: Property, state: State) -> tuple[Fact, ...]:
    """The objects that a loaded property looks at, as they are."""
    custom, view = scenario.custom, prop.formula.view
    every = sources(scenario.world, (*custom.objects, *sorted(custom.built_in)))
    seen = (source for source in every if source.cell in (*view.cells, *view.reads))
    found = (o for source in seen for o in shown_by(scenario, state, source))
    return tuple(
        Fact(str(each), _listed(each, _ASIDE.get(each.kind, NONE)) or "no fields") for each in found
    )


def idle_controllers(scenario: Scenario, state: State) -> Iterator[Idle]:
    """Why each loaded controller does nothing."""
    for controller in scenario.custom.controllers:
        found = sources(scenario.world, controller.kinds)
        shown = tuple(shown_by(scenario, state, source) for source in found)
        kinds = gathered(found, shown)
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
