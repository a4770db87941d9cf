"""Who takes part in a run: its owners of pods with all their templates, known in advance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.owners import OwnerKind
from kubelemma.model.components.registry import OWNERS
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.workloads import ReplicaSet
from kubelemma.model.scenario.templates import key_of, kind_of

from .cluster import Cluster, Stored


class Template(NamedTuple):
    """One pod template of an owner.

    ``pod`` is the first pod that was made from it, as it was created, and ``selector`` that of its
    ReplicaSet; None where there never is one.
    """

    identity: str
    spec: PodTemplateSpec
    name: str
    selector: LabelSelector | None
    pod: Pod | None


class Member(NamedTuple):
    """An owner of pods of the run; another one of the same name is told apart by ``name``.

    ``first`` is the owner as it was created, ``sizes`` are all that it is ever scaled to.
    """

    uid: str
    namespace: str
    name: str
    first: Any
    templates: tuple[Template, ...]
    sizes: tuple[int, ...]

    @property
    def kind(self) -> OwnerKind:
        """Its kind."""
        return kind_of(self.first)

    @property
    def rolled_out(self) -> bool:
        """Whether it goes from one template to the next by ReplicaSets of its own."""
        return self.kind.rollout(self.first) is not None

    def template_of(self, found: Stored) -> int:
        """The number of the template of the owner or of one of its ReplicaSets.

        Of one without rollouts only pods that it has yet to make would be of another.
        """
        if not self.rolled_out:
            return 0
        return [t.identity for t in self.templates].index(found.template)


class Roster(NamedTuple):
    """All owners of pods of the run, in the order in which they appear.

    ``made_by`` has, of every ReplicaSet that one of them ever owned, by uid, the uid of that
    Deployment and the identity of the template: pods may outlive it.
    """

    members: tuple[Member, ...]
    made_by: Mapping[str, tuple[str, str]]

    def member(self, uid: str) -> Member | None:
        """The member with this uid."""
        return next((m for m in self.members if m.uid == uid), None)

    def class_of(self, member: Member, template: int) -> int:
        """The number of the pods of a template among all."""
        before = self.members[: self.members.index(member)]
        return sum(len(m.templates) for m in before) + template

    def class_of_pod(self, cluster: Cluster, pod: Stored) -> int | None:
        """The number of the class that a pod is of; None where no member made it.

        Pods that outlive their owner are nobody's until they terminate: another one of the same
        template does not count them.
        """
        kind, uid = pod.owner_kind, pod.owner(pod.owner_kind)
        if uid not in cluster.of(kind) and not _terminates(pod):
            return None
        return self.class_made_by(cluster, uid)

    def class_made_by(self, cluster: Cluster, owner: str) -> int | None:
        """The number of the class of the pods of an owner (by uid); None if nobody's here."""
        lone = self.member(owner)
        if lone is not None:
            return self.class_of(lone, 0)
        replica_set = cluster.of("ReplicaSet").get(owner)
        adopted = replica_set.owner("Deployment") if replica_set is not None else ""
        deployment, template = self.made_by.get(owner, ("", ""))
        member = self.member(adopted or deployment)
        if member is None:
            return None
        identities = [t.identity for t in member.templates]
        return self.class_of(member, identities.index(template)) if template in identities else None


def _terminates(pod: Stored) -> bool:
    return pod.value.metadata.deletion_timestamp is not None


@dataclass(slots=True)
class _Found:
    """What is gathered of one owner."""

    first: Any
    templates: dict[str, Template] = field(default_factory=dict)
    sizes: dict[int, None] = field(default_factory=dict)


def roster_of(clusters: Iterable[Cluster]) -> Roster:
    """The roster of a run, from its objects after each write."""
    found: dict[str, _Found] = {}
    made_by: dict[str, tuple[str, str]] = {}
    last = Cluster()
    for cluster in clusters:
        for new in _news(last, cluster):
            if new.owner("Deployment") in found:
                made_by.setdefault(new.uid, (new.owner("Deployment"), new.template))
            _gather(found, cluster, new, made=new.uid in made_by)
        last = cluster
    members: list[Member] = []
    for uid, one in found.items():
        key = key_of(one.first)
        earlier = sum(key_of(m.first) == key for m in members)
        shown = f"{key.name} ({earlier + 1})" if earlier else key.name
        templates = tuple(one.templates.values())
        members.append(Member(uid, key.namespace, shown, one.first, templates, tuple(one.sizes)))
    return Roster(tuple(members), made_by)


_NEWS = (*(kind.__name__ for kind in OWNERS), "Pod")


def _news(before: Cluster, after: Cluster) -> Iterator[Stored]:
    """The objects that a write has changed."""
    for kind in _NEWS:
        if before.kinds.get(kind) is after.kinds.get(kind):
            continue
        old = before.of(kind)
        yield from (s for uid, s in after.of(kind).items() if old.get(uid) is not s)


def _gather(found: dict[str, _Found], cluster: Cluster, new: Stored, *, made: bool) -> None:
    value = new.value
    if isinstance(value, Pod):
        _gather_pod(found, cluster, new, value)
    elif new.uid in found or (type(value) in OWNERS and not made and _stands_alone(value)):
        _gather_owner(found.setdefault(new.uid, _Found(value)), new)
    elif isinstance(value, ReplicaSet):
        owner = found.get(new.owner("Deployment"))
        if owner is not None:
            known = owner.templates.get(new.template)
            pod = known.pod if known is not None else None
            spec = known.spec if known is not None else value.spec.template
            owner.templates[new.template] = Template(
                new.template, spec, new.name, value.spec.selector, pod
            )


def _stands_alone(value: Any) -> bool:
    return kind_of(value).stands_alone(value)


def _gather_owner(one: _Found, new: Stored) -> None:
    kind = kind_of(new.value)
    one.sizes[kind.replicas(new.value)] = None
    if kind.rollout(new.value) is not None:
        template = Template(new.template, kind.template(new.value), "", None, None)
        one.templates.setdefault(new.template, template)
    elif not one.templates:
        selector = kind.selector(new.value, 0)
        spec = kind.template(new.value)
        one.templates[new.template] = Template(new.template, spec, new.name, selector, None)


def _gather_pod(found: dict[str, _Found], cluster: Cluster, new: Stored, pod: Pod) -> None:
    """The first pod of a template shows what all are like; one that was adopted shows nothing."""
    lone = found.get(new.owner(new.owner_kind))
    if lone is not None:
        ((identity, known),) = lone.templates.items()
        if known.pod is None and new.name.startswith(f"{known.name}-"):
            lone.templates[identity] = known._replace(pod=_plain(pod))
        return
    replica_set = cluster.of("ReplicaSet").get(new.owner("ReplicaSet"))
    owner = found.get(replica_set.owner("Deployment")) if replica_set is not None else None
    if replica_set is not None and owner is not None:
        of_set = owner.templates.get(replica_set.template)
        if of_set is not None and of_set.pod is None:
            owner.templates[replica_set.template] = of_set._replace(pod=_plain(pod))


def _plain(pod: Pod) -> Pod:
    """The pod as the class of all like it: without what is its own."""
    metadata = msgspec.structs.replace(
        pod.metadata, name="", uid="", creation_timestamp=None, deletion_timestamp=None
    )
    return msgspec.structs.replace(pod, metadata=metadata, status=type(pod.status)())
