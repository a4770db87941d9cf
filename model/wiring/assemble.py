"""All components together: from a world, a start and the events to a `System`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kubelemma.model.custom.legal import NODE
from kubelemma.model.system import Best, Bound, Cell, Family, Rule, System, Tally, View

from . import (
    builtin,
    caches,
    deployment,
    environment,
    kubelet,
    loaded,
    nodelifecycle,
    replicaset,
    scheduler,
    scoring,
)
from .custom import NOTHING, Custom
from .state import IDLE, Counts, DeploymentState, NodeState
from .topology import Topology, summaries, topology_of
from .world import NODES, Workload, World


@dataclass(frozen=True, slots=True)
class Start:
    """The initial values: two for each workload, and all nodes. No sync is under way."""

    deployments: tuple[DeploymentState, ...]
    queues: tuple[Counts, ...]
    nodes: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """How the scenario is explored: whether scores decide, and how many pods a workload may have.

    Pods that terminate count for ``max_pods``: states beyond it are not left.
    """

    scoring: bool = False
    max_pods: int = 1000


def assemble(
    world: World,
    start: Start,
    events: tuple[environment.Event, ...],
    choices: Choices,
    custom: Custom = NOTHING,
) -> System:
    """The system of a scenario, with the ``custom`` part that is loaded.

    Every rule of the control plane is a task of its own: components work off their queues key by
    key, and endless work on one key starves no other.
    """
    topologies = tuple(topology_of(world, c) for c in world.classes)
    scorings = _scorings(world, topologies) if choices.scoring else None
    tallies, bests = _summaries(world, topologies, scorings)
    budgets, happenings = environment.cells_and_rules(world, events)
    rules: list[Rule] = []
    for workload in world.workloads:
        rules += deployment.rules(workload)
        rules += replicaset.rules(world, workload)
        rules += scheduler.rules(world, workload, topologies, scorings)
    if world.shapes:
        rules += [*kubelet.rules(world), *_failure_rules(world, start, events)]
    tasks = [replace(rule, task=rule.name) for rule in rules]
    own, others = loaded.rules(world, custom)
    cells = [*_cells(world, start), *budgets]
    initial = {cell.name: cell.initial for cell in cells}
    if NODE in custom.built_in:
        tallies.append(builtin.node_tally(world))
        initial[builtin.NODE_OBJECTS] = builtin.all_nodes(world, start.nodes)
    return System(
        cells=[*cells, *loaded.cells(world, custom, initial)],
        families=[Family(NODES, tuple(sorted(start.nodes)))],
        tallies=tallies,
        bests=bests,
        rules=caches.observed(world, custom, (*tasks, *own, *happenings, *others)),
        bounds=[
            *(_pod_bound(world, workload, choices.max_pods) for workload in world.workloads),
            *loaded.bounds(custom),
        ],
    )


def _cells(world: World, start: Start) -> Iterator[Cell]:
    initials = zip(world.workloads, start.deployments, start.queues, strict=True)
    for workload, objects, queue in initials:
        yield Cell(workload.cell, objects)
        yield Cell(workload.queue, queue)
        yield Cell(workload.syncs, (IDLE,) * len(workload.classes))


def _failure_rules(
    world: World, start: Start, events: tuple[environment.Event, ...]
) -> tuple[Rule, ...]:
    """The node controllers, where a node may fail or taints may evict; else they never act."""
    fails = any(event.action == "node-crash" for event in events)
    down = any(not (node.up and node.ready) for node in start.nodes)
    evicts = any(
        taint.effect == "NoExecute"
        for shape in world.shapes
        for taint in shape.node.spec.taints or ()
    )
    return nodelifecycle.rules(world) if fails or down or evicts else ()


def _scorings(world: World, topologies: tuple[Topology, ...]) -> tuple[scoring.Scoring, ...]:
    def of(topology: Topology) -> scoring.Scoring:
        def feasible(node: NodeState, *seen: object) -> bool:
            return scheduler.feasibility(world, topology, node, *seen).ok

        return scoring.scoring_of(topology, feasible)

    return tuple(of(topology) for topology in topologies)


def _summaries(
    world: World,
    topologies: tuple[Topology, ...],
    scorings: tuple[scoring.Scoring, ...] | None,
) -> tuple[list[Tally], list[Best]]:
    tallies: list[Tally] = list(nodelifecycle.tallies(world)) if world.shapes else []
    bests: list[Best] = []
    for workload in world.workloads:
        tallies += replicaset.tallies(world, workload)
        bests += replicaset.bests(world, workload)
    for topology in topologies:
        more_tallies, more_bests = summaries(topology)
        tallies += more_tallies
        bests += more_bests
    for scores in scorings or ():
        more_tallies, more_bests = scoring.summaries(scores)
        tallies += more_tallies
        bests += more_bests
    return tallies, bests


def _pod_bound(world: World, workload: Workload, most: int) -> Bound:
    def within(pods: Counts) -> bool:
        return sum(pods) <= most

    view = View(reads=(world.existing(workload),))
    return Bound(f"at most {most} pods of {workload.cell}", view, within)
