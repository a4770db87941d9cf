"""Who takes part in a run: its owners of pods with all their templates, and its lone pods.

All of them are known in advance, with every look that a pod ever has: labels change, and owners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.owners import controller_of, ordinal_of
from kubelemma.model.components.registry import OWNERS
from kubelemma.model.components.statefulset.owner import REVISION as REVISION_LABEL
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import MIRROR, Pod, PodTemplateSpec
from kubelemma.model.objects.workloads import ReplicaSet
from kubelemma.model.scenario.templates import kind_of

from .cluster import REVISION, Cluster, Stored, common

LONE = Pod.__name__
"""The kind of those whose pods nobody owns."""

STEM = 58
"""How much of its owner's name a pod bears at most, before five random letters.

Source: apiserver/pkg/storage/names/generate.go, ``maxGeneratedNameLength``.
"""


class Template(NamedTuple):
    """One pod template of an owner.

    ``pod`` is the first pod that was made from it, as it was created, ``look`` how it looked, and
    ``selector`` that of its ReplicaSet; None and empty where there never is one.
    """

    identity: str
    spec: PodTemplateSpec
    name: str
    selector: LabelSelector | None
    pod: Pod | None = None
    look: str = ""


class Further(NamedTuple):
    """Pods that belong to a template but are not as it makes them, or that belong to none.

    ``pod`` has no owner.
    """

    template: int
    look: str
    pod: Pod


class Member(NamedTuple):
    """An owner of pods of the run, or pods that nobody owns and nothing tells apart.

    Another one of the same name is told apart by ``name``. ``first`` is the owner as it was
    created, or such a pod; ``sizes`` are all that it is ever scaled to. ``further`` are pods that
    it has adopted or whose labels were changed, or the lone ones. ``ordinals`` are those of its
    pods, if they have an identity: then there is a class for each template and ordinal.
    """

    uid: str
    kind: str
    namespace: str
    name: str
    first: Any
    templates: tuple[Template, ...]
    sizes: tuple[int, ...]
    further: tuple[Further, ...] = ()
    ordinals: tuple[int, ...] = ()

    @property
    def made(self) -> int:
        """How many classes its templates have."""
        return len(self.templates) * (len(self.ordinals) or 1)

    @property
    def width(self) -> int:
        """How many classes of pods it has: those of its templates first."""
        return self.made + len(self.further)

    @property
    def rolled_out(self) -> bool:
        """Whether it goes from one template to the next by ReplicaSets of its own."""
        return bool(self.templates) and kind_of(self.first).rollout(self.first) is not None

    def template_of(self, found: Stored) -> int:
        """The number of the template of the owner or of one of its ReplicaSets.

        Of one without rollouts only pods that it has yet to make would be of another.
        """
        if not self.rolled_out and not self.ordinals:
            return 0
        return [t.identity for t in self.templates].index(found.template)


class Home(NamedTuple):
    """To whom a pod belongs: the uid of a member, and the identity of a template of it."""

    uid: str
    template: str


@dataclass(frozen=True, slots=True)
class Roster:
    """All owners of pods of the run, in the order in which they appear, and then lone pods.

    ``made_by`` has, of every ReplicaSet that one of them ever owned, by uid, the uid of that
    Deployment and the identity of the template: pods may outlive it. ``made`` has of every pod the
    uid of the owner that has made it, and how it looked. ``lone`` are the classes of pods that
    nobody owns, by their look. ``revisions`` has the templates of ControllerRevisions, by the
    uid of whom they belong to and their names.
    """

    members: tuple[Member, ...]
    made_by: Mapping[str, Home]
    made: Mapping[str, tuple[str, str]]
    homes: Mapping[Home, int]
    further: Mapping[tuple[int, str], int]
    lone: Mapping[str, int]
    revisions: Mapping[tuple[str, str], str]

    @property
    def owners(self) -> tuple[Member, ...]:
        """Those that make pods."""
        return tuple(member for member in self.members if member.templates)

    def member(self, uid: str) -> Member | None:
        """The member with this uid."""
        return next((m for m in self.members if m.uid == uid), None)

    def class_of(self, member: Member, slot: int) -> int:
        """The number of a class of pods of a member among all."""
        return sum(m.width for m in self.members[: self.members.index(member)]) + slot

    def class_of_pod(self, cluster: Cluster, pod: Stored) -> int | None:
        """The number of the class that a pod is of; None where it is of no member.

        Pods that outlive their owner are nobody's until they terminate: another one of the same
        template does not count them.
        """
        kind, uid = pod.owner_kind, pod.owner(pod.owner_kind)
        if not kind:
            return self.lone.get(pod.look)
        if uid not in cluster.of(kind) and not _terminates(pod):
            return None
        member = self.member(uid)
        if member is not None and member.ordinals:
            return self._seat(member, pod)
        own = self.class_made_by(cluster, uid)
        if own is None or self.made.get(pod.uid) == (uid, pod.look):
            return own
        return self.further.get((own, pod.look), own)

    def _seat(self, member: Member, pod: Stored) -> int | None:
        """The class of a pod with an identity, by its name and the revision that it bears."""
        labels = pod.value.metadata.label_map()
        template = self.template_called(member, labels.get(REVISION_LABEL, ""))
        ordinal = ordinal_of(pod.name, member.first.metadata.name)
        if template < 0 or ordinal not in member.ordinals:
            return None
        slot = template * len(member.ordinals) + member.ordinals.index(ordinal)
        return self.class_of(member, slot)

    def template_called(self, member: Member, revision: str) -> int:
        """The number of the template of a ControllerRevision; -1 where it is not known."""
        identities = [template.identity for template in member.templates]
        found = self.revisions.get((member.uid, revision), "")
        return identities.index(found) if found in identities else -1

    def class_made_by(self, cluster: Cluster, owner: str) -> int | None:
        """The number of the class of the pods of an owner (by uid); None if nobody's here."""
        lone = self.member(owner)
        if lone is not None:
            return self.class_of(lone, 0)
        replica_set = cluster.of("ReplicaSet").get(owner)
        adopted = replica_set.owner("Deployment") if replica_set is not None else ""
        home = self.made_by.get(owner)
        if home is None:
            return None
        return self.homes.get(home._replace(uid=adopted or home.uid))


