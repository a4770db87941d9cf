"""The Deployment controller: one PUT, POST or DELETE of a ReplicaSet a step.

Source: pkg/controller/deployment/deployment_controller.go, sync.go, rolling.go, recreate.go. A sync
reads, decides on some writes, and sends one after the other while others act. What it has read is
kept only once it is no longer what is: whoever changes what the controller reads does so either
before a sync reads it or after (`overtaken`), which leaves the sync with a plan. The rest of a plan
is dropped when a ReplicaSet that it would write has changed in between (409 Conflict).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from kubelemma.model.cluster import crowds
from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike
from kubelemma.model.cluster.forgetting import NOTHING_IN_HAND, Forgetting, Loss
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import (
    IDLE,
    Counts,
    DeploymentState,
    PlannedWrite,
    Queue,
    SetState,
    Verb,
    replaced,
    until_conflict,
)
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.kubelet.actions import NODE_CRASH, NODE_PARTITION
from kubelemma.model.components.podgc.actions import OUT_OF_SERVICE
from kubelemma.model.components.replicaset.actions import CREATE_POD
from kubelemma.model.components.replicaset.rules import creations
from kubelemma.model.components.users.actions import SCALE
from kubelemma.model.system import Cell, Outcome, Rule

from . import decision
from .actions import (
    ACTIONS,
    ANNOTATE_REVISION,
    CREATE_REPLICASET,
    DELETE_REPLICASET,
    GIVE_UP_SYNC,
    SCALE_REPLICASET,
)
from .events import EVENTS
from .owner import OWNER, rollout_of

DEPLOYMENT = "deployment-controller"

Plan = tuple[PlannedWrite, ...]
Alive = tuple[Counts, ...]
"""All pods of a Deployment by template, where its controller looks at pods; else nothing."""
Planned = Callable[[DeploymentState, Alive], Plan]
"""What a sync writes of a Deployment."""

PLANS_KEPT = 1 << 14
"""The plans of syncs that are remembered for each Deployment."""


def rules(workload: Workload) -> tuple[Rule, ...]:
    """Rules of the controller for one Deployment."""
    cells = workload.cells if workload.outgrows_history else (workload.cell,)

    def outcomes(deployment: DeploymentState, *seen: Any) -> Iterator[Outcome]:
        owned, alive = seen[: len(cells) - 1], seen[len(cells) - 1 :]
        return _send(workload, deployment, owned, alive)

    name = f"sync {workload.label}"
    return (Rule(name, DEPLOYMENT, cells, outcomes, _pods_read(workload)),)


def _pods_read(workload: Workload) -> tuple[str, ...]:
    """What a sync reads beside the Deployment and its ReplicaSets."""
    return (workload.tally("alive"),) if workload.recreate else ()


def _send(
    workload: Workload, deployment: DeploymentState, owned: tuple[Any, ...], alive: Alive
) -> Iterator[Outcome]:
    """Send the next write of the sync under way, or the first of a new one.

    ``owned`` is what goes with a ReplicaSet, the queue first, where one may be deleted.
    """
    plan = deployment.plan or planned(workload, deployment, alive)
    if not plan:
        return
    why = "its sync had decided on this before" if deployment.plan else ""
    if deployment.plan and plan[0].verb in (Verb.REVISE, Verb.RESIZE):
        yield _conflict(workload, deployment)
    write, rest = plan[0], deployment._replace(plan=plan[1:])
    match write.verb:
        case Verb.REVISE:
            yield _adopt_revision(workload, rest, write)
        case Verb.CREATE:
            limits = f"no ReplicaSet has the current template; {_limits(workload, deployment)}"
            yield _post(workload, rest, write, why or limits)
        case Verb.RESIZE:
            yield _put(workload, rest, write, why or _reason(workload, deployment))
        case _:
            yield _delete(workload, rest, write, owned[0])


# What a sync decides


def planned(workload: Workload, deployment: DeploymentState, alive: Alive) -> Plan:
    """All that a sync writes that reads now."""
    if _revision_is_old(deployment):
        return (PlannedWrite(Verb.REVISE, deployment.template),)
    verdict = decide(workload, deployment, old_running=old_pods(deployment, alive))
    templates = [*(s.template for s in deployment.sets), deployment.template]
    create = verdict.create
    return (
        *([PlannedWrite(Verb.CREATE, deployment.template, *create)] if create else ()),
        *(
            PlannedWrite(Verb.RESIZE, templates[p.index], p.replicas, p.desired, p.max_replicas)
            for p in verdict.puts
        ),
        *(PlannedWrite(Verb.DELETE, templates[index]) for index in verdict.deletes),
    )


def old_pods(deployment: DeploymentState, alive: Alive) -> bool:
    """Whether Recreate waits for pods of old ReplicaSets; none that is kept has finished."""
    old = [s.template for s in deployment.sets if s.template != deployment.template]
    running = ("Running" for counts in alive for template in old for _ in range(counts[template]))
    return decision.old_pods_running(_views(deployment), _new(deployment), running)


def decide(workload: Workload, deployment: DeploymentState, *, old_running: bool) -> decision.Sync:
    """What a sync that starts now would write, given whether pods of old ReplicaSets run."""
    rollout = rollout_of(workload, deployment.strategy)
    bounds = decision.RollingUpdate(rollout.max_surge, rollout.max_unavailable)
    status = _status(deployment)
    view = decision.DeploymentView(
        replicas=deployment.replicas,
        rolling_update=None if rollout.recreate else bounds,
        paused=deployment.paused,
        status_replicas=status.replicas,
        complete=decision.deployment_complete(deployment.replicas, status),
        revision_history_limit=(
            rollout.revision_history_limit if workload.outgrows_history else None
        ),
    )
    return decision.sync(view, _views(deployment), _new(deployment), old_running=old_running)


def _views(deployment: DeploymentState) -> decision.Sets:
    return tuple(_view(s, age) for age, s in enumerate(deployment.sets))


def _view(replica_set: SetState, age: int) -> decision.ReplicaSetView:
    return decision.ReplicaSetView(
        replicas=replica_set.replicas,
        status_replicas=replica_set.status_replicas,
        available=replica_set.status_available,
        desired=replica_set.desired,
        max_replicas=replica_set.maximum,
        created=age,
        revision=replica_set.revision,
    )


def _new(deployment: DeploymentState) -> int | None:
    """The position of the ReplicaSet of the current template."""
    templates = [s.template for s in deployment.sets]
    return templates.index(deployment.template) if deployment.template in templates else None


def _status(deployment: DeploymentState) -> decision.Status:
    """The Deployment's own status, which adds up those of its ReplicaSets.

    It is of an older spec as long as the template, which is then new, has no ReplicaSet.
    """
    new = _new(deployment)
    return decision.calculate_status(_views(deployment), new)._replace(observed=new is not None)


# What it writes


def _post(
    workload: Workload, deployment: DeploymentState, write: PlannedWrite, why: str
) -> Outcome:
    """Create the ReplicaSet of the template that was the current one when it was decided on."""
    created = SetState(
        write.template,
        len(deployment.sets) + 1,
        write.replicas,
        write.desired,
        write.maximum,
    )
    after = deployment._replace(sets=(*deployment.sets, created))
    arguments = (("template", write.template), ("replicas", write.replicas))
    return Outcome(CREATE_REPLICASET, {workload.cell: after}, arguments, why)


def _put(workload: Workload, deployment: DeploymentState, write: PlannedWrite, why: str) -> Outcome:
    before = next(s for s in deployment.sets if s.template == write.template)
    changed = before._replace(replicas=write.replicas, desired=write.desired, maximum=write.maximum)
    arguments = (("template", write.template), ("replicas", write.replicas))
    return Outcome(SCALE_REPLICASET, {workload.cell: deployment.with_set(changed)}, arguments, why)


def _conflict(workload: Workload, deployment: DeploymentState) -> Outcome:
    """The PUT fails, as its ReplicaSet has been written in between, and the plan is dropped.

    That may be a status with nothing new in it but what is not kept here, such as the generation
    that its controller has observed, or how many pods are Ready.
    """
    why = "409 Conflict: the ReplicaSet's status has been written since the sync had read it"
    arguments = (("template", deployment.plan[0].template),)
    after = deployment._replace(plan=())
    return Outcome(GIVE_UP_SYNC, {workload.cell: after}, arguments, why)


def _adopt_revision(
    workload: Workload, deployment: DeploymentState, write: PlannedWrite
) -> Outcome:
    """Going back to a template makes its ReplicaSet the newest revision; ranks stay dense."""
    order = sorted(deployment.sets, key=lambda s: (s.template == write.template, s.revision))
    rank = {s.template: i for i, s in enumerate(order, 1)}
    sets = tuple(s._replace(revision=rank[s.template]) for s in deployment.sets)
    why = "the ReplicaSet of the current template becomes the newest revision"
    arguments = (("template", write.template),)
    return Outcome(
        ANNOTATE_REVISION, {workload.cell: deployment._replace(sets=sets)}, arguments, why
    )


def _delete(
    workload: Workload,
    deployment: DeploymentState,
    write: PlannedWrite,
    queue: Queue,
) -> Outcome:
    """Its pods without a node go with it, and what its controller has in hand."""
    gone = next(s for s in deployment.sets if s.template == write.template)
    sets = tuple(
        s._replace(revision=s.revision - (s.revision > gone.revision))
        for s in deployment.sets
        if s is not gone
    )
    left = queue
    for slot in workload.slots(write.template):
        left = Queue(*(replaced(counts, slot, 0) for counts in left))
    writes = {
        workload.cell: deployment._replace(sets=sets),
        workload.queue: left,
        workload.sync(write.template): IDLE,
    }
    limit = rollout_of(workload, deployment.strategy).revision_history_limit
    why = f"it is empty, and more than {limit} old revisions are kept"
    return Outcome(DELETE_REPLICASET, writes, (("template", write.template),), why)


def _reason(workload: Workload, deployment: DeploymentState) -> str:
    sizes = " + ".join(str(s.replicas) for s in deployment.sets)
    available = sum(s.status_available for s in deployment.sets)
    return (
        f"{_limits(workload, deployment)}; it sees ReplicaSets of {sizes} with {available} "
        f"available pods"
    )


def _limits(workload: Workload, deployment: DeploymentState) -> str:
    rollout = rollout_of(workload, deployment.strategy)
    if rollout.recreate:
        return f"spec.replicas is {deployment.replicas}, strategy Recreate"
    surge, unavailable = decision.resolve_fenceposts(
        rollout.max_surge, rollout.max_unavailable, deployment.replicas
    )
    most = deployment.replicas + surge
    least = deployment.replicas - min(unavailable, deployment.replicas)
    return f"it may have at most {most} pods in all and must keep {least} available"


def _revision_is_old(deployment: DeploymentState) -> bool:
    current = deployment.current()
    return current is not None and current.revision < max(s.revision for s in deployment.sets)


# What others change while a sync is under way


def overtaken(workload: Workload, rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules, where those of others may also write what a sync under way has read before.

    The sync then goes on by what it had read, as far as its writes do not conflict.
    """
    creating = creations(workload) if workload.recreate else frozenset()
    # Of one Deployment it is asked many times, once for each thing that others may write beside it.
    planned_of = lru_cache(PLANS_KEPT)(lambda *seen: planned(workload, *seen))
    for rule in rules:
        if rule.name in creating or (workload.cell in rule.cells and rule.actor != DEPLOYMENT):
            yield _overtaken(workload, rule, planned_of)
        else:
            yield rule


