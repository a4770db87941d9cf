"""Pods whose init containers wait until somebody answers for a Service.

Where no scenario says that they wait, or fail, init containers are taken to end by themselves, and
nothing of them is modelled. A Service is answered for while a pod that it selects is Ready on a
machine that can be reached; by pods that stand by, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from kubelemma.model.cluster.columns import PODS, UP
from kubelemma.model.cluster.state import Phase, Pods, count
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.components.endpointslice.decision import selects
from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.service import Service
from kubelemma.model.system import Tally

from .decision import InitWait, must_end

ANSWERS = "pods that answer for Services that init containers wait for"
"""The tally of Ready pods on nodes that are up, by Service."""

_ANSWERING = (Phase.READY, Phase.AVAILABLE)


class Awaited(NamedTuple):
    """A Service that an init container waits for, and the classes whose pods answer for it."""

    container: str
    service: str
    classes: tuple[int, ...]
    path: FieldPath

    @property
    def reason(self) -> str:
        """Why the pod does not go on, in words."""
        return f"Init: {self.container} waits until a pod answers for Service {self.service}"


Waits: TypeAlias = tuple[Awaited, ...]
"""What the init containers of a class wait for."""


def awaited(world: World, pod_class: PodClass) -> Waits:
    """What the init containers of a class wait for, as far as it may be away."""
    waits = tuple(world.objects_of(InitWait))
    namespace = world.workloads[pod_class.workload].namespace
    found = (
        Awaited(step.name, f"{wait.namespace or namespace}/{wait.service}", classes, step.path)
        for step in must_end(pod_class.pod.spec)
        for wait in waits
        if wait.container == step.name
        if (classes := _answering(world, wait.namespace or namespace, wait.service)) is not None
    )
    return tuple(found)


def _answering(world: World, namespace: str, name: str) -> tuple[int, ...] | None:
    """The classes whose pods answer for a Service; None where others do that stand by."""
    for service in world.objects_of(Service):
        if (service.metadata.namespace, service.metadata.name) == (namespace, name):
            if any(selects(service, pod) for shape in world.shapes for pod in shape.standing):
                return None
            return tuple(each.index for each in world.classes if selects(service, each.pod))
    return ()


def services(awaits: Iterable[Waits]) -> Mapping[str, tuple[int, ...]]:
    """The Services that somebody waits for, with the classes whose pods answer for them."""
    return {each.service: each.classes for found in awaits for each in found}


def tallies(awaits: Iterable[Waits]) -> Iterator[Tally]:
    """Who answers for them; no tally where nobody waits."""
    answering = tuple(services(awaits).values())
    if answering:

        def measure(up: bool, pods: Pods) -> tuple[int, ...]:  # noqa: FBT001 - a column's value
            return tuple(up * sum(count(pods, c, _ANSWERING) for c in each) for each in answering)

        yield Tally(ANSWERS, {(UP, PODS): measure}, len(answering), reduce=_whether_any, each=PODS)


def _whether_any(total: tuple[int, ...]) -> tuple[bool, ...]:
    return tuple(number > 0 for number in total)


def answered(found: Waits, names: Iterable[str], answers: Iterable[bool]) -> bool:
    """Whether no init container has to wait; ``names`` are the Services, in the tally's order."""
    return not any(unanswered(found, names, answers))


def unanswered(found: Waits, names: Iterable[str], answers: Iterable[bool]) -> Iterator[Awaited]:
    """What init containers wait for."""
    there = dict(zip(names, answers, strict=True))
    return (each for each in found if not there[each.service])


def assumes(world: World) -> Iterator[str]:
    """What is taken for granted of init containers that wait."""
    found: dict[str, None] = {}
    for wait in world.objects_of(InitWait):
        for pod_class in world.classes:
            named = any(step.name == wait.container for step in must_end(pod_class.pod.spec))
            namespace = wait.namespace or world.workloads[pod_class.workload].namespace
            if named:
                by_others = _answering(world, namespace, wait.service) is None
                also = ", which pods that stand by always do" if by_others else ""
                found[
                    f"{wait.container} wait until a pod answers for Service {namespace}/"
                    f"{wait.service}{also}"
                ] = None
    yield from (f"init containers {each}" for each in found)
