"""The scenarios of an application: which workloads are checked together, where, under what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from msgspec import structs

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.owners import Part
from kubelemma.model.cluster.populace import populace
from kubelemma.model.cluster.setting import Choices, Event, Setting, Start
from kubelemma.model.cluster.state import ACTIVE, OwnerState, Phase, Queue
from kubelemma.model.cluster.world import Bystander, PodClass, Workload, World
from kubelemma.model.components.apiserver.admission import refusal
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.components.reconcile.sources import NOTHING, Custom
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.scheduler.telling import unique_keys
from kubelemma.model.manifests.check import (
    Check,
    CheckSpec,
    Cluster,
    EventEntry,
    kubelet_views,
    nodes_of,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import System
from kubelemma.model.versions import version_named

from .application import Application
from .assembly import assemble, reconciled
from .cluster import STORAGE, Sizing, default_cluster, listed
from .competing import displaced
from .custom import NOTHING_LOADED, custom_of, custom_setting
from .events import Change, Happenings, concerns, default_events, happenings
from .history import History
from .likeness import likeness_of
from .lodging import Likeness
from .node_state import is_ready, node_state
from .shapes import Grouping, group_nodes
from .start import (
    ENDING,
    NOWHERE,
    Called,
    Given,
    Placed,
    Placement,
    Starts,
    called,
    starts,
)
from .start_words import start_words, whereabouts
from .templates import is_named, key_of, kind_of, replicas_of
from .unlike import as_admitted, of_their_own, unlike
from .words import Assumptions, setting

MOST_NAMED = 3
"""How many workloads are named in a sentence."""
MOST_COMPETING = 2
"""So many workloads that compete for room are put into one system unasked."""
MOST_STARTS = 8
"""How many placements are looked at that are equally good and differ in what may follow."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One system to explore.

    ``setting`` says in sentences what is assumed. ``node_names`` are by position within the
    family of nodes, in the initial state of ``system``. ``recipe`` is all that ``system`` was made
    from: what `assemble` takes. ``called`` are the pods of the input at the start, ``taken`` the
    namespaces and names of all that the input has. ``held`` says what is held otherwise than it is,
    and may be in the way of those in focus: workloads that stand still, pods that are no longer as
    their templates say. What then comes to its end need not otherwise.
    """

    name: str
    world: World
    system: System
    recipe: tuple[object, ...]
    setting: tuple[str, ...]
    node_names: tuple[str, ...]
    custom: Custom = NOTHING
    held: str = ""
    called: tuple[Called, ...] = ()
    taken: frozenset[tuple[str, str]] = frozenset()

    @property
    def events(self) -> tuple[Event, ...]:
        """What users and faults may do."""
        return cast("tuple[Event, ...]", self.recipe[2])

    @property
    def focus(self) -> tuple[str, ...]:
        """The workloads in focus, with their kinds."""
        return tuple(workload.cell for workload in self.world.workloads)

    @property
    def subject(self) -> str:
        """The workloads in focus and the loaded controllers, as one text."""
        loaded = (c.name for c in self.custom.controllers if not c.managed)
        return ", ".join((*self.focus, *loaded))


def build(
    application: Application,
    check: Check | None = None,
    title: str = "",
    sizing: Sizing | None = None,
) -> tuple[Scenario, ...]:
    """One scenario for each workload, or group of workloads that is to be checked together.

    They are called after the ``title``, or else after the Check. Workloads that the cluster has no
    place for, by its ``sizing`` (that of `cluster_of` where none is given), have none.
    """
    sizing = sizing or cluster_of(application, check)
    application = application.admitted()
    spec = check.spec if check else CheckSpec()
    spec = structs.replace(spec, cluster=listed(spec.cluster, application.owners))
    entries = default_events(application.owners) if spec.events is None else spec.events
    given = Given(
        application.owners,
        application.parts,
        application.pods,
        undone=frozenset(
            key_of(owner)
            for owner in application.owners
            if any(entry.rollback and concerns(entry.rollback, owner) for entry in entries)
        ),
        absent=frozenset(k for k, change in application.change_of.items() if change.appears),
        nodes_known=bool(application.nodes or spec.cluster.nodes),
        policies=application.policies,
    )
    likeness = _likeness(application, spec, sizing.nodes, entries)
    found = starts(given, sizing.nodes, application.namespaces, likeness, MOST_STARTS)
    common = _Common(
        application=application,
        spec=spec,
        title=title or (check.metadata.name if check else ""),
        nodes=sizing.nodes,
        cluster_reason=sizing.reason,
        placement=found.placements[0],
        entries=entries,
    )
    nowhere = {key_of(owner) for owner in sizing.homeless}
    competing = displaced(
        application.owners, sizing.nodes, application.namespaces, entries, likeness
    )
    groups = tuple(
        group
        for group in _groups(application, spec, competing=competing)
        if nowhere.isdisjoint(map(key_of, group.focus)) or group.loaded
    )
    common = replace(common, competing=competing)
    return tuple(
        scenario
        for group in groups
        for scenario in common.scenarios(group, found, alone=len(groups) == 1)
    )


def _likeness(
    application: Application,
    spec: CheckSpec,
    nodes: tuple[Node, ...],
    entries: tuple[EventEntry, ...],
) -> Likeness:
    """Which nodes are alike to all that may come."""
    later = (change.owner for change in application.changes)
    owners = (*application.owners, *application.parts, *later)
    pods = (*(kind_of(owner).pod(owner, 0) for owner in owners), *application.pods)
    named = [
        *(getattr(given, "node", "") for entry in entries for _, given in entry.given()),
        *(pod.spec.node_name for pod in pods[: len(owners)]),
    ]
    roles = {
        node.metadata.name: tuple(i for i, name in enumerate(named) if name == node.metadata.name)
        for node in nodes
    }
    crowd = Crowd(
        nodes=nodes,
        pods=pods,
        named=frozenset(named) - {""},
        scoring=bool(spec.scheduler.scoring),
        objects=application.objects,
    )
    return likeness_of(crowd, roles, kubelet_views(spec.cluster))


class _Group(NamedTuple):
    """What is checked as one system: workloads, and whether what is loaded is part of it."""

    focus: tuple[Any, ...]
    loaded: bool


def _groups(application: Application, spec: CheckSpec, *, competing: bool) -> Iterator[_Group]:
    """What is loaded stands with the workloads if it looks at any or at Nodes, else by itself.

    Few workloads that compete for the room that is left are one system.
    """
    loaded = application.loaded
    if loaded and loaded.built_in:
        yield _Group(_wanted(application.owners, spec), loaded=True)
        return
    if loaded:
        yield _Group((), loaded=True)
    wanted = _wanted(application.owners, spec)
    if competing and len(wanted) == len(application.owners) <= MOST_COMPETING:
        yield _Group(wanted, loaded=False)
        return
    for focus in groups_of(application.owners, spec):
        yield _Group(focus, loaded=False)


def cluster_of(application: Application, check: Check | None = None) -> Sizing:
    """The cluster of an application: what is given, or else one that is made for it."""
    admitted = application.admitted()
    owners = (*admitted.owners, *map(_beside_itself, admitted.changes))
    given = check.spec.cluster if check else Cluster()
    cluster = listed(given, owners)
    nodes = (*application.nodes, *nodes_of(cluster))
    if not nodes:
        return default_cluster(owners, application.namespaces)
    more = f", with {STORAGE} of ephemeral storage where nobody says" if cluster != given else ""
    return Sizing(nodes, f"as given{more}")


def _beside_itself(change: Change) -> Any:
    """An owner as it is to be, as if it was another one: a cluster has room for both."""
    metadata = change.owner.metadata
    named = structs.replace(metadata, name=f"{metadata.name}-after")
    return structs.replace(change.owner, metadata=named)


def groups_of(owners: Sequence[Any], spec: CheckSpec) -> Iterator[tuple[Any, ...]]:
    """Those that are to be checked together first, then every other one alone."""
    wanted = _wanted(owners, spec)
    together = tuple(owner for owner in wanted if is_named(owner, spec.together))
    if together:
        yield together
    for owner in wanted:
        if owner not in together:
            yield (owner,)


def _wanted(owners: Sequence[Any], spec: CheckSpec) -> tuple[Any, ...]:
    return tuple(o for o in owners if not spec.workloads or is_named(o, spec.workloads))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What all scenarios of one application share."""

    application: Application
    spec: CheckSpec
    title: str
    nodes: tuple[Node, ...]
    cluster_reason: str
    placement: Placement
    entries: tuple[EventEntry, ...]
    competing: bool = False

    def scenarios(self, group: _Group, found: Starts, *, alone: bool) -> Iterator[Scenario]:
        """The scenarios of a group, one for each start that differs for it."""
        differing: list[tuple[Placement, Scenario]] = []
        for placement in found.placements:
            scenario = replace(self, placement=placement).scenario(group, alone=alone)
            if all(scenario.recipe != other.recipe for _, other in differing):
                differing.append((placement, scenario))
        more = ", and there are more" if found.more else ""
        for number, (placement, scenario) in enumerate(differing, 1):
            if len(differing) == 1 and not more:
                yield scenario
            else:
                of = f"start {number} of {len(differing)} that are equally good{more}"
                where = "; ".join(whereabouts(self.application.owners, placement))
                yield _numbered(scenario, number, f"{of}: {where}")

    def scenario(self, group: _Group, *, alone: bool) -> Scenario:
        """The scenario of a group; all other workloads stand by."""
        loaded = self.application.loaded if group.loaded else NOTHING_LOADED
        custom = custom_of(loaded, self.spec)
        name = self._name(group.focus, custom, alone=alone)
        if not group.focus and NODE not in custom.built_in:
            return _without_workloads(name, custom)
        return self._with_workloads(name, group.focus, custom)

    def _with_workloads(self, name: str, focus: tuple[Any, ...], custom: Custom) -> Scenario:
        histories = tuple(self.placement.histories[key_of(owner)] for owner in focus)
        changes = self.application.change_of
        happening = happenings(self.entries, focus, histories, self.spec.faults, changes)
        latest = tuple(changes[k].owner if (k := key_of(o)) in changes else o for o in focus)
        people = populace(
            _workloads(
                latest, own := tuple(_classes(happening, self.application)), custom.built_in
            ),
            own,
            self.placement.lone,
            happening.events,
            tuple((i, *kind) for i, history in enumerate(histories) for kind in history.kinds),
        )
        classes = people.classes
        standing = self._standing(focus, people.lone)
        known = frozenset(n.metadata.name for n in self.nodes if NODE in custom.built_in)
        crowd = self._crowd(classes, standing, happening, known)
        grouping = group_nodes(crowd, standing, kubelet_views(self.spec.cluster))
        world = World(
            workloads=people.workloads,
            classes=classes,
            shapes=grouping.shapes,
            sizes=grouping.sizes,
            unique_keys=unique_keys(crowd.nodes, crowd.pods),
            namespaces=self.application.namespaces,
            objects=self.application.objects,
            beside=tuple(map(_bystander, self._beside(focus))),
            kubernetes=version_named(self.spec.kubernetes),
        )
        most = self.spec.bounds.max_pods or _default_bound(
            world, (*focus, *latest), histories, happening
        )
        scoring = bool(self.spec.scheduler.scoring)
        start, names = self._start(world, focus, people.lone, grouping)
        asked = Setting(world, start, happening.events, Choices(scoring, most), custom)
        followed = any(component.needs_terminating(asked) for component in COMPONENTS)
        world = replace(world, follows_terminating=followed)
        start = start if followed else _without_ending(start)
        words = Assumptions(
            nodes=self.nodes,
            cluster_reason=self.cluster_reason,
            standing=self._names_beside(focus),
            pending=tuple(self._pending(focus, people.lone)),
            scoring=scoring,
            max_pods=most,
            follows_terminating=world.follows_terminating,
            start=tuple(
                start_words(self.application.owners, self.application.parts, self.placement)
            ),
        )
        recipe = (world, start, asked.events, asked.choices, custom)
        differing = unlike(self.placement.histories, changes)
        return Scenario(
            name=name,
            world=world,
            system=assemble(*recipe),
            recipe=recipe,
            setting=(
                *setting(world, start, happening.events, words),
                *as_admitted(self.placement.histories),
                *of_their_own(self.placement.histories),
                *([differing] if differing else []),
                *(text for c in COMPONENTS for text in c.assumes(Setting(*recipe))),
                *custom_setting(custom),
            ),
            node_names=names,
            custom=reconciled(asked),
            held="; ".join(filter(None, (self._held(focus), differing))),
            called=called(
                (workload, self.placement.placed[key_of(owner)].beside(self._unready()))
                for workload, owner in zip(world.owners, focus, strict=False)
            ),
            taken=frozenset(
                (pod.metadata.namespace, pod.metadata.name) for pod in self.application.pods
            ),
        )

    def _unready(self) -> frozenset[str]:
        return frozenset(n.metadata.name for n in self.nodes if not is_ready(n))

    def _held(self, focus: tuple[Any, ...]) -> str:
        """Why promises that something comes to its end may hold for want of others that move."""
        beside = self._names_beside(focus)
        if not (self.competing and focus and beside):
            return ""
        names = ", ".join(beside[:MOST_NAMED]) + (", …" if len(beside) > MOST_NAMED else "")
        return (
            f"{names} {'is' if len(beside) == 1 else 'are'} held still, and may want the same room "
            "when a node is lost: check them --together"
        )

    def _name(self, focus: tuple[Any, ...], custom: Custom, *, alone: bool) -> str:
        names = Counter(key_of(owner)[1:] for owner in self.application.owners)
        parts = [
            str(key) if names[key[1:]] > 1 else "/".join(key[1:]) for key in map(key_of, focus)
        ]
        own = "+".join(parts + [c.name for c in custom.controllers]) or "custom-resources"
        if self.title and alone:
            return self.title
        return f"{self.title}: {own}" if self.title else own

    def _beside(self, focus: tuple[Any, ...]) -> tuple[Any, ...]:
        """The owners that stand by."""
        return tuple(owner for owner in self.application.owners if owner not in focus)

    def _names_beside(self, focus: tuple[Any, ...]) -> tuple[str, ...]:
        """Their names, with kind and namespace where others are called the same."""
        taken = Counter(owner.metadata.name for owner in self.application.owners)
        keys = (key_of(owner) for owner in self._beside(focus))
        return tuple(key.name if taken[key.name] == 1 else str(key) for key in keys)

    def _standing(
        self, focus: tuple[Any, ...], taken: tuple[Pod, ...]
    ) -> Mapping[str, tuple[Pod, ...]]:
        """The pods on each node that do not change: those of other workloads, and lone ones.

        Without those that are ``taken``, since they are in focus themselves.
        """
        in_focus = set(map(id, taken))
        existing = self.placement.existing.items()
        pods = {name: tuple(p for p in there if id(p) not in in_focus) for name, there in existing}
        for owner in self._beside(focus):
            history = self.placement.histories[key_of(owner)]
            for name, spots in self.placement.placed[key_of(owner)].on_nodes.items():
                for spot, number in spots.items():
                    own = spot.kind and history.kinds[spot.kind - 1].pod
                    pod = own or history.templates[spot.template].pod(spot.template)
                    pods[name] += (_ending(pod) if spot.phase in ENDING else pod,) * number
        return pods

    def _pending(self, focus: tuple[Any, ...], taken: tuple[Pod, ...]) -> Iterator[str]:
        """Workloads and lone pods that stand by although not all of them found a node."""
        for pod in (p for p in self.placement.homeless if not any(p is own for own in taken)):
            yield f"{pod.metadata.namespace}/{pod.metadata.name}"
        for owner in self._beside(focus):
            if self.placement.placed[key_of(owner)].pending:
                yield "/".join(key_of(owner)[1:])

    def _crowd(
        self,
        classes: tuple[PodClass, ...],
        standing: Mapping[str, tuple[Pod, ...]],
        happening: Happenings,
        known: frozenset[str],
    ) -> Crowd:
        """``known`` are the nodes that loaded code knows by name."""
        named = {event.node for event in happening.events} | {c.node_name for c in classes} | known
        return Crowd(
            nodes=self.nodes,
            pods=(*(c.pod for c in classes), *(pod for pods in standing.values() for pod in pods)),
            named=frozenset(named - {""}),
            scoring=bool(self.spec.scheduler.scoring),
            objects=self.application.objects,
        )

    def _start(
        self, world: World, focus: tuple[Any, ...], lone: tuple[Pod, ...], grouping: Grouping
    ) -> tuple[Start, tuple[str, ...]]:
        placed = [
            *(self.placement.placed[key_of(owner)] for owner in focus),
            *(self.placement.place_of(pod) for pod in lone),
        ]
        unready = self._unready()
        placed = [there.beside(unready) for there in placed]
        placed += [NOWHERE] * (len(world.workloads) - len(placed))
        named = sorted(
            (node_state(world, placed, node, grouping.shape_of[node.metadata.name]), index)
            for index, node in enumerate(self.nodes)
        )
        owners = tuple(
            self._owner(workload, owner, there)
            for workload, owner, there in zip(world.owners, focus, placed, strict=False)
        )
        nobody = (None,) * (len(world.workloads) - len(owners))
        names = tuple(self.nodes[index].metadata.name for _, index in named)
        queues = tuple(
            Queue.of(there.queued(workload))
            for workload, there in zip(world.workloads, placed, strict=True)
        )
        return Start((*owners, *nobody), queues, tuple(state for state, _ in named)), names

    def _owner(self, workload: Workload, owner: Any, placed: Placed) -> OwnerState:
        """What the API has of an owner at the start."""
        history = self.placement.histories[key_of(owner)]
        there = range(len(history.templates))
        parts = tuple(
            Part(
                template=number,
                replicas=history.wanted(number),
                active=placed.count(number, *ACTIVE) + placed.homeless(number),
                available=placed.count(number, Phase.AVAILABLE),
                made=history.templates[number].made,
            )
            for number in there
            if not (history.unmade and number == history.current)
        )
        return kind_of(owner).start(workload, owner, history.current, parts)


