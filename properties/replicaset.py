"""What ReplicaSets promise: RS-*."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import (
    ACTIVE,
    Counts,
    Group,
    Marks,
    Pods,
    Queue,
    Specs,
    Sync,
)
from kubelemma.model.cluster.world import PodClass, Workload, World
from kubelemma.model.components.replicaset.actions import (
    ADOPT_POD,
    CHOOSE_PENDING_PODS,
    CHOOSE_POD,
    CREATE_POD,
    DECIDE,
    DELETE_POD,
)
from kubelemma.model.components.replicaset.claims import claims_name
from kubelemma.model.components.replicaset.keys import victim_name
from kubelemma.model.components.replicaset.rules import victims
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
        defect_only=True,
    ),
    Statement(
        id="RS-3",
        title="Only pods that nobody controls are adopted",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A ReplicaSet adopts a pod only if the pod has no controller and its selector matches "
            "the labels of the pod; afterwards the pod has one controller: this ReplicaSet."
        ),
        why="Two controllers of one pod would count it twice, and each delete it for the other.",
        conditions="Asked where pods may be adopted: lone ones, or ones whose labels users change.",
        source=f"{_DOCS}#non-template-pod-acquisitions; pkg/controller/controller_ref_manager.go",
        components=("replicaset-controller", "api-server"),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
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
        defect_only=True,
    ),
    Statement(
        id="RS-5",
        title="Pods that were released are left alone",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A ReplicaSet neither chooses nor deletes a pod that is not its own: not one that it "
            "has released, and none that somebody else has adopted since."
        ),
        why="Pods are taken out of a ReplicaSet by their labels to be debugged or recovered.",
        conditions=(
            "Asked where pods may be adopted or released. A pod that its sync had chosen before "
            "its labels changed is still its own, and is deleted."
        ),
        source=f"{_DOCS}#isolating-pods-from-a-replicaset; {_PKG}",
        components=("replicaset-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of the ReplicaSets of each workload."""
    known = {tally.name for tally in scenario.system.tallies}
    for workload in scenario.world.owners:
        if workload.ordinals:
            continue
        found = _formulas(scenario.world, workload)
        if any(claims_name(workload, t) in known for t in range(workload.templates)):
            found |= _of_claims(scenario.world, workload)
        yield from asked(STATEMENTS, workload.cell, found)


def _formulas(world: World, workload: Workload) -> dict[str, Formula]:
    """The formulas of the ReplicaSets of one workload, by property."""
    templates = range(workload.templates)
    ranks = tuple(victim_name(workload, t) for t in templates)
    at_node = View((PODS, workload.queue), ranks)
    counts = (workload.tally("specs"), workload.tally("active"))
    created = View(workload.syncs, counts)
    return {
        "RS-1": Converges(View(reads=counts), _settled),
        "RS-2": EachStep(created, _never_beyond, frozenset({DECIDE, CREATE_POD})),
        "RS-4": EachStep(at_node, _right_victim(world, workload), frozenset({CHOOSE_POD})),
    }


def _of_claims(world: World, workload: Workload) -> dict[str, Formula]:
    """The formulas of ReplicaSets that may adopt or release pods."""
    lone = (w.queue for w in world.workloads if not w.templates)
    crowds = View((PODS, workload.queue, *lone, *workload.syncs))
    return {
        "RS-3": EachStep(crowds, _adopts(world, workload), frozenset({ADOPT_POD})),
        "RS-5": EachStep(crowds, _spares(world, workload), _REMOVING),
    }


_REMOVING = frozenset({CHOOSE_POD, CHOOSE_PENDING_PODS, DELETE_POD})


class _Crowds(NamedTuple):
    """The active pods in a view by class, those that are chosen as victims, and own syncs."""

    active: Counter[int]
    chosen: Counter[int]
    syncs: tuple[Sync, ...]


def _crowds(world: World, workload: Workload, seen: tuple[Any, ...]) -> _Crowds:
    pods, *rest = seen
    active: Counter[int] = Counter()
    chosen: Counter[int] = Counter()
    for group in pods:
        if group.phase in ACTIVE:
            active[group.pod_class] += group.size
            chosen[group.pod_class] += group.size if group.marks & Marks.CHOSEN else 0
    crowds = [workload, *(w for w in world.workloads if not w.templates)]
    for crowd, queue in zip(crowds, rest, strict=False):
        for index, waiting, victims_of in zip(
            crowd.classes, queue.waiting, queue.chosen, strict=True
        ):
            active[index] += waiting
            chosen[index] += victims_of
    return _Crowds(active, chosen, tuple(rest[len(crowds) :]))


def _adopts(world: World, workload: Workload) -> StepPredicate:
    """Judged by labels, selectors and references alone."""

    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        old, new = (_crowds(world, workload, seen).active for seen in (before, after))
        gained = [world.classes[c] for c in workload.classes if new[c] > old[c]]
        lost = [world.classes[c] for c in old if new[c] < old[c]]
        if not gained:
            return None
        return len(gained) == len(lost) == 1 and _is_adoption(world, lost[0], gained[0])

    return holds


def _is_adoption(world: World, before: PodClass, after: PodClass) -> bool:
    """Whether a pod without a controller now has one, whose selector its labels match."""
    workload = world.workloads[after.workload]
    owner = world.classes[workload.classes[after.template]]
    labels = before.pod.metadata.label_map()
    return (
        not _controllers(before)
        and _controllers(after) == _controllers(owner)
        and after.pod.metadata.label_map() == labels
        and owner.selector.matches(labels)
    )


def _controllers(found: PodClass) -> list[tuple[str, str]]:
    references = found.pod.metadata.owner_references or ()
    return [(owner.kind, owner.name) for owner in references if owner.controller]


def _spares(world: World, workload: Workload) -> StepPredicate:
    own = [_controllers(world.classes[c]) for c in workload.classes[: workload.templates]]

    def holds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        old, new = (_crowds(world, workload, seen) for seen in (before, after))
        if action == DELETE_POD:
            lost = [world.classes[c] for c in old.active if new.active[c] < old.active[c]]
            return all(map(_controllers, lost)) if lost else None
        if old.syncs == new.syncs:
            return None
        chosen = [world.classes[c] for c in new.chosen if new.chosen[c] > old.chosen[c]]
        return all(_controllers(each) in own for each in chosen) if chosen else None

    return holds


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
        for template in range(workload.templates):
            ranked = {group: rank for rank, group in victims(world, workload, template, pods)}
            left = {group: g.size for g in after[0] for group in ranked if _alike(g, group)}
            for group, rank in ranked.items():
                if left.get(group, 0) < group.size:
                    free = any(queue.free[slot] for slot in workload.slots(template))
                    return not free and rank == ranks[template]
        return None

    return holds


def _alike(one: Group, other: Group) -> bool:
    """Whether nothing but the number tells the pods of two groups apart."""
    return one._replace(size=0) == other._replace(size=0)
