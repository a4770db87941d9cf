"""What befalls a machine, and the containers on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from kubelemma.model.cluster.columns import PODS, UP
from kubelemma.model.cluster.component import EventKind
from kubelemma.model.cluster.events import FAULT, USER, on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import Phase, Pods, moved
from kubelemma.model.cluster.world import World
from kubelemma.model.system import Action, Outcome, Rule

from .actions import (
    CREATE_CONFIG_MAP,
    CREATE_SECRET,
    DELETE_CONFIG_MAP,
    DELETE_SECRET,
    NODE_CRASH,
    NODE_RETURN,
    PROBE_FAILURE,
    REGISTRY_OUTAGE,
    REGISTRY_RETURN,
)
from .decision import Source
from .starting import REGISTRY, Held, booted, exists_name, followed, held

Changed: TypeAlias = Iterator[tuple[dict[str, Any], str, int]]


def _crash(_world: World, _event: Event, up: bool) -> Changed:  # noqa: FBT001 - a column's value
    if up:
        why = "the machine stops; the API still shows the node and its pods as they were"
        yield {UP: False}, why, -1


def _come_back(
    held_up: Mapping[int, Held],
    _world: World,
    _event: Event,
    up: bool,  # noqa: FBT001 - a column's value
    pods: Pods,
) -> Changed:
    """The machine boots: all containers start anew, so no pod on it is Ready."""
    if up:
        return
    after = booted(held_up, pods)
    yield {UP: True, PODS: after}, "the machine boots; its containers restart", -1


def _return(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    boots = partial(_come_back, held(setting.world, setting.events))
    return iter(on_node(NODE_RETURN, boots, (UP, PODS), fault=True).rules(setting, event, budget))


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
    EventKind(NODE_RETURN, _return, fault=True),
    on_node(PROBE_FAILURE, _probe_failure, (UP, PODS), writes=(PODS,), fault=True, each=True),
    _of_object(DELETE_CONFIG_MAP, there=False),
    _of_object(CREATE_CONFIG_MAP, there=True),
    _of_object(DELETE_SECRET, there=False),
    _of_object(CREATE_SECRET, there=True),
    _of_registry(REGISTRY_OUTAGE, answers=False, undone_by=REGISTRY_RETURN),
    _of_registry(REGISTRY_RETURN, answers=True),
)
