"""What scenarios of one application have in common, and what is peculiar to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from kubelemma.model.cluster.clouds import settled, shown
from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.populace import populace
from kubelemma.model.cluster.setting import Choices, Event, Setting, Start
from kubelemma.model.cluster.world import Bystander, PodClass, Rollout, Updates, Workload, World
from kubelemma.model.components.apiserver.admission import refusal
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.components.reconcile.sources import Custom
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.telling import unique_keys
from kubelemma.model.manifests.check import ANYWHERE, CheckSpec, EventEntry
from kubelemma.model.manifests.groups import kubelet_views
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.versions import version_named

from .application import Application
from .assembly import assemble, reconciled
from .claims import with_claims
from .custom import NOTHING_LOADED, custom_of, custom_setting
from .events import Change, Happenings, happenings, ordinals_of, strategies, with_arrivals
from .history import NO_IDENTITY, History
from .initial import Ground, without_ending
from .likeness import Looks
from .lodging import Floor, Likeness
from .mattering import Room, Taken, kept, that_differ
from .scenario import Scenario
from .shapes import group_nodes
from .start import ENDING, Placement, Starts, anywhere, called
from .start_words import start_words, starting_words
from .templates import Key, key_of, kind_of, most_pods, replicas_of
from .unlike import as_admitted, of_their_own, unlike
from .unseen import Case, Seen, adds_nothing
from .words import Assumptions, setting

MOST_NAMED = 3
"""How many workloads are named in a sentence."""
MOST_STARTS = 8
"""How many placements are looked at that are equally good and differ in what may follow."""
MOST_PLACEMENTS = 1000
"""How many placements are looked at where pods may be anywhere."""

UNSEEN = "it may start in more placements that differ in what may follow than are looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all scenarios of one application share."""

    application: Application
    spec: CheckSpec
    title: str
    nodes: tuple[Node, ...]
    cluster_reason: str
    placement: Placement
    entries: tuple[EventEntry, ...]
    likeness: Likeness
    looks: Looks
    competing: frozenset[Key] = frozenset()

    def scenarios(
        self, focus: tuple[Any, ...], found: Starts, *, loaded: bool, alone: bool
    ) -> Iterator[Scenario]:
        """The scenarios of a group: one, with all starts in which others stand by alike.

        Whether what is ``loaded`` is part of it is said; it is ``alone`` if there are no others.
        """
        custom = custom_of(self.application.loaded if loaded else NOTHING_LOADED, self.spec)
        name = self._name(focus, custom, alone=alone)
        if not focus and NODE not in custom.built_in:
            yield _without_workloads(name, custom)
            return
        plans: list[list[Plan]] = []
        for placement in found.placements:
            plan = replace(self, placement=placement).plan(focus, custom)
            same = (alike for alike in plans if plan.differs_in_starts_only(alike[0]))
            if (alike := next(same, None)) is None:
                plans.append([plan])
            else:
                alike.append(plan)
        for number, alike in enumerate(plans, 1):
            scenario = alike[0].scenario(name, self._starts(alike, found))
            yield scenario if number == 1 else replace(scenario, name=f"{name}, start {number}")

    def that_differ(self, focus: tuple[Any, ...], found: Starts, *, loaded: bool) -> Starts:
        """The starts that differ in what may follow for a group, as many as are looked at."""
        if not focus or (len(found.placements) == 1 and not found.more):
            return found
        custom = custom_of(self.application.loaded if loaded else NOTHING_LOADED, self.spec)
        plan, spread = self.plan(focus, custom), self.spec.start == ANYWHERE
        if plan.ground.lone:
            return kept(found, found.placements, MOST_STARTS)
        placed = [replace(self, placement=placement) for placement in found.placements]
        taken = [Taken(p.placement, p.standing(focus, ()), p.own(focus)) for p in placed]
        room = Room(plan.ground.world, plan.most, self.nodes)
        placements = that_differ(taken, self.looks, self.likeness, room, anywhere=spread)
        shown = kept(found, placements, MOST_STARTS)
        standing = {id(each.placement): each.standing for each in taken}
        seen = [Seen(placement, standing[id(placement)]) for placement in shown.placements]
        return shown._replace(more=shown.more and not adds_nothing(self._case(plan), seen))

    def _case(self, plan: Plan) -> Case:
        """What is asked of a group, whatever stands by where."""
        return Case(
            application=self.application,
            spec=self.spec,
            nodes=self.nodes,
            entries=self.entries,
            likeness=self.likeness,
            looks=self.looks,
            ground=plan.ground,
            setting=plan.setting(plan.ground.start(self.placement)[0]),
            custom=plan.custom,
            most=plan.most,
            anywhere=self.spec.start == ANYWHERE,
        )

    def own(self, focus: tuple[Any, ...]) -> Mapping[str, Any]:
        """The pods in focus on each node."""
        found: dict[str, list[Any]] = {}
        for key in map(key_of, focus):
            for name, spots in self.placement.placed[key].on_nodes.items():
                found.setdefault(name, []).append((key, tuple(sorted(spots.items()))))
        return found

    def _starts(self, alike: Sequence[Plan], found: Starts) -> Starts:
        """The starts of plans: these, or all that differ in where the pods in focus are."""
        if self.spec.start != ANYWHERE:
            return Starts(tuple(plan.common.placement for plan in alike), found.more)
        # Nothing but where pods of nobody's are tells these apart once the others are anywhere.
        own = alike if alike[0].ground.lone else alike[:1]
        spread = [plan.common.spread(plan) for plan in own]
        placements = tuple(placement for each in spread for placement in each.placements)
        return Starts(placements, found.more or any(each.more for each in spread))

    def spread(self, plan: Plan) -> Starts:
        """The starts of a plan with the pods in focus on any nodes, and all others as here."""
        told = any(self.placement.histories[key_of(o)].told for o in plan.ground.focus)
        shows = map(shown, self.nodes) if self.spec.cloud else self.nodes
        floor = Floor(
            {node.metadata.name: NodeInfo(node) for node in shows},
            {n.metadata.name: n.metadata.label_map() for n in self.application.namespaces},
            anywhere=True,
            reach=self.application.reach,
        )
        for name, pods in plan.staying():
            for pod in pods:
                floor.add(pod, name)
        own = told or bool(plan.ground.lone)
        of = {
            name: (kind, self._beside_on(name, plan.ground.focus), name if own else "")
            for name, kind in self.likeness.kinds.items()
        }
        ranks = {kind: rank for rank, kind in enumerate(sorted(set(of.values())))}
        kinds = {name: ranks[kind] for name, kind in of.items()}
        likeness = self.likeness._replace(kinds=kinds)
        focus = plan.ground.focus
        return anywhere(self.placement, focus, floor, likeness, MOST_PLACEMENTS)

    def _beside_on(self, node: str, focus: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
        """What stands by on a node: whose pods, and how many of them."""
        return (
            *((pod.metadata.namespace, pod.metadata.name) for pod in self.placement.existing[node]),
            *(
                (*key_of(owner), *spot, number)
                for owner in self.beside(focus)
                for spot, number in sorted(
                    self.placement.placed[key_of(owner)].on_nodes.get(node, {}).items()
                )
            ),
        )

    def plan(self, focus: tuple[Any, ...], custom: Custom) -> Plan:
        """What there is of a group where all is placed so; all other workloads stand by."""
        histories = tuple(self.placement.histories[key_of(owner)] for owner in focus)
        changes = self.application.change_of
        happening = happenings(self.entries, focus, histories, self.spec.faults, changes)
        latest = tuple(changes[k].owner if (k := key_of(o)) in changes else o for o in focus)
        ordinals = tuple(
            ordinals_of(owner, history, changes.get(key_of(owner)), happening.of(index))
            for index, (owner, history) in enumerate(zip(focus, histories, strict=True))
        )
        objects = with_claims(self.application.objects, zip(focus, ordinals, strict=True))
        own = tuple(_classes(happening, ordinals, self.application))
        people = populace(
            _workloads(focus, own, ordinals, custom.built_in, changes),
            own,
            self.placement.lone,
            happening.events,
            arriving=self.application.arriving,
            renewals=happening.renewals,
            differing=tuple(
                (i, *kind) for i, history in enumerate(histories) for kind in history.kinds
            ),
        )
        happening = with_arrivals(happening, people.arriving, people.classes)
        standing = self.standing(focus, people.lone)
        known = frozenset(n.metadata.name for n in self.nodes if NODE in custom.built_in)
        crowd = self.crowd(people.classes, standing, happening, known)._replace(objects=objects)
        grouping = group_nodes(crowd, standing, kubelet_views(self.spec.cluster))
        world = World(
            workloads=people.workloads,
            classes=people.classes,
            shapes=grouping.shapes,
            sizes=grouping.sizes,
            unique_keys=unique_keys(crowd.nodes, crowd.pods),
            namespaces=self.application.namespaces,
            objects=objects,
            beside=tuple(map(_bystander, self.beside(focus))),
            kubernetes=version_named(self.spec.kubernetes),
        )
        most = self.spec.bounds.max_pods or _default_bound(
            world, (*focus, *latest), histories, happening
        )
        ground = Ground(world, focus, people.lone, self.nodes, grouping.shape_of)
        return Plan(self, ground, happening.events, most, custom, standing)

    def held(self, focus: tuple[Any, ...]) -> str:
        """Why promises that something comes to its end may hold for want of others that move."""
        waiting = (f"{p.metadata.namespace}/{p.metadata.name}" for p in self.placement.homeless)
        beside = self.names_beside(focus) or tuple(waiting)
        if not beside or self.competing.isdisjoint(map(key_of, focus)):
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

    def beside(self, focus: tuple[Any, ...]) -> tuple[Any, ...]:
        """The owners that stand by."""
        return tuple(owner for owner in self.application.owners if owner not in focus)

    def names_beside(self, focus: tuple[Any, ...]) -> tuple[str, ...]:
        """Their names, with kind and namespace where others are called the same."""
        taken = Counter(owner.metadata.name for owner in self.application.owners)
        keys = (key_of(owner) for owner in self.beside(focus))
        return tuple(key.name if taken[key.name] == 1 else str(key) for key in keys)

    def standing(
        self, focus: tuple[Any, ...], taken: tuple[Pod, ...]
    ) -> Mapping[str, tuple[Pod, ...]]:
        """The pods on each node that do not change: those of other workloads, and lone ones.

        Without those that are ``taken``, since they are in focus themselves.
        """
        in_focus = set(map(id, taken))
        existing = self.placement.existing.items()
        pods = {name: tuple(p for p in there if id(p) not in in_focus) for name, there in existing}
        for owner in self.beside(focus):
            history = self.placement.histories[key_of(owner)]
            for name, spots in self.placement.placed[key_of(owner)].on_nodes.items():
                for spot, number in spots.items():
                    pod = history.pod_at(spot)
                    pods[name] += (_ending(pod) if spot.phase in ENDING else pod,) * number
        return pods

    def pending(self, focus: tuple[Any, ...], taken: tuple[Pod, ...]) -> Iterator[str]:
        """Workloads and lone pods that stand by although not all of them found a node."""
        for pod in (p for p in self.placement.homeless if not any(p is own for own in taken)):
            yield f"{pod.metadata.namespace}/{pod.metadata.name}"
        for owner in self.beside(focus):
            if self.placement.placed[key_of(owner)].pending:
                yield "/".join(key_of(owner)[1:])

    def crowd(
        self,
        classes: tuple[PodClass, ...],
        standing: Mapping[str, tuple[Pod, ...]],
        happening: Happenings,
        known: frozenset[str],
    ) -> Crowd:
        """``known`` are the nodes that loaded code knows by name."""
        named = {event.node for event in happening.events} | {c.node_name for c in classes} | known
        return Crowd(
            nodes=tuple(map(settled, self.nodes)) if self.spec.cloud else self.nodes,
            pods=(*(c.pod for c in classes), *(pod for pods in standing.values() for pod in pods)),
            named=frozenset(named - {""}),
            scoring=bool(self.spec.scheduler.scoring),
            objects=self.application.objects,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario but for its starts.

    ``standing`` are the pods on each node that do not change, ``most`` how many pods a workload may
    have.
    """

    common: Common
    ground: Ground
    events: tuple[Event, ...]
    most: int
    custom: Custom
    standing: Mapping[str, tuple[Pod, ...]]

    def differs_in_starts_only(self, other: Plan) -> bool:
        """Whether there is the same beside the starts, on nodes that are called the same."""
        one, two = self.ground, other.ground
        return one.world == two.world and one.shape_of == two.shape_of

    def staying(self) -> Iterator[tuple[str, tuple[Pod, ...]]]:
        """The pods on each node that are there in every start."""
        placement = self.common.placement
        own: dict[str, list[Pod]] = {name: list(pods) for name, pods in self.standing.items()}
        for pod in self.ground.lone:
            for name in placement.place_of(pod).on_nodes:
                own[name].append(pod)
        for owner in self.ground.focus:
            history = placement.histories[key_of(owner)]
            if history.told:
                placed = placement.placed[key_of(owner)]
                for name, pods in history.pods_on(placed.on_nodes):
                    own[name] += pods
        for name, found in own.items():
            yield name, tuple(found)

    def setting(self, start: Start) -> Setting:
        """What components are asked about."""
        choices = Choices(bool(self.common.spec.scheduler.scoring), self.most)
        return Setting(self.ground.world, start, self.events, choices, self.custom)

    def scenario(self, name: str, found: Starts) -> Scenario:
        """The scenario that may begin in any of these starts."""
        common, world = self.common, self.ground.world
        start, names = self.ground.start(found.placements[0])
        others = (self.ground.start_in_order(p, names) for p in found.placements[1:])
        several = tuple(dict.fromkeys((start, *others)))
        scoring, asked = bool(common.spec.scheduler.scoring), self.setting(start)
        followed = any(component.needs_terminating(asked) for component in COMPONENTS)
        world = replace(world, follows_terminating=followed)
        if not followed:
            several = tuple(dict.fromkeys(map(without_ending, several)))
        recipe = (world, several, asked.events, asked.choices, self.custom)
        system = assemble(*recipe)
        settled = replace(asked, world=world, start=several[0])
        histories = common.placement.histories
        differing = unlike(histories, common.application.change_of)
        starting = starting_words(len(system.starts), found, common.application.owners)
        held = common.held(self.ground.focus)
        return Scenario(
            name=name,
            world=world,
            system=system,
            recipe=recipe,
            setting=(
                *setting(world, several[0], self.events, self._words(scoring=scoring)),
                *starting,
                *([differing] if differing else []),
                *as_admitted(histories),
                *of_their_own(histories),
                *(text for c in COMPONENTS for text in c.assumes(settled)),
                *custom_setting(self.custom),
            ),
            node_names=names,
            custom=reconciled(settled),
            held="; ".join(filter(None, (held, differing))),
            unseen=UNSEEN if found.more else "",
            called=called(self.ground.called(common.placement)),
            taken=frozenset(
                (pod.metadata.namespace, pod.metadata.name) for pod in common.application.pods
            ),
        )

    def _words(self, *, scoring: bool) -> Assumptions:
        common, focus = self.common, self.ground.focus
        owners, placement = common.application.owners, common.placement
        spread = common.spec.start == ANYWHERE
        return Assumptions(
            nodes=common.nodes,
            cluster_reason=common.cluster_reason,
            standing=common.names_beside(focus),
            pending=tuple(common.pending(focus, self.ground.lone)),
            scoring=scoring,
            max_pods=self.most,
            follows_terminating=self.ground.world.follows_terminating,
            start=tuple(
                start_words(owners, common.application.parts, placement, focus if spread else ())
            ),
        )


def _without_workloads(name: str, custom: Custom) -> Scenario:
    """A scenario of loaded code alone: it has no pods, so it needs no nodes."""
    world = World((), (), (), (), frozenset())
    recipe = (world, (Start((), (), ()),), (), Choices(), custom)
    setting = tuple(custom_setting(custom))
    return Scenario(name, world, assemble(*recipe), recipe, setting, (), custom)


def _classes(
    happening: Happenings, ordinals: Sequence[tuple[int, ...]], application: Application
) -> Iterator[PodClass]:
    """The classes of all templates; what is applied is refused by what is applied with it."""
    index, applied = 0, {id(change.owner) for change in application.changes}
    for workload, versions in enumerate(happening.versions):
        for number, (template, behaviour) in enumerate(versions):
            new = id(template.owner) in applied
            policies = application.policies_after if new else application.policies
            for ordinal in ordinals[workload] or (NO_IDENTITY,):
                made = template.pod_class(index, workload, number, behaviour, ordinal)
                refused = refusal(made.pod.spec, made.pod.metadata.namespace, policies)
                yield replace(made, refused=refused)
                index += 1


def _workloads(
    focus: Sequence[Any],
    classes: tuple[PodClass, ...],
    ordinals: Sequence[tuple[int, ...]],
    status_read: Container[str],
    changes: Mapping[Key, Change],
) -> Iterator[Workload]:
    """``status_read`` are the kinds whose status loaded code sees."""
    names = Counter(key_of(owner)[1:] for owner in focus)
    for index, owner in enumerate(focus):
        key, own = key_of(owner), tuple(c.index for c in classes if c.workload == index)
        ways = strategies(owner, changes.get(key))
        rollout, *later = (way if isinstance(way, Rollout) else None for way in ways)
        yield Workload(
            index=index,
            kind=key.kind,
            namespace=key.namespace,
            name=key.name,
            classes=own,
            templates=len(own) // (len(ordinals[index]) or 1),
            rollout=rollout,
            ordinals=ordinals[index],
            updates=tuple(way for way in ways if isinstance(way, Updates)),
            later=tuple(each for each in later if each is not None),
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
    rollouts = (rollout for workload in world.workloads for rollout in workload.rollouts)
    surge = max((r.max_surge.scaled(replicas, round_up=True) for r in rollouts), default=0)
    return most_pods(replicas, surge)


def _ending(pod: Pod) -> Pod:
    """The pod, deleted and not gone yet."""
    metadata = structs.replace(pod.metadata, deletion_timestamp="1970-01-01T00:00:00Z")
    return structs.replace(pod, metadata=metadata)


def _bystander(owner: Any) -> Bystander:
    return Bystander(*key_of(owner), replicas_of(owner), kind_of(owner).reaches(owner))
