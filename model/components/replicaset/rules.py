"""The ReplicaSet controller: syncs of one ReplicaSet, one write a step.

Source: pkg/controller/replicaset/replica_set.go, ``syncReplicaSet``. A sync counts the pods once.
By that it decides how many to create, or ranks all of them and chooses exactly its victims, and in
the end it writes what it had counted as the status; others may act before each of these writes. No
second sync of the same ReplicaSet begins before: the queue hands out a key to one worker at a time.

What a sync has read is kept only where it differs from what is: one that has read and not yet
written anything, and would write the same if it read now, is not told from one that is to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kubelemma.model.cluster import crowds
from kubelemma.model.cluster.columns import PODS, SHAPE
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.crowds import read_specs
from kubelemma.model.cluster.forgetting import NOTHING_IN_HAND, Forgetting, Loss
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    IDLE,
    SHOWN_PENDING,
    Counts,
    Group,
    LoneState,
    Marks,
    OwnerState,
    Phase,
    Pods,
    Queue,
    StatefulSetState,
    Status,
    Sync,
    count,
    remarked,
    replaced,
    shifted,
    unmarked,
)
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.kubelet.actions import NODE_FAILURES
from kubelemma.model.system import Best, Bound, Cell, Outcome, Rule, Tally, View

from . import claims as claiming
from .actions import (
    ACTIONS,
    CHOOSE_PENDING_PODS,
    CHOOSE_POD,
    COUNT_PODS,
    CREATE_POD,
    DECIDE,
    DELETE_POD,
    FAIL_CREATE,
    WRITE_STATUS,
)
from .decision import POD_DELETION_COST, manage_replicas, rank_key
from .keys import (
    Key,
    Owned,
    Shown,
    actor_of,
    due_name,
    owned_name,
    shown_name,
    under_way,
    victim_name,
)
from .owner import OWNERS


def tallies(world: World, workload: Workload) -> tuple[Tally, ...]:
    """What is asked for, what there is, and what is left to choose, for all templates and for each.

    Active and existing pods, which may be the same, include those that have no node. They are those
    of each template's ReplicaSet, wherever it has them from.
    """
    width = workload.templates
    return (
        Tally(workload.tally("specs"), {workload.cell: _specs(width)}, 3 + width, read_specs),
        *crowds.counts(world, workload),
        *(tally for template in range(width) for tally in _of_template(workload, template)),
    )


def _specs(width: int) -> Callable[[OwnerState], Counts]:
    def measure(owner: OwnerState) -> Counts:
        sizes = {s.template: s.replicas for s in owner.sets}
        own = (max(owner.replicas, 0), owner.template, int(owner.paused))
        return (*own, *(sizes.get(template, -1) for template in range(width)))

    return measure


def _of_template(workload: Workload, template: int) -> Iterator[Tally]:
    queue, members, slots = workload.queue, workload.members(template), workload.slots(template)

    def of_set(owner: OwnerState) -> Counts:
        for found in owner.sets:
            if found.template == template:
                renewed = int(isinstance(owner, LoneState) and owner.renewed)
                return (found.replicas, found.status_replicas, found.status_available, renewed)
        return (-1, 0, 0, 0)

    def queued(found: Queue) -> Counts:
        waiting = found.waiting
        chosen = sum(found.chosen[slot] for slot in slots)
        return (sum(waiting[slot] for slot in slots), 0, chosen)

    def on_node(pods: Pods) -> Counts:
        active = [g for g in pods if g.pod_class in members and g.phase in ACTIVE]
        return (
            sum(g.size for g in active),
            sum(g.size for g in active if g.phase == Phase.AVAILABLE),
            sum(g.size for g in active if g.marks & Marks.CHOSEN),
        )

    yield Tally(shown_name(workload, template), {workload.cell: of_set}, 4, _shown)
    owned = owned_name(workload, template)
    yield Tally(owned, {queue: queued, PODS: on_node}, 3, _owned, each=PODS)
    yield Tally(
        due_name(workload, template),
        {
            workload.sync(template): lambda sync: (sync.choosing, 0),
            queue: lambda found: (0, sum(found.free[slot] for slot in slots)),
        },
        2,
        _due,
    )


def _due(total: Counts) -> int:
    """None on nodes as long as pods without a node can be chosen."""
    return 0 if total[1] else total[0]


def _shown(total: Counts) -> Shown:
    return Shown(total[0], Status(total[1], total[2]), bool(total[3]))


def _owned(total: Counts) -> Owned:
    return Owned(*total)


def bests(world: World, workload: Workload) -> tuple[Best, ...]:
    """For each template, the rank of the pod that is to be chosen first; None if none is due."""
    return tuple(
        Best(
            victim_name(workload, t),
            {PODS: _victim_score(world, workload, t)},
            (due_name(workload, t),),
        )
        for t in range(workload.templates)
    )


def _victim_score(
    world: World, workload: Workload, template: int
) -> Callable[[Pods, int], int | None]:
    def score(pods: Pods, due: int) -> int | None:
        first = max((rank for rank, _ in victims(world, workload, template, pods)), default=None)
        return None if first is None or not due else first

    return score


def victims(
    world: World, workload: Workload, template: int, pods: Pods
) -> Iterator[tuple[int, Group]]:
    """The pods of a ReplicaSet on a node that are active and not chosen yet, with their rank.

    The highest goes first. Co-located pods are those of all ReplicaSets of the workload, chosen
    ones included, as in the real ranking, which is done before any of them is deleted. They count
    among ReplicaSets with the same controller alone (``getIndirectlyRelatedPods``): one that has
    none does not even look at its own.
    """
    members, related = workload.members(template), _related(world, workload)
    colocated = sum(count(pods, c, ACTIVE) for c in related)
    for group in pods:
        chosen = group.marks & Marks.CHOSEN
        if group.pod_class in members and group.phase in ACTIVE and not chosen:
            cost = world.classes[group.pod_class].deletion_cost
            yield _rank(Phase(group.phase), cost, colocated), group


def _related(world: World, workload: Workload) -> tuple[int, ...]:
    """The classes that the selectors of the ReplicaSets of one Deployment match."""
    if workload.rollout is None:
        return ()
    own, others = workload.classes[: workload.templates], workload.classes[workload.templates :]
    matching = (c for c in others if is_matched(world, workload, c))
    return (*own, *matching)


def is_matched(world: World, workload: Workload, pod_class: int) -> bool:
    """Whether the selector of the ReplicaSet that has these pods matches them."""
    found = world.classes[pod_class]
    selector = world.classes[workload.classes[found.template]].selector
    return selector.matches(found.pod.metadata.label_map())


def _rank(phase: Phase, cost: int, colocated: int) -> int:
    ready = phase in (Phase.READY, Phase.AVAILABLE)
    api_phase = "Pending" if phase in SHOWN_PENDING else "Running"
    return rank_key(
        assigned=True, phase=api_phase, ready=ready, deletion_cost=cost, colocated=colocated
    )


def rules(world: World, workload: Workload) -> tuple[Rule, ...]:
    """Rules of the controller for all ReplicaSets of one workload."""
    templates = range(workload.templates)
    return tuple(rule for t in templates for rule in _rules(Key(world, workload, t)))


def _rules(key: Key) -> Iterator[Rule]:
    """The rules for one ReplicaSet."""
    world, workload, template = key
    label = _label_of(workload, template)
    sync, queue = key.cell, workload.queue
    owned, first = (owned_name(workload, template),), (victim_name(workload, template),)
    shown = shown_name(workload, template)

    def rule(
        what: str,
        cells: tuple[str, ...],
        act: Callable[..., Iterator[Outcome]],
        reads: tuple[str, ...] = (),
        **options: Any,
    ) -> Rule:
        name, actor, outcomes = f"{what} {label}", actor_of(workload), partial(act, key)
        return Rule(name, actor, cells, outcomes, reads, **options)

    claims = tuple(claiming.rules(key))
    claimable = (claiming.claims_name(workload, template),) if claims else ()
    yield from claims
    yield rule("sync ReplicaSet of", (sync,), _begin, (shown, *owned, *claimable))
    yield rule("choose pending victims of", (sync, queue), _choose_pending, urgent=True)
    yield rule("choose a victim of", (sync, PODS), _choose, first, urgent=True, ranks=PODS)
    made = {_CREATE: key.pod_class, _CREATE_RENEWED: workload.renewed}
    for what, pod_class in made.items():
        if pod_class < 0:
            continue
        if world.classes[pod_class].refused:
            yield rule(what, (sync,), partial(_fail_to_create, pod_class))
        elif world.classes[pod_class].node_name:
            act = partial(_create_bound, pod_class)
            yield rule(what, (sync, SHAPE, PODS), act, writes=(sync, PODS), onto=PODS)
        else:
            yield rule(what, (sync, queue), partial(_create, pod_class))
    yield rule("delete a pending pod of", (queue,), _delete_pending)
    yield rule("delete a pod of", (PODS,), _delete, each=PODS)
    yield rule(
        "write ReplicaSet status of", (workload.cell, sync), _write_status, (*owned, *claimable)
    )


def _label_of(workload: Workload, template: int) -> str:
    return f"{workload.label}, template {template}"


_CREATE = "create a pod of"
_CREATE_RENEWED = "create a pod of the template that was applied to"


def creations(workload: Workload) -> frozenset[str]:
    """The names of the rules that create pods."""
    templates = range(workload.templates)
    return frozenset(
        f"{what} {_label_of(workload, template)}"
        for template in templates
        for what in (_CREATE, _CREATE_RENEWED)
    )


# Syncs


def _begin(
    key: Key, sync: Sync, shown: Shown, owned: Owned, to_claim: int = 0
) -> Iterator[Outcome]:
    """Read, count, and decide: nothing is written yet. What there is to claim comes first."""
    if under_way(sync, owned) or shown.replicas < 0 or to_claim:
        return
    missing = manage_replicas(owned.active, shown.replicas)
    status = _counted(key.workload, owned)
    left = None if status == shown.status else status
    after = Sync(max(missing, 0), max(-missing, 0), left, shown.renewed and missing > 0)
    if after == IDLE:
        return
    writes = {key.cell: after}
    about = ("template", key.template)
    if not missing:
        why = f"available pods: {owned.available}"
        yield Outcome(COUNT_PODS, writes, (about,), why)
        return
    doing = ("create", after.adds) if after.adds else ("delete", after.choosing)
    why = f"spec.replicas is {shown.replicas}, active pods {owned.active}"
    yield Outcome(DECIDE, writes, (about, doing), why)


def _counted(workload: Workload, owned: Owned) -> Status:
    return Status(owned.active if workload.status_replicas_matter else 0, owned.available)


# Creation


def _why_create(sync: Sync) -> str:
    return f"its sync had decided to create {sync.adds} more"


def _creates(key: Key, pod_class: int, sync: Sync) -> bool:
    """Whether a sync has pods of a class to create: it had read the template with its size."""
    return sync.adds > 0 and sync.renewed == (pod_class != key.pod_class)


def _fail_to_create(pod_class: int, key: Key, sync: Sync) -> Iterator[Outcome]:
    """The first refusal ends all creations of a sync, which is tried again (FailedCreate).

    Source: pkg/controller/replicaset/replica_set.go, ``manageReplicas`` and ``slowStartBatch``.
    """
    if _creates(key, pod_class, sync):
        writes = {key.cell: sync.given_up()}
        why = f"a pod of this template {key.world.classes[pod_class].refused}"
        yield Outcome(FAIL_CREATE, writes, key.about, why)


def _create(pod_class: int, key: Key, sync: Sync, queue: Queue) -> Iterator[Outcome]:
    if _creates(key, pod_class, sync):
        slot = key.workload.slot(pod_class)
        writes = {key.cell: sync.created(), key.workload.queue: queue.with_free(slot, 1)}
        yield Outcome(CREATE_POD, writes, (("class", pod_class),), _why_create(sync))


def _create_bound(
    pod_class: int, key: Key, sync: Sync, shape: int, pods: Pods
) -> Iterator[Outcome]:
    """Pods whose template names a node are stored as bound: no scheduler sees them."""
    node = key.world.classes[pod_class].node_name
    if _creates(key, pod_class, sync) and key.world.shapes[shape].name == node:
        writes = {key.cell: sync.created(), PODS: shifted(pods, pod_class, Phase.ASSIGNED, 1)}
        why = f"{_why_create(sync)}; the template names the node"
        yield Outcome(CREATE_POD, writes, (("class", pod_class),), why)


# Deletion


def _choose_pending(key: Key, sync: Sync, queue: Queue) -> Iterator[Outcome]:
    """Pods without a node are chosen first; nothing but their deletion cost tells them apart."""
    free = {c: queue.free[key.workload.slot(c)] for c in key.members}
    waiting = [c for c, number in free.items() if number]
    costs = {c: key.world.classes[c].deletion_cost for c in waiting}
    for pod_class in waiting if sync.choosing else ():
        if costs[pod_class] > min(costs.values()):
            continue
        found = min(sync.choosing, free[pod_class])
        writes = {
            key.cell: sync._replace(choosing=sync.choosing - found),
            key.workload.queue: queue.chosen_of(key.workload.slot(pod_class), found),
        }
        arguments = (("class", pod_class), ("pods", found))
        yield Outcome(CHOOSE_PENDING_PODS, writes, arguments, "pods without a node go first")


def _choose(key: Key, sync: Sync, pods: Pods, first: int | None) -> Iterator[Outcome]:
    """Choose the pod that ranks first among all nodes; of several, any."""
    for rank, group in victims(key.world, key.workload, key.template, pods):
        if rank == first:
            writes = {
                key.cell: sync._replace(choosing=sync.choosing - 1),
                PODS: remarked(pods, group, group.marks | Marks.CHOSEN),
            }
            why = _RANKED.get(Phase(group.phase)) or _among_ready(key.workload)
            yield Outcome(CHOOSE_POD, writes, (("class", group.pod_class),), why)


_RANKED = {
    **dict.fromkeys(SHOWN_PENDING, "pods still Pending go before running ones"),
    Phase.STARTING: "pods that are not Ready go before Ready ones",
    Phase.RESTARTING: "pods that are not Ready go before Ready ones",
}


def _among_ready(workload: Workload) -> str:
    last = "any may go" if workload.rollout is None else "most co-located goes first"
    return f"all its pods are Ready; {last}"


def _delete_pending(key: Key, queue: Queue) -> Iterator[Outcome]:
    """A pod without a node is gone at once: nobody has to confirm."""
    for pod_class, slot in zip(key.members, key.workload.slots(key.template), strict=True):
        if queue.chosen[slot]:
            writes = {key.workload.queue: queue.with_chosen(slot, -1)}
            yield Outcome(DELETE_POD, writes, (("class", pod_class),), _CHOSEN)


def _delete(key: Key, pods: Pods) -> Iterator[Outcome]:
    """Delete a chosen pod, whatever has become of it since, as long as nobody else has."""
    for group in pods:
        if group.pod_class in key.members and group.marks & Marks.CHOSEN:
            writes = {PODS: key.world.deleted(pods, group)}
            yield Outcome(DELETE_POD, writes, (("class", group.pod_class),), _CHOSEN)


_CHOSEN = "its sync had chosen it"


# Status


def _write_status(
    key: Key, owner: OwnerState, sync: Sync, owned: Owned, to_claim: int = 0
) -> Iterator[Outcome]:
    """Write what was counted, at the end of a sync, whatever is true by now.

    A sync without anything to create or delete may also do so as soon as it has counted. On a
    conflict the controller reads the ReplicaSet again and writes the same numbers, so nothing is in
    its way; a PUT that a Deployment sync has planned from an older version fails by it.
    """
    found = next((s for s in owner.sets if s.template == key.template), None)
    if found is None or isinstance(owner, StatefulSetState) or sync.adds or sync.choosing:
        return
    status, why = sync.status, "it is what its sync had counted"
    missing = manage_replicas(owned.active, found.replicas)
    if not under_way(sync, owned) and not missing and not to_claim:
        status, why = _counted(key.workload, owned), f"available pods: {owned.available}"
    before = Status(found.status_replicas, found.status_available)
    if status is None or status == before or owned.chosen:
        return
    writes = {key.workload.cell: owner.with_status(key.template, status), key.cell: IDLE}
    yield Outcome(WRITE_STATUS, writes, (("template", key.template),), why)


# The component


def _parts_of(setting: Setting, workload: Workload) -> Parts:
    if workload.ordinals:
        return NO_PARTS
    if not workload.templates:
        cell = Cell(workload.queue, setting.start.queues[workload.index], Queue)
        return Parts(cells=(cell,), tallies=(crowds.by_class(workload),))
    world, queue = setting.world, setting.start.queues[workload.index]
    state = setting.start.owners[workload.index]
    own = (Cell(workload.cell, state, LoneState),) if isinstance(state, LoneState) else ()
    return Parts(
        cells=(
            *own,
            Cell(workload.queue, queue, Queue),
            *(Cell(sync, IDLE, Sync) for sync in workload.syncs),
        ),
        tallies=(
            *tallies(world, workload),
            *_claims(world, workload),
            *((crowds.serving(workload),) if setting.may_happen(*NODE_FAILURES) else ()),
        ),
        bests=bests(world, workload),
        rules=rules(world, workload),
        bounds=(_pod_bound(world, workload, setting.choices.max_pods),),
    )


def _claims(world: World, workload: Workload) -> Iterator[Tally]:
    """What only those are counted for who claim pods, or whose pods are claimed."""
    keys = (Key(world, workload, template) for template in range(workload.templates))
    yield from (claiming.tally(key) for key in keys if claiming.claimings(key))
    if workload.others:
        yield crowds.by_class(workload)


def _forgets_of(setting: Setting, workload: Workload) -> tuple[Forgetting, ...]:
    templates = range(len(workload.syncs))
    return tuple(_sync_forgotten(Key(setting.world, workload, t)) for t in templates)


def _sync_forgotten(key: Key) -> Forgetting:
    """Expectations, and whom a sync has chosen: those on nodes first, then all else."""
    workload, slots = key.workload, key.workload.slots(key.template)

    def lose(sync: Sync, queue: Queue, owned: Owned) -> Iterator[Loss]:
        if owned.chosen == sum(queue.chosen[slot] for slot in slots):
            kept = queue
            for slot in slots:
                kept = kept.with_free(slot, kept.chosen[slot])
                kept = kept._replace(chosen=replaced(kept.chosen, slot, 0))
            writes = {key.cell: IDLE, workload.queue: kept}
            lost = "its expectations and the rest of its sync are lost"
            why = lost if under_way(sync, owned) else NOTHING_IN_HAND
            yield Loss(writes, why, (("template", key.template),))

    def unmark(pods: Pods) -> Iterator[Loss]:
        after = pods
        for pod_class in key.members:
            after = unmarked(after, pod_class, Marks.CHOSEN)
        if after != pods:
            why = "whom its sync had chosen to delete is lost"
            yield Loss({PODS: after}, why, key.about)

    actor = actor_of(workload)
    victims_on_nodes = Forgetting(
        what=f"victims of {key.cell}", actor=actor, cells=(PODS,), lose=unmark
    )
    return Forgetting(
        what=key.cell,
        actor=actor,
        cells=(key.cell, workload.queue),
        lose=lose,
        reads=(owned_name(workload, key.template),),
        before=(victims_on_nodes,),
    )


def _pod_bound(world: World, workload: Workload, most: int) -> Bound:
    def within(pods: Counts) -> bool:
        return sum(pods) <= most

    view = View(reads=(world.existing(workload),))
    return Bound(f"at most {most} pods of {workload.cell}", view, within)


COMPONENT = Component(
    name="replicaset",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts_of=_parts_of,
    actions=ACTIONS,
    annotations=(POD_DELETION_COST,),
    forgets_of=_forgets_of,
    owners=OWNERS,
    events=(claiming.RELABELLING,),
)
