"""Who else there is where pods change their labels, their owner or what they ask for.

Classes are added until nothing new can come of any: by what users do to labels, by resizes, by
release, and by adoption through whatever selector matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from kubelemma.model.components.kubelet.decision.resizing import Resizing, stages
from kubelemma.model.components.replicaset.decision import Claim, claim
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

from .claims import Labelling, disowned, owned, relabelled
from .owners import class_of_pods, controller_of, plain
from .setting import Event
from .world import Behaviour, PodClass, Workload


class Populace(NamedTuple):
    """All workloads and classes of a scenario; ``lone`` are pods of the input that nobody owns.

    These are the last but those that are ``arriving``, and those of released pods, among the
    workloads, in this order. ``arriving`` are the numbers of the workloads of pods that come later.
    """

    workloads: tuple[Workload, ...]
    classes: tuple[PodClass, ...]
    lone: tuple[Pod, ...]
    arriving: tuple[int, ...] = ()


def populace(
    workloads: Iterable[Workload],
    classes: Iterable[PodClass],
    pods: Sequence[Pod],
    events: Iterable[Event],
    *,
    arriving: Iterable[Pod] = (),
    differing: Iterable[tuple[int, int, Pod]] = (),
    renewals: Mapping[int, Pod] = MappingProxyType({}),
) -> Populace:
    """The workloads in focus with the classes of their templates, and whatever these meet.

    ``pods`` are lone ones, of which those are part of it that somebody in focus would adopt;
    ``arriving`` are others that somebody creates. ``differing`` are pods that are not as their
    template says, by workload and template: their classes come right behind those of the workload's
    templates. ``renewals`` are pods of the template that is applied to workloads which make no
    other ReplicaSet of it, by their numbers.
    """
    asked = tuple(events)
    labellings = [(e.workload, e.options) for e in asked if isinstance(e.options, Labelling)]
    resizings = [(e.workload, e.options) for e in asked if isinstance(e.options, Resizing)]
    growing = _Growing([*workloads], [*classes], labellings, resizings)
    for workload, template, pod in differing:
        growing.differing(workload, template, pod)
    for workload, pod in renewals.items():
        growing.renew(workload, pod)
    lone = tuple(pod for pod in pods if growing.is_claimed(pod))
    for pod in lone:
        growing.take(pod)
    first = len(growing.workloads)
    for pod in arriving:
        growing.take(pod, node=pod.spec.node_name)
    later = tuple(range(first, len(growing.workloads)))
    growing.close()
    return Populace(tuple(growing.finished()), tuple(growing.classes), lone, later)


@dataclass(slots=True)
class _Growing:
    workloads: list[Workload]
    classes: list[PodClass]
    labellings: list[tuple[int, Labelling]]
    resizings: list[tuple[int, Resizing]]
    released: dict[int, int] = field(default_factory=dict)

    def is_claimed(self, pod: Pod) -> bool:
        """Whether somebody in focus adopts a pod."""
        return any(self._verdict(pod, like) is Claim.ADOPT for like in self._templates())

    def differing(self, workload: int, template: int, pod: Pod) -> None:
        """A pod of a template is not as it says."""
        self._add(pod, workload, template, Behaviour.HEALTHY)

    def renew(self, workload: int, pod: Pod) -> None:
        """The pods that a workload makes from another template belong to the same ReplicaSet."""
        first = self.workloads[workload].classes[0]
        behaviour = self.classes[first].behaviour
        if _without_values(self.classes[first].pod) != _without_values(pod):
            self._add(pod, workload, 0, behaviour)
            renewed = len(self.classes) - 1
            self.workloads[workload] = replace(self.workloads[workload], renewed=renewed)

    def take(self, pod: Pod, node: str = "") -> None:
        """A pod of the input becomes a workload of its own, which nobody re-creates.

        One that has yet to come may name the ``node`` on which it does.
        """
        index = self._lone(pod.metadata.namespace, pod.metadata.name)
        like = plain(pod)
        bound = msgspec.structs.replace(like.spec, node_name=node)
        self._add(msgspec.structs.replace(like, spec=bound), index, 0, Behaviour.HEALTHY)

    def close(self) -> None:
        """Add all that may come of what there is."""
        done = 0
        while done < len(self.classes):
            self._grow(self.classes[done])
            done += 1

    def finished(self) -> Iterator[Workload]:
        """The workloads with all of their classes."""
        for workload in self.workloads:
            own = [c for c in self.classes if c.workload == workload.index]
            further = own[workload.made :]
            others = tuple(c.template for c in further) if workload.templates else ()
            yield replace(workload, classes=tuple(c.index for c in own), others=others)

    def _grow(self, found: PodClass) -> None:
        workload = self.workloads[found.workload]
        if not workload.templates:
            for like in self._templates():
                if self._verdict(found.pod, like) is Claim.ADOPT:
                    self._adopt(found, like)
            return
        for index, change in self.labellings:
            if index == found.workload:
                pod = relabelled(found.pod, change)
                self._add(pod, index, found.template, found.behaviour)
        for index, resize in self.resizings:
            for pod in stages(found.pod, resize) if index == found.workload else ():
                self._add(pod, index, found.template, found.behaviour)
        like = self.classes[workload.one_of(found.template)]
        if (
            claim(owned=True, matches=_matches(like, found.pod), has_controller=True)
            is Claim.RELEASE
        ):
            self._add(disowned(found.pod), self._released(workload), 0, found.behaviour)

    def _adopt(self, found: PodClass, like: PodClass) -> None:
        controller = controller_of(like.pod.metadata)
        if controller is not None:
            pod = owned(found.pod, controller)
            self._add(pod, like.workload, like.template, found.behaviour)

    def _templates(self) -> Iterator[PodClass]:
        """One of each template of those that adopt whatever pod their selector matches."""
        for workload in self.workloads:
            for index in () if workload.ordinals else workload.classes[: workload.templates]:
                yield self.classes[index]

    def _verdict(self, pod: Pod, like: PodClass) -> Claim:
        controller = controller_of(pod.metadata)
        return claim(
            owned=False,
            matches=_matches(like, pod),
            has_controller=controller is not None,
            terminating=pod.metadata.deletion_timestamp is not None,
        )

    def _released(self, workload: Workload) -> int:
        """The workload of the pods that this one has released."""
        if workload.index not in self.released:
            name = f"{workload.name} (released)"
            self.released[workload.index] = self._lone(workload.namespace, name)
        return self.released[workload.index]

    def _lone(self, namespace: str, name: str) -> int:
        index = len(self.workloads)
        same = any((w.namespace, w.name) == (namespace, name) for w in self.workloads)
        lone = Workload(index, "Pod", namespace, name, (), 0, qualified=same)
        self.workloads.append(lone)
        return index

    def _add(self, pod: Pod, workload: int, template: int, behaviour: Behaviour) -> None:
        for known in self.classes:
            place = (known.workload, known.template, known.behaviour)
            if place == (workload, template, behaviour) and known.pod == pod:
                return
        owner = self.workloads[workload]
        like = self.classes[owner.one_of(template)] if owner.templates else None
        self.classes.append(
            class_of_pods(
                pod,
                index=len(self.classes),
                workload=workload,
                template=template,
                behaviour=behaviour,
                min_ready_seconds=like.min_ready_seconds if like else 0,
                selector=like.selector if like else LabelSelector(),
            )
        )


def _matches(like: PodClass, pod: Pod) -> bool:
    """Whether the selector of a template's ReplicaSet matches a pod."""
    same = like.pod.metadata.namespace == pod.metadata.namespace
    return same and like.selector.matches(pod.metadata.label_map())


def _without_values(pod: Pod) -> Pod:
    """The pod without the variables whose values it says itself: nobody reads them."""
    containers = tuple(
        msgspec.structs.replace(
            container,
            env=tuple(each for each in container.env or () if each.value_from is not None),
        )
        for container in pod.spec.containers or ()
    )
    return msgspec.structs.replace(
        pod, spec=msgspec.structs.replace(pod.spec, containers=containers)
    )
