"""What StatefulSets promise: STS-*."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Counts, StatefulSetState
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import STORED, Stored
from kubelemma.model.cluster.world import SOUND, Updates, Workload, World
from kubelemma.model.components.kubelet.actions import NODE_FAILURES
from kubelemma.model.components.statefulset.actions import DECIDE_PODS
from kubelemma.model.components.statefulset.decision import max_unavailable
from kubelemma.model.components.statefulset.keys import (
    MAX_UNAVAILABLE,
    Aim,
    Pods,
    PodWrite,
    SetSync,
    Shown,
    lost_name,
    pods_name,
    running_name,
    sync_name,
)
from kubelemma.model.components.users.actions import SCALE
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Converges, EachStep, Formula, StepPredicate
from .statement import Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/"
_FORCE = "https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/"
_CONTROL = "pkg/controller/statefulset/stateful_set_control.go"
_NONE = "None on the user's side: this is an invariant of the controller itself."
_AS_READ = (
    "As the pods were when its sync read them: what becomes of them before it writes is nothing it "
    "looks at."
)

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="STS-1",
        title="No two pods have one identity",
        kind=Kind.SAFETY,
        severity=Severity.CRITICAL,
        statement=(
            "Of each ordinal of a StatefulSet there is at most one pod in the API, and at most one "
            "whose containers run on any machine."
        ),
        why="Two members with one name and one volume corrupt what they keep.",
        conditions=(
            "A pod that is deleted by force is gone from the API while it may still run: on a "
            "machine that nobody can reach, for as long as that lasts."
        ),
        source=f"{_DOCS}#deployment-and-scaling-guarantees; {_FORCE}",
        components=("statefulset-controller", "api-server", "kubelet"),
        remediation=(
            "Delete neither a pod by force nor its Node while the machine may still run. Switch "
            "the machine off first; then taint its Node node.kubernetes.io/out-of-service, or "
            "delete the Node."
        ),
    ),
    Statement(
        id="STS-2",
        title="Pods are created in order",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "With podManagementPolicy OrderedReady a pod is created only if all pods with lower "
            "ordinals are there, Ready, and have been so for minReadySeconds."
        ),
        why="The first members of a cluster have to be there for the others to join.",
        conditions=_AS_READ,
        source=f"{_DOCS}#deployment-and-scaling-guarantees; {_CONTROL}",
        components=("statefulset-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="STS-3",
        title="Pods are removed in reverse order",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "With podManagementPolicy OrderedReady a scale-down deletes the pod with the highest "
            "ordinal, and the next one only once that is gone, while all pods that stay are "
            "available; a pod that is not so itself goes only if none with a lower ordinal is like "
            "that."
        ),
        why="Members leave one after the other, so that the others can take over.",
        conditions=_AS_READ,
        source=f"{_DOCS}#deployment-and-scaling-guarantees; {_CONTROL}",
        components=("statefulset-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="STS-4",
        title="Rolling updates go from the highest ordinal to the partition",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A rolling update deletes no pod below its partition, and one only once all with "
            "higher ordinals are of the new revision and available; where maxUnavailable counts, "
            "no more than that are unavailable."
        ),
        why="A new version is tried on few members first, and never on all at once.",
        conditions=_AS_READ,
        source=f"{_DOCS}#rolling-updates; {_CONTROL}",
        components=("statefulset-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="STS-5",
        title="Pods below the partition keep their revision",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod below the partition that is made anew is of the current revision, and any other "
            "of the update revision."
        ),
        why="A canary stays one only if no failure elsewhere brings the new version there.",
        conditions="With updateStrategy RollingUpdate and a partition; as its sync read the set.",
        source=f"{_DOCS}#partitions; {_CONTROL}",
        components=("statefulset-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="STS-6",
        title="Members that come back find their claims",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement=(
            "No claim of a pod that a StatefulSet asks for is deleted because of an earlier "
            "scale-down."
        ),
        why="A member that comes back with an empty volume has lost what it kept.",
        conditions=(
            "With whenScaled Retain, which is the default. With Delete a claim goes with the pod "
            "that a scale-down deletes, and a scale-up does not stop that."
        ),
        source=(
            f"{_DOCS}#persistentvolumeclaim-retention; "
            "pkg/controller/statefulset/stateful_pod_control.go"
        ),
        components=("statefulset-controller", "garbage-collector"),
        remediation=(
            "Set persistentVolumeClaimRetentionPolicy.whenScaled to Retain, and delete claims by "
            "hand once nobody wants them back."
        ),
    ),
    Statement(
        id="STS-7",
        title="All members come back",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once users and faults stop, a StatefulSet comes to have exactly the pods that it asks "
            "for, each available and of the revision that its strategy asks for, and keeps them."
        ),
        why="A member that never comes back is a replica less for good, or a rollout without end.",
        conditions=(
            "The version in the spec becomes Ready, every pod finds a node, and no pod of it is on "
            "a machine that is lost: of these see STS-8."
        ),
        source=f"{_DOCS}#forced-rollback; {_CONTROL}",
        components=("statefulset-controller", "kubelet"),
        remediation=(
            "Delete a broken pod of a version that was taken back. See what pending pods wait for."
        ),
    ),
    Statement(
        id="STS-8",
        title="A lost machine keeps no member for ever",
        kind=Kind.LIVENESS,
        severity=Severity.MEDIUM,
        statement=(
            "Once users and faults stop, the members of a StatefulSet are all there, each "
            "available and of the revision that its strategy asks for, also where a machine is "
            "lost."
        ),
        why=(
            "As long as the API has a pod of a lost machine no other of its name is made, as two "
            "of them might run: somebody has to say that the machine is off."
        ),
        conditions="As for STS-7; asked where a machine may be lost.",
        source=f"{_FORCE}; pkg/controller/podgc/gc_controller.go",
        components=("statefulset-controller", "pod-garbage-collector"),
        remediation=(
            "Have somebody, or a program, switch the machine off and taint its Node "
            "node.kubernetes.io/out-of-service, or delete the Node."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each StatefulSet."""
    for workload in scenario.world.owners:
        if workload.ordinals:
            found = _formulas(scenario, workload)
            if not may_lose(scenario.events):
                del found["STS-8"]
            yield from asked(STATEMENTS, workload.cell, found)


