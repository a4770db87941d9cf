"""ReplicaSets and their controller, as stories, pictures and state graphs tell of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kubelemma.model.cluster.owners import controller_of, revision_hash
from kubelemma.model.cluster.snapshot import PENDING
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
    ADOPT_POD,
    CHOOSE_PENDING_PODS,
    CHOOSE_POD,
    COUNT_PODS,
    CREATE_POD,
    DECIDE,
    DELETE_POD,
    FAIL_CREATE,
    RELABEL,
    RELEASE_POD,
    WRITE_STATUS,
)
from kubelemma.model.components.replicaset.keys import (
    REPLICASET,
    REPLICATION,
    Owned,
    actor_of,
    owned_name,
)
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import SetBox, WorkloadBox
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural

from .cast import Cast
from .causes import event
from .differing import NONE, differing
from .names import full_name, revision_name, set_title, workload_name
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


def _owner(scene: Scene) -> str:
    workload = scene.workload
    return set_title(scene.world, workload, scene.template) if workload else "?"


def _adopter(scene: Scene) -> str:
    after = scene.world.classes[scene.argument("becomes")]
    return set_title(scene.world, scene.world.workloads[after.workload], after.template)


def _claim(scene: Scene) -> Iterator[Fact]:
    """The pod as it was read, and the selector that matches it or does not."""
    before = scene.pod_class
    if before is None:
        return
    after = scene.world.classes[scene.argument("becomes")]
    owned = before if controller_of(before.pod.metadata) else after
    title = set_title(scene.world, scene.world.workloads[owned.workload], owned.template)
    labels = ", ".join(f"{k}={v}" for k, v in before.pod.metadata.label_map().items())
    yield Fact("labels of the pod", labels or NONE)
    yield Fact(f"selector of {title}", _selector_text(owned.selector))


def _selector_text(selector: LabelSelector) -> str:
    parts = [f"{key}={value}" for key, value in (selector.match_labels or {}).items()]
    for one in selector.match_expressions or ():
        values = f" ({', '.join(one.values)})" if one.values else ""
        parts.append(f"{one.key} {one.operator}{values}")
    return ", ".join(parts)


@about_workload
def _counted(scene: Scene, workload: Workload) -> Iterator[Fact]:
    replica_set = scene.before.replica_set(workload, scene.template)
    name = set_title(scene.world, workload, scene.template)
    if replica_set is not None:
        yield Fact(f"spec.replicas of {name}", str(replica_set.replicas))
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
    for replica_set in scene.before.owner(workload).sets:
        said, true = replica_set.status_available, available[replica_set.template]
        own = left_out and workload.classes[replica_set.template] == left_out.index
        if said != true and not own:
            name = set_title(scene.world, workload, replica_set.template)
            yield f"{name} has {true} available; its status still says {said}"


def _unseen(scene: Scene) -> Iterator[str]:
    """What was chosen was decided by statuses, and no other ReplicaSet is looked at again."""
    if scene.action == DELETE_POD:
        for workload in scene.rewritten:
            if workload.rollout is not None:
                yield from stale_statuses(scene, workload, scene.pod_class)


# What a step changes


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for workload in before.world.owners:
        old = {s.template: s for s in before.owner(workload).sets}
        new = {s.template: s for s in after.owner(workload).sets}
        for template in sorted({*old, *new}):
            name = set_title(before.world, workload, template)
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
    for actor, every in ((REPLICASET, "ReplicaSet"), (REPLICATION, "ReplicationController")):
        parts = [
            f"{revision_name(end.world, workload, s.template)} {active[s.template]} of {s.replicas}"
            for workload in end.world.owners
            if actor_of(workload) == actor
            for active in [end.seen.counts(workload, "active")]
            for s in end.seen.owner(workload).sets
        ]
        if parts or actor == REPLICASET:
            counts = ", ".join(parts)
            yield Idle(actor, f"every {every} has the active pods that it asks for: {counts}")


# How a state belies its promises


@about_workload
def _unsettled(belied: Belied, workload: Workload) -> Iterator[Claim]:
    active = belied.seen.counts(workload, "active")
    for replica_set in belied.seen.owner(workload).sets:
        have, asked = active[replica_set.template], replica_set.replicas
        if have != asked:
            name = set_title(belied.world, workload, replica_set.template)
            yield Claim(
                f"{name} asks for {plural(asked, 'pod')} and has {have} active",
                tuple(_size_and_pods(name, asked, have)),
            )


@about_workload
def _too_many(belied: Belied, workload: Workload) -> Iterator[Claim]:
    active = belied.seen.counts(workload, "active")
    for replica_set in belied.seen.owner(workload).sets:
        adds = belied.seen.sync(workload, replica_set.template).adds
        have, asked = active[replica_set.template], replica_set.replicas
        if have + adds > asked:
            name = set_title(belied.world, workload, replica_set.template)
            yield Claim(
                f"{name} now has {plural(have, 'active pod')} and {adds} to come, "
                f"more than its spec.replicas of {asked}",
                (*_size_and_pods(name, asked, have), Fact("left to create", str(adds))),
            )


def _size_and_pods(name: str, asked: int, have: int) -> Iterator[Fact]:
    yield Fact(f"spec.replicas of {name}", str(asked))
    yield Fact(f"active pods of {name}", str(have))


@about_workload
def _victim(belied: Belied, workload: Workload) -> Iterator[Claim]:
    """By phase, the active pods among which one was chosen to be deleted."""
    now = belied.seen.nodes()
    for name, before in belied.before.nodes().items():
        for template, index in enumerate(workload.classes):
            lost = [p for p in ACTIVE if _size(before, index, p) > _size(now[name], index, p)]
            if lost:
                own = set_title(belied.world, workload, template)
                yield Claim(
                    f"A pod of {own} on {name} was chosen ({PHASES[lost[0]]}), "
                    "while another ranks before it",
                    tuple(_phases(belied.before, workload, template)),
                )


def _adopted(belied: Belied) -> Iterator[Claim]:
    yield from _strangers(belied, "A pod was adopted that it may not have")


def _not_spared(belied: Belied) -> Iterator[Claim]:
    yield from _strangers(belied, "A pod was removed that is not its own")


def _strangers(belied: Belied, sentence: str) -> Iterator[Claim]:
    """The pods by labels and owner, before the step and after it, where these numbers differ."""
    old, new = (_by_owner(seen) for seen in (belied.before, belied.seen))
    terms = tuple(
        Fact(what, f"{old[what]}, then {new[what]}")
        for what in sorted({*old, *new})
        if old[what] != new[what]
    )
    yield Claim(sentence, terms)


def _by_owner(seen: Seen) -> Counter[str]:
    counts: Counter[str] = Counter()
    for place, number in seen.places().items():
        if place.phase in (PENDING, *ACTIVE):
            metadata = seen.world.classes[place.pod_class].pod.metadata
            owner = controller_of(metadata)
            labels = ", ".join(f"{k}={v}" for k, v in metadata.label_map().items())
            whose = f"{owner.kind} {owner.name}" if owner else "nobody"
            counts[f"active pods of {whose}, labels {labels or NONE}"] += number
    return counts


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


def _look(seen: Seen, _cast: Cast) -> Iterator[SetBox | WorkloadBox]:
    for workload in seen.world.owners:
        owner = full_name(workload)
        if seen.owner(workload).absent or workload.ordinals:
            continue
        if workload.rollout is None:
            size, version = seen.owner(workload).replicas, revision_hash(0)
            yield WorkloadBox(owner, size, version, kind=workload.kind)
            continue
        for replica_set in seen.owner(workload).sets:
            version = revision_hash(replica_set.template)
            yield SetBox(f"{owner}-{version}", owner, version, replica_set.replicas)


def _lines(seen: Seen, workload: Workload) -> Iterator[str]:
    if workload.rollout is None and not workload.ordinals:
        owner = seen.owner(workload)
        size = "is not there" if owner.absent else owner.replicas
        yield f"{workload_name(seen.world, workload)}: {size}"
    for template in range(len(workload.syncs)):
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
        DECIDE: "decides to {decision} for {owner}",
        COUNT_PODS: "counts the pods of {owner}",
        CHOOSE_POD: "chooses {pod}{where} to be deleted",
        CHOOSE_PENDING_PODS: "chooses {pod}{where} to be deleted",
        RELEASE_POD: "releases {pod}{where} from {owner}",
        ADOPT_POD: "adopts {pod}{where} for {adopter}",
        RELABEL: "labels {pod}{where}",
        CREATE_POD: "creates {pod}",
        FAIL_CREATE: "tries to create a pod for {owner}, and is refused (FailedCreate)",
        DELETE_POD: "deletes {pod}{where}",
        WRITE_STATUS: "writes the status of {owner}",
    },
    words={"decision": _decision, "owner": _owner, "adopter": _adopter},
    facts={
        RELEASE_POD: _claim,
        ADOPT_POD: _claim,
        DECIDE: _counted,
        COUNT_PODS: _status,
        CHOOSE_POD: _choice,
        CHOOSE_PENDING_PODS: _choice,
        CREATE_POD: _creation,
        FAIL_CREATE: _creation,
        DELETE_POD: _deletion,
        WRITE_STATUS: _status,
    },
    causes={RELABEL: event("relabel")},
    unseen=_unseen,
    changes=_changes,
    idle=_idle,
    claims={
        "RS-1": _unsettled,
        "RS-2": _too_many,
        "RS-3": _adopted,
        "RS-4": _victim,
        "RS-5": _not_spared,
    },
    boxes=_boxes,
    lines_of=_lines,
)
