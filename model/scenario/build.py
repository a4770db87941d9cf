"""The scenarios of an application: which workloads are checked together, where, under what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from msgspec import structs

from kubelemma.model.cluster.clouds import shown
from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.stocking import named_claims, node_labels
from kubelemma.model.cluster.storage import ClaimToMake
from kubelemma.model.components.kubelet.starting import kept
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.manifests.check import ANYWHERE, Check, CheckSpec, EventEntry
from kubelemma.model.manifests.groups import Cluster, kubelet_views, nodes_of
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .application import Application
from .claims import ordinals_asked
from .cluster import STORAGE, Sizing, default_cluster, listed
from .competing import displaced
from .events import default_events, undone_by
from .history import NO_IDENTITY
from .initial import is_ready
from .interplay import beside_itself
from .likeness import likeness_of, looks_of
from .lodging import Likeness
from .plan import Common
from .questions import USUAL, Asking, Topic
from .said import said
from .scenario import Scenario
from .start import Regard, starts
from .templates import is_named, key_of, kind_of

MOST_COMPETING = 2
"""So many workloads that compete for room are put into one system unasked."""
MOST_EQUAL = 16
"""So many placements are tried that are equally good, to find out which differ in what matters."""


def build(
    application: Application,
    check: Check | None = None,
    title: str = "",
    sizing: Sizing | None = None,
    asking: Asking = USUAL,
) -> tuple[Scenario, ...]:
    """One scenario for each workload, or group of workloads that is to be checked together.

    Where the Check says nothing of events there is one for each of the usual questions, or those
    that ``asking`` names. They are called after the ``title``, or else after the Check. Workloads
    that the cluster has no place for, by its ``sizing`` (that of `cluster_of` where none is given),
    have none.
    """
    check = check or Check()
    sizing = sizing or cluster_of(application, check)
    stored = application.admitted()
    pods = (*_templates(stored), *stored.pods, *stored.arriving)
    application = replace(stored, objects=(*said(check.spec), *kept(stored.objects, pods)))
    title = title or check.metadata.name
    if check.spec.events is None and application.loaded:
        entries = default_events(application.owners)
        check = structs.replace(check, spec=structs.replace(check.spec, events=entries))
    if check.spec.events is not None:
        return tuple(_build(application, check, title, sizing))
    found = [
        replace(scenario, name=f"{scenario.name}: {topic.name}", question=topic.name)
        for topic, asked in _topics(application, check, asking)
        for scenario in _build(application, asked, title, sizing)
    ]
    place = {key_of(owner): index for index, owner in enumerate(application.owners)}
    return tuple(sorted(found, key=lambda scenario: place[scenario.first]))


def _topics(
    application: Application, check: Check, asking: Asking
) -> Iterator[tuple[Topic, Check]]:
    """What is asked where nobody says what happens, each as a Check of those that it concerns."""
    concerned: dict[Topic, list[str]] = {topic: [] for topic in asking.topics()}
    for owner in wanted(application.owners, check.spec):
        for topic in asking.topics_of(owner):
            concerned[topic].append(key_of(owner).spellings[-1])
    for topic, names in concerned.items():
        if names:
            yield topic, topic.of(check, tuple(names))


def _build(
    application: Application, check: Check, title: str, sizing: Sizing
) -> Iterator[Scenario]:
    """The scenarios of a Check whose events are known."""
    spec = structs.replace(check.spec, cluster=listed(check.spec.cluster, application.owners))
    entries = spec.events or ()
    undone = undone_by(application.owners, entries)
    nodes_known = bool(application.nodes or spec.cluster.nodes)
    given = application.given(nodes_known=nodes_known, undone=undone)
    crowd = _crowd(application, spec, sizing.nodes, entries)
    likeness = _likeness(application, spec, crowd, entries)
    nowhere = {key_of(owner) for owner in sizing.homeless}
    looks = looks_of(crowd, drained=any(entry.drain for entry in entries))
    if kubelet_views(spec.cluster):  # what the API shows of room is not all of it
        looks = looks._replace(room_alone=False)
    shows = tuple(map(shown, sizing.nodes)) if spec.cloud else sizing.nodes
    place = partial(starts, given, shows, application.namespaces, likeness, most=MOST_EQUAL)
    every = place()
    scoring, stands = bool(spec.scheduler.scoring), every.placements[0]
    competing = displaced(application, stands, sizing.nodes, entries, scoring=scoring)
    groups = tuple(
        group
        for group in _groups(application, spec, competing=bool(competing))
        if nowhere.isdisjoint(map(key_of, group.focus)) or group.loaded
    )
    for focus, loaded in groups:
        common = Common(
            application=application,
            spec=spec,
            title=title,
            nodes=sizing.nodes,
            cluster_reason=sizing.reason,
            placement=stands,
            entries=entries,
            likeness=likeness,
            looks=looks,
            competing=competing,
        )
        found = common.that_differ(focus, every, loaded=loaded)
        if found.more:
            # With the eyes of these alone there are fewer, but this takes longer.
            regard = Regard(frozenset(map(key_of, focus)), looks.whole, spec.start == ANYWHERE)
            own = place(regard=regard)
            common = replace(common, placement=own.placements[0])
            found = common.that_differ(focus, own, loaded=loaded)
        for scenario in common.scenarios(focus, found, loaded=loaded, alone=len(groups) == 1):
            yield replace(scenario, check=check)


def _crowd(
    application: Application,
    spec: CheckSpec,
    nodes: tuple[Node, ...],
    entries: tuple[EventEntry, ...],
) -> Crowd:
    """All that may come."""
    pods = (*_templates(application), *application.pods)
    return Crowd(
        nodes=nodes,
        pods=pods,
        named=frozenset(_named(application, entries)) - {""},
        scoring=bool(spec.scheduler.scoring),
        objects=application.objects,
    )


def _templates(application: Application) -> Iterator[Pod]:
    """A pod of each owner that there is or will be."""
    later = (change.owner for change in application.changes)
    for owner in (*application.owners, *application.parts, *later):
        kind = kind_of(owner)
        pod, (ordinal, *_) = kind.pod(owner, 0), (*ordinals_asked(owner), NO_IDENTITY)
        yield pod if ordinal == NO_IDENTITY else kind.identified(owner, pod, ordinal)


def _named(application: Application, entries: tuple[EventEntry, ...]) -> tuple[str, ...]:
    """The nodes that events and templates name."""
    given = (getattr(given, "node", "") for entry in entries for _, given in entry.given())
    return (*given, *(pod.spec.node_name for pod in _templates(application)))


def _likeness(
    application: Application, spec: CheckSpec, crowd: Crowd, entries: tuple[EventEntry, ...]
) -> Likeness:
    """Which nodes are alike to all that may come."""
    named = _named(application, entries)
    roles = {
        node.metadata.name: tuple(i for i, name in enumerate(named) if name == node.metadata.name)
        for node in crowd.nodes
    }
    failing = (
        any(entry.loses_node for entry in entries)
        or bool(spec.faults.api_server_outages)
        or NODE in application.loaded.built_in
        or not all(map(is_ready, crowd.nodes))
    )
    return likeness_of(crowd, roles, kubelet_views(spec.cluster), failing=failing)


class Group(NamedTuple):
    """What is checked as one system: workloads, and whether what is loaded is part of it."""

    focus: tuple[Any, ...]
    loaded: bool


def _groups(application: Application, spec: CheckSpec, *, competing: bool) -> Iterator[Group]:
    """What is loaded stands with the workloads if it looks at any or at Nodes, else by itself.

    Few workloads that compete for the room that is left are one system.
    """
    loaded = application.loaded
    if loaded and loaded.built_in:
        yield Group(wanted(application.owners, spec), loaded=True)
        return
    if loaded:
        yield Group((), loaded=True)
    found = wanted(application.owners, spec)
    if competing and len(found) == len(application.owners) <= MOST_COMPETING:
        yield Group(found, loaded=False)
        return
    for focus in groups_of(application.owners, spec):
        yield Group(focus, loaded=False)


def cluster_of(application: Application, check: Check | None = None) -> Sizing:
    """The cluster of an application: what is given, or else one that is made for it."""
    admitted = application.admitted()
    owners = (*admitted.owners, *map(beside_itself, admitted.changes))
    given = check.spec.cluster if check else Cluster()
    cluster = listed(given, owners)
    nodes = (*application.nodes, *nodes_of(cluster))
    if not nodes:
        return default_cluster(owners, application.namespaces, _tied(admitted.objects, owners))
    more = f", with {STORAGE} of ephemeral storage where nobody says" if cluster != given else ""
    return Sizing(nodes, f"as given{more}")


def _tied(objects: Iterable[Any], owners: Iterable[Any]) -> tuple[str, ...]:
    """The labels of nodes that say which volumes they reach, where any workload uses a claim."""
    every = tuple(objects)
    specs = ((owner.metadata.namespace, kind_of(owner).template(owner).spec) for owner in owners)
    uses = any(isinstance(each, ClaimToMake) for each in every)
    uses = uses or any(True for each in specs for _ in named_claims(*each))
    return node_labels(every) if uses else ()


def groups_of(owners: Sequence[Any], spec: CheckSpec) -> Iterator[tuple[Any, ...]]:
    """Those that are to be checked together first, then every other one alone."""
    found = wanted(owners, spec)
    together = tuple(owner for owner in found if is_named(owner, spec.together))
    if together:
        yield together
    for owner in found:
        if owner not in together:
            yield (owner,)


def wanted(owners: Sequence[Any], spec: CheckSpec) -> tuple[Any, ...]:
    """The owners that the Check is about."""
    return tuple(o for o in owners if not spec.workloads or is_named(o, spec.workloads))
