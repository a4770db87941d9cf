"""What befalls a machine, and the containers on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from kubelemma.model.cluster.columns import AILS, CUT_OFF, MEMORY, PODS, UP, VOLUMES
from kubelemma.model.cluster.component import EventKind
from kubelemma.model.cluster.events import FAULT, USER, on_node
from kubelemma.model.cluster.machines import Memory
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import STARTED, Phase, Pods, moved, shifted, without
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Action, Outcome, Rule

from .actions import (
    CREATE_CONFIG_MAP,
    CREATE_SECRET,
    DELETE_CONFIG_MAP,
    DELETE_SECRET,
    FORCE_DELETE_POD,
    LATE_CLEANUP,
    MEMORY_SHORT,
    NODE_CRASH,
    NODE_PARTITION,
    NODE_RETURN,
    PROBE_FAILURE,
    REGISTRY_OUTAGE,
    REGISTRY_RETURN,
)
from .decision import Source
from .starting import REGISTRY, Held, booted, exists_name, followed, held
from .volumes import after_boot

Changed: TypeAlias = Iterator[tuple[dict[str, Any], str, int]]


def _crash(_world: World, _event: Event, up: bool) -> Changed:  # noqa: FBT001 - a column's value
    if up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield {UP: False}, why, -1


def _cut_off(_world: World, _event: Event, up: bool, _cut: bool) -> Changed:  # noqa: FBT001
    if up:
        why = "nothing can be reached from there any more; what runs there runs on"
        yield {UP: False, CUT_OFF: True}, why, -1


def _come_back(
    held_up: Mapping[int, Held],
    _world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    cut_off: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
    *others: Any,
) -> Changed:
    """The machine boots: all containers start anew, no pod on it is Ready, nothing is mounted.

    Its memory is free again, which the API is yet to hear.

    One that was merely cut off goes on; what has been deleted meanwhile its kubelet stops.
    """
    volumes, ails, *memory = others
    if up or ails:  # one that ails is not away
        return
    if cut_off:
        back: dict[str, Any] = {UP: True, CUT_OFF: False}
        yield back, "the network is there again; what has run there runs on", -1
        return
    after = tuple(group for group in pods if group.phase != Phase.LINGERING)
    writes = {UP: True, PODS: booted(held_up, after), VOLUMES: after_boot(volumes)}
    if memory and memory[0] == Memory.SHORT:
        writes[MEMORY] = Memory.EASED
    yield writes, "the machine boots; its containers restart", -1


def _force_delete(
    world: World,
    event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    cut_off: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    """The object is gone at once; nobody asks the kubelet, which stops its containers later.

    Source: pkg/registry/core/pod/strategy.go, a grace period of 0.
    """
    own = world.workloads[event.workload].classes
    for group in pods:
        if group.pod_class not in own or group.phase == Phase.LINGERING:
            continue
        left = without(pods, group)
        if group.phase in STARTED and (up or cut_off):
            left = shifted(left, group.pod_class, Phase.LINGERING, 1)
        yield {PODS: left}, "kubectl delete pod --force --grace-period=0", group.pod_class


def _return(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    boots = partial(_come_back, held(setting.world, setting.events))
    memory = (MEMORY,) if setting.may_happen(MEMORY_SHORT) else ()
    columns, writes = (UP, CUT_OFF, PODS, VOLUMES), (*memory, UP, CUT_OFF, PODS, VOLUMES)
    seen = (*columns, AILS, *memory)
    returning = on_node(NODE_RETURN, boots, seen, writes=writes, fault=True)
    return iter(returning.rules(setting, event, budget))


def _probe_failure(
    world: World,
    event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    own = world.workloads[event.workload].classes
    for group in pods:
        if up and group.pod_class in own and group.phase in (Phase.READY, Phase.AVAILABLE):
            after = moved(pods, group, Phase.STARTING)
            yield {PODS: after}, "its readiness probe fails", group.pod_class


def _late_cleanup(
    world: World,
    event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    """The kubelet reports the end of a pod, and counts it until its volumes and cgroups are gone.

    Source: pkg/kubelet/status/status_manager.go (``mergePodStatus``) and pkg/kubelet/kubelet.go
    (``filterOutInactivePods``); the scheduler drops a pod that has ended from its cache
    (``assignedPod`` in pkg/scheduler/eventhandlers.go).
    """
    own = world.workloads[event.workload].classes
    for group in pods:
        if up and group.pod_class in own and group.phase == Phase.TERMINATING:
            why = "its containers have stopped, and its kubelet still counts it"
            yield {PODS: moved(pods, group, Phase.ENDED)}, why, group.pod_class


def _of_object(action: Action, *, there: bool) -> EventKind:
    """That somebody deletes a ConfigMap or a Secret, or creates it: ``there`` is what it is then.

    Of one that no pod needs nothing comes.
    """

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        source: Source = event.options
        if source not in followed(setting.world, setting.events):
            return
        cell = exists_name(source)

        def outcomes(left: int, exists: bool) -> Iterator[Outcome]:  # noqa: FBT001
            if left and exists is not there:
                why = f"kubectl {'create' if there else 'delete'} {source.kind.lower()}"
                yield Outcome(
                    action, {budget: left - 1, cell: there}, (("object", str(source)),), why
                )

        yield Rule(budget, USER, (budget, cell), outcomes, environment=True)

    return EventKind(action, rules, given=_FIELDS[action])


_FIELDS: Mapping[Action, str] = {
    DELETE_CONFIG_MAP: "deleteConfigMap",
    CREATE_CONFIG_MAP: "createConfigMap",
    DELETE_SECRET: "deleteSecret",
    CREATE_SECRET: "createSecret",
}
"""As a Check calls them."""


def _of_registry(action: Action, *, answers: bool, undone_by: str = "") -> EventKind:
    """That the registry of all images cannot be reached, or can be again."""

    def rules(_setting: Setting, _event: Event, budget: str) -> Iterator[Rule]:
        why = "images can be pulled again" if answers else "no image can be pulled"

        def unbudgeted(registry: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a cell's value
            if registry is not answers:
                yield Outcome(action, {REGISTRY: answers}, (), why)

        def budgeted(left: int, registry: bool) -> Iterator[Outcome]:  # noqa: FBT001
            for outcome in unbudgeted(registry):
                if left:
                    yield outcome._replace(writes={budget: left - 1, **outcome.writes})

        if budget:
            yield Rule(budget, FAULT, (budget, REGISTRY), budgeted, environment=True)
        else:
            yield Rule(action, FAULT, (REGISTRY,), unbudgeted, environment=True)

    return EventKind(action, rules, fault=True, undone_by=undone_by)


EVENTS = (
    on_node(NODE_CRASH, _crash, (UP,), fault=True, undone_by=NODE_RETURN),
    on_node(NODE_PARTITION, _cut_off, (UP, CUT_OFF), fault=True, undone_by=NODE_RETURN),
    EventKind(NODE_RETURN, _return, fault=True),
    on_node(FORCE_DELETE_POD, _force_delete, (UP, CUT_OFF, PODS), writes=(PODS,), each=True),
    on_node(PROBE_FAILURE, _probe_failure, (UP, PODS), writes=(PODS,), fault=True, each=True),
    on_node(LATE_CLEANUP, _late_cleanup, (UP, PODS), writes=(PODS,), fault=True, each=True),
    _of_object(DELETE_CONFIG_MAP, there=False),
    _of_object(CREATE_CONFIG_MAP, there=True),
    _of_object(DELETE_SECRET, there=False),
    _of_object(CREATE_SECRET, there=True),
    _of_registry(REGISTRY_OUTAGE, answers=False, undone_by=REGISTRY_RETURN),
    _of_registry(REGISTRY_RETURN, answers=True),
)
