"""Users and faults: every one of them is budgeted, and none has to act.

Each event of a scenario is a cell with the number of times it may still happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from kubelemma.model.system import Action, Cell, Outcome, Rule

from .columns import PODS, SHAPE
from .component import EventKind
from .setting import Event, Setting
from .world import World

USER = "user"
FAULT = "fault"

WorkloadChange: TypeAlias = Callable[..., Iterator[tuple[tuple[Any, ...], str]]]
"""Of the world, the event, and the cells that it touches: their new values, and why."""
NodeChange: TypeAlias = Callable[..., Iterator[tuple[Mapping[str, Any], str, int]]]
"""Of the world, the event and the columns of a node that it looks at: what is written to which,
why, and the class of the pod that it is about, or -1."""


def budgets_and_rules(
    setting: Setting, kinds: Mapping[str, EventKind]
) -> tuple[list[Cell], list[Rule]]:
    """The budgets and the rules of all events, and what follows from them without a budget."""
    cells: list[Cell] = []
    rules: list[Rule] = []
    names = budget_names(setting.world, setting.events)
    for name, event in zip(names, setting.events, strict=True):
        cells.append(Cell(name, event.budget, int))
        rules.extend(kinds[event.action].rules(setting, event, name))
    present = [kind for kind in kinds.values() if setting.may_happen(kind.action)]
    for kind in present:
        rules.extend(kind.then(setting) if kind.then else ())
    undoing = dict.fromkeys(kind.undone_by for kind in present if kind.undone_by)
    for action in undoing:
        if not setting.may_happen(action):
            rules.extend(_unbudgeted(setting, kinds[action]))
    return cells, rules


def budget_names(world: World, events: Sequence[Event]) -> tuple[str, ...]:
    """The cells with the number of times that each of the events may still happen."""
    return tuple(f"event {n}: {describe(world, event)}" for n, event in enumerate(events, 1))


def describe(world: World, event: Event) -> str:
    """The event in a few words, such as ``rollout of default/web``."""
    if event.workload >= 0:
        workload = world.workloads[event.workload]
        text = f"{event.action} {workload.label}"
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
    columns: tuple[str, ...],
    *,
    writes: tuple[str, ...] = (),
    fault: bool = False,
    each: bool = False,
    undone_by: str = "",
    then: Callable[[Setting], Iterable[Rule]] | None = None,
) -> EventKind:
    """An event that changes a node: any, or the one that it names; always, without a budget.

    ``columns`` are those that it looks at; it may write all of them, or those in ``writes``. With
    ``each`` it is about one pod, whatever others there are.
    """

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        world, actor = setting.world, actor_of(fault=fault)
        cells = tuple(dict.fromkeys((*columns, SHAPE))) if event.node else columns
        written, bag = writes or columns, PODS if each else ""

        def changed(*seen: Any) -> Iterator[Outcome]:
            if event.node and world.shapes[seen[cells.index(SHAPE)]].name != event.node:
                return
            for after, why, pod_class in change(world, event, *seen[: len(columns)]):
                arguments = (("class", pod_class),) if pod_class >= 0 else ()
                yield Outcome(action, after, arguments, why)

        def budgeted(left: int, *seen: Any) -> Iterator[Outcome]:
            for outcome in changed(*seen):
                if left:
                    yield outcome._replace(writes={budget: left - 1, **outcome.writes})

        if budget:
            name = f"{budget} on a node"
            seen, spent = (budget, *cells), (budget, *written)
            yield Rule(name, actor, seen, budgeted, environment=True, writes=spent, each=bag)
        else:
            yield Rule(action, actor, cells, changed, environment=True, writes=written, each=bag)

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
