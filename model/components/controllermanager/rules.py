"""A restart of the controller manager: all of its controllers forget what they had in hand.

They do so one after the other, which is one step to everybody else, since the rules are urgent.
What they know from the API is not lost: new caches are filled before anybody acts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import (
    IDLE,
    DeploymentState,
    Marks,
    Pods,
    Queue,
    Sync,
    replaced,
    unmarked,
)
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.components.disruption.rules import (
    DISRUPTION,
    BudgetState,
    Guard,
    followed,
)
from kubelemma.model.components.nodelifecycle.rules import (
    LIFECYCLE,
    NODE_LIFECYCLE,
    Lifecycle,
    nodes_fail,
    unknown,
)
from kubelemma.model.components.replicaset.rules import REPLICASET, Owned, owned_name, under_way
from kubelemma.model.system import Cell, Outcome, Rule

from .actions import ACTIONS, CONTROLLER_RESTART, FORGET

RESTART = "controller manager"
"""The cell with the number of `parts` that have still to forget; 0 while it runs."""

Part: TypeAlias = Callable[[int], tuple[Rule, ...]]
"""What one controller forgets: the rules that see to it, given its number."""

_NOTHING = "it had nothing in hand"


def rules(setting: Setting) -> tuple[Rule, ...]:
    """The rules by which everything is forgotten."""
    numbered = enumerate(parts(setting), 1)
    return tuple(rule for number, part in numbered for rule in part(number))


def parts(setting: Setting) -> tuple[Part, ...]:
    """All that is forgotten, the last first; about nodes only where some may fail."""
    found: list[Part] = [partial(_nodes, setting.world)] if nodes_fail(setting) else []
    late = followed(setting) if setting.choices.every_write else ()
    found += [partial(_count, guard) for guard in late]
    for workload in setting.world.workloads:
        found += [partial(_sync, workload, t) for t in range(len(workload.classes))]
        found.append(partial(_plan, workload))
    return tuple(found)


def _rule(
    name: str,
    actor: str,
    cells: tuple[str, ...],
    act: Callable[..., Iterator[Outcome]],
    reads: tuple[str, ...] = (),
) -> Rule:
    return Rule(f"forget {name}", actor, (RESTART, *cells), act, reads, urgent=True)


def _plan(workload: Workload, number: int) -> tuple[Rule, ...]:
    def act(left: int, deployment: DeploymentState) -> Iterator[Outcome]:
        if left == number:
            after = deployment._replace(plan=())
            why = "the rest of its sync is lost" if deployment.plan else _NOTHING
            yield Outcome(FORGET, {RESTART: left - 1, workload.cell: after}, (), why)

    return (_rule(f"the plan of {workload.cell}", DEPLOYMENT, (workload.cell,), act),)


def _sync(workload: Workload, template: int, number: int) -> tuple[Rule, ...]:
    cell_name, pod_class = workload.sync(template), workload.classes[template]

    def act(left: int, sync: Sync, queue: Queue, owned: Owned) -> Iterator[Outcome]:
        if left == number and owned.chosen == queue.chosen[template]:
            kept = queue.with_free(template, queue.chosen[template])
            writes = {
                RESTART: left - 1,
                cell_name: IDLE,
                workload.queue: kept._replace(chosen=replaced(kept.chosen, template, 0)),
            }
            lost = "its expectations and the rest of its sync are lost"
            why = lost if under_way(sync, owned) else _NOTHING
            yield Outcome(FORGET, writes, (("template", template),), why)

    def unmark(left: int, pods: Pods) -> Iterator[Outcome]:
        after = unmarked(pods, pod_class, Marks.CHOSEN)
        if left == number and after != pods:
            why = "whom its sync had chosen to delete is lost"
            yield Outcome(FORGET, {PODS: after}, (("class", pod_class),), why)

    reads = (owned_name(workload, template),)
    return (
        _rule(cell_name, REPLICASET, (cell_name, workload.queue), act, reads),
        _rule(f"victims of {cell_name}", REPLICASET, (PODS,), unmark),
    )


def _count(guard: Guard, number: int) -> tuple[Rule, ...]:
    def act(left: int, budget: BudgetState) -> Iterator[Outcome]:
        if left == number:
            after = budget._replace(counted=None)
            why = "what its sync had counted is lost" if budget.counted else _NOTHING
            yield Outcome(FORGET, {RESTART: left - 1, guard.cell: after}, (), why)

    return (_rule(f"the count of {guard.cell}", DISRUPTION, (guard.cell,), act),)


def _nodes(world: World, number: int) -> tuple[Rule, ...]:
    def act(left: int, memory: Lifecycle) -> Iterator[Outcome]:
        if left == number:
            after = memory._replace(zones=unknown(world), fresh=True)
            why = "it takes all nodes for new ones"
            yield Outcome(FORGET, {RESTART: left - 1, LIFECYCLE: after}, (), why)

    return (_rule("nodes", NODE_LIFECYCLE, (LIFECYCLE,), act),)


# The component


def _parts(setting: Setting) -> Parts:
    if not setting.may_happen(CONTROLLER_RESTART):
        return NO_PARTS
    return Parts(cells=(Cell(RESTART, 0, int),), rules=rules(setting))


def _restart(setting: Setting, _left: int) -> tuple[int, str]:
    return len(parts(setting)), "the controller manager restarts, and forgets what it had in hand"


COMPONENT = Component(
    name="controllermanager",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(on_cell(CONTROLLER_RESTART, RESTART, _restart, fault=True),),
)
