"""Loaded controllers and their objects, as stories, states and explanations tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.custom.calling import Sync, next_request
from kubelemma.model.custom.declarations import Controller
from kubelemma.model.custom.objects import Object, Objects, leaves
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.model.wiring.caches import watches
from kubelemma.model.wiring.custom import (
    DOES,
    gathered,
    objects_cell,
    refused_because,
    sources,
    sync_cell,
)
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural
from kubelemma.solver.result import TraceStep

NONE = "<none>"
_PARTS = ("labels", "annotations", "finalizers", "spec", "status", "data")


def told(step: TraceStep) -> str:
    """The sentence that a step brings along; empty where it brings none."""
    return str(dict(step.outcome.arguments).get(DOES, ""))


def without_sentence(arguments: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """The arguments of a step that are data."""
    return tuple((name, value) for name, value in arguments if name != DOES)


def _value(scenario: Scenario, state: State, cell: str) -> object:
    return state[scenario.system.positions[cell].start]


def _objects(scenario: Scenario, state: State, kind: str) -> Objects:
    found: Objects = state[scenario.system.positions[objects_cell(kind)].start]
    return found


# What a step changes


def changes_of_objects(scenario: Scenario, before: State, after: State) -> Iterator[Change]:
    """Every field of every object that differs."""
    for kind in scenario.custom.objects:
        old = {str(found): found for found in _objects(scenario, before, kind)}
        new = {str(found): found for found in _objects(scenario, after, kind)}
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield from _changed(name, old.get(name), new.get(name))


def _changed(name: str, before: Object | None, after: Object | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change(name, "exists", "no" if before is None else "yes", _exists(after))
    old, new = dict(_fields(before)), dict(_fields(after))
    for field in sorted({*old, *new}):
        if old.get(field) != new.get(field):
            yield Change(name, field, old.get(field, NONE), new.get(field, NONE))


def _exists(found: Object | None) -> str:
    return "no" if found is None else "yes"


def _fields(found: Object | None) -> Iterator[tuple[str, str]]:
    """The fields of an object, innermost first, with their values as text."""
    if found is None:
        return
    if found.deleting:
        yield "metadata.deletionTimestamp", "set"
    for part in _PARTS:
        value = getattr(found, part)
        path = part if part in ("spec", "status", "data") else f"metadata.{part}"
        yield from leaves(path, value)


# What is seen, and what is not


def read_by(scenario: Scenario, step: TraceStep) -> Iterator[Fact]:
    """What a sync reads when it starts."""
    for controller in scenario.custom.controllers:
        started = _value(scenario, step.state, sync_cell(controller))
        if step.actor == controller.name and isinstance(started, Sync):
            for kind, objects in zip(controller.kinds, started.read, strict=True):
                yield Fact(kind, _named(objects))
            subject = next(o for o in started.read[0] if o.key == started.key)
            for field, value in _fields(subject):
                yield Fact(f"{subject}: {field}", value)


def _named(objects: Objects) -> str:
    return ", ".join("/".join(filter(None, found.key)) for found in objects) or "none"


def unseen_by_caches(scenario: Scenario, before: State, step: TraceStep) -> Iterator[str]:
    """Where the caches that a sync reads lag behind."""
    if step.outcome.action != "sync":
        return
    for watch in watches(scenario.world, scenario.custom):
        if watch.controller == step.actor:
            versions = before[scenario.system.positions[watch.cell].start]
            for change in _differences(versions[0], versions[-1]):
                what = f"{change.object} {change.field}"
                yield f"{what} is {change.after}; its cache still says {change.before}"


def _differences(before: Objects, after: Objects) -> Iterator[Change]:
    old, new = ({str(found): found for found in objects} for objects in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield from _changed(name, old.get(name), new.get(name))


# States, and how stories end


def state_lines(scenario: Scenario, state: State) -> Iterator[str]:
    """A line for each object, sync under way, and cache that lags."""
    for kind in scenario.custom.objects:
        for found in _objects(scenario, state, kind):
            yield described(found)
    for controller in scenario.custom.controllers:
        sync = _value(scenario, state, sync_cell(controller))
        if isinstance(sync, Sync):
            done = f", {plural(len(sync.answers), 'request')} sent" if sync.answers else ""
            yield f"{controller.name}: in a sync of {controller.kind} {'/'.join(sync.key)}{done}"
    for watch in watches(scenario.world, scenario.custom):
        behind = len(state[scenario.system.positions[watch.cell].start]) - 1
        if behind:
            yield f"{watch.cell}: {behind} behind"


def described(found: Object) -> str:
    """An object in a line."""
    fields = ", ".join(f"{field} {value}" for field, value in _fields(found))
    return f"{found}: {fields}" if fields else str(found)


def terms_of(scenario: Scenario, prop: Property, state: State) -> tuple[Fact, ...]:
    """The objects that a loaded property looks at, as they are."""
    seen = (k for k in scenario.custom.objects if objects_cell(k) in prop.formula.view.cells)
    found = (o for kind in seen for o in _objects(scenario, state, kind))
    return tuple(Fact(str(o), described(o).removeprefix(f"{o}: ")) for o in found)


def idle_controllers(scenario: Scenario, state: State) -> Iterator[Idle]:
    """Why each loaded controller does nothing."""
    for controller in scenario.custom.controllers:
        found = sources(scenario.world, controller.kinds)
        shown = tuple(s.shown(_value(scenario, state, s.cell)) for s in found)
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
            answer = refused_because(request, kinds.get(request.kind, ()), sync)
            if answer:
                yield f"its sync of {subject} would {request}, and be refused: {answer}"