def may_lose(events: Iterable[Event]) -> bool:
    """Whether a machine may be lost, cut off, or keep its kubelet from ending pods."""
    return any(event.action in NODE_FAILURES for event in events)


def _formulas(scenario: Scenario, workload: Workload) -> dict[str, Formula]:
    world = scenario.world
    counts = (running_name(workload), workload.tally("pods by class"))
    read = View((workload.cell, sync_name(workload)), (pods_name(workload),))
    decides = frozenset({DECIDE_PODS})
    steps = {"STS-2": _in_order, "STS-3": _in_reverse, "STS-4": _rolls, "STS-5": _keeps_revision}
    rolled = any(not updates.on_delete for updates in workload.updates)
    names, whole = (pods_name(workload),), _whole(world, workload)
    left_out = set() if rolled and workload.templates > 1 else {"STS-4", "STS-5"}
    own = {
        ordinal: stock_of(world).made_for(c)
        for c in workload.classes
        for ordinal in (world.classes[c].ordinal,)
        if stock_of(world)
    }
    scaled = any(
        event.action == SCALE and event.workload == workload.index for event in scenario.events
    )
    view = View((workload.cell,), (STORED,))
    kept = {"STS-6": Always(view, _keeps_claims(workload, own))}
    return {
        **(kept if scaled and any(own.values()) else {}),
        "STS-1": Always(View(reads=counts), _one_each(world, workload)),
        **{
            name: EachStep(read, _of_writes(world, workload, holds), decides)
            for name, holds in steps.items()
            if name not in left_out
        },
        "STS-7": Converges(
            View((workload.cell,), (*names, lost_name(workload))), _unless_lost(whole)
        ),
        "STS-8": Converges(View((workload.cell,), names), whole),
    }


def _unless_lost(
    whole: Callable[[StatefulSetState, Pods], bool],
) -> Callable[[StatefulSetState, Pods, Counts], bool]:
    def goal(state: StatefulSetState, pods: Pods, lost: Counts) -> bool:
        return lost[0] > 0 or whole(state, pods)

    return goal


def _one_each(world: World, workload: Workload) -> Callable[[Counts, Counts], bool]:
    ordinals = [world.classes[c].ordinal for c in workload.classes]

    def holds(running: Counts, there: Counts) -> bool:
        of_each: dict[int, int] = {}
        for ordinal, number in zip(ordinals, there, strict=True):
            of_each[ordinal] = of_each.get(ordinal, 0) + number
        return max((*running, *of_each.values())) <= 1

    return holds


class Read(NamedTuple):
    """What a sync had read when it decided on a write."""

    state: StatefulSetState
    updates: Updates
    pods: Pods
    most: int | None

    @property
    def end(self) -> int:
        """The first ordinal behind those that there should be."""
        return self.updates.start + self.state.replicas

    def available(self, ordinals: range) -> bool:
        """Whether all pods with these ordinals are there and available."""
        found = {p.ordinal for p in self.pods if p.shown is Shown.AVAILABLE}
        return found.issuperset(ordinals)


