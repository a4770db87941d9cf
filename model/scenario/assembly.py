"""All components together: from a world, a start and the events to a `System`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kubelemma.model.cluster.state import IDLE, Counts, DeploymentState, NodeState, Queue
from kubelemma.model.cluster.world import NODES, Workload, World
from kubelemma.model.components.controllermanager import rules as restart
from kubelemma.model.components.deployment import rules as deployment
from kubelemma.model.components.kubelet import rules as kubelet
from kubelemma.model.components.nodelifecycle import rules as nodelifecycle
from kubelemma.model.components.reconcile import builtin, caches
from kubelemma.model.components.reconcile import rules as loaded
from kubelemma.model.components.reconcile.legal import NODE
from kubelemma.model.components.reconcile.sources import NOTHING, Custom
from kubelemma.model.components.replicaset import rules as replicaset
from kubelemma.model.components.scheduler import rules as scheduler
from kubelemma.model.components.scheduler import scoring
from kubelemma.model.components.scheduler.topology import Topology, summaries, topology_of
from kubelemma.model.components.users import rules as environment
from kubelemma.model.system import Best, Bound, Cell, Family, Rule, System, Tally, View


@dataclass(frozen=True, slots=True)
class Start:
    """The initial values: two for each workload, and all nodes. No sync is under way."""

    deployments: tuple[DeploymentState, ...]
    queues: tuple[Queue, ...]
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
    failing = _nodes_fail(start, events)
    budgets, happenings = environment.cells_and_rules(world, events, failing=failing)
    rules: list[Rule] = []
    for workload in world.workloads:
        rules += deployment.rules(workload)
        rules += replicaset.rules(world, workload)
        rules += scheduler.rules(world, workload, topologies, scorings)
    if world.shapes:
        rules += [*kubelet.rules(world), *_node_rules(world, events, failing=failing)]
    if _restarts(events):
        rules += restart.rules(world, failing=failing)
    tasks = [replace(rule, task=rule.name) for rule in rules]
    own, others = loaded.rules(world, custom)
    all_rules = (*tasks, *own, *happenings, *others)
    for workload in world.workloads:
        all_rules = tuple(deployment.overtaken(workload, all_rules))
    cells = [*_cells(world, start, events), *budgets]
    initial = {cell.name: cell.initial for cell in cells}
    if NODE in custom.built_in:
        tallies.append(builtin.node_tally(world))
        initial[builtin.NODE_OBJECTS] = builtin.all_nodes(world, start.nodes)
    return System(
        cells=[*cells, *loaded.cells(world, custom, initial)],
        families=[Family(NODES, tuple(sorted(start.nodes)))],
        tallies=tallies,
        bests=bests,
        rules=caches.observed(world, custom, all_rules),
        bounds=[
            *(_pod_bound(world, workload, choices.max_pods) for workload in world.workloads),
            *loaded.bounds(custom),
        ],
    )


def _cells(world: World, start: Start, events: tuple[environment.Event, ...]) -> Iterator[Cell]:
    initials = zip(world.workloads, start.deployments, start.queues, strict=True)
    for workload, objects, queue in initials:
        yield Cell(workload.cell, objects)
        yield Cell(workload.queue, queue)
        yield from (Cell(sync, IDLE) for sync in workload.syncs)
    if world.shapes:
        yield Cell(nodelifecycle.LIFECYCLE, nodelifecycle.settled(world, start.nodes))
    if _restarts(events):
        yield restart.cell()


def _restarts(events: tuple[environment.Event, ...]) -> bool:
    return any(event.action == "controller-restart" for event in events)


_FAILURES = frozenset({"node-crash", "api-server-outage"})


def _nodes_fail(start: Start, events: tuple[environment.Event, ...]) -> bool:
    """Whether the node lifecycle controller ever has anything to do."""
    down = any(not (node.up and node.ready) or node.evicting for node in start.nodes)
    return down or any(event.action in _FAILURES for event in events)


def _node_rules(
    world: World, events: tuple[environment.Event, ...], *, failing: bool
) -> tuple[Rule, ...]:
    """The node controllers, where a node may fail or taints may evict; else they never act."""
    if failing:
        outage = any(event.action == "api-server-outage" for event in events)
        return (*nodelifecycle.rules(world), *(nodelifecycle.outage_rules() if outage else ()))
    evicts = any(
        taint.effect == "NoExecute"
        for shape in world.shapes
        for taint in shape.node.spec.taints or ()
    )
    return (nodelifecycle.eviction(world),) if evicts else ()


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