def _terminates(pod: Stored) -> bool:
    return pod.value.metadata.deletion_timestamp is not None


@dataclass(slots=True)
class _Found:
    """What is gathered of one owner; ``looks`` are those that its pods have beside their own."""

    first: Any
    templates: dict[str, Template] = field(default_factory=dict)
    sizes: dict[int, None] = field(default_factory=dict)
    looks: dict[tuple[str, str], Pod] = field(default_factory=dict)
    ordinals: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Gathering:
    """What is gathered of a run."""

    found: dict[str, _Found] = field(default_factory=dict)
    made_by: dict[str, Home] = field(default_factory=dict)
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    lone: dict[str, Pod] = field(default_factory=dict)
    revisions: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, new: Stored, *, first: bool) -> None:
        """Take an object as it was written; ``first``: whether it was not there before."""
        value, deployment = new.value, new.owner("Deployment")
        if deployment in self.found:
            self.made_by.setdefault(new.uid, Home(deployment, new.template))
        if isinstance(value, Pod):
            self._take_pod(new, value, first=first)
        elif new.owner("StatefulSet") and new.template:
            self.revisions[new.owner("StatefulSet"), new.name] = new.template
        elif new.uid in self.found or self._is_owner(new):
            _gather_owner(self.found.setdefault(new.uid, _Found(value)), new)
        elif isinstance(value, ReplicaSet) and deployment in self.found:
            _gather_set(self.found[deployment], new, value)

    def _is_owner(self, new: Stored) -> bool:
        owner = type(new.value) in OWNERS and new.uid not in self.made_by
        return owner and kind_of(new.value).stands_alone(new.value)

    def _take_pod(self, new: Stored, pod: Pod, *, first: bool) -> None:
        """The first pod of a template shows what all are like; one that was adopted shows nothing.

        Static pods, of which the API has but a mirror, are nobody's.
        """
        controller = controller_of(pod.metadata)
        if controller is None:
            if MIRROR not in pod.metadata.annotation_map():
                self.lone.setdefault(new.look, pod)
            return
        home = self._home(controller.uid)
        if home is None:
            return
        owner = self.found[home.uid]
        if owner.ordinals:
            owner.ordinals |= {ordinal_of(new.name, owner.first.metadata.name)} - {-1}
            return
        if first and new.name.startswith(f"{controller.name}-"[:STEM]):
            self.made[new.uid] = controller.uid, new.look
            template = owner.templates.get(home.template)
            if template is not None and template.pod is None:
                owner.templates[home.template] = template._replace(pod=_plain(pod), look=new.look)
        elif self.made.get(new.uid) != (controller.uid, new.look):
            owner.looks.setdefault((home.template, new.look), pod)

    def _home(self, owner: str) -> Home | None:
        found = self.found.get(owner)
        if found is None:
            return self.made_by.get(owner)
        return next((Home(owner, identity) for identity in found.templates), None)


