"""What ReplicaSets promise: RS-*."""

from __future__ import annotations

from kubelemma.model.system import View
from kubelemma.model.wiring.replicaset import victim_name, victims
from kubelemma.model.wiring.state import ACTIVE, Counts, NodeState, Specs, Syncs, count
from kubelemma.model.wiring.world import NODES, Workload, World

from .formula import Converges, EachStep, Formula, StepPredicate
from .statement import Kind, Severity, Statement

_DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/"
_PKG = "pkg/controller/replicaset/replica_set.go"

STATEMENTS = (
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
            "As the pods were at the time of the deletion. A pod-deletion-cost, which Kubernetes "
            "looks at before it counts pods on nodes, is the same for all pods of a template."
        ),
        source=f"{_DOCS}#scaling-a-replicaset; pkg/controller/controller_utils.go",
        components=("replicaset-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
    ),
)


def formulas(world: World, workload: Workload) -> dict[str, Formula]:
    """The formulas of the ReplicaSets of one Deployment, by property."""
    ranks = tuple(victim_name(workload, t) for t in range(len(workload.classes)))
    at_node = View((NODES, workload.queue), ranks)
    counts = (workload.tally("specs"), workload.tally("active"))
    created = View((workload.syncs,), counts)
    return {
        "RS-1": Converges(View(reads=counts), _settled),
        "RS-2": EachStep(created, _never_beyond, frozenset({"create-pod"})),
        "RS-4": EachStep(at_node, _right_victim(world, workload), frozenset({"delete-pod"})),
    }


def _settled(specs: Specs, active: Counts) -> bool:
    return all(size in (-1, n) for size, n in zip(specs.sets, active, strict=True))


def _never_beyond(
    before: tuple[Syncs, Specs, Counts], _action: str, after: tuple[Syncs, Specs, Counts]
) -> bool | None:
    syncs, specs, then = before
    for sync, size, old, new in zip(syncs, specs.sets, then, after[2], strict=True):
        if new > old:
            return new <= (sync.read if sync.read >= 0 else size)
    return None


def _right_victim(world: World, workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[NodeState, Counts, *tuple[int | None, ...]],
        _action: str,
        after: tuple[NodeState, Counts, *tuple[int | None, ...]],
    ) -> bool | None:
        node, queue, *ranks = before
        if node == after[0]:
            return None
        for template, pod_class in enumerate(workload.classes):
            now = {p: count(after[0].pods, pod_class, (p,)) for p in ACTIVE}
            lost = [p for p in ACTIVE if count(node.pods, pod_class, (p,)) > now[p]]
            if lost:
                ranked = {p: rank for rank, p in victims(world, workload, pod_class, node)}
                return queue[template] == 0 and ranked[lost[0]] == ranks[template]
        return None

    return holds
