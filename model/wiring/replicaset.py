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
    DeploymentState,
    NodeState,
    Phase,
    PlannedWrite,
    SetState,
    count,
    shifted,
)
from .world import NODES, Workload, World

REPLICASET = "replicaset-controller"

Counts = tuple[int, ...]
"""One number for each template of a workload."""


def tallies(workload: Workload) -> tuple[Tally, ...]:
    """Pods by template.

    Pending ones have no node. On nodes: active, available and alive ones (with those that
    terminate), and how many are due to be deleted.
    """
    kinds = (
        ("active", ACTIVE),
        ("available", (Phase.AVAILABLE,)),
        ("alive", tuple(Phase)),
    )
    width = len(workload.classes)
    on_nodes = (
        Tally(workload.tally(name), {NODES: _counter(workload, phases)}, width)
        for name, phases in kinds
    )
    cell, active = workload.cell, (workload.tally("active"),)
    return (
        Tally(workload.tally("pending"), {cell: _waiting(width)}, width),
        Tally(workload.tally("due"), {cell: due_on_nodes}, width, reads=active),
        *on_nodes,
    )


def _waiting(width: int) -> Callable[[DeploymentState], Counts]:
    def measure(deployment: DeploymentState) -> Counts:
        pending = {s.template: s.pending for s in deployment.sets}
        return tuple(pending.get(template, 0) for template in range(width))

    return measure


def _counter(workload: Workload, phases: tuple[Phase, ...]) -> Callable[[NodeState], Counts]:
    def measure(node: NodeState) -> Counts:
        return tuple(count(node.pods, c, phases) for c in workload.classes)

    return measure


def bests(world: World, workload: Workload) -> tuple[Best, ...]:
    """For each template, the rank of the pod on any node that is to be deleted first."""
    return tuple(
        Best(victim_name(workload, t), {NODES: _victim_score(world, workload, c)})
        for t, c in enumerate(workload.classes)
    )


def victim_name(workload: Workload, template: int) -> str:
    """The name of the best that ranks the victims of one ReplicaSet."""
    return workload.tally(f"first victim among template {template}")


def _victim_score(
    world: World, workload: Workload, pod_class: int
) -> Callable[[NodeState], int | None]:
    def score(node: NodeState) -> int | None:
        ranks = [rank for rank, _ in victims(world, workload, pod_class, node)]
        return max(ranks, default=None)

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
    active, due = workload.tally("active"), workload.tally("due")
    ranks = tuple(victim_name(workload, t) for t in range(len(workload.classes)))
    name = f"{workload.namespace}/{workload.name}"

    cell = (workload.cell,)
    both = (workload.cell, NODES)
    statuses = (active, workload.tally("available"))
    sync = partial(_decide, workload)
    create = partial(_create, world, workload)
    create_bound = partial(_create_bound, world, workload)
    drop = partial(_delete_pending, workload)
    delete = partial(_delete_on_node, world, workload)
    status = partial(_status, workload)
    found = [
        Rule(f"sync the ReplicaSets of {name}", REPLICASET, cell, sync, (active,)),
        Rule(f"create a pod of {name}", REPLICASET, cell, create, (active,)),
        Rule(f"delete a pending pod of {name}", REPLICASET, cell, drop, (active,)),
        Rule(f"delete a pod of {name}", REPLICASET, (NODES,), delete, (due, *ranks)),
        Rule(f"write ReplicaSet status of {name}", REPLICASET, cell, status, statuses),
    ]
    if any(world.classes[c].node_name for c in workload.classes):
        rule = Rule(f"create a bound pod of {name}", REPLICASET, both, create_bound, (active,))
        found.append(rule)
    return tuple(found)


# Syncs


def outstanding(replica_set: SetState, active: int) -> Expectations:
    """What the controller expects of the sync under way: it starts no other before it is done.

    Its caches are current here, so what it expects to see is what it has yet to write.
    """
    if replica_set.adds:
        return Expectations(adds=replica_set.adds)
    if 0 <= replica_set.read < active:
        return Expectations(dels=active - replica_set.read)
    return Expectations()


def decided(replica_set: SetState, active: int) -> Expectations:
    """What a sync that starts now would write; nothing while another is under way."""
    if not outstanding(replica_set, active).satisfied:
        return Expectations()
    return Expectations.to_manage(manage_replicas(active, replica_set.replicas))


def _written(replica_set: SetState, left: Expectations) -> SetState:
    """The ReplicaSet when ``left`` of a sync is left; what was read is forgotten at its end."""
    read = -1 if left.satisfied else replica_set.read
    return replica_set._replace(adds=left.adds, read=read)


