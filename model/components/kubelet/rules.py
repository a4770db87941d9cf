"""The kubelet of each node: admission, start, readiness, termination; and its containers.

Source: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/kubelet.go, pkg/kubelet/status.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from kubelemma.model.cluster.columns import PODS, SHAPE, SHOWN, UP, VOLUMES
from kubelemma.model.cluster.component import NO_PARTS, Component, Crowd, Parts, Telling
from kubelemma.model.cluster.room import lacks_room
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import (
    ADMITTED,
    LEAVING,
    Group,
    Phase,
    Pods,
    ShownNode,
    moved,
    shifted,
    without,
)
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import STORED, Stock
from kubelemma.model.cluster.world import NEVER_READY, Behaviour, NodeShape, PodClass, World
from kubelemma.model.objects.configuration import ConfigMap, Secret
from kubelemma.model.system import Outcome, Rule

from . import pressure, resizing, shutdown, starting, volumes
from .actions import (
    ACTIONS,
    ADMIT,
    BECOME_AVAILABLE,
    BECOME_READY,
    CONTAINER_CRASH,
    FINISH_TERMINATION,
    REJECT,
)
from .decision import NEVER, Outlook, Unreliable, admit, admits_under_pressure, images_of, listed
from .faults import EVENTS
from .starting import Held

KUBELET = "kubelet"
CONTAINER = "container"


def rules(
    world: World,
    *,
    roomy: bool = False,
    held: Mapping[int, Held] = MappingProxyType({}),
    short: bool = False,
) -> tuple[Rule, ...]:
    """Rules of the kubelets of all nodes, and of the containers that crash by themselves.

    Where it is ``roomy``, admission need not look at other pods of the node. Containers of the
    classes that are ``held`` are not started at once. ``short``: nodes may be so of memory.
    """
    each, stock = PODS if roomy else "", stock_of(world)
    own = (
        rule
        for pod_class in world.classes
        for rule in _rules(world, pod_class, each, stock, held, short=short)
    )
    return (*own, *volumes.rules(stock, KUBELET))


def _rules(
    world: World,
    pod_class: PodClass,
    admitted_each: str,
    stock: Stock,
    every: Mapping[int, Held],
    *,
    short: bool,
) -> Iterator[Rule]:
    """The rules for the pods of one class: what one class keeps a kubelet at starves no other."""
    held = every.get(pod_class.index)
    workload = world.workloads[pod_class.workload]
    alike = [other for other in world.workloads if other.name == workload.name]
    label = workload.crowd(pod_class.index)
    if len(alike) == 1:
        label = label.removeprefix(f"{workload.namespace}/")
    uses = bool(stock) and bool(stock.uses[pod_class.index])
    waits = held or (starting.NOTHING_BUT_VOLUMES if uses else None)
    first = Phase.STARTING if waits is None else Phase.CREATING
    admission = partial(_admissions, world, pod_class, first)
    admits = Rule(
        f"admit or reject {label}",
        KUBELET,
        (UP, *SHOWN),
        admission,
        writes=(PODS,),
        each=admitted_each,
    )
    wary = short and not admits_under_pressure(pod_class.pod)
    yield pressure.heeded(admits, pod_class, _rejection) if wary else admits
    running = (UP, PODS)
    if waits is not None:
        anything = {**every, pod_class.index: waits}
        for start in starting.rule(world, pod_class, f"start {label}", KUBELET, anything):
            yield _once_mounted(start, stock, pod_class) if uses else start
    if held is not None:
        yield from starting.kill_rule(pod_class, f"kill {label}", KUBELET, held)
    killed = held is not None and held.outlook is Outlook.IS_KILLED
    if pod_class.behaviour not in NEVER_READY and not killed:
        readiness = _while_up(pod_class, (Phase.STARTING,), _readiness)
        ready = _of_each(f"report ready {label}", KUBELET, running, readiness)
        yield _once_mounted(ready, stock, pod_class) if uses else ready
    yield from resizing.rules(world, pod_class, f"resize {label}", KUBELET, admitted_each)
    if world.follows_terminating:
        ending = _while_up(pod_class, LEAVING, _termination)
        finish = _of_each(f"finish {label}", KUBELET, running, ending)
        yield _unmounting(finish, stock, pod_class) if uses else finish
    if pod_class.min_ready_seconds:
        waiting = partial(_availability, pod_class)
        yield _of_each(f"minReadySeconds of {label}", KUBELET, (PODS,), waiting)
    if pod_class.behaviour is Behaviour.CRASH_LOOPING:
        again = Phase.STARTING if held is None else Phase.RESTARTING
        crashed = partial(_container_crash, again)
        crash = _while_up(pod_class, (Phase.READY, Phase.AVAILABLE), crashed)
        yield _of_each(f"crash {label}", CONTAINER, running, crash)


def _of_each(
    name: str, actor: str, cells: tuple[str, ...], act: Callable[..., Iterator[Outcome]]
) -> Rule:
    """What happens to a pod whatever else is on its node."""
    return Rule(name, actor, cells, act, writes=(PODS,), each=PODS)


def _once_mounted(rule: Rule, stock: Stock, pod_class: PodClass) -> Rule:
    """The rule as one that waits until all that the pod uses is mounted."""
    mounts, own = volumes.Mounts(stock, pod_class), len(rule.cells)

    def outcomes(*seen: Any) -> Iterable[Outcome]:
        *reads, stored = seen[own + 1 :]
        there = seen[own]
        return rule.outcomes(*seen[:own], *reads) if mounts.are_there(there, stored) else ()

    cells, reads = (*rule.cells, VOLUMES), (*rule.reads, STORED)
    return replace(rule, cells=cells, outcomes=outcomes, reads=reads)


def _unmounting(rule: Rule, stock: Stock, pod_class: PodClass) -> Rule:
    """The rule as one that unmounts what nobody else on the node uses."""
    return replace(
        rule,
        cells=(UP, SHAPE, PODS, VOLUMES),
        outcomes=volumes.Mounts(stock, pod_class).termination,
        reads=(STORED,),
        writes=(PODS, VOLUMES),
        each="",
    )


def _while_up(
    pod_class: PodClass,
    phases: tuple[Phase, ...],
    act: Callable[[PodClass, Pods, Group], Outcome],
) -> Callable[[bool, Pods], Iterator[Outcome]]:
    """What happens to pods of the class in these phases, on a node that is up."""

    def outcomes(up: bool, pods: Pods) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
        for group in pods:
            if up and group.pod_class == pod_class.index and group.phase in phases:
                yield act(pod_class, pods, group)

    return outcomes


def _pod(pod_class: PodClass) -> tuple[tuple[str, int], ...]:
    return (("class", pod_class.index),)


def _admissions(
    world: World,
    pod_class: PodClass,
    first: Phase,
    up: bool,  # noqa: FBT001 - a column's value
    *shown: Any,
) -> Iterator[Outcome]:
    node = ShownNode(*shown)
    for group in node.pods:
        if up and (group.pod_class, group.phase) == (pod_class.index, Phase.ASSIGNED):
            yield _admission(world, pod_class, first, node, group)


def _admission(
    world: World, pod_class: PodClass, first: Phase, node: ShownNode, group: Group
) -> Outcome:
    """Admit a bound pod, or reject it for good: its phase becomes Failed and it holds nothing."""
    own = node._replace(pods=resizing.as_allocated(world, node.pods))
    reason = admit(pod_class.pod, world.kubelet_info(own, ADMITTED))
    if reason is None:
        after = moved(node.pods, group, first)
        start = "the containers start" if first is Phase.STARTING else "the containers are created"
        why = f"it fits what the node has left, and {start}"
        return Outcome(ADMIT, {PODS: after}, _pod(pod_class), why)
    return _rejection(pod_class, node.pods, group, reason)


def _rejection(pod_class: PodClass, pods: Pods, group: Group, reason: str) -> Outcome:
    why = f"admission fails: {reason}; the pod is Failed and is not rescheduled"
    rest = without(pods, group)
    if pod_class.ordinal >= 0:  # its object keeps its name
        rest = shifted(rest, pod_class.index, Phase.FAILED, 1)
    return Outcome(REJECT, {PODS: rest}, _pod(pod_class), why)


def _readiness(pod_class: PodClass, pods: Pods, group: Group) -> Outcome:
    after = Phase.READY if pod_class.min_ready_seconds else Phase.AVAILABLE
    why = "all containers run and the readiness probes succeed"
    if after is Phase.READY:
        why += f"; it counts as available after {pod_class.min_ready_seconds} s"
    return Outcome(BECOME_READY, {PODS: moved(pods, group, after)}, _pod(pod_class), why)


def _availability(pod_class: PodClass, pods: Pods) -> Iterator[Outcome]:
    """Time passes also on a node that is down, as long as the API still shows its pods Ready."""
    for group in pods:
        if (group.pod_class, group.phase) == (pod_class.index, Phase.READY):
            writes = {PODS: moved(pods, group, Phase.AVAILABLE)}
            why = "it has been Ready for minReadySeconds"
            yield Outcome(BECOME_AVAILABLE, writes, _pod(pod_class), why)


def _termination(pod_class: PodClass, pods: Pods, group: Group) -> Outcome:
    """After the containers have stopped, the kubelet deletes the API object with grace 0.

    One that was deleted by force has none any more.
    """
    why = _WHY_GONE.get(group.phase, "its containers have stopped")
    return Outcome(FINISH_TERMINATION, {PODS: without(pods, group)}, _pod(pod_class), why)


_WHY_GONE: Mapping[int, str] = {
    Phase.REVOKED: "it never ran",
    Phase.ENDED: "all is cleaned up after it",
}


def _container_crash(again: Phase, pod_class: PodClass, pods: Pods, group: Group) -> Outcome:
    why = "this version crashes again and again (CrashLoopBackOff)"
    writes = {PODS: moved(pods, group, again)}
    return Outcome(CONTAINER_CRASH, writes, _pod(pod_class), why)


# The component


def _parts(setting: Setting) -> Parts:
    world = setting.world
    if not world.shapes:
        return NO_PARTS
    roomy = not lacks_room(world, setting.choices.max_pods)
    held = starting.held(world, setting.events)
    return Parts(
        cells=starting.cells(world, starting.followed(world, setting.events)),
        tallies=tuple(starting.tallies(world, held)),
        rules=(
            *rules(world, roomy=roomy, held=held, short=pressure.followed(setting)),
            *shutdown.rules(setting, KUBELET),
            *pressure.rules(setting, KUBELET),
        ),
    )


def _assumes(setting: Setting) -> Iterable[str]:
    yield from starting.assumes(setting.world, setting.events)
    if any(c.behaviour is Behaviour.GATE_NEVER_TRUE for c in setting.world.classes):
        return
    gates = dict.fromkeys(
        gate.condition_type
        for pod_class in setting.world.classes
        for gate in pod_class.pod.spec.readiness_gates or ()
    )
    for gate in gates:
        yield (
            f"somebody sets the condition {gate} of readiness gates to True once containers run, "
            "at any time and in the end (newVersion: gateNeverTrue asks what happens if not)"
        )


def _own_view(crowd: Crowd) -> Telling:
    """What the kubelet finds itself; what the API shows of a node, the scheduler can tell, too.

    Also which images are there that somebody asks for, where the registry may be away, and of those
    that nobody pulls.
    """
    unreliable = any(isinstance(each, Unreliable) for each in crowd.objects)
    images = {image for pod in crowd.pods for image in images_of(pod)}
    nowhere = any(image.policy == NEVER for image in images)
    asked = {image.name for image in images if unreliable or image.policy == NEVER}

    def telling(shape: NodeShape) -> Hashable:
        own = shape.kubelet
        seen = b"" if own is None else msgspec.json.encode(own.status, enc_hook=str)
        names = (name for each in shape.node.status.images or () for name in each.names or ())
        known = nowhere and listed(shape.node) is not None
        return seen, known, tuple(sorted(asked.intersection(names))) if asked else ()

    return telling


def _needs_terminating(setting: Setting) -> bool:
    """Pods hold what they were admitted with until they are gone."""
    return lacks_room(setting.world, setting.choices.max_pods)


COMPONENT = Component(
    name="kubelet",
    distinguishes=_own_view,
    needs_terminating=_needs_terminating,
    parts=_parts,
    actions=ACTIONS,
    kinds=(ConfigMap, Secret),
    events=(*EVENTS, shutdown.EVENT, pressure.EVENT, resizing.EVENT),
    assumes=_assumes,
)
