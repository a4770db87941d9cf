"""A change: what stands, what is applied to it, and what is asked then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .model.components.registry import OWNERS
from .model.manifests import (
    Applied,
    CheckSpec,
    InvalidInput,
    Manifest,
    Manifests,
    NotModelled,
    OfWorkload,
    Position,
    Problem,
    change_of,
)
from .model.scenario import Change, is_named, key_of

UNCHANGED = "Nothing differs: what is applied is what is there already."

NOT_MODELLED = "What differs is not modelled, so nothing is checked"

TAKEN_AWAY = "is taken away"
NAMED = 3
"""How many of those that are alike are named."""


@dataclass(frozen=True, slots=True)
class Applying:
    """What stands (``before``, with what is new in it), what there is ``after``, and the changes.

    ``sentences`` say what differs, and that all else is equal; ``aside`` are objects that differ in
    what is not modelled.
    """

    before: Manifests
    after: Manifests
    changes: tuple[Change, ...]
    sentences: tuple[str, ...]
    is_none: bool
    aside: tuple[str, ...] = ()

    def asked(self, spec: CheckSpec) -> CheckSpec:
        """What is asked: the change as one system, and without events nothing else.

        Raises:
            InvalidInput: an event would roll out what is applied.
        """
        own = tuple(key_of(change.owner).spellings[-1] for change in self.changes)
        problems = [
            Problem(Position("events"), "", f"{event.meant or 'all'}: {_TWICE}")
            for entry in spec.events or ()
            for event in (entry.rollout,)
            if isinstance(event, OfWorkload)
            and any(not event.meant or is_named(c.owner, (event.meant,)) for c in self.changes)
        ]
        if problems:
            raise InvalidInput(problems)
        alone = spec.events is None and not spec.workloads
        return msgspec.structs.replace(
            spec,
            events=() if spec.events is None else spec.events,
            workloads=own if alone else spec.workloads,
            together=tuple(dict.fromkeys((*spec.together, *own))),
        )


_TWICE = "it is applied (--from), which is its rollout: no other can be asked beside that"


def applying_of(base: Manifests, new: Manifests, *, prune: bool) -> Applying:
    """What becomes of a base when the new objects are applied to it.

    Raises:
        InvalidInput: the API server would refuse that.
    """
    change = change_of(base, new)
    after = {id(a.before): a.after for a in change.applied if a.before is not None}
    appearing = tuple(a.after for a in change.applied if a.before is None)
    found = tuple(_changes(change.applied))
    missing = tuple(m for m in change.missing if _makes_pods(m))
    if prune:
        found += tuple(_taken_away(manifest.object) for manifest in missing)
    listed = tuple(_not_modelled(change.applied))
    objects: list[Manifest[Any]] = [after.get(id(m), m) for m in base.objects]
    merged = new._replace(
        objects=(*objects, *appearing),
        not_modelled=(*base.not_modelled, *new.not_modelled, *listed),
        warnings=(),
        others=(*base.others, *new.others),
    )
    return Applying(
        before=base._replace(objects=(*base.objects, *appearing)),
        after=merged,
        changes=found,
        sentences=(
            *_sentences(found, change.applied, missing, prune=prune),
            *([f"differ in what is not modelled: {_some(change.aside)}"] if change.aside else []),
            "all else is equal before and after",
        ),
        aside=change.aside,
        is_none=not change.applied and not (prune and missing),
    )


def _taken_away(owner: Any) -> Change:
    return Change(owner, rolls=False, replicas=0, appears=False, fields=TAKEN_AWAY)


def _makes_pods(manifest: Manifest[Any]) -> bool:
    kind = OWNERS.get(type(manifest.object))
    return kind is not None and kind.stands_alone(manifest.object)


def _changes(applied: tuple[Applied, ...]) -> Iterator[Change]:
    for each in applied:
        if _makes_pods(each.after):
            owner = each.after.object
            kind = OWNERS[type(owner)]
            rolls = each.rolls and each.before is not None and kind.rollout(owner) is not None
            replicas = kind.replicas(owner) if each.replicas else -1
            fields = ", ".join(each.fields) or "is new"
            yield Change(owner, rolls, replicas, each.before is None, fields)


def _not_modelled(applied: tuple[Applied, ...]) -> Iterator[NotModelled]:
    """Differences of which nothing comes here."""
    for each in applied:
        owner = each.after.object
        kind = OWNERS.get(type(owner))
        if each.before is None:
            continue
        if kind is None:
            yield _noted(each, "", "it differs: until then, and afterwards, it is as it was before")
        elif each.rolls and kind.rollout(owner) is None:
            reason = "only new pods would be made from it: they are made from the old one here"
            yield _noted(each, "spec.template", reason)


def _noted(applied: Applied, path: str, reason: str) -> NotModelled:
    metadata = applied.after.object.metadata
    name = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
    label = f"{type(applied.after.object).__name__} {name}"
    return NotModelled(applied.after.document.at(path), label, path, "not modelled", reason)


def _sentences(
    changes: tuple[Change, ...],
    applied: tuple[Applied, ...],
    missing: tuple[Manifest[Any], ...],
    *,
    prune: bool,
) -> Iterator[str]:
    for change in changes:
        verb = "appears" if change.appears else "differs in"
        what = "" if change.appears else f" {change.fields}"
        taken = change.fields == TAKEN_AWAY
        said = f"{TAKEN_AWAY}: it is scaled to 0 here" if taken else f"{verb}{what}"
        yield f"change, at any time: {key_of(change.owner)} {said}"
    others = [a for a in applied if not _makes_pods(a.after)]
    if others:
        yield f"of other objects, {len(others)} differ or are new, and are not applied by a step"
    if missing and not prune:
        yield f"not given, and left as it is: {_some([str(key_of(m.object)) for m in missing])}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def nothing_asked(applyings: Iterable[Applying]) -> str:
    """Why nothing is asked where nothing differs, or nothing that is modelled."""
    aside = tuple(dict.fromkeys(name for each in applyings for name in each.aside))
    return f"{NOT_MODELLED}: {_some(aside)}." if aside else UNCHANGED