def _decide(workload: Workload, deployment: DeploymentState, on_nodes: Counts) -> Iterator[Outcome]:
    """A sync reads; what it creates and deletes comes later, and is no longer asked about."""
    for replica_set in deployment.sets:
        active = replica_set.pending + on_nodes[replica_set.template]
        due = decided(replica_set, active)
        if not due.satisfied:
            after = replica_set._replace(adds=due.adds, read=replica_set.replicas)
            writes = {workload.cell: deployment.with_set(after)}
            why = f"spec.replicas is {replica_set.replicas}, active pods {active}"
            number = ("create", due.adds) if due.adds else ("delete", due.dels)
            arguments = (("template", replica_set.template), number)
            yield Outcome("decide", writes, arguments, why)


# Creation


def _label(workload: Workload, template: int) -> tuple[tuple[str, int], ...]:
    return (("class", workload.classes[template]),)


def _create(
    world: World, workload: Workload, deployment: DeploymentState, on_nodes: Counts
) -> Iterator[Outcome]:
    for replica_set in deployment.sets:
        if world.classes[workload.classes[replica_set.template]].node_name:
            continue
        active = replica_set.pending + on_nodes[replica_set.template]
        due = outstanding(replica_set, active)
        if due.adds:
            after = _written(replica_set, due.observe_creation())
            after = after._replace(pending=after.pending + 1)
            writes = {workload.cell: deployment.with_set(after)}
            why = _reason(replica_set)
            yield Outcome("create-pod", writes, _label(workload, replica_set.template), why)


def _reason(replica_set: SetState) -> str:
    return f"its sync had read spec.replicas {replica_set.read}"


def _create_bound(
    world: World,
    workload: Workload,
    deployment: DeploymentState,
    node: NodeState,
    on_nodes: Counts,
) -> Iterator[Outcome]:
    """Pods whose template names a node are stored as bound: no scheduler sees them."""
    for replica_set in deployment.sets:
        pod_class = workload.classes[replica_set.template]
        wanted = world.classes[pod_class].node_name
        if not wanted or world.shapes[node.shape].name != wanted:
            continue
        active = replica_set.pending + on_nodes[replica_set.template]
        due = outstanding(replica_set, active)
        if due.adds:
            after = _written(replica_set, due.observe_creation())
            pods = shifted(node.pods, pod_class, Phase.ASSIGNED, 1)
            writes = {workload.cell: deployment.with_set(after), NODES: node._replace(pods=pods)}
            why = _reason(replica_set) + "; the template names the node"
            yield Outcome("create-pod", writes, _label(workload, replica_set.template), why)


# Deletion


def _delete_pending(
    workload: Workload, deployment: DeploymentState, on_nodes: Counts
) -> Iterator[Outcome]:
    """Pods without a node go first, and at once: nobody has to confirm."""
    for replica_set in deployment.sets:
        active = replica_set.pending + on_nodes[replica_set.template]
        due = outstanding(replica_set, active)
        if due.dels and replica_set.pending:
            after = _written(replica_set, due.observe_deletion())
            after = after._replace(pending=after.pending - 1)
            writes = {workload.cell: deployment.with_set(after)}
            why = _reason(replica_set) + "; pods without a node go first"
            label = _label(workload, replica_set.template)
            yield Outcome("delete-pod", writes, label, why)


def due_on_nodes(deployment: DeploymentState, on_nodes: Counts) -> Counts:
    """How many pods on nodes the syncs under way still delete, by template.

    None of a ReplicaSet that has pods without a node: these go first.
    """
    due = [0] * len(on_nodes)
    for replica_set in deployment.sets:
        if not replica_set.pending:
            template = replica_set.template
            due[template] = outstanding(replica_set, on_nodes[template]).dels
    return tuple(due)


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
    workload: Workload, deployment: DeploymentState, on_nodes: Counts, available: Counts
) -> Iterator[Outcome]:
    """Write what is counted now, at the end of a sync that has nothing to create or delete.

    It also makes a PUT planned from an older version conflict.
    """
    for replica_set in deployment.sets:
        template = replica_set.template
        replicas = replica_set.pending + on_nodes[template]
        manages = outstanding(replica_set, replicas), decided(replica_set, replicas)
        if not all(expectations.satisfied for expectations in manages):
            continue
        if not workload.status_replicas_matter:
            replicas = 0
        after = replica_set._replace(status_replicas=replicas, status_available=available[template])
        if after != replica_set:
            after = after._replace(read=-1)
            plan = _until_conflict(deployment, template)
            writes = {workload.cell: deployment.with_set(after)._replace(plan=plan)}
            why = f"available pods: {available[template]}"
            yield Outcome("write-status", writes, (("template", template),), why)


def _until_conflict(deployment: DeploymentState, template: int) -> tuple[PlannedWrite, ...]:
    """A PUT carries the version that the sync had read: now it fails, and the rest is dropped."""
    for i, write in enumerate(deployment.plan):
        if write.template == template:
            return deployment.plan[:i]
    return deployment.plan
