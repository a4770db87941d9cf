"""Pods that are resized in place: a pod goes from one class to another that asks for more or less.

Where no scenario has somebody resize pods there is none of this. A pod that waits is of a class
whose status says what is allocated for it, and so does the scheduler read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.cluster.columns import PODS, SHOWN, UP
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import ACTIVE, ADMITTED, Group, Phase, Pods, ShownNode, shifted
from kubelemma.model.cluster.state import without as fewer
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Outcome, Rule

from .actions import REFUSE_RESIZE, RESIZE, RESIZE_POD
from .decision import resizing as decide
from .decision.resizing import Answer, Resizing

HELD = tuple(phase for phase in ADMITTED if phase in ACTIVE)
"""Phases of pods for which their kubelet has allocated something, and that stay."""


def waiting(world: World) -> tuple[int, ...]:
    """The classes of pods that wait for a resize."""
    return tuple(found.index for found in world.classes if decide.waits(found.pod))


def class_of(world: World, like: PodClass, pod: Pod) -> int | None:
    """The class of a pod of the same template that is so; None where there is none."""
    for index in world.workloads[like.workload].classes:
        found = world.classes[index]
        if found.template == like.template and found.pod == pod:
            return index
    return None


def as_allocated(world: World, pods: Pods) -> Pods:
    """The pods of a node as its kubelet has them: with what is allocated for each."""
    after = pods
    for group in pods:
        own = world.classes[group.pod_class]
        if decide.waits(own.pod):
            base = class_of(world, own, decide.allocation(own.pod))
            if base is not None:
                after = _become(after, group, base, group.size)
    return after


def _become(pods: Pods, group: Group, pod_class: int, number: int = 1) -> Pods:
    """The pods with some of a group in another class."""
    rest = shifted(pods, group.pod_class, group.phase, -number, group.marks)
    return shifted(rest, pod_class, group.phase, number, group.marks)


def rules(world: World, pod_class: PodClass, name: str, actor: str, each: str) -> Iterator[Rule]:
    """What a kubelet does about pods of a class that wait for a resize."""
    if not decide.waits(pod_class.pod):
        return
    ends = {
        Answer.GRANTED: class_of(world, pod_class, decide.granted(pod_class.pod)),
        Answer.INFEASIBLE: class_of(world, pod_class, decide.refused(pod_class.pod)),
    }
    if decide.is_infeasible(pod_class.pod):
        del ends[Answer.INFEASIBLE]  # it has said so already

    def outcomes(up: bool, *shown: Any) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
        node = ShownNode(*shown)
        for group in node.pods:
            if up and group.pod_class == pod_class.index and Phase(group.phase) in HELD:
                yield from _answered(world, pod_class, ends, node, group)

    yield Rule(name, actor, (UP, *SHOWN), outcomes, writes=(PODS,), each=each)


_ACTIONS = {Answer.GRANTED: RESIZE_POD, Answer.INFEASIBLE: REFUSE_RESIZE}
_WHY = {
    Answer.GRANTED: "its node has room for what it asks for, beside all that it has admitted",
    Answer.INFEASIBLE: "its node could not hold that without any other pod (Infeasible)",
}


def _answered(
    world: World,
    pod_class: PodClass,
    ends: Mapping[Answer, int | None],
    node: ShownNode,
    group: Group,
) -> Iterator[Outcome]:
    others = as_allocated(world, fewer(node.pods, group))
    info = world.kubelet_info(node._replace(pods=others), ADMITTED)
    found = decide.answer(decide.granted(pod_class.pod), info)
    after = ends.get(found)
    if after is not None:
        writes = {PODS: _become(node.pods, group, after)}
        yield Outcome(_ACTIONS[found], writes, (("class", pod_class.index),), _WHY[found])


def _ask(world: World, event: Event, pods: Pods) -> Iterator[tuple[dict[str, Pods], str, int]]:
    change = event.options
    if not isinstance(change, Resizing):
        return
    for group in pods:
        own = world.classes[group.pod_class]
        if own.workload != event.workload or Phase(group.phase) not in HELD:
            continue
        after = class_of(world, own, decide.resized(own.pod, change))
        if after is not None and after != own.index:
            why = f"kubectl patch --subresource resize: {change}"
            yield {PODS: _become(pods, group, after)}, why, own.index


EVENT = on_node(RESIZE, _ask, (PODS,), each=True)
