"""What users do to any workload, pod or node, but for what another component brings with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kubelemma.model.cluster.columns import CORDONED, PODS
from kubelemma.model.cluster.component import Component, EventKind, all_nodes_alike, never
from kubelemma.model.cluster.events import on_node, on_workload
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import ACTIVE, Edit, OwnerState, Phase, Pods, Queue, shifted
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.system import Rule

from .actions import APPLY, CORDON, SCALE, UNCORDON, USER_DELETE_POD


def _scale(
    _world: World, event: Event, owner: OwnerState
) -> Iterator[tuple[tuple[OwnerState], str]]:
    if owner.replicas != event.value and not owner.absent:
        yield (owner._replace(replicas=event.value),), f"spec.replicas was {owner.replicas}"


def _apply(
    _world: World, event: Event, owner: OwnerState
) -> Iterator[tuple[tuple[OwnerState], str]]:
    edit = event.options
    if isinstance(edit, Edit):
        after = owner.edited(edit)
        if after != owner:
            yield (after,), f"kubectl apply: {edit}"


def _delete_pending(
    _world: World, _event: Event, queue: Queue
) -> Iterator[tuple[tuple[Queue], str]]:
    why = "kubectl delete pod, of one without a node"
    for template, (free, chosen) in enumerate(zip(*queue, strict=True)):
        if free:
            yield (queue.with_free(template, -1),), why
        if chosen:
            yield (queue.with_chosen(template, -1),), why


def _delete_pod(
    world: World, event: Event, pods: Pods
) -> Iterator[tuple[dict[str, Pods], str, int]]:
    own = world.workloads[event.workload].classes
    for group in pods:
        if group.pod_class in own and Phase(group.phase) in ACTIVE:
            yield {PODS: world.deleted(pods, group)}, "kubectl delete pod", group.pod_class


def _cordon(
    _world: World,
    _event: Event,
    cordoned: bool,  # noqa: FBT001 - a column's value
) -> Iterator[tuple[dict[str, bool], str, int]]:
    if not cordoned:
        yield {CORDONED: True}, "kubectl cordon", -1


def _uncordon(
    _world: World,
    _event: Event,
    cordoned: bool,  # noqa: FBT001 - a column's value
) -> Iterator[tuple[dict[str, bool], str, int]]:
    if cordoned:
        yield {CORDONED: False}, "kubectl uncordon", -1


def _cell(workload: Workload) -> tuple[str, ...]:
    return (workload.cell,)


def _queue(workload: Workload) -> tuple[str, ...]:
    return (workload.queue,)


def _create_pod(_world: World, event: Event, queue: Queue) -> Iterator[tuple[tuple[Queue], str]]:
    yield (queue.with_free(0, 1),), f"kubectl apply: {event.options}"


def _create_bound(
    world: World, event: Event, pods: Pods
) -> Iterator[tuple[dict[str, Pods], str, int]]:
    """A pod that names its node is stored as bound: no scheduler sees it."""
    own = world.workloads[event.workload].classes[0]
    why = f"kubectl apply: {event.options}; it names the node"
    yield {PODS: shifted(pods, own, Phase.ASSIGNED, 1)}, why, -1


_APPLYING = on_workload(APPLY, _apply, _cell)
_CREATING = on_workload(APPLY, _create_pod, _queue)
_CREATING_BOUND = on_node(APPLY, _create_bound, (PODS,))


def _in_the_end(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    """Whoever asks what becomes of a change means to make it: at any time, but in the end."""
    lone = not setting.world.workloads[event.workload].templates
    kind = _APPLYING if not lone else _CREATING_BOUND if event.node else _CREATING
    for rule in kind.rules(setting, event, budget):
        yield replace(rule, environment=False, task=rule.name)


_WITHOUT_A_NODE = on_workload(USER_DELETE_POD, _delete_pending, _queue)
_ON_A_NODE = on_node(USER_DELETE_POD, _delete_pod, (PODS,))


def _either(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    yield from _WITHOUT_A_NODE.rules(setting, event, budget)
    yield from _ON_A_NODE.rules(setting, event, budget)


COMPONENT = Component(
    name="users",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    events=(
        on_workload(SCALE, _scale, _cell),
        EventKind(APPLY, _in_the_end),
        EventKind(USER_DELETE_POD, _either, given="deletePod"),
        on_node(CORDON, _cordon, (CORDONED,), undone_by=UNCORDON),
        on_node(UNCORDON, _uncordon, (CORDONED,)),
    ),
)
