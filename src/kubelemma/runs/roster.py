"""Who takes part in a run: its Deployments with all their templates, known in advance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.workloads import Deployment, ReplicaSet

from .cluster import Cluster, Stored


class Template(NamedTuple):
    """One pod template of a Deployment.

    ``pod`` is the first pod that was made from it, as it was created, and ``selector`` that of its
    ReplicaSet; None where there never is one.
    """

    identity: str
    spec: PodTemplateSpec
    name: str
    selector: LabelSelector | None
    pod: Pod | None


class Member(NamedTuple):
    """A Deployment of the run; another one of the same name is told apart by ``name``.

    ``first`` is the Deployment as it was created, ``sizes`` are all that it is ever scaled to.
    """

    uid: str
    namespace: str
    name: str
    first: Deployment
    templates: tuple[Template, ...]
    sizes: tuple[int, ...]

    def template_of(self, found: Stored) -> int:
        """The number of the template of the Deployment or of one of its ReplicaSets."""
        return [t.identity for t in self.templates].index(found.template)


class Roster(NamedTuple):
    """All Deployments of the run, in the order in which they appear.

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

        Pods that outlive their ReplicaSet are nobody's until they terminate: another one of the
        same template does not count them.
        """
        uid = pod.owner("ReplicaSet")
        owner = cluster.of("ReplicaSet").get(uid)
        adopted = owner.owner("Deployment") if owner is not None else ""
        deployment, template = self.made_by.get(uid, ("", ""))
        member = self.member(adopted or deployment)
        if member is None or (owner is None and not _terminates(pod)):
            return None
        return self.class_of(member, [t.identity for t in member.templates].index(template))


def _terminates(pod: Stored) -> bool:
    return pod.value.metadata.deletion_timestamp is not None


@dataclass(slots=True)
class _Found:
    """What is gathered of one Deployment."""

    first: Deployment
    templates: dict[str, Template] = field(default_factory=dict)
    sizes: dict[int, None] = field(default_factory=dict)


def roster_of(clusters: Iterable[Cluster]) -> Roster:
    """The roster of a run, from its objects after each write."""
    found: dict[str, _Found] = {}
    made_by: dict[str, tuple[str, str]] = {}
    last = Cluster()
    for cluster in clusters:
        for new in _news(last, cluster):
            _gather(found, cluster, new)
            if new.owner("Deployment") in found:
                made_by.setdefault(new.uid, (new.owner("Deployment"), new.template))
        last = cluster
    members: list[Member] = []
    for uid, one in found.items():
        namespace, name = one.first.metadata.namespace, one.first.metadata.name
        earlier = sum((m.namespace, m.first.metadata.name) == (namespace, name) for m in members)
        shown = f"{name} ({earlier + 1})" if earlier else name
        templates = tuple(one.templates.values())
        members.append(Member(uid, namespace, shown, one.first, templates, tuple(one.sizes)))
    return Roster(tuple(members), made_by)


def _news(before: Cluster, after: Cluster) -> Iterator[Stored]:
    """The objects that a write has changed."""
    for kind in ("Deployment", "ReplicaSet", "Pod"):
        if before.kinds.get(kind) is after.kinds.get(kind):
            continue
        old = before.of(kind)
        yield from (s for uid, s in after.of(kind).items() if old.get(uid) is not s)


def _gather(found: dict[str, _Found], cluster: Cluster, new: Stored) -> None:
    value = new.value
    if isinstance(value, Deployment):
        one = found.setdefault(new.uid, _Found(value))
        one.sizes[value.spec.replicas or 0] = None
        template = Template(new.template, value.spec.template, "", None, None)
        one.templates.setdefault(new.template, template)
    elif isinstance(value, ReplicaSet):
        owner = found.get(new.owner("Deployment"))
        if owner is not None:
            known = owner.templates.get(new.template)
            pod = known.pod if known is not None else None
            spec = known.spec if known is not None else value.spec.template
            owner.templates[new.template] = Template(
                new.template, spec, new.name, value.spec.selector, pod
            )
    elif isinstance(value, Pod):
        replica_set = cluster.of("ReplicaSet").get(new.owner("ReplicaSet"))
        one_of = found.get(replica_set.owner("Deployment")) if replica_set is not None else None
        if replica_set is not None and one_of is not None:
            known = one_of.templates.get(replica_set.template)
            if known is not None and known.pod is None:
                one_of.templates[replica_set.template] = known._replace(pod=_plain(value))


def _plain(pod: Pod) -> Pod:
    """The pod as the class of all like it: without what is its own."""
    metadata = msgspec.structs.replace(
        pod.metadata, name="", uid="", creation_timestamp=None, deletion_timestamp=None
    )
    return msgspec.structs.replace(pod, metadata=metadata, status=type(pod.status)())