def _numbered(scenario: Scenario, number: int, sentence: str) -> Scenario:
    """One of several starts of the same workloads."""
    name = scenario.name if number == 1 else f"{scenario.name}, start {number}"
    return replace(scenario, name=name, setting=(*scenario.setting, sentence))


def _without_workloads(name: str, custom: Custom) -> Scenario:
    """A scenario of loaded code alone: it has no pods, so it needs no nodes."""
    world = World((), (), (), (), frozenset())
    recipe = (world, Start((), (), ()), (), Choices(), custom)
    setting = tuple(custom_setting(custom))
    return Scenario(name, world, assemble(*recipe), recipe, setting, (), custom)


def _classes(happening: Happenings, application: Application) -> Iterator[PodClass]:
    """The classes of all templates; what is applied is refused by what is applied with it."""
    index, applied = 0, {id(change.owner) for change in application.changes}
    for workload, versions in enumerate(happening.versions):
        for number, (template, behaviour) in enumerate(versions):
            new = id(template.owner) in applied
            policies = application.policies_after if new else application.policies
            made = template.pod_class(index, workload, number, behaviour)
            refused = refusal(made.pod.spec, made.pod.metadata.namespace, policies)
            yield replace(made, refused=refused)
            index += 1


def _workloads(
    focus: Sequence[Any], classes: tuple[PodClass, ...], status_read: Container[str]
) -> Iterator[Workload]:
    """``status_read`` are the kinds whose status loaded code sees."""
    names = Counter(key_of(owner)[1:] for owner in focus)
    for index, owner in enumerate(focus):
        key, own = key_of(owner), tuple(c.index for c in classes if c.workload == index)
        yield Workload(
            index=index,
            kind=key.kind,
            namespace=key.namespace,
            name=key.name,
            classes=own,
            templates=len(own),
            rollout=kind_of(owner).rollout(owner),
            status_read=key.kind in status_read,
            qualified=names[key[1:]] > 1,
        )