def _overtaken(workload: Workload, rule: Rule, planned_of: Planned) -> Rule:
    cells = tuple(dict.fromkeys((*rule.cells, workload.cell)))
    pods = _pods_read(workload)
    at, own, end = cells.index(workload.cell), len(rule.cells), len(rule.reads)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        reads = values[len(cells) :]
        for outcome in rule.outcomes(*values[:own], *reads[:end]):
            yield outcome
            plan = _left_behind(workload, planned_of, values[at], reads[end:], outcome)
            if plan:
                after = outcome.writes.get(workload.cell, values[at])._replace(plan=plan)
                why = f"{outcome.why}; a sync of the Deployment has read before that"
                yield outcome._replace(writes={**outcome.writes, workload.cell: after}, why=why)

    writes = tuple(dict.fromkeys((*rule.writable, workload.cell)))
    reads = (*rule.reads, *pods)
    return replace(rule, cells=cells, reads=reads, outcomes=outcomes, writes=writes)


def _left_behind(
    workload: Workload,
    planned_of: Planned,
    before: DeploymentState,
    alive: Alive,
    outcome: Outcome,
) -> Plan:
    """The plan of a sync that had read before this; empty where reading after it is the same.

    What such a sync would write of a Deployment that is deleted is not found, or collected.
    """
    after = outcome.writes.get(workload.cell, before)
    if before.plan or after.absent:
        return ()
    plan = planned_of(before, alive)
    for then, now in zip(before.sets, after.sets, strict=False):
        if then != now:
            plan = until_conflict(plan, now.template)
    return () if plan == planned_of(after, _with_created(workload, alive, outcome)) else plan


