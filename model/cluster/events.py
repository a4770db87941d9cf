"""Users and faults: every one of them is budgeted, and none has to act.

Each event of a scenario is a cell with the number of times it may still happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from kubelemma.model.system import Action, Cell, Outcome, Rule

from .component import EventKind
from .setting import Event, Setting
from .state import NodeState
from .world import NODES, World

USER = "user"
FAULT = "fault"

WorkloadChange: TypeAlias = Callable[..., Iterator[tuple[tuple[Any, ...], str]]]
"""Of the world, the event, and the cells that it touches: their new values, and why."""
NodeChange: TypeAlias = Callable[[World, Event, NodeState], Iterator[tuple[NodeState, str, int]]]
"""Of the world, the event and a node: the node afterwards, why, and the class of the pod that it is
about, or -1."""


def budgets_and_rules(
    setting: Setting, kinds: Mapping[str, EventKind]
) -> tuple[list[Cell], list[Rule]]:
    """The budgets and the rules of all events, and what follows from them without a budget."""
    cells: list[Cell] = []
    rules: list[Rule] = []
    for number, event in enumerate(setting.events, 1):
        name = f"event {number}: {describe(setting.world, event)}"
        cells.append(Cell(name, event.budget))
        rules.extend(kinds[event.action].rules(setting, event, name))
    present = [kind for kind in kinds.values() if setting.may_happen(kind.action)]
    for kind in present:
        rules.extend(kind.then(setting) if kind.then else ())
    undoing = dict.fromkeys(kind.undone_by for kind in present if kind.undone_by)
    for action in undoing:
        if not setting.may_happen(action):
            rules.extend(_unbudgeted(setting, kinds[action]))
    return cells, rules


def describe(world: World, event: Event) -> str:
    """The event in a few words, such as ``rollout of default/web``."""
    if event.workload >= 0:
        workload = world.workloads[event.workload]
        text = f"{event.action} {workload.namespace}/{workload.name}"
        return f"{text} to {event.value}" if event.action == "scale" else text
    return f"{event.action} {event.node}" if event.node else event.action


def _unbudgeted(setting: Setting, kind: EventKind) -> Iterator[Rule]:
    """What undoes another event, as a rule without a budget."""
    yield from kind.rules(setting, Event(kind.action, 1), "")


def actor_of(*, fault: bool) -> str:
    """Who brings an event about."""
    return FAULT if fault else USER


def on_workload(
    action: Action,
    change: WorkloadChange,
    touched: Callable[[Any], tuple[str, ...]],
    *,
    fault: bool = False,
) -> EventKind:
    """An event that changes cells of one workload: those that ``touched`` names."""

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        cells = touched(setting.world.workloads[event.workload])

        def outcomes(left: int, *values: Any) -> Iterator[Outcome]:
            if left:
                for after, why in change(setting.world, event, *values):
                    writes = {budget: left - 1, **dict(zip(cells, after, strict=True))}
                    yield Outcome(action, writes, (), why)

        name, actor = f"{budget} on its cell", actor_of(fault=fault)
        yield Rule(name, actor, (budget, *cells), outcomes, environment=True)

    return EventKind(action, rules, fault=fault)


def on_node(
    action: Action,
    change: NodeChange,
    *,
    fault: bool = False,
    undone_by: str = "",
    then: Callable[[Setting], Iterable[Rule]] | None = None,
) -> EventKind:
    """An event that changes a node: any, or the one that it names; always, without a budget."""

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        world, actor = setting.world, actor_of(fault=fault)

        def changed(node: NodeState) -> Iterator[Outcome]:
            if event.node and world.shapes[node.shape].name != event.node:
                return
            for after, why, pod_class in change(world, event, node):
                arguments = (("class", pod_class),) if pod_class >= 0 else ()
                yield Outcome(action, {NODES: after}, arguments, why)

        def budgeted(left: int, node: NodeState) -> Iterator[Outcome]:
            for outcome in changed(node) if left else ():
                yield outcome._replace(writes={budget: left - 1, **outcome.writes})

        if budget:
            name, cells = f"{budget} on a node", (budget, NODES)
            yield Rule(name, actor, cells, budgeted, environment=True)
        else:
            yield Rule(action, actor, (NODES,), changed, environment=True)

    return EventKind(action, rules, fault=fault, undone_by=undone_by, then=then)


def on_cell(
    action: Action,
    cell: str,
    change: Callable[[Setting, Any], tuple[Any, str]],
    *,
    fault: bool = False,
) -> EventKind:
    """An event that changes one cell."""

    def rules(setting: Setting, _event: Event, budget: str) -> Iterator[Rule]:
        def outcomes(left: int, value: Any) -> Iterator[Outcome]:
            if left:
                after, why = change(setting, value)
                yield Outcome(action, {budget: left - 1, cell: after}, (), why)

        name, actor = f"{budget} to the control plane", actor_of(fault=fault)
        yield Rule(name, actor, (budget, cell), outcomes, environment=True)

    return EventKind(action, rules, fault=fault)