def roster_of(clusters: Iterable[Cluster]) -> Roster:
    """The roster of a run, from its objects after each write."""
    gathering = _Gathering()
    last = Cluster()
    for cluster in clusters:
        for new, first in _news(last, cluster):
            gathering.take(new, first=first)
        last = cluster
    members: list[Member] = []
    for uid, one in gathering.found.items():
        kind = kind_of(one.first)
        members.append(_named(members, uid, kind.kind, one))
    for look, pod in gathering.lone.items():
        further = (Further(0, look, common(pod)),)
        members.append(_named(members, look, LONE, _Found(pod))._replace(further=further))
    return _numbered(members, gathering)


def _named(before: Iterable[Member], uid: str, kind: str, one: _Found) -> Member:
    metadata = one.first.metadata
    called = (kind, metadata.namespace, metadata.name)
    earlier = sum((m.kind, m.namespace, m.first.metadata.name) == called for m in before)
    shown = f"{metadata.name} ({earlier + 1})" if earlier else metadata.name
    templates = tuple(one.templates.values())
    numbers = {template.identity: number for number, template in enumerate(templates)}
    further = tuple(
        Further(numbers[identity], look, common(pod))
        for (identity, look), pod in one.looks.items()
        if identity in numbers and look != one.templates[identity].look
    )
    sizes, ordinals = tuple(one.sizes), tuple(sorted(one.ordinals))
    return Member(
        uid, kind, metadata.namespace, shown, one.first, templates, sizes, further, ordinals
    )


def _numbered(members: Iterable[Member], gathering: _Gathering) -> Roster:
    homes: dict[Home, int] = {}
    others: dict[tuple[int, str], int] = {}
    lone: dict[str, int] = {}
    first = 0
    for member in members:
        homes |= {Home(member.uid, t.identity): first + n for n, t in enumerate(member.templates)}
        for number, further in enumerate(member.further, first + member.made):
            if member.templates:
                others[first + further.template, further.look] = number
            else:
                lone[further.look] = number
        first += member.width
    found, revisions = tuple(members), gathering.revisions
    return Roster(found, gathering.made_by, gathering.made, homes, others, lone, revisions)


_NEWS = (*(kind.__name__ for kind in OWNERS), REVISION, "Pod")


def _news(before: Cluster, after: Cluster) -> Iterator[tuple[Stored, bool]]:
    """The objects that a write has changed, and whether they were not there before."""
    for kind in _NEWS:
        if before.kinds.get(kind) is after.kinds.get(kind):
            continue
        old = before.of(kind)
        yield from (
            (s, uid not in old) for uid, s in after.of(kind).items() if old.get(uid) is not s
        )


def _gather_owner(one: _Found, new: Stored) -> None:
    kind = kind_of(new.value)
    one.sizes[kind.replicas(new.value)] = None
    updates = kind.updates(new.value)
    if updates is not None:
        # A set of no replicas has a class all the same.
        most = max(kind.replicas(new.value), 1)
        one.ordinals |= set(range(updates.start, updates.start + most))
    if kind.rollout(new.value) is not None or updates is not None:
        template = Template(new.template, kind.template(new.value), "", None)
        one.templates.setdefault(new.template, template)
    elif not one.templates:
        selector = kind.selector(new.value, 0)
        spec = kind.template(new.value)
        one.templates[new.template] = Template(new.template, spec, new.name, selector)


def _gather_set(owner: _Found, new: Stored, value: ReplicaSet) -> None:
    known = owner.templates.get(new.template)
    if known is None:
        known = Template(new.template, value.spec.template, new.name, value.spec.selector)
    owner.templates[new.template] = known._replace(name=new.name, selector=value.spec.selector)


def _plain(pod: Pod) -> Pod:
    """The pod as the class of all that its owner makes; it may be made for one node."""
    plain, controller = common(pod), controller_of(pod.metadata)
    owners = None if controller is None else (controller,)
    metadata = msgspec.structs.replace(plain.metadata, owner_references=owners)
    spec = msgspec.structs.replace(plain.spec, node_name=pod.spec.node_name)
    return msgspec.structs.replace(plain, metadata=metadata, spec=spec)
