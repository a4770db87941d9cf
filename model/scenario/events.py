"""The events of a scenario: from a Check document or flags to what the model knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.claims import Labelling, labelling
from kubelemma.model.cluster.owners import ordinal_of
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Edit
from kubelemma.model.cluster.world import Behaviour, PodClass, Updates
from kubelemma.model.cluster.world import Rollout as Strategy
from kubelemma.model.components.registry import ASKED
from kubelemma.model.manifests.check import Event as Given
from kubelemma.model.manifests.check import EventEntry, OfWorkload, Relabel, Rollout, Scale
from kubelemma.model.manifests.machines import (
    NodeCrash,
)
from kubelemma.model.manifests.options import Faults
from kubelemma.model.objects.pod import Pod

from .history import History, Template
from .templates import Key, is_named, key_of, kind_of


class Version(NamedTuple):
    """A template that there is or may be, and what its containers do once started."""

    template: Template
    behaviour: Behaviour = Behaviour.HEALTHY


class Happenings(NamedTuple):
    """The events of one scenario, and the templates of each workload.

    ``renewals`` are pods of templates that are applied to workloads without rollouts.
    """

    events: tuple[Event, ...]
    versions: tuple[tuple[Version, ...], ...]
    renewals: Mapping[int, Pod] = MappingProxyType({})

    def of(self, workload: int) -> tuple[Event, ...]:
        """The events of one workload."""
        return tuple(event for event in self.events if event.workload == workload)


class Change(NamedTuple):
    """An owner of pods as it is after it has been applied, and what is different then.

    ``rolls``: whether its pods are made from another template. ``replicas`` is -1 where nothing is
    said of them. ``appears``: whether it is not there before; ``goes``: whether it is deleted;
    ``waits``: whether all that differs counts in its next rollout only; ``renews``: whether only
    pods that are made later are of another template. ``fields`` says what differs.
    """

    owner: Any
    rolls: bool
    replicas: int
    appears: bool
    fields: str
    goes: bool = False
    waits: bool = False
    renews: bool = False


def default_events(owners: Sequence[Any]) -> tuple[EventEntry, ...]:
    """What is assumed where nothing is said: one rollout of whatever has any, and a node crash."""
    rollouts = (
        EventEntry(rollout=Rollout(workload=key_of(owner).spellings[-1]))
        for owner in owners
        if takes(owner, "rollout")
    )
    return (*rollouts, EventEntry(node_crash=NodeCrash()))


def takes(owner: Any, event: str) -> bool:
    """Whether the event, as a Check calls it, may happen to the owner."""
    return event in kind_of(owner).events


def concerns(event: Given, owner: Any) -> bool:
    """Whether the event names this owner, or any."""
    if not isinstance(event, OfWorkload):
        return False
    return not event.meant or is_named(owner, (event.meant,))


def undone_by(owners: Iterable[Any], entries: Sequence[EventEntry]) -> frozenset[Key]:
    """The owners that may go back to the template before."""
    asked = tuple(entry.rollback for entry in entries if entry.rollback is not None)
    return frozenset(key_of(o) for o in owners if any(concerns(event, o) for event in asked))


def happenings(
    entries: Iterable[EventEntry],
    focus: Sequence[Any],
    histories: Sequence[History],
    faults: Faults,
    changes: Mapping[Key, Change],
) -> Happenings:
    """The events that concern the workloads in focus, or no workload at all.

    All rollouts of a workload are one event with the sum of their budgets; its templates come in
    the order in which they are given, after those of its history.
    """
    versions = [list(map(Version, history.templates)) for history in histories]
    events: list[Event] = []
    for i, owner in enumerate(focus):
        change = changes.get(key_of(owner))
        if change is not None:
            template = _template_of(change, histories[i])
            if template == len(versions[i]):
                versions[i].append(Version(Template(change.owner)))
            events.append(_applied(change, owner, i, template))
    for entry in entries:
        ((name, given),) = entry.given()
        targets = [i for i, o in enumerate(focus) if concerns(given, o) and takes(o, name)]
        if isinstance(given, Rollout):
            for i in targets:
                current = histories[i].templates[histories[i].current]
                new = Version(current.again(focus[i]), Behaviour(given.new_version))
                versions[i] += [new] * given.max
        else:
            events.extend(_others(name, given, targets, focus))
    rollouts = (
        Event("rollout", number, workload=i)
        for i, history in enumerate(histories)
        if (number := _rollouts(versions[i], history, changes.get(key_of(focus[i]))))
    )
    asked = (*rollouts, *events)
    renewals = {
        i: Template(change.owner).pod(0)
        for i, owner in enumerate(focus)
        if (change := changes.get(key_of(owner))) is not None and change.renews
    }
    return Happenings((*asked, *_faults(faults, asked)), tuple(map(tuple, versions)), renewals)


def _template_of(change: Change, history: History) -> int:
    """The template that is in the spec after a change: an earlier one, where it is the same."""
    if not change.rolls:
        return history.current
    through = kind_of(change.owner).through
    for number, template in enumerate(history.templates):
        made = template.made if number != history.current else None
        if through is not None and made is not None and through.made_from(change.owner, made):
            return number
    return len(history.templates)


def _rollouts(versions: Sequence[Version], history: History, change: Change | None) -> int:
    """How many new templates there are beside one that a change brings."""
    rolls = change is not None and change.rolls
    return 0 if rolls else len(versions) - len(history.templates)


def _applied(change: Change, before: Any, workload: int, template: int) -> Event:
    """The event that the object of a change is applied, or taken away."""
    if change.goes:
        return Event(ASKED["prune"].action, 1, workload=workload)
    paused: bool = getattr(change.owner.spec, "paused", False)
    strategy = len(strategies(before, change)) - 1
    edit = Edit(template + change.renews, change.replicas, paused, change.fields, max(strategy, 0))
    return Event(ASKED["apply"].action, 1, workload=workload, options=edit)


def strategies(owner: Any, change: Change | None) -> tuple[Strategy | Updates | None, ...]:
    """How an owner is rolled out: at first, and otherwise once a change has been applied."""
    forms = (owner, *(() if change is None or change.goes else (change.owner,)))
    ways = (kind_of(form).rollout(form) or kind_of(form).updates(form) for form in forms)
    return tuple(dict.fromkeys(ways))


def ordinals_of(
    owner: Any, history: History, change: Change | None, events: Iterable[Event]
) -> tuple[int, ...]:
    """What tells the pods of an owner apart that there may ever be, if they have an identity.

    ``events`` are those of the owner.
    """
    forms = (owner, *(() if change is None or change.goes else (change.owner,)))
    updates = [found for form in forms if (found := kind_of(form).updates(form)) is not None]
    if not updates:
        return ()
    scaled = (event.value for event in events if event.action == "scale")
    most = max((*(kind_of(form).replicas(form) for form in forms), *scaled))
    asked = {n for each in updates for n in range(each.start, each.start + most)}
    name = owner.metadata.name
    pods = (pod for template in history.templates for pod in template.pods)
    return tuple(sorted({*asked, *(ordinal_of(pod.metadata.name, name) for pod in pods)}))


def with_arrivals(
    happening: Happenings, arriving: Iterable[int], classes: Sequence[PodClass]
) -> Happenings:
    """The events with one for each pod that somebody creates; their workloads are given.

    One that names its node comes up there.
    """
    node_of = {found.workload: found.node_name for found in classes}
    edit = Edit(0, -1, paused=False, fields="new")
    arrivals = (
        Event(ASKED["apply"].action, 1, workload=index, node=node_of[index], options=edit)
        for index in arriving
    )
    return happening._replace(events=(*happening.events, *arrivals))


def _faults(faults: Faults, asked: Sequence[Event]) -> Iterator[Event]:
    """What may go wrong inside the control plane, where that can matter."""
    actions = {event.action for event in asked}
    for name, number in zip(
        faults.__struct_encode_fields__, msgspec.structs.astuple(faults), strict=True
    ):
        kind = ASKED.get(name)
        if kind is not None and number and (not kind.needs or actions & set(kind.needs)):
            yield Event(kind.action, number)


def labelling_of(event: Relabel, owner: Any) -> Labelling | None:
    """What is done to a label: where that is left open, the owner loses one that it selects by.

    None where it selects by no label of its template's.
    """
    if event.label:
        return labelling(event.label)
    selector = kind_of(owner).selector(owner, 0)
    keys = [*(selector.match_labels or {}), *(e.key for e in selector.match_expressions or ())]
    own = kind_of(owner).pod(owner, 0).metadata.label_map()
    return next((Labelling(key, None) for key in keys if key in own), None)


def _others(name: str, given: Given, targets: list[int], focus: Sequence[Any]) -> Iterator[Event]:
    action = ASKED[name].action
    if not isinstance(given, OfWorkload):
        node, options = getattr(given, "node", ""), getattr(given, "options", None)
        yield Event(action, given.max, node=node, options=options)
    for i in targets:
        value = given.replicas if isinstance(given, Scale) else 0
        change: Any = getattr(given, "options", None)
        if isinstance(given, Relabel):
            change = labelling_of(given, focus[i])
        yield Event(action, given.max, workload=i, value=value, options=change)