def _with_created(workload: Workload, alive: Alive, outcome: Outcome) -> Alive:
    """All pods after the outcome of a rule that creates one, or does nothing to them."""
    created = dict(outcome.arguments).get("class") if outcome.action == CREATE_POD else None
    if created not in workload.classes:
        return alive
    template = workload.classes.index(created)
    return tuple(replaced(counts, template, counts[template] + 1) for counts in alive)


# The component


def _parts_of(setting: Setting, workload: Workload) -> Parts:
    if workload.rollout is None:
        return NO_PARTS
    initial = setting.start.owners[workload.index]
    return Parts(
        cells=(Cell(workload.cell, initial, DeploymentState),),
        tallies=(crowds.running(workload),) if may_run_twice(workload, setting.events) else (),
        rules=rules(workload),
    )


def may_run_twice(workload: Workload, events: Iterable[Event]) -> bool:
    """Whether pods that are replaced one after another may be cut off, and run on elsewhere.

    Where somebody scales, more of them may run as is meant. Where a machine may boot, what it has
    left to remove would count as running, though nothing starts it.
    """
    actions = {e.action for e in events if e.workload in (workload.index, -1)}
    alone = bool(workload.rollouts) and all(rollout.recreate for rollout in workload.rollouts)
    return alone and NODE_PARTITION in actions and actions.isdisjoint(_OTHERWISE)