def _default_bound(
    world: World, focus: Sequence[Any], histories: Sequence[History], happening: Happenings
) -> int:
    """Far more pods than any orderly run of the largest workload has, terminating ones included."""
    if not focus:
        return 0
    scaled = [event.value for event in happening.events if event.action == "scale"]
    there = [sum(len(t.pods) for t in history.templates) for history in histories]
    replicas = max([*map(replicas_of, focus), *scaled, *there])
    rollouts = (workload.rollout for workload in world.workloads if workload.rollout)
    surge = max((r.max_surge.scaled(replicas, round_up=True) for r in rollouts), default=0)
    return 3 * (replicas + surge) + 6


def _ending(pod: Pod) -> Pod:
    """The pod, deleted and not gone yet."""
    metadata = structs.replace(pod.metadata, deletion_timestamp="1970-01-01T00:00:00Z")
    return structs.replace(pod, metadata=metadata)


def _without_ending(start: Start) -> Start:
    """The start where nobody minds pods that terminate."""
    nodes = (
        node._replace(pods=tuple(g for g in node.pods if g.phase not in ENDING))
        for node in start.nodes
    )
    return replace(start, nodes=tuple(nodes))


def _bystander(owner: Any) -> Bystander:
    return Bystander(*key_of(owner), replicas_of(owner), kind_of(owner).reaches(owner))