def _of_writes(
    world: World, workload: Workload, holds: Callable[[Read, SetSync, PodWrite], bool | None]
) -> StepPredicate:
    """Of a step that decides on writes: whether each is as it should be."""

    def of_step(
        before: tuple[StatefulSetState, SetSync, Pods],
        _action: str,
        after: tuple[StatefulSetState, SetSync, Pods],
    ) -> bool | None:
        state, _, pods = before
        updates, sync = workload.updates[state.strategy], after[1]
        asked = updates.max_unavailable if world.kubernetes.on(MAX_UNAVAILABLE) else None
        counts = world.kubernetes.on(MAX_UNAVAILABLE)
        most = max_unavailable(asked, state.replicas) if counts else None
        read = Read(state, updates, pods, most)
        said = [holds(read, sync, write) for write in sync.writes]
        told = [answer for answer in said if answer is not None]
        return all(told) if told else None

    return of_step


def _in_order(read: Read, _sync: SetSync, write: PodWrite) -> bool | None:
    if write.aim != Aim.MISSING or not read.updates.ordered:
        return None
    return read.available(range(read.updates.start, write.ordinal))


def _in_reverse(read: Read, sync: SetSync, write: PodWrite) -> bool | None:
    if write.aim != Aim.SCALE_DOWN or not read.updates.ordered:
        return None
    surplus = [p for p in read.pods if not read.updates.start <= p.ordinal < read.end]
    staying = read.available(range(read.updates.start, read.end))
    highest = max(p.ordinal for p in surplus) == write.ordinal
    own = next(p for p in surplus if p.ordinal == write.ordinal)
    lower = [p for p in surplus if p.ordinal < write.ordinal and p.shown is not Shown.AVAILABLE]
    alone = len(sync.writes) == 1
    return staying and highest and alone and (own.shown is Shown.AVAILABLE or not lower)


def _rolls(read: Read, sync: SetSync, write: PodWrite) -> bool | None:
    if write.aim != Aim.ROLL_OUT:
        return None
    if write.ordinal < read.updates.start + (read.updates.partition or 0):
        return False
    rolled = [w for w in sync.writes if w.aim == Aim.ROLL_OUT]
    if read.most is not None:
        every = range(read.updates.start, read.end)
        lost = sum(not read.available(range(n, n + 1)) for n in every)
        return lost + len(rolled) <= read.most
    higher = range(write.ordinal + 1, read.end)
    new = {p.ordinal for p in read.pods if p.template == read.state.template}
    return len(rolled) == 1 and read.available(higher) and new.issuperset(higher)


def _keeps_revision(read: Read, _sync: SetSync, write: PodWrite) -> bool | None:
    partition = read.updates.partition
    if write.aim != Aim.MISSING or partition is None or read.updates.on_delete:
        return None
    known = read.state.current in read.state.revisions
    current = read.state.current if known else read.state.template
    below = write.ordinal < read.updates.start + partition
    return write.template == (current if below else read.state.template)


def _keeps_claims(
    workload: Workload, own: Mapping[int, tuple[int, ...]]
) -> Callable[[StatefulSetState, Stored], bool | None]:
    """Whether no claim of a pod that is asked for is collected; None where there is none."""

    def holds(state: StatefulSetState, stored: Stored) -> bool | None:
        if state.absent:
            return None
        start = workload.updates[state.strategy].start
        wanted = range(start, start + state.replicas)
        claims = [stored.claims[c] for n, found in own.items() if n in wanted for c in found]
        there = [claim for claim in claims if claim.present]
        if not there:
            return None
        return not any(claim.condemned and claim.deleted for claim in there)

    return holds


def _whole(world: World, workload: Workload) -> Callable[[StatefulSetState, Pods], bool]:
    """Whether all pods are there, available, and of the revision that is asked for."""

    def is_fine(template: int, ordinal: int) -> bool:
        found = world.classes[workload.class_of(template, ordinal)]
        return found.behaviour in SOUND and not found.gated

    def goal(state: StatefulSetState, pods: Pods) -> bool:
        if state.absent:
            return True
        updates = workload.updates[state.strategy]
        wanted = range(updates.start, updates.start + state.replicas)
        if not all(is_fine(state.template, n) for n in wanted):
            return True
        kept = len(wanted) if updates.on_delete else updates.partition or 0
        return [p.ordinal for p in pods] == list(wanted) and all(
            (p.shown is Shown.AVAILABLE or not is_fine(p.template, p.ordinal))
            and (p.template == state.template or p.ordinal < updates.start + kept)
            for p in pods
        )

    return goal
