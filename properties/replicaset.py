"""What ReplicaSets promise: RS-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import Counts, Group, Pods, Queue, Specs
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.replicaset.actions import CHOOSE_POD, CREATE_POD, DECIDE
from kubelemma.model.components.replicaset.rules import victim_name, victims
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, EachStep, Formula, StepPredicate
from .statement import Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/"
_PKG = "pkg/controller/replicaset/replica_set.go"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="RS-1",
        title="Replica counts converge",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once users and faults stop, every ReplicaSet comes to have exactly spec.replicas "
            "active pods, and keeps them."
        ),
        why="Too few pods do not carry the load, too many are not planned for.",
        conditions="Active: neither terminal nor being deleted; a pod may be active and pending.",
        source=f"{_DOCS}#how-a-replicaset-works; {_PKG}",
        components=("replicaset-controller",),
        remediation=(
            "Look for whoever removes the pods again: a NoExecute taint that the template does "
            "not tolerate, a node named by the template, an admission that rejects."
        ),
    ),
    Statement(
        id="RS-2",
        title="No pod is created beyond what was asked for",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "When the ReplicaSet controller creates a pod, no more pods are active afterwards "
            "than the spec.replicas that its sync had read."
        ),
        why="Expectations exist for this: acting twice on one observation doubles the pods.",
        conditions="Caches that are not stale, and no restart of the controller in between.",
        source=f"pkg/controller/controller_utils.go; {_PKG}",
        components=("replicaset-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
    ),
    Statement(
        id="RS-4",
        title="Scaling down removes the right pods first",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "The ReplicaSet controller deletes pods without a node before pods with one, Pending "
            "before Running ones, those that are not Ready before Ready ones, and among these "
            "the ones with more pods of the same Deployment on their node."
        ),
        why="A scale-down that took serving pods first would cost availability for nothing.",
        conditions=(
            "As the pods were when the sync counted them: what becomes of them until it deletes "
            "those that it has chosen is nothing it looks at. A pod-deletion-cost, which "
            "Kubernetes looks at before it counts pods on nodes, is the same for all pods of a "
            "template."
        ),
        source=f"{_DOCS}#scaling-a-replicaset; pkg/controller/controller_utils.go",
        components=("replicaset-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of the ReplicaSets of each Deployment."""
    for workload in scenario.world.workloads:
        found = _formulas(scenario.world, workload)
        yield from asked(STATEMENTS, workload.cell, found)


def _formulas(world: World, workload: Workload) -> dict[str, Formula]:
    """The formulas of the ReplicaSets of one Deployment, by property."""
    templates = range(len(workload.classes))
    ranks = tuple(victim_name(workload, t) for t in templates)
    at_node = View((PODS, workload.queue), ranks)
    counts = (workload.tally("specs"), workload.tally("active"))
    created = View(workload.syncs, counts)
    return {
        "RS-1": Converges(View(reads=counts), _settled),
        "RS-2": EachStep(created, _never_beyond, frozenset({DECIDE, CREATE_POD})),
        "RS-4": EachStep(at_node, _right_victim(world, workload), frozenset({CHOOSE_POD})),
    }


def _settled(specs: Specs, active: Counts) -> bool:
    return all(size in (-1, n) for size, n in zip(specs.sets, active, strict=True))


def _never_beyond(before: Any, _action: str, after: Any) -> bool | None:
    """A sync decides on what is missing alone, and no creation adds to what it had decided."""
    *syncs, specs, active = before
    *later, _, now = after
    spoken = None
    for sync, then, size, old, new in zip(syncs, later, specs.sets, active, now, strict=True):
        if then.adds or sync.adds:
            spoken = True
            if new + then.adds > max(size, old + sync.adds):
                return False
    return spoken


def _right_victim(world: World, workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[Pods, Queue, *tuple[int | None, ...]],
        _action: str,
        after: tuple[Pods, Queue, *tuple[int | None, ...]],
    ) -> bool | None:
        pods, queue, *ranks = before
        if pods == after[0]:
            return None
        for template, pod_class in enumerate(workload.classes):
            ranked = {group: rank for rank, group in victims(world, workload, pod_class, pods)}
            left = {group: g.size for g in after[0] for group in ranked if _alike(g, group)}
            for group, rank in ranked.items():
                if left.get(group, 0) < group.size:
                    return queue.free[template] == 0 and rank == ranks[template]
        return None

    return holds


def _alike(one: Group, other: Group) -> bool:
    """Whether nothing but the number tells the pods of two groups apart."""
    return one._replace(size=0) == other._replace(size=0)