_OTHERWISE = frozenset({SCALE, NODE_CRASH, OUT_OF_SERVICE})


def _forgets_of(_setting: Setting, workload: Workload) -> tuple[Forgetting, ...]:
    if workload.rollout is None:
        return ()

    def lose(deployment: DeploymentState) -> Iterator[Loss]:
        why = "the rest of its sync is lost" if deployment.plan else NOTHING_IN_HAND
        yield Loss({workload.cell: deployment._replace(plan=())}, why)

    what = f"the plan of {workload.cell}"
    return (Forgetting(what=what, actor=DEPLOYMENT, cells=(workload.cell,), lose=lose),)


def _overhears(setting: Setting, found: tuple[Rule, ...]) -> tuple[Rule, ...]:
    for workload in setting.world.workloads:
        if workload.rollout is not None:
            found = tuple(overtaken(workload, found))
    return found


def _recreates(setting: Setting) -> bool:
    """The strategy Recreate waits for pods that terminate."""
    return any(workload.recreate for workload in setting.world.workloads)


COMPONENT = Component(
    name="deployment",
    distinguishes=all_nodes_alike,
    needs_terminating=_recreates,
    parts_of=_parts_of,
    actions=ACTIONS,
    owners=(OWNER,),
    events=EVENTS,
    forgets_of=_forgets_of,
    overhears=_overhears,
)
