"""Loaded controllers' objects and workers in a state, and how objects differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.components.reconcile.calling import Sync
from kubelemma.model.components.reconcile.declarations import Controller
from kubelemma.model.components.reconcile.objects import Object, Objects, leaves
from kubelemma.model.components.reconcile.sources import Source, objects_cell, sync_cells
from kubelemma.reports.narrate.differing import NONE
from kubelemma.reports.narrate.scene import Seen
from kubelemma.reports.story import Change

EXISTS = "exists"
"""The field that tells of an object that came or went."""
_UNTOLD = frozenset(
    f"metadata.annotations.{name}"
    for name in ("kubelemma.dev/ignore", "kubectl.kubernetes.io/last-applied-configuration")
)
"""Annotations that are for tools."""
_PARTS = ("labels", "annotations", "finalizers", "spec", "status", "data")


def shown_by(seen: Seen, source: Source) -> Objects:
    """What a source shows in a state."""
    held = seen.summed(source.cell) if source.summed else seen.value(source.cell)
    return source.shown(held)


def objects_of(seen: Seen, kind: str) -> Objects:
    """The objects of a kind that is kept as objects."""
    found: Objects = seen.value(objects_cell(kind))
    return found


class Worker(NamedTuple):
    """A worker of a controller, counted from 1, and its sync under way, if there is one."""

    controller: Controller
    number: int
    sync: Sync | None


def workers(seen: Seen) -> Iterator[Worker]:
    """The workers of all loaded controllers."""
    for controller in seen.scenario.custom.controllers:
        for number, cell in enumerate(sync_cells(controller), 1):
            yield Worker(controller, number, seen.value(cell))


def named(objects: Objects) -> str:
    """The names of objects of one kind, in a few words."""
    return ", ".join("/".join(filter(None, found.key)) for found in objects) or "none"


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


def differences(before: Objects, after: Objects) -> Iterator[Change]:
    """Every field of every object that differs."""
    old, new = ({str(found): found for found in objects} for objects in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield from _changed(name, old.get(name), new.get(name))


def _changed(name: str, before: Object | None, after: Object | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change(name, EXISTS, "no" if before is None else "yes", _exists(after))
    old, new = dict(fields(before)), dict(fields(after))
    for field in sorted({*old, *new}):
        if old.get(field) != new.get(field):
            yield Change(name, field, old.get(field, NONE), new.get(field, NONE))


def _exists(found: Object | None) -> str:
    return "no" if found is None else "yes"
