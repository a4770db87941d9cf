"""What the input says of an owner's pods: its templates, and what there is of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kubelemma.model.cluster.owners import (
    OwnerKind,
    Through,
    class_of_pods,
    controller_of,
    plain,
)
from kubelemma.model.cluster.state import Phase
from kubelemma.model.cluster.world import Behaviour, PodClass
from kubelemma.model.components.kubelet.decision import never_ready
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

from .stored import admitted_as, made_of, own_form
from .templates import kind_of, replicas_of

NO_IDENTITY = -1
"""The ordinal of pods that are all alike."""

ENDED = ("Succeeded", "Failed")
"""The phases of pods that hold nothing any more."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template of an owner.

    Attributes:
        owner: the owner with this template in its spec.
        made: what controls its pods, where the input has it.
        like: a pod of it where only pods tell what it is like.
        pods: those of the input, which hold something.
        stored: how its pods are stored, where admission makes them other than it says.
    """

    owner: Any
    made: Any = None
    like: Pod | None = None
    pods: tuple[Pod, ...] = ()
    stored: Pod | None = None

    def pod(self, number: int) -> Pod:
        """A pod of it, after admission, without a name or a node; ``number`` is its own."""
        written = self.written(number)
        return written if self.stored is None else made_of(written, self.stored)

    def seated(self, number: int, ordinal: int) -> Pod:
        """The same with an identity, if it has one."""
        pod = self.pod(number)
        if ordinal == NO_IDENTITY:
            return pod
        return kind_of(self.owner).identified(self.owner, pod, ordinal)

    def again(self, owner: Any) -> Template:
        """The same once more, as a restart has it: admission does with it as before."""
        return Template(owner, stored=self.stored)

    def written(self, number: int) -> Pod:
        """The same as the template says, whatever webhooks make of it."""
        if self.like is not None:
            return self.like
        through = kind_of(self.owner).through
        if self.made is not None and through is not None:
            return through.pod(self.made)
        return kind_of(self.owner).pod(self.owner, number)

    @property
    def counts(self) -> Any:
        """The status of what controls its pods, if it says anything: it counts them."""
        through = kind_of(self.owner).through
        found = self.owner if through is None else self.made
        empty = found is None or found.status == type(found.status)()
        return None if empty else found.status

    def name(self, number: int) -> str:
        """What controls its pods, as far as it has a name."""
        found = controller_of(self.pod(number).metadata)
        return found.name if found is not None else ""

    def selector(self, number: int) -> LabelSelector:
        """That of what controls its pods."""
        if self.like is not None:
            return LabelSelector(match_labels=self.like.metadata.labels)
        if self.made is not None:
            found: LabelSelector = self.made.spec.selector
            return found
        return kind_of(self.owner).selector(self.owner, number)

    def pod_class(
        self,
        index: int,
        workload: int,
        number: int,
        behaviour: Behaviour = Behaviour.HEALTHY,
        ordinal: int = NO_IDENTITY,
    ) -> PodClass:
        """The class of its pods, of which ``index`` and ``workload`` are the numbers."""
        return class_of_pods(
            self.seated(number, ordinal),
            ordinal=ordinal,
            index=index,
            workload=workload,
            template=number,
            behaviour=behaviour,
            min_ready_seconds=kind_of(self.owner).min_ready_seconds(self.owner),
            selector=self.selector(number),
        )


class Differing(NamedTuple):
    """A pod that is not as its template says, as one of its class."""

    template: int
    pod: Pod


MOST_KINDS = 3
"""Of an owner with more kinds of such pods, all are taken as their templates say."""


class Counted(NamedTuple):
    """How many pods of a template there are in a phase, where only numbers say so.

    Of pods with an identity it is the one with this ``ordinal``.
    """

    phase: Phase
    number: int
    ordinal: int = NO_IDENTITY


class History(NamedTuple):
    """The templates of an owner at the start, the oldest first.

    Attributes:
        templates: those of which there are pods, or may be.
        current: which of them is in the spec of the owner.
        unmade: whether what would control the pods of that one is yet to be made.
        told: whether the input says where its pods are; else all is rolled out.
        empty: how many old ones without pods are left out.
        kinds: the pods that differ from others of their templates, one of each kind.
    """

    templates: tuple[Template, ...]
    current: int = 0
    unmade: bool = False
    told: bool = False
    empty: int = 0
    kinds: tuple[Differing, ...] = ()

    def kind(self, number: int, pod: Pod) -> int:
        """Of which of these kinds a pod of a template is, counted from 1; 0 is none."""
        own = own_form(pod, self.templates[number].pod(number)) if self.kinds else None
        found = Differing(number, own) if own is not None else None
        return self.kinds.index(found) + 1 if found in self.kinds else 0

    def wanted(self, number: int) -> int:
        """For how many pods what controls those of a template asks."""
        template = self.templates[number]
        if number == self.current and self.unmade:
            return 0
        if template.made is not None:
            return template.made.spec.replicas or 0
        active = sum(pod.metadata.deletion_timestamp is None for pod in template.pods)
        whole = len(self.templates) == 1 or not self.told
        return replicas_of(template.owner) if number == self.current and whole else active

    def pods_on(
        self, on_nodes: Mapping[str, Mapping[Any, int]]
    ) -> Iterator[tuple[str, tuple[Pod, ...]]]:
        """The pods on each node, given how many of which template are there."""
        for name, spots in on_nodes.items():
            for spot, number in spots.items():
                yield name, (self.pod_at(spot),) * number

    def pod_at(self, spot: Any) -> Pod:
        """A pod at a spot: as its template says, or one of the kinds that differ from it."""
        own: Pod | None = self.kinds[spot.kind - 1].pod if spot.kind else None
        return own or self.templates[spot.template].seated(spot.template, spot.ordinal)

    @property
    def sized(self) -> bool:
        """Whether the input has no pods, but what controls them, or a status that counts them."""
        return not self.told and any(t.made is not None or t.counts for t in self.templates)

    def counted(self, number: int) -> tuple[Counted, ...]:
        """The pods of a template of which the input has none, by how far they are.

        They are as many as the status of what controls them counts, or else as it asks for: then
        all of them are available, unless a probe keeps them from it. Of those with an identity the
        first are furthest.
        """
        template = self.templates[number]
        updates = kind_of(template.owner).updates(template.owner)
        if updates is not None:
            phases = (found.phase for found in self._counts(number) for _ in range(found.number))
            return tuple(Counted(p, 1, i) for i, p in enumerate(phases, updates.start))
        return self._counts(number)

    def _counts(self, number: int) -> tuple[Counted, ...]:
        template = self.templates[number]
        status = template.counts
        if status is None:
            dull = never_ready(template.pod(number)) is not None
            phase = Phase.STARTING if dull else Phase.AVAILABLE
            return (Counted(phase, self.wanted(number)),)
        ready = min(status.ready_replicas, status.replicas)
        waits = kind_of(template.owner).min_ready_seconds(template.owner) > 0
        available = min(status.available_replicas, ready) if waits else ready
        return (
            Counted(Phase.AVAILABLE, available),
            Counted(Phase.READY, ready - available),
            Counted(Phase.STARTING, status.replicas - ready),
        )


def absent(owner: Any) -> History:
    """The history of an owner that is not there yet."""
    return History((Template(owner),), unmade=True, told=True)


def history_of(
    owner: Any, parts: Iterable[Any], pods: Iterable[Pod], *, undone: bool = False
) -> History:
    """What the input has of an owner: its own pods, and the parts by way of which it made them.

    Old templates of which there are no pods are left out, but for the newest where it may be
    ``undone`` to that.
    """
    kind = kind_of(owner)
    holding = tuple(pod for pod in pods if pod.status.phase not in ENDED)
    if kind.updates(owner) is not None:
        return _of_revisions(owner, kind, holding)
    if kind.through is None:
        only = (_as_stored(Template(owner, pods=holding), 0),)
        return History(only, told=bool(holding), kinds=_kinds(only))
    found = [p for p in parts if _makes(kind, kind.through, owner, p)]
    made = sorted(found, key=kind.through.age)
    by_name: dict[str, list[Pod]] = {part.metadata.name: [] for part in made}
    for pod in holding:
        controller = controller_of(pod.metadata)
        by_name.setdefault(controller.name if controller else "", []).append(pod)
    templates = [
        Template(owner, part, pods=tuple(by_name.pop(part.metadata.name))) for part in made
    ]
    return _gathered(owner, kind.through, templates, by_name.values(), undone=undone)


def _of_revisions(owner: Any, kind: OwnerKind, pods: Sequence[Pod]) -> History:
    """The history of an owner whose pods say themselves of which revision they are."""
    by_revision: dict[str, list[Pod]] = {}
    for pod in pods:
        by_revision.setdefault(kind.revision(owner, pod), []).append(pod)
    current = Template(owner, pods=tuple(by_revision.pop("", ())))
    older = [Template(owner, like=plain(own[0]), pods=tuple(own)) for own in by_revision.values()]
    ordered = (*sorted(older, key=_created), current)
    templates = tuple(_as_stored(template, number) for number, template in enumerate(ordered))
    return History(templates, len(older), told=bool(pods))


def _makes(kind: OwnerKind, through: Through, owner: Any, part: Any) -> bool:
    """Whether a part belongs to an owner, which it names."""
    reference = controller_of(part.metadata)
    same = part.metadata.namespace == owner.metadata.namespace
    right = kind_of(part).kind == through.kind
    return right and same and reference is not None and kind.is_named(owner, reference)


def _gathered(
    owner: Any,
    through: Through,
    made: Sequence[Template],
    orphans: Iterable[Sequence[Pod]],
    *,
    undone: bool,
) -> History:
    """The history, given templates that the input has and pods of others, by their controllers."""
    alike = [t for t in made if through.made_from(owner, t.made)]
    newest = sorted(alike, key=lambda t: through.marked(owner, t.made))
    current = newest[-1] if newest else Template(owner)
    settled = not newest and through.settled(owner)
    older: list[Template] = []
    for pods in orphans:
        if settled or through.made_from(owner, pods[0]):
            current = replace(current, pods=(*current.pods, *pods))
        else:
            older.append(Template(owner, like=plain(pods[0]), pods=tuple(pods)))
    before = [t for t in made if not newest or t is not newest[-1]]
    kept = [t for t in before if t.pods or t.made.spec.replicas]
    kept = before[-1:] if undone and not kept else kept
    told = any(t.pods for t in (*older, *kept, current)) or _empty(made)
    unmade = not newest and not current.pods and bool(older or kept)
    ordered = sorted((*older, *kept), key=_created)
    place = len(ordered) if unmade else sum(_created(t) <= _created(current) for t in ordered)
    ordered.insert(place, current)
    templates = tuple(_as_stored(template, number) for number, template in enumerate(ordered))
    left_out = len(before) - len(kept)
    return History(templates, place, unmade, told, left_out, _kinds(templates))


def _kinds(templates: Sequence[Template]) -> tuple[Differing, ...]:
    """The kinds of pods that differ from their templates; none where there are too many."""
    found: list[Differing] = []
    for number, template in enumerate(templates):
        like = template.pod(number)
        for own in (own_form(pod, like) for pod in template.pods):
            if own is not None and Differing(number, own) not in found:
                found.append(Differing(number, own))
    return tuple(found) if len(found) <= MOST_KINDS else ()


def _as_stored(template: Template, number: int) -> Template:
    """The template with what admission makes of it, as far as its pods tell."""
    return replace(template, stored=admitted_as(template.pods, template.written(number)))


def _created(template: Template) -> str:
    """When what controls its pods was made, or else the first of them."""
    found = (template.made,) if template.made is not None else template.pods
    return min((each.metadata.creation_timestamp or "" for each in found), default="")


def _empty(made: Sequence[Template]) -> bool:
    """Whether those that there are say themselves that they have no pods."""
    statuses = [t.counts for t in made]
    said = bool(statuses) and all(statuses)
    return said and not any(status.replicas for status in statuses)
