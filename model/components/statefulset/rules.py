"""The StatefulSet controller: syncs of one StatefulSet, one write a step.

Source: pkg/controller/statefulset/stateful_set_control.go, ``UpdateStatefulSet``. A sync reads the
set and its pods once. By that it decides on its writes, sends one after the other while others act,
and in the end reports what it had counted. No second sync of the same set begins before. It deletes
a pod by its name, whatever has become of it since; and it makes no pod as long as the API has one
of that name, be it of a machine that nobody can reach.

Pods with an identity are counted by class like all others: their class is their template and their
ordinal, of which the API has one pod at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kubelemma.model.cluster import crowds
from kubelemma.model.cluster.columns import CUT_OFF, PODS, SHAPE, UP
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike
from kubelemma.model.cluster.forgetting import NOTHING_IN_HAND, Forgetting, Loss
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    IN_API,
    STARTED,
    Counts,
    Phase,
    Queue,
    StatefulSetState,
    shifted,
    without,
)
from kubelemma.model.cluster.state import Pods as NodePods
from kubelemma.model.cluster.storage import STORED, Stored
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.kubelet.actions import NODE_FAILURES
from kubelemma.model.system import Cell, Named, Outcome, Rule, Tally

from . import retention
from .actions import (
    ACTIONS,
    CREATE_CLAIM,
    CREATE_POD,
    DECIDE_PODS,
    DELETE_POD,
    DELETE_REVISION,
    FAIL_CREATE,
    FIND_GONE,
    NUMBER_REVISION,
    WRITE_STATUS,
)
from .claims import Creation, Owned, creations, owned_by
from .decision import Sync, completed, in_order, truncated, update_stateful_set
from .keys import (
    AIMS,
    CREATE,
    CREATE_BOUND,
    IDLE,
    STATEFULSET,
    Aim,
    Pods,
    PodWrite,
    Seated,
    SetSync,
    Shown,
    due,
    lost_name,
    pod_view,
    pods_name,
    running_name,
    set_view,
    sync_name,
)
from .owner import OWNER, reads_current_replicas

_SHOWN = {
    Phase.ASSIGNED: Shown.PENDING,
    Phase.STARTING: Shown.UNREADY,
    Phase.READY: Shown.READY,
    Phase.AVAILABLE: Shown.AVAILABLE,
    Phase.TERMINATING: Shown.TERMINATING,
    Phase.REVOKED: Shown.TERMINATING,
    Phase.LINGERING: Shown.ABSENT,
    Phase.FAILED: Shown.FAILED,
    Phase.CREATING: Shown.PENDING,
    Phase.RESTARTING: Shown.UNREADY,
    Phase.ENDED: Shown.TERMINATING,
}


def tallies(world: World, workload: Workload) -> tuple[Tally, ...]:
    """What is asked for, what there is of each template, and what there is of each identity."""
    width = workload.templates
    specs: dict[Named, Callable[..., Counts]] = {workload.cell: _specs(width)}
    return (
        Tally(workload.tally("specs"), specs, 3 + width, crowds.read_specs),
        *crowds.counts(world, workload),
        crowds.by_class(workload),
        _pods(world, workload),
        _running(world, workload),
        _lost(workload),
    )


def _specs(width: int) -> Callable[[StatefulSetState], Counts]:
    def measure(state: StatefulSetState) -> Counts:
        there = 0 if not state.absent else -1
        sizes = (state.replicas if t == state.template else there for t in range(width))
        return (max(state.replicas, 0), state.template, 0, *sizes)

    return measure


def _pods(world: World, workload: Workload) -> Tally:
    """What the API shows of each of the pods that there may be."""
    slot_of = {c: slot for slot, c in enumerate(workload.classes)}

    def queued(queue: Queue) -> Counts:
        return tuple(Shown.PENDING * number for number in queue.waiting)

    def on_node(pods: NodePods) -> Counts:
        found = [0] * len(workload.classes)
        for group in pods:
            if group.pod_class in slot_of:
                found[slot_of[group.pod_class]] += _SHOWN[Phase(group.phase)] * group.size
        return tuple(found)

    def read(total: Counts) -> Pods:
        classes = (world.classes[c] for c in workload.classes)
        there = (
            Seated(c.ordinal, c.template, Shown(code))
            for c, code in zip(classes, total, strict=True)
            if code
        )
        return tuple(sorted(there))

    measures: dict[Named, Callable[..., Counts]] = {workload.queue: queued, PODS: on_node}
    return Tally(pods_name(workload), measures, len(workload.classes), read, each=PODS)


def _running(world: World, workload: Workload) -> Tally:
    """How many pods of each ordinal run, by the machines and not by the API."""
    at = {c: workload.ordinals.index(world.classes[c].ordinal) for c in workload.classes}

    def measure(up: bool, cut_off: bool, pods: NodePods) -> Counts:  # noqa: FBT001 - columns' values
        found = [0] * len(workload.ordinals)
        for group in pods if up or cut_off else ():
            if group.pod_class in at and group.phase in STARTED:
                found[at[group.pod_class]] += group.size
        return tuple(found)

    measures: dict[Named, Callable[..., Counts]] = {(UP, CUT_OFF, PODS): measure}
    return Tally(running_name(workload), measures, len(workload.ordinals), each=PODS)


def _lost(workload: Workload) -> Tally:
    """How many pods there are whose machines are down, or cut off."""

    def measure(up: bool, pods: NodePods) -> Counts:  # noqa: FBT001 - a column's value
        own = (g for g in pods if g.pod_class in workload.classes and g.phase in IN_API)
        return (0 if up else sum(group.size for group in own),)

    measures: dict[Named, Callable[..., Counts]] = {(UP, PODS): measure}
    return Tally(lost_name(workload), measures, 1, each=PODS)


def rules(world: World, workload: Workload, owned: Owned) -> Iterator[Rule]:
    """Rules of the controller for one StatefulSet."""
    cell, sync, queue = workload.cell, sync_name(workload), workload.queue
    pods = (pods_name(workload),)
    stored = (STORED,) if owned.goes else ()

    def rule(
        what: str,
        cells: tuple[str, ...],
        act: Callable[..., Iterator[Outcome]],
        reads: tuple[str, ...] = (),
        whose: str = workload.label,
        **options: Any,
    ) -> Rule:
        outcomes = partial(act, world, workload)
        return Rule(f"{what} {whose}", STATEFULSET, cells, outcomes, reads, **options)

    yield rule("number the revision of", (cell, sync), _number, writes=(cell,))
    begin = partial(_begin, owned)
    yield rule("sync StatefulSet", (cell, sync), begin, (*pods, *stored), writes=(sync,))
    own = (cell, sync)
    for made in creations(workload, owned):
        create, bind = partial(_create, made), partial(_create_bound, made)
        claims, whose = made.cells, made.whose
        writes = (sync, queue, *claims)
        yield rule(CREATE, (*own, queue, *claims), create, whose=whose, writes=writes)
        if any(world.classes[c].node_name for c in workload.classes):
            bound, writes = (*own, *claims, SHAPE, PODS), (sync, *claims, PODS)
            yield rule(CREATE_BOUND, bound, bind, whose=whose, writes=writes, onto=PODS)
        for index in made.claims if owned.goes else ():
            claim = owned.stock.claims[index]
            again, cells = (
                partial(_create_claim, replace(made, claims=(index,))),
                (*own, claim.cell),
            )
            yield rule("create a claim of", cells, again, pods, whose=claim.label)
    first = (STORED,) if owned.deletes else ()
    pending, gone = partial(_delete_pending, owned), partial(_find_gone, owned)
    delete = partial(_delete, owned)
    yield rule("delete a pending pod of", (*own, queue), pending, first, writes=(sync, queue))
    yield rule("delete a pod of", (*own, PODS), delete, first, writes=(sync, PODS), each=PODS)
    yield rule("find a pod gone of", own, gone, (*pods, *first), writes=(sync,))
    if owned.deletes:
        yield from retention.rules(workload, owned)
    yield rule("write StatefulSet status of", own, _write_status)
    limits = (updates.revision_history_limit for updates in workload.updates)
    if workload.templates > 1 + min(limits):
        yield rule("truncate the history of", own, _truncate, pods, writes=(cell,))


# Syncs


def sync_now(
    world: World,
    workload: Workload,
    state: StatefulSetState,
    pods: Pods,
    blocked: frozenset[int] = frozenset(),
) -> Sync:
    """What a sync comes to that reads now; ``blocked`` are ordinals with a claim that goes."""
    view = set_view(world, workload, state, blocked)
    return update_stateful_set(view, tuple(map(pod_view, pods)))


def _number(
    _world: World, workload: Workload, state: StatefulSetState, sync: SetSync
) -> Iterator[Outcome]:
    """The template in the spec has the newest ControllerRevision, be it an older one again."""
    if state.absent or sync != IDLE:
        return
    after = tuple(map(int, map(str, in_order(state.revisions, state.template))))
    if after != state.revisions:
        old = state.template in state.revisions
        why = "the template is that of an older revision again" if old else "the template is new"
        writes = {workload.cell: state._replace(revisions=after)}
        yield Outcome(NUMBER_REVISION, writes, (("template", state.template),), why)


def _begin(
    owned: Owned, world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """Read, count, and decide: nothing is written yet."""
    sync, pods, *stored = seen
    if sync != IDLE or state.absent or state.revisions[-1:] != (state.template,):
        return
    found = sync_now(world, workload, state, pods, owned.blocked(*stored))
    after = _in_hand(world, workload, state, found)
    if after == IDLE:
        return
    writes = {sync_name(workload): after}
    if not after.writes:
        yield Outcome(DECIDE_PODS, writes, (), "all pods are Ready and of the revision of the spec")
        return
    first = after.writes[0]
    about = (("class", workload.class_of(first.template, first.ordinal)),)
    yield Outcome(DECIDE_PODS, writes, about, reason(workload, state, after))


def _in_hand(world: World, workload: Workload, state: StatefulSetState, found: Sync) -> SetSync:
    """What a sync has to write that has come to this."""
    writes = tuple(
        PodWrite(AIMS[act.purpose], act.ordinal, int(str(act.revision))) for act in found.acts
    )
    status = completed(set_view(world, workload, state), found.status)
    counted = status.current_replicas if reads_current_replicas(workload) else 0
    current = int(str(status.current))
    return SetSync(
        writes,
        current if current != state.current else -1,
        counted if counted != state.current_replicas else -1,
    )


def reason(workload: Workload, state: StatefulSetState, sync: SetSync) -> str:
    """Why a sync does what it does, in a few words."""
    match Aim(sync.writes[0].aim):
        case Aim.MISSING:
            updates = workload.updates[state.strategy]
            ordinals = f"{updates.start} to {updates.start + state.replicas - 1}"
            return f"spec.replicas is {state.replicas}: there should be the ordinals {ordinals}"
        case Aim.ENDED:
            return "it has ended, and is made anew once it is gone"
        case Aim.SCALE_DOWN:
            return f"spec.replicas is {state.replicas}, and the highest ordinal goes first"
        case _:
            return "it is not of the update revision, and all others that count are available"


# Creation


def _create(
    made: Creation, world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """Create a pod, and the claims that it lacks: what others do in between changes nothing."""
    sync, queue, *claims = seen
    missing, going = made.missing(claims), made.going(claims)
    for write, pod_class in _creations(made, workload, state, sync):
        about = (("class", pod_class),)
        found = world.classes[pod_class]
        if found.refused or going:
            writes = {sync_name(workload): sync.given_up(), **missing}
            why = f"a pod of this template {found.refused}"
            yield Outcome(FAIL_CREATE, writes, about, going or why)
        elif not found.node_name:
            after = queue.with_free(workload.slot(pod_class), 1)
            left = {sync_name(workload): sync.without(write), workload.queue: after, **missing}
            yield Outcome(CREATE_POD, left, about, _DECIDED)


_DECIDED = "its sync had decided on that"


def _create_bound(
    made: Creation, world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """Pods whose template names a node are stored as bound: no scheduler sees them."""
    sync, *claims, shape, pods = seen
    missing, going = made.missing(claims), made.going(claims)
    for write, pod_class in _creations(made, workload, state, sync):
        found = world.classes[pod_class]
        if not (found.refused or going) and found.node_name == world.shapes[shape].name:
            after = shifted(pods, pod_class, Phase.ASSIGNED, 1)
            left = {sync_name(workload): sync.without(write), PODS: after, **missing}
            why = f"{_DECIDED}; the template names the node"
            yield Outcome(CREATE_POD, left, (("class", pod_class),), why)


def _create_claim(
    made: Creation, _world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """A claim of a pod that is Pending is made where it is missing.

    Source: ``createMissingPersistentVolumeClaims``; an ordered sync gets to a pod only if all with
    lower ordinals are available.
    """
    sync, claim, pods = seen
    if claim.present or sync != IDLE or state.absent:
        return
    updates = workload.updates[state.strategy]
    wanted = range(updates.start, updates.start + state.replicas)
    for pod in pods:
        lower = {p.ordinal for p in pods if p.shown is Shown.AVAILABLE}
        reached = not updates.ordered or lower.issuperset(range(updates.start, pod.ordinal))
        pending = pod.ordinal in made.ordinals and pod.shown is Shown.PENDING
        if pending and pod.ordinal in wanted and reached:
            writes = made.missing([claim])
            why = "its pod is Pending, and there is no such claim"
            yield Outcome(CREATE_CLAIM, writes, (("claim", made.claims[0]),), why)


def _creations(
    made: Creation, workload: Workload, state: StatefulSetState, sync: SetSync
) -> Iterator[tuple[PodWrite, int]]:
    for write in due(workload, state, sync):
        if write.aim == Aim.MISSING and write.ordinal in made.ordinals:
            yield write, workload.class_of(write.template, write.ordinal)


# Deletion


def _deletions(
    world: World, workload: Workload, writes: Sequence[PodWrite], pod_class: int
) -> Iterator[PodWrite]:
    """The writes that delete the pod of a class: they name its ordinal, and no revision."""
    ordinal = world.classes[pod_class].ordinal if pod_class in workload.classes else -1
    for write in writes:
        if write.ordinal == ordinal:
            yield write


def _due_deletions(
    owned: Owned,
    workload: Workload,
    state: StatefulSetState,
    sync: SetSync,
    stored: Sequence[Stored],
) -> tuple[PodWrite, ...]:
    """The deletions that a sync may send now: a claim that goes with its pod comes first."""
    kept = owned.kept(workload, state, *stored)
    return tuple(
        write
        for write in due(workload, state, sync)
        if write.aim != Aim.MISSING and not (write.aim == Aim.SCALE_DOWN and write.ordinal in kept)
    )


def _delete_pending(
    owned: Owned, world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """A pod without a node is gone at once: nobody has to confirm."""
    sync, queue, *stored = seen
    found = _due_deletions(owned, workload, state, sync, stored)
    for slot, pod_class in enumerate(workload.classes):
        for write in _deletions(world, workload, found, pod_class):
            if queue.free[slot]:
                after = queue.with_free(slot, -1)
                left = {sync_name(workload): sync.without(write), workload.queue: after}
                yield Outcome(DELETE_POD, left, (("class", pod_class),), _DECIDED)


def _delete(
    owned: Owned, world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """Delete a pod by its name, whatever has become of it; one that has ended is gone at once."""
    sync, pods, *stored = seen
    found = _due_deletions(owned, workload, state, sync, stored)
    for group in pods:
        phase = Phase(group.phase)
        if phase not in (*ACTIVE, Phase.FAILED):
            continue
        for write in _deletions(world, workload, found, group.pod_class):
            ended = phase is Phase.FAILED
            after = without(pods, group) if ended else world.deleted(pods, group)
            left = {sync_name(workload): sync.without(write), PODS: after}
            yield Outcome(DELETE_POD, left, (("class", group.pod_class),), _DECIDED)


def _find_gone(
    owned: Owned, _world: World, workload: Workload, state: StatefulSetState, *seen: Any
) -> Iterator[Outcome]:
    """A DELETE of what is gone, or goes already, changes nothing."""
    sync, pods, *stored = seen
    staying = {pod.ordinal for pod in pods if pod.shown is not Shown.TERMINATING}
    for write in _due_deletions(owned, workload, state, sync, stored):
        if write.ordinal not in staying:
            about = (("class", workload.class_of(write.template, write.ordinal)),)
            writes = {sync_name(workload): sync.without(write)}
            yield Outcome(FIND_GONE, writes, about, "somebody else has deleted it before")


# Status and history


def _write_status(
    _world: World, workload: Workload, state: StatefulSetState, sync: SetSync
) -> Iterator[Outcome]:
    """Write what was counted, at the end of a sync, whatever is true by now.

    On a conflict the controller reads the set again and writes the same numbers.
    """
    if sync.writes or sync == IDLE:
        return
    current = state.current if sync.current < 0 else sync.current
    counted = state.current_replicas if sync.current_replicas < 0 else sync.current_replicas
    after = state if state.absent else state._replace(current=current, current_replicas=counted)
    writes = {workload.cell: after, sync_name(workload): IDLE}
    why = "it is what its sync had counted"
    if current != state.current:
        why = "its sync has found all pods Ready and of the update revision"
    yield Outcome(WRITE_STATUS, writes, (("template", current),), why)


def _truncate(
    _world: World, workload: Workload, state: StatefulSetState, sync: SetSync, pods: Pods
) -> Iterator[Outcome]:
    limit = workload.updates[state.strategy].revision_history_limit
    live = {state.current, state.template, *(pod.template for pod in pods)}
    gone = truncated(state.revisions, live, limit)
    if sync == IDLE and not state.absent and gone:
        after = tuple(r for r in state.revisions if r != gone[0])
        why = f"no pod is of it, and no more than {limit} old revisions are kept"
        writes = {workload.cell: state._replace(revisions=after)}
        yield Outcome(DELETE_REVISION, writes, (("template", int(str(gone[0]))),), why)


# The component


def _parts_of(setting: Setting, workload: Workload) -> Parts:
    if not workload.ordinals:
        return NO_PARTS
    world, queue = setting.world, setting.start.queues[workload.index]
    failing = setting.may_happen(*NODE_FAILURES)
    return Parts(
        cells=(
            Cell(workload.cell, setting.start.owners[workload.index], StatefulSetState),
            Cell(workload.queue, queue, Queue),
            Cell(sync_name(workload), IDLE, SetSync),
        ),
        tallies=(
            *tallies(world, workload),
            *((crowds.serving(workload),) if failing else ()),
        ),
        rules=tuple(rules(world, workload, owned_by(setting, workload))),
    )


def _forgets_of(_setting: Setting, workload: Workload) -> tuple[Forgetting, ...]:
    if not workload.ordinals:
        return ()
    sync = sync_name(workload)

    def lose(found: SetSync) -> Iterator[Loss]:
        why = NOTHING_IN_HAND if found == IDLE else "the rest of its sync is lost"
        yield Loss({sync: IDLE}, why)

    return (Forgetting(what=sync, actor=STATEFULSET, cells=(sync,), lose=lose),)


def _waits_for_names(setting: Setting) -> bool:
    """A name is free again only once the pod that has it is gone."""
    return any(workload.ordinals for workload in setting.world.workloads)


COMPONENT = Component(
    name="statefulset",
    distinguishes=all_nodes_alike,
    needs_terminating=_waits_for_names,
    parts_of=_parts_of,
    actions=ACTIONS,
    owners=(OWNER,),
    forgets_of=_forgets_of,
)
