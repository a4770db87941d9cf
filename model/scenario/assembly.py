"""All components together: from a world, a start and the events to a `System`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubelemma.model.cluster.component import Parts
from kubelemma.model.cluster.events import budgets_and_rules
from kubelemma.model.cluster.forgetting import Forgetting
from kubelemma.model.cluster.setting import Choices, Event, Setting, Start
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.world import NODES, World
from kubelemma.model.components.controllermanager.actions import CONTROLLER_RESTART
from kubelemma.model.components.reconcile.sources import NOTHING, Custom
from kubelemma.model.components.registry import COMPONENTS, EVENTS
from kubelemma.model.system import Cell, Family, State, System


def assemble(
    world: World,
    starts: tuple[Start, ...],
    events: tuple[Event, ...],
    choices: Choices,
    custom: Custom = NOTHING,
) -> System:
    """The system of a scenario, with the ``custom`` part that is loaded.

    It may begin in any of the ``starts``, which differ in nothing but where pods are. What
    components have reconciled joins that part.

    Components give their parts for each workload, then those that they have once. Whoever reacts
    late to what others write has a look at all rules in the end.
    """
    given = Setting(world, starts[0], events, choices, custom)
    asked = replace(given, loaded=reconciled(given))
    setting = replace(asked, forgets=tuple(_forgets(asked)))
    parts = tuple(_parts(setting))
    budgets, happenings = budgets_and_rules(setting, EVENTS)
    rules = (
        *(replace(rule, task=rule.name) for part in parts for rule in part.rules),
        *(rule for part in parts for rule in part.tasks),
        *happenings,
        *(rule for part in parts for rule in part.chances),
    )
    for component in COMPONENTS:
        rules = component.overhears(setting, rules)
    return System(
        cells=[*_cells(parts), *budgets],
        families=[Family(NODES, starts[0].nodes, NodeState)],
        others=[_state(replace(setting, start=other), budgets) for other in starts[1:]],
        tallies=[tally for part in parts for tally in part.tallies],
        bests=[best for part in parts for best in part.bests],
        rules=rules,
        bounds=[bound for part in parts for bound in part.bounds],
    )


def _cells(parts: Iterable[Parts]) -> Iterator[Cell]:
    return (cell for part in parts for cell in part.cells)


def _state(setting: Setting, budgets: Iterable[Cell]) -> State:
    """The values with which a scenario begins that starts like this."""
    cells = (*_cells(_parts(setting)), *budgets)
    return (*(cell.initial for cell in cells), *setting.start.nodes)


def reconciled(setting: Setting) -> Custom:
    """What is loaded, with what components have reconciled."""
    loaded: Custom = setting.loaded
    found = [component.reconciles(setting) for component in COMPONENTS]
    brought = [each for each in found if each.controllers]
    restarts = setting.may_happen(CONTROLLER_RESTART)
    return loaded.with_brought(brought, restarts=restarts) if brought else loaded


def _forgets(setting: Setting) -> Iterator[Forgetting]:
    """The last first: what is about no workload goes in the end."""
    components = tuple(reversed(COMPONENTS))
    for component in components:
        yield from component.forgets(setting)
    for workload in setting.world.workloads:
        for component in components:
            yield from component.forgets_of(setting, workload)


def _parts(setting: Setting) -> Iterator[Parts]:
    for workload in setting.world.workloads:
        yield from (component.parts_of(setting, workload) for component in COMPONENTS)
    yield from (component.parts(setting) for component in COMPONENTS)
