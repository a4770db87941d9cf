"""ReplicaSets and their controller, as stories, pictures and state graphs tell of them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import (
    ACTIVE,
    IDLE,
    Marks,
    NodeState,
    Phase,
    SetState,
    Sync,
)
from kubelemma.model.cluster.world import PodClass, Workload
from kubelemma.model.components.replicaset.actions import (
    CHOOSE_PENDING_PODS,
    CHOOSE_POD,
    COUNT_PODS,
    CREATE_POD,
    DECIDE,
    DELETE_POD,
    WRITE_STATUS,
)
from kubelemma.model.components.replicaset.rules import REPLICASET, Owned, owned_name
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.reports.picture import SetBox
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural

from .cast import Cast
from .differing import NONE, differing
from .names import full_name, revision_name
from .phases import PHASES
from .scene import Belied, Claim, Scene, Seen, Standstill, about_workload
from .teller import Boxes, Teller
from .written import Written

# What a sync reads, and what is left of it


def _decision(scene: Scene) -> str:
    arguments = dict(scene.step.outcome.arguments)
    for verb in ("create", "delete"):
        if verb in arguments:
            return f"{verb} {plural(int(str(arguments[verb])), 'pod')}"
    return "do nothing"


@about_workload
def _counted(scene: Scene, workload: Workload) -> Iterator[Fact]:
    replica_set = scene.before.replica_set(workload, scene.template)
    name = revision_name(scene.world, workload, scene.template)
    if replica_set is not None:
        yield Fact(f"spec.replicas of ReplicaSet {name}", str(replica_set.replicas))
    yield _active(scene, workload)


def _active(scene: Scene, workload: Workload) -> Fact:
    active = scene.before.counts(workload, "active")[scene.template]
    return Fact("active pods", str(active))


@about_workload
def _creation(scene: Scene, workload: Workload) -> Iterator[Fact]:
    yield _active(scene, workload)
    yield Fact("left to create", str(scene.before.sync(workload, scene.template).adds))
    if scene.pod_class is not None and scene.pod_class.node_name:
        position = scene.written.template(workload, ("nodeName",))
        yield Fact("nodeName of the template", scene.pod_class.node_name, position)


@about_workload
def _deletion(scene: Scene, workload: Workload) -> Iterator[Fact]:
    yield _active(scene, workload)
    owned: Owned = scene.before.summed(owned_name(workload, scene.template))
    yield Fact("left to delete", str(owned.chosen))


@about_workload
def _choice(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """What is chosen from: all active pods of the ReplicaSet that are not chosen yet, by phase."""
    if scene.pod_class is None:
        return
    free = scene.before.queue(workload).free[scene.template]
    if free:
        yield Fact("pods without a node", str(free))
    for name, node in scene.before.nodes().items():
        for group in node.pods:
            own = group.pod_class == scene.pod_class.index
            if own and group.phase in ACTIVE and not group.marks & Marks.CHOSEN:
                yield Fact(f"{PHASES[group.phase]} on {name}", str(group.size))


@about_workload
def _status(scene: Scene, workload: Workload) -> Iterator[Fact]:
    counted = scene.before.sync(workload, scene.template).status
    if counted is not None:
        yield Fact("available pods when its sync counted them", str(counted.available))
    yield _active(scene, workload)
    available = scene.before.counts(workload, "available")[scene.template]
    yield Fact("available pods", str(available))
    replica_set = scene.before.replica_set(workload, scene.template)
    if replica_set is not None:
        yield Fact("available by the status so far", str(replica_set.status_available))
    seconds = scene.world.classes[workload.classes[scene.template]].min_ready_seconds
    if seconds:
        position = scene.written.at(workload, "spec", "minReadySeconds")
        yield Fact("minReadySeconds", str(seconds), position)


# What was not seen


def stale_statuses(
    scene: Scene, workload: Workload, left_out: PodClass | None = None
) -> Iterator[str]:
    """ReplicaSets whose status is not what their pods are, but for that of a class."""
    available = scene.before.counts(workload, "available")
    for replica_set in scene.before.deployment(workload).sets:
        said, true = replica_set.status_available, available[replica_set.template]
        own = left_out and workload.classes[replica_set.template] == left_out.index
        if said != true and not own:
            name = revision_name(scene.world, workload, replica_set.template)
            yield f"ReplicaSet {name} has {true} available; its status still says {said}"


def _unseen(scene: Scene) -> Iterator[str]:
    """What was chosen was decided by statuses, and no other ReplicaSet is looked at again."""
    if scene.step.actor == REPLICASET and scene.action == DELETE_POD:
        for workload in scene.rewritten:
            yield from stale_statuses(scene, workload, scene.pod_class)


# What a step changes


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for workload in before.world.workloads:
        old = {s.template: s for s in before.deployment(workload).sets}
        new = {s.template: s for s in after.deployment(workload).sets}
        for template in sorted({*old, *new}):
            name = f"ReplicaSet {revision_name(before.world, workload, template)}"
            yield from _of_set(name, old.get(template), new.get(template))


def _of_set(name: str, before: SetState | None, after: SetState | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change(name, "spec.replicas", _size_of(before), _size_of(after))
        return
    fields = (
        ("spec.replicas", before.replicas, after.replicas),
        ("status.availableReplicas", before.status_available, after.status_available),
        ("status.replicas", before.status_replicas, after.status_replicas),
        ("revision", before.revision, after.revision),
    )
    yield from differing(name, fields)


def _size_of(replica_set: SetState | None) -> str:
    return NONE if replica_set is None else str(replica_set.replicas)


# Why it does nothing


def _idle(end: Standstill) -> Iterator[Idle]:
    parts = [
        f"{revision_name(end.world, workload, s.template)} {active[s.template]} of {s.replicas}"
        for workload in end.world.workloads
        for active in [end.seen.counts(workload, "active")]
        for s in end.seen.deployment(workload).sets
    ]
    counts = ", ".join(parts)
    yield Idle(REPLICASET, f"every ReplicaSet has the active pods that it asks for: {counts}")


# How a state belies its promises


@about_workload
def _unsettled(belied: Belied, workload: Workload) -> Iterator[Claim]:
    active = belied.seen.counts(workload, "active")
    for replica_set in belied.seen.deployment(workload).sets:
        have, asked = active[replica_set.template], replica_set.replicas
        if have != asked:
            name = revision_name(belied.world, workload, replica_set.template)
            yield Claim(
                f"ReplicaSet {name} asks for {plural(asked, 'pod')} and has {have} active",
                tuple(_size_and_pods(name, asked, have)),
            )


@about_workload
def _too_many(belied: Belied, workload: Workload) -> Iterator[Claim]:
    active = belied.seen.counts(workload, "active")
    for replica_set in belied.seen.deployment(workload).sets:
        adds = belied.seen.sync(workload, replica_set.template).adds
        have, asked = active[replica_set.template], replica_set.replicas
        if have + adds > asked:
            name = revision_name(belied.world, workload, replica_set.template)
            yield Claim(
                f"ReplicaSet {name} now has {plural(have, 'active pod')} and {adds} to come, "
                f"more than its spec.replicas of {asked}",
                (*_size_and_pods(name, asked, have), Fact("left to create", str(adds))),
            )


def _size_and_pods(name: str, asked: int, have: int) -> Iterator[Fact]:
    yield Fact(f"spec.replicas of ReplicaSet {name}", str(asked))
    yield Fact(f"active pods of ReplicaSet {name}", str(have))


@about_workload
def _victim(belied: Belied, workload: Workload) -> Iterator[Claim]:
    """By phase, the active pods among which one was chosen to be deleted."""
    now = belied.seen.nodes()
    for name, before in belied.before.nodes().items():
        for template, index in enumerate(workload.classes):
            lost = [p for p in ACTIVE if _size(before, index, p) > _size(now[name], index, p)]
            if lost:
                own = revision_name(belied.world, workload, template)
                yield Claim(
                    f"A pod of ReplicaSet {own} on {name} was chosen ({PHASES[lost[0]]}), "
                    "while another ranks before it",
                    tuple(_phases(belied.before, workload, template)),
                )


def _phases(before: Seen, workload: Workload, template: int) -> Iterator[Fact]:
    yield Fact("pods without a node", str(before.queue(workload).free[template]))
    for name, node in before.nodes().items():
        for phase in ACTIVE:
            size = _size(node, workload.classes[template], phase)
            if size:
                yield Fact(f"{PHASES[phase]} on {name}", str(size))


def _size(node: NodeState, index: int, phase: Phase) -> int:
    """How many pods are in a phase, and not chosen yet."""
    return sum(
        g.size
        for g in node.pods
        if (g.pod_class, g.phase) == (index, phase) and not g.marks & Marks.CHOSEN
    )


# A state


def _boxes(_scenario: Scenario, _written: Written) -> Boxes:
    return _look


def _look(seen: Seen, _cast: Cast) -> Iterator[SetBox]:
    for workload in seen.world.workloads:
        owner = full_name(workload)
        for replica_set in seen.deployment(workload).sets:
            version = revision_hash(replica_set.template)
            yield SetBox(f"{owner}-{version}", owner, version, replica_set.replicas)


def _lines(seen: Seen, workload: Workload) -> Iterator[str]:
    for template in range(len(workload.classes)):
        sync = seen.sync(workload, template)
        if sync != IDLE:
            left = ", ".join(in_hand(sync))
            yield f"sync of {revision_name(seen.world, workload, template)}: {left}"


def in_hand(sync: Sync) -> Iterator[str]:
    """What a sync has yet to do, beside deleting whom it has chosen."""
    if sync.adds:
        yield f"{sync.adds} to create"
    if sync.choosing:
        yield f"{sync.choosing} to choose"
    if sync.status is not None:
        yield f"counted {sync.status.available} available"


TELLER = Teller(
    name="replicaset",
    sentences={
        DECIDE: "decides to {decision} for ReplicaSet {set}",
        COUNT_PODS: "counts the pods of ReplicaSet {set}",
        CHOOSE_POD: "chooses {pod}{where} to be deleted",
        CHOOSE_PENDING_PODS: "chooses {pod}{where} to be deleted",
        CREATE_POD: "creates {pod}",
        DELETE_POD: "deletes {pod}{where}",
        WRITE_STATUS: "writes the status of ReplicaSet {set}",
    },
    words={"decision": _decision},
    facts={
        DECIDE: _counted,
        COUNT_PODS: _status,
        CHOOSE_POD: _choice,
        CHOOSE_PENDING_PODS: _choice,
        CREATE_POD: _creation,
        DELETE_POD: _deletion,
        WRITE_STATUS: _status,
    },
    unseen=_unseen,
    changes=_changes,
    idle=_idle,
    claims={"RS-1": _unsettled, "RS-2": _too_many, "RS-4": _victim},
    boxes=_boxes,
    lines_of=_lines,
)
