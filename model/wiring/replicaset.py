"""The ReplicaSet controller: creations, deletions and status, one write a step.

Source: pkg/controller/replicaset/replica_set.go. A sync reads and decides on creations or
deletions, and others may act before each of them is written. Victims are ranked anew at each
deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from kubelemma.model.controllers.replicaset import Expectations, manage_replicas, rank_key
from kubelemma.model.system import Best, Outcome, Rule, Tally

from .state import (
    ACTIVE,
    IDLE,
    Counts,
    DeploymentState,
    NodeState,
    Phase,
    PlannedWrite,
    Specs,
    Sync,
    Syncs,
    count,
    replaced,
    shifted,
)
from .world import NODES, Workload, World

REPLICASET = "replicaset-controller"


def tallies(world: World, workload: Workload) -> tuple[Tally, ...]:
    """What is asked for, what there is, and what is left to delete, by template.

    Active and existing pods, which may be the same, include those that have no node.
    """
    width = len(workload.classes)
    counts = {world.existing(workload): tuple(Phase), workload.tally("active"): ACTIVE}
    available = workload.tally("available")
    return (
        Tally(workload.tally("specs"), {workload.cell: _specs(width)}, 3 + width, _read_specs),
        _due(workload),
        *(
            Tally(name, {workload.queue: _queued, NODES: _counter(workload, phases)}, width)
            for name, phases in counts.items()
        ),
        Tally(available, {NODES: _counter(workload, (Phase.AVAILABLE,))}, width),
    )


def _specs(width: int) -> Callable[[DeploymentState], Counts]:
    def measure(deployment: DeploymentState) -> Counts:
        sizes = {s.template: s.replicas for s in deployment.sets}
        own = (deployment.replicas, deployment.template, int(deployment.paused))
        return (*own, *(sizes.get(template, -1) for template in range(width)))

    return measure


def _read_specs(total: Counts) -> Specs:
    replicas, template, paused, *sets = total
    return Specs(replicas, template, bool(paused), tuple(sets))


def _queued(queue: Counts) -> Counts:
    return queue


def _counter(workload: Workload, phases: tuple[Phase, ...]) -> Callable[[NodeState], Counts]:
    template_of = {pod_class: t for t, pod_class in enumerate(workload.classes)}

    def measure(node: NodeState) -> Counts:
        counts = [0] * len(template_of)
        for group in node.pods:
            if group.pod_class in template_of and group.phase in phases:
                counts[template_of[group.pod_class]] += group.size
        return tuple(counts)

    return measure


def _due(workload: Workload) -> Tally:
    """How many pods on nodes the syncs under way still delete, by template.

    None of a ReplicaSet that has pods without a node: these go first.
    """
    width = len(workload.classes)
    return Tally(
        workload.tally("due"),
        {workload.syncs: _left(width), workload.queue: _waiting(width)},
        2 * width,
        _unless_waiting,
        reads=(workload.tally("active"),),
    )


def _left(width: int) -> Callable[[Syncs, Counts], Counts]:
    def measure(syncs: Syncs, active: Counts) -> Counts:
        left = (outstanding(s, n).dels for s, n in zip(syncs, active, strict=True))
        return (*left, *(0,) * width)

    return measure


def _waiting(width: int) -> Callable[[Counts, Counts], Counts]:
    def measure(queue: Counts, _active: Counts) -> Counts:
        return (*(0,) * width, *queue)

    return measure


def _unless_waiting(total: Counts) -> Counts:
    width = len(total) // 2
    return tuple(
        0 if queued else left for left, queued in zip(total[:width], total[width:], strict=True)
    )


def bests(world: World, workload: Workload) -> tuple[Best, ...]:
    """For each template, the rank of the pod that is to be deleted first; None if none is due."""
    due = (workload.tally("due"),)
    return tuple(
        Best(victim_name(workload, t), {NODES: _victim_score(world, workload, t)}, due)
        for t in range(len(workload.classes))
    )


def victim_name(workload: Workload, template: int) -> str:
    """The name of the best that ranks the victims of one ReplicaSet."""
    return workload.tally(f"first victim among template {template}")


def _victim_score(
    world: World, workload: Workload, template: int
) -> Callable[[NodeState, Counts], int | None]:
    pod_class = workload.classes[template]

    def score(node: NodeState, due: Counts) -> int | None:
        if not due[template]:
            return None
        return max((rank for rank, _ in victims(world, workload, pod_class, node)), default=None)

    return score


def victims(
    world: World, workload: Workload, pod_class: int, node: NodeState
) -> Iterator[tuple[int, Phase]]:
    """The active pods of a class on a node, by phase, with their rank: the highest goes first.

    Co-located pods are those of all ReplicaSets of the workload, as in the real ranking.
    """
    colocated = sum(count(node.pods, c, ACTIVE) for c in workload.classes)
    cost = world.classes[pod_class].deletion_cost
    for group in node.pods:
        phase = Phase(group.phase)
        if group.pod_class == pod_class and phase in ACTIVE:
            yield _rank(phase, cost, colocated), phase


def _rank(phase: Phase, cost: int, colocated: int) -> int:
    ready = phase in (Phase.READY, Phase.AVAILABLE)
    api_phase = "Pending" if phase is Phase.ASSIGNED else "Running"
    return rank_key(
        assigned=True, phase=api_phase, ready=ready, deletion_cost=cost, colocated=colocated
    )


def rules(world: World, workload: Workload) -> tuple[Rule, ...]:
    """Rules of the controller for all ReplicaSets of one Deployment."""
    specs, active = workload.tally("specs"), workload.tally("active")
    available, due = workload.tally("available"), workload.tally("due")
    ranks = tuple(victim_name(workload, t) for t in range(len(workload.classes)))
    name = f"{workload.namespace}/{workload.name}"

    cell, queue, syncs = workload.cells
    pods = (queue, syncs)
    create = partial(_create, world, workload)
    create_bound = partial(_create_bound, world, workload)
    drop = partial(_delete_pending, workload)
    delete = partial(_delete_on_node, world, workload)
    status = partial(_status, workload)
    sync = partial(_decide, workload)
    found = [
        Rule(f"sync the ReplicaSets of {name}", REPLICASET, (syncs,), sync, (specs, active)),
        Rule(f"create a pod of {name}", REPLICASET, pods, create, (active,)),
        Rule(f"delete a pending pod of {name}", REPLICASET, pods, drop, (active,)),
        Rule(f"delete a pod of {name}", REPLICASET, (NODES,), delete, (due, *ranks)),
        Rule(
            f"write ReplicaSet status of {name}",
            REPLICASET,
            (cell, syncs),
            status,
            (active, available),
        ),
    ]
    if any(world.classes[c].node_name for c in workload.classes):
        both = (syncs, NODES)
        rule = Rule(f"create a bound pod of {name}", REPLICASET, both, create_bound, (active,))
        found.append(rule)
    return tuple(found)


# Syncs


def outstanding(sync: Sync, active: int) -> Expectations:
    """What the controller expects of the sync under way: it starts no other before it is done.

    Its caches are current here, so what it expects to see is what it has yet to write.
    """
    if sync.adds:
        return Expectations(adds=sync.adds)
    if 0 <= sync.read < active:
        return Expectations(dels=active - sync.read)
    return Expectations()


def decided(sync: Sync, replicas: int, active: int) -> Expectations:
    """What a sync that starts now would write; nothing while another is under way."""
    if not outstanding(sync, active).satisfied:
        return Expectations()
    return Expectations.to_manage(manage_replicas(active, replicas))


def _written(sync: Sync, left: Expectations) -> Sync:
    """The sync when ``left`` of it is left; what was read is forgotten at its end."""
    return Sync(left.adds, -1 if left.satisfied else sync.read)


def _decide(workload: Workload, syncs: Syncs, specs: Specs, active: Counts) -> Iterator[Outcome]:
    """A sync reads; what it creates and deletes comes later, and is no longer asked about."""
    for template, replicas in enumerate(specs.sets):
        if replicas < 0:
            continue
        expected = decided(syncs[template], replicas, active[template])
        if not expected.satisfied:
            after = Sync(expected.adds, replicas)
            why = f"spec.replicas is {replicas}, active pods {active[template]}"
            number = ("create", expected.adds) if expected.adds else ("delete", expected.dels)
            writes = {workload.syncs: replaced(syncs, template, after)}
            yield Outcome("decide", writes, (("template", template), number), why)


# Creation


def _label(workload: Workload, template: int) -> tuple[tuple[str, int], ...]:
    return (("class", workload.classes[template]),)


def _create(
    world: World, workload: Workload, queue: Counts, syncs: Syncs, active: Counts
) -> Iterator[Outcome]:
    for template, sync in enumerate(syncs):
        expected = outstanding(sync, active[template])
        if expected.adds and not world.classes[workload.classes[template]].node_name:
            after = _written(sync, expected.observe_creation())
            writes = {
                workload.queue: replaced(queue, template, queue[template] + 1),
                workload.syncs: replaced(syncs, template, after),
            }
            yield Outcome("create-pod", writes, _label(workload, template), _reason(sync))


def _reason(sync: Sync) -> str:
    return f"its sync had read spec.replicas {sync.read}"


def _create_bound(
    world: World, workload: Workload, syncs: Syncs, node: NodeState, active: Counts
) -> Iterator[Outcome]:
    """Pods whose template names a node are stored as bound: no scheduler sees them."""
    for template, sync in enumerate(syncs):
        pod_class = workload.classes[template]
        wanted = world.classes[pod_class].node_name
        if not wanted or world.shapes[node.shape].name != wanted:
            continue
        expected = outstanding(sync, active[template])
        if expected.adds:
            after = _written(sync, expected.observe_creation())
            pods = shifted(node.pods, pod_class, Phase.ASSIGNED, 1)
            writes = {
                workload.syncs: replaced(syncs, template, after),
                NODES: node._replace(pods=pods),
            }
            why = _reason(sync) + "; the template names the node"
            yield Outcome("create-pod", writes, _label(workload, template), why)


# Deletion


def _delete_pending(
    workload: Workload, queue: Counts, syncs: Syncs, active: Counts
) -> Iterator[Outcome]:
    """Pods without a node go first, and at once: nobody has to confirm."""
    for template, sync in enumerate(syncs):
        expected = outstanding(sync, active[template])
        if expected.dels and queue[template]:
            after = _written(sync, expected.observe_deletion())
            writes = {
                workload.queue: replaced(queue, template, queue[template] - 1),
                workload.syncs: replaced(syncs, template, after),
            }
            why = _reason(sync) + "; pods without a node go first"
            yield Outcome("delete-pod", writes, _label(workload, template), why)


def _delete_on_node(
    world: World, workload: Workload, node: NodeState, due: Counts, *first: int | None
) -> Iterator[Outcome]:
    """Delete the pod that ranks first among all nodes; of several, any.

    The ReplicaSet need not be told: its sync is over when no more than it had read are active.
    """
    for template, pod_class in enumerate(workload.classes):
        if not due[template]:
            continue
        for rank, phase in victims(world, workload, pod_class, node):
            if rank == first[template]:
                pods = world.deleted(node.pods, pod_class, phase)
                why = f"{due[template]} left to delete for its sync; {_RANKED[phase]}"
                writes = {NODES: node._replace(pods=pods)}
                yield Outcome("delete-pod", writes, _label(workload, template), why)


_RANKED = {
    Phase.ASSIGNED: "pods still Pending go before running ones",
    Phase.STARTING: "pods that are not Ready go before Ready ones",
    Phase.READY: "all its pods are Ready; most co-located goes first",
    Phase.AVAILABLE: "all its pods are Ready; most co-located goes first",
}


# Status


def _status(
    workload: Workload,
    deployment: DeploymentState,
    syncs: Syncs,
    active: Counts,
    available: Counts,
) -> Iterator[Outcome]:
    """Write what is counted now, at the end of a sync that has nothing to create or delete.

    It also makes a PUT planned from an older version conflict.
    """
    for replica_set in deployment.sets:
        template = replica_set.template
        counted = active[template] if workload.status_replicas_matter else 0
        after = replica_set._replace(status_replicas=counted, status_available=available[template])
        if after == replica_set:
            continue
        sync, replicas = syncs[template], active[template]
        manages = outstanding(sync, replicas), decided(sync, replica_set.replicas, replicas)
        if all(expectations.satisfied for expectations in manages):
            plan = _until_conflict(deployment, template)
            writes = {
                workload.cell: deployment.with_set(after)._replace(plan=plan),
                workload.syncs: replaced(syncs, template, IDLE),
            }
            why = f"available pods: {available[template]}"
            yield Outcome("write-status", writes, (("template", template),), why)


def _until_conflict(deployment: DeploymentState, template: int) -> tuple[PlannedWrite, ...]:
    """A PUT carries the version that the sync had read: now it fails, and the rest is dropped."""
    for i, write in enumerate(deployment.plan):
        if write.template == template:
            return deployment.plan[:i]
    return deployment.plan
