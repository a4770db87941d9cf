"""A change: what stands, what is applied to it, and what is asked then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from .model.cluster.owners import OwnerKind, controller_of
from .model.components.apiserver.admission import filled
from .model.components.registry import OWNERS
from .model.manifests import (
    CHECK,
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
from .model.manifests.reading import interpret
from .model.objects.pod import Pod, PodStatus
from .model.objects.policies import LimitRange, PriorityClass, RuntimeClass
from .model.scenario import Change, Scenario, is_named, key_of
from .model.scenario.admitting import policies_of
from .model.scenario.templates import Key

UNCHANGED = "Nothing differs: what is applied is what is there already."
UNDER_WAY = "nothing differs, but what is there is not at rest"
NOTHING_GOING = "What differs sets nothing going by itself, so nothing is checked"
NOT_MODELLED = "What differs is not modelled, so nothing is checked"

NAMED = 3
"""How many of those that are alike are named."""
MOST_TOGETHER = 3
"""So many workloads that change or are under way are one system; with more of them, only those that
change are."""

_OF_ADMISSION = (LimitRange, PriorityClass, RuntimeClass)
"""What decides what pods look like that are made later."""
_FOR_ROLLOUTS = ("strategy", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
"""Fields of a spec that matter while something is rolled out."""


@dataclass(frozen=True, slots=True)
class Applying:
    """What stands and what is applied to it.

    Attributes:
        base, new: as they are given; ``prune``: whether what is not in the second goes.
        before: what stands, with all that is there from the start.
        after: what there is in the end.
        changes: of owners of pods, each a step.
        pods: those that are created by a step.
        sentences: what differs, and that all else is equal.
        aside: objects that differ in what is not modelled.
        open: why the answer is left open where it needs room, though the change is asked about.
        at_once: sentences on what is taken as it is afterwards from the start.
    """

    base: Manifests
    new: Manifests
    prune: bool
    before: Manifests
    after: Manifests
    changes: tuple[Change, ...]
    pods: tuple[Pod, ...]
    sentences: tuple[str, ...]
    aside: tuple[str, ...] = ()
    at_once: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def has_steps(self) -> bool:
        """Whether anything is applied by a step."""
        return bool(self.changes or self.pods)

    def at_rest(self) -> Manifests:
        """What there is once the change is through, with new pods of those that change.

        Theirs are not given any more: they are where the scheduler puts them. Those of a paused
        one stay, and so do those of one whose pods are replaced only as they go.
        """
        gone = {key_of(change.owner) for change in self.changes if change.goes}
        anew = {key_of(c.owner) for c in self.changes if not (c.waits or c.renews or _rests(c))}
        owners = [m.object for m in self.before.objects if _makes_pods(m)]
        renewed = [owner for owner in owners if key_of(owner) in anew]
        kept = (m for m in self.after.objects if not _is_made_by(m.object, renewed))
        objects = (
            _unbegun(m) if _makes_pods(m) and key_of(m.object) in anew else m
            for m in kept
            if not (_makes_pods(m) and key_of(m.object) in gone)
        )
        return self.after._replace(objects=tuple(objects))

    def asked(self, spec: CheckSpec, moving: Sequence[Any], *, apart: bool) -> CheckSpec:
        """What is asked: the change, with what is under way, and no more by itself.

        It is one system, but where workloads that change go ``apart``, or are too many.

        Raises:
            InvalidInput: an event would roll out what is applied.
        """
        own = tuple(key_of(change.owner).spellings[-1] for change in self.changes)
        rolled = [c for c in self.changes if c.rolls or c.appears or c.goes]
        problems = [
            Problem(Position("events"), "", f"{event.meant or 'all'}: {_TWICE}")
            for entry in spec.events or ()
            for event in (entry.rollout,)
            if isinstance(event, OfWorkload)
            and any(not event.meant or is_named(c.owner, (event.meant,)) for c in rolled)
        ]
        if problems:
            raise InvalidInput(problems)
        others = tuple(n for n in (key_of(o).spellings[-1] for o in moving) if n not in own)
        several = () if apart and not others else self.together(moving)
        alone = spec.events is None and not spec.workloads
        return msgspec.structs.replace(
            spec,
            events=() if spec.events is None else spec.events,
            workloads=(*own, *others) if alone else spec.workloads,
            together=tuple(dict.fromkeys((*spec.together, *several))),
        )

    def together(self, moving: Sequence[Any]) -> tuple[str, ...]:
        """What is one system if it interacts; nothing where that are too many."""
        own = tuple(key_of(change.owner).spellings[-1] for change in self.changes)
        others = tuple(n for n in (key_of(o).spellings[-1] for o in moving) if n not in own)
        for names in ((*own, *others), own):
            if len(names) <= MOST_TOGETHER:
                return names
        return ()

    def said(self, moving: Sequence[Any]) -> tuple[str, ...]:
        """What is to be said on top of the report: the change, and what goes on beside it."""
        names = [str(key_of(owner)) for owner in moving]
        going = "under way at the start, and goes on whatever users do"
        return (
            *([] if self.has_steps else [UNDER_WAY] if moving and not self.at_once else []),
            *self.sentences,
            *([f"{going}: {_some(names)}"] if names else []),
        )

    def held(self, moving: Sequence[Any], focus: Iterable[str], *, apart: bool) -> str:
        """Why promises may hold for want of what is not in the model; empty if all is.

        That is what is under way, or changes as well and does not go ``apart``, and is held still
        where these are in focus.
        """
        going = [name for o in moving if (name := str(key_of(o))) not in focus]
        changing = [] if apart else [str(key_of(change.owner)) for change in self.changes]
        applied = [name for name in changing if name not in focus and name not in going]
        still = (
            f"{_some(names)} {'is' if len(names) == 1 else 'are'} {what}, and held still here: "
            "check them --together"
            for names, what in ((going, "under way"), (applied, "applied, too"))
            if names
        )
        return "; ".join((*still, *self.open))


_TWICE = "it is applied, which is its rollout: no other can be asked beside that"


def applying_of(base: Manifests, new: Manifests, *, prune: bool) -> Applying:
    """What becomes of a base when the new objects are applied to it.

    Raises:
        InvalidInput: the API server would refuse that.
    """
    change = change_of(base, new)
    steps = tuple(each for each in change.applied if _makes_pods(each.after))
    created = tuple(each for each in change.applied if _is_pod(each) and each.before is None)
    patched = tuple(each for each in change.applied if _is_pod(each) and each.before is not None)
    others = tuple(each for each in change.applied if each not in (*steps, *created, *patched))
    gone = tuple(m for m in change.missing if prune and _makes_pods(m))
    lost = tuple(m for m in change.missing if prune and isinstance(m.object, Pod))
    aside = (
        *(f"{each.name} ({each})" for each in patched),
        *(f"Pod {m.object.metadata.name}, which is not taken away" for m in lost),
        *change.aside,
    )
    found = (*map(_change, steps), *(_gone(manifest.object) for manifest in gone))
    at_once = tuple(_at_once(others))
    return Applying(
        base=base,
        new=new,
        prune=prune,
        before=_with(base, others, [each for each in steps if each.before is None]),
        after=_with(base, others, (*steps, *created, *patched))._replace(
            not_modelled=(*base.not_modelled, *new.not_modelled, *_not_modelled(patched)),
            warnings=(),
            others=(*base.others, *new.others),
        ),
        changes=found,
        pods=tuple(_created(each.after.object) for each in created),
        sentences=(
            *(f"change, at any time: {key_of(c.owner)}: {_what(c)}" for c in found),
            *(f"change, at any time: {each.name}: {_NEW_POD}" for each in created),
            *at_once,
            *_missing(change.missing, prune=prune),
            *([f"differ in what is not modelled: {_some(aside)}"] if aside else []),
            *(["all else is equal before and after"] if change.applied or gone or aside else []),
        ),
        aside=aside,
        at_once=at_once,
        open=tuple(_admitted_otherwise(base, steps, others)),
    )


def _with(
    base: Manifests,
    others: Iterable[Applied],
    more: Iterable[Applied],
) -> Manifests:
    """What stands, with these objects as they are after they have been applied."""
    applied = (*others, *more)
    after = {id(each.before): each.after for each in applied if each.before is not None}
    kept: list[Manifest[Any]] = [after.get(id(m), m) for m in base.objects]
    return base._replace(objects=(*kept, *(a.after for a in applied if a.before is None)))


def _makes_pods(manifest: Manifest[Any]) -> bool:
    kind = OWNERS.get(type(manifest.object))
    return kind is not None and kind.stands_alone(manifest.object)


def _rests(change: Change) -> bool:
    """Whether what is applied is paused, and its pods stay as they are."""
    return bool(getattr(change.owner.spec, "paused", False)) and not change.goes


def _is_made_by(found: Any, owners: Iterable[Any]) -> bool:
    """Whether an object is a pod of one of these owners, or is what it makes pods by way of."""
    if isinstance(found, Pod):
        return any(OWNERS[type(owner)].owns(owner, found) for owner in owners)
    controller = controller_of(found.metadata)
    if controller is None:
        return False
    key = Key(controller.kind, found.metadata.namespace, controller.name)
    return key in map(key_of, owners)


def _unbegun(manifest: Manifest[Any]) -> Manifest[Any]:
    """The object without a status, which counts what has been before."""
    document = manifest.document
    data = {key: value for key, value in document.data.items() if key != "status"}
    read, _ = interpret([document._replace(data=data)])
    found: Manifest[Any] = read.objects[0]
    return found


def _is_pod(applied: Applied) -> bool:
    return isinstance(applied.after.object, Pod)


def _created(pod: Pod) -> Pod:
    """A pod as somebody creates it: of its status nothing is stored."""
    return msgspec.structs.replace(pod, status=PodStatus())


def _change(each: Applied) -> Change:
    owner = each.after.object
    kind = OWNERS[type(owner)]
    rolls = each.rolls and each.before is not None and _rolls(kind, owner)
    replicas = kind.replicas(owner) if each.replicas else -1
    fields = str(each) if each.before is not None else f"new, replicas {kind.replicas(owner)}"
    waits = not rolls and each.before is not None and _waits(each)
    renews = each.rolls and each.before is not None and not rolls
    return Change(owner, rolls, replicas, each.before is None, fields, waits=waits, renews=renews)


def _rolls(kind: OwnerKind, owner: Any) -> bool:
    return kind.rollout(owner) is not None or kind.updates(owner) is not None


def _waits(each: Applied) -> bool:
    """Whether all that differs matters in a rollout alone."""
    return all(field.path[1:2] and field.path[1] in _FOR_ROLLOUTS for field in each.fields)


def _gone(owner: Any) -> Change:
    return Change(owner, rolls=False, replicas=0, appears=False, fields="is taken away", goes=True)


_NEW_POD = "new; whether it finds a node itself is for kubelemma place to tell"


def _what(change: Change) -> str:
    if change.goes:
        return (
            "is taken away, with its ReplicaSets and pods: nobody re-creates these, and no budget "
            "keeps any of them"
        )
    if change.renews:
        return f"{change.fields}; only pods that are made later are of it"
    if change.waits:
        name = change.owner.metadata.name
        return (
            f"{change.fields}; that counts from its next rollout on, and this change is none "
            f"(--event rollout={name} asks about one)"
        )
    return change.fields


def _at_once(others: Iterable[Applied]) -> Iterator[str]:
    """What is applied by no step, and from when on it counts."""
    found: dict[str, list[str]] = {}
    for each in others:
        found.setdefault(_since(each.after), []).append(f"{each.name} ({each})")
    for since, names in found.items():
        yield f"{since}: {_some(names)}"


def _since(manifest: Manifest[Any]) -> str:
    if isinstance(manifest.object, _OF_ADMISSION):
        return "goes for pods of what is applied, made from then on"
    if type(manifest.object).__name__ in CHECK.left_out or OWNERS.get(type(manifest.object)):
        return "differs, and is not applied"
    return "taken from the start as it is afterwards"


def _not_modelled(patched: Iterable[Applied]) -> Iterator[NotModelled]:
    """Differences of which nothing comes here."""
    for each in patched:
        yield _noted(each, "", f"{each}: its containers may restart, and it stays as it was here")


def _admitted_otherwise(
    base: Manifests, steps: Iterable[Applied], others: Iterable[Applied]
) -> Iterator[str]:
    """Owners whose pods are admitted otherwise from then on, without a template of their own."""
    changed = [each for each in others if isinstance(each.after.object, _OF_ADMISSION)]
    rolled = {id(each.before) for each in steps if each.rolls}
    before, after = policies_of(base), policies_of(_with(base, changed, ()))
    for manifest in base.objects if changed else ():
        if _makes_pods(manifest) and id(manifest) not in rolled:
            owner: Any = manifest.object
            spec, namespace = owner.spec.template.spec, owner.metadata.namespace
            if filled(spec, namespace, before) != filled(spec, namespace, after):
                names = _some([each.name for each in changed])
                yield (
                    f"pods of {key_of(owner)} that are made later are admitted otherwise "
                    f"({names}), and are as before here"
                )


def _noted(applied: Applied, path: str, reason: str) -> NotModelled:
    return NotModelled(applied.after.document.at(path), applied.name, path, "not modelled", reason)


def _missing(missing: Iterable[Manifest[Any]], *, prune: bool) -> Iterator[str]:
    left = [str(key_of(m.object)) for m in missing if _makes_pods(m)]
    if left and not prune:
        yield f"not given, and left as it is: {_some(left)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


CHANGE = "change"
"""What is asked where something is applied, and nobody says what else happens."""


def changed(
    scenario: Scenario, applying: Applying | None, moving: Sequence[Any], *, apart: bool
) -> Scenario:
    """The scenario, which says what is applied where something is, and what is held still."""
    if applying is None:
        return scenario
    held = "; ".join(
        filter(None, (scenario.held, applying.held(moving, scenario.focus, apart=apart)))
    )
    setting = (*applying.said(moving), *scenario.setting)
    return replace(scenario, setting=setting, held=held, question=scenario.question or CHANGE)


def nothing_asked(applyings: Iterable[Applying]) -> str:
    """Why nothing is asked: nothing differs, or nothing that is modelled and acts by itself."""
    found = tuple(applyings)
    at_once = tuple(dict.fromkeys(text for each in found for text in each.at_once))
    left_open = tuple(dict.fromkeys(text for each in found for text in (*each.aside, *each.open)))
    if left_open:
        return f"{NOT_MODELLED}: {_some(left_open)}."
    if at_once:
        return (
            f"{NOTHING_GOING}: {'; '.join(at_once)}. To ask what it does in an event, name one "
            "with --event."
        )
    return UNCHANGED
