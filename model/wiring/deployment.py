"""The Deployment controller: one PUT or POST of a ReplicaSet a step.

Source: pkg/controller/deployment/deployment_controller.go, sync.go, rolling.go, recreate.go. A sync
that decides on several PUTs sends the first; the rest stays planned while others act, and is
dropped when a ReplicaSet it would write has changed in between (409 Conflict).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.controllers import deployment as decision
from kubelemma.model.system import Outcome, Rule

from .state import IDLE, Counts, DeploymentState, PlannedWrite, SetState, Syncs, replaced
from .world import Workload

DEPLOYMENT = "deployment-controller"


def rules(workload: Workload) -> tuple[Rule, ...]:
    """Rules of the controller for one Deployment."""
    cells = workload.cells if workload.outgrows_history else (workload.cell,)
    reads = (workload.tally("alive"),) if workload.recreate else ()

    def outcomes(deployment: DeploymentState, *seen: Any) -> Iterator[Outcome]:
        owned, alive = seen[: len(cells) - 1], seen[len(cells) - 1 :]
        old_pods = any(_has_old_pods(deployment, counts) for counts in alive)
        return _sync(workload, deployment, owned, old_pods=old_pods)

    name = f"sync {workload.namespace}/{workload.name}"
    return (Rule(name, DEPLOYMENT, cells, outcomes, reads),)


def _has_old_pods(deployment: DeploymentState, alive: Counts) -> bool:
    """Whether pods of ReplicaSets of other templates than the current one exist."""
    old = (s.template for s in deployment.sets if s.template != deployment.template)
    return any(alive[template] for template in old)


def _sync(
    workload: Workload, deployment: DeploymentState, owned: tuple[Any, ...], *, old_pods: bool
) -> Iterator[Outcome]:
    """``owned`` is what goes with a ReplicaSet: queue and syncs, where one may be deleted."""
    if deployment.plan:
        yield _put(workload, deployment, deployment.plan, "its sync had decided on this before")
        return
    if _revision_is_old(deployment):
        yield _adopt_revision(workload, deployment)
        return
    verdict = decide(workload, deployment, old_pods=old_pods)
    if verdict.create is not None:
        yield _post(workload, deployment, verdict.create, verdict.puts)
    elif verdict.puts:
        why = _reason(workload, deployment)
        yield _put(workload, deployment, _planned(deployment, verdict.puts), why)
    elif verdict.deletes:
        yield _delete(workload, deployment, verdict.deletes[0], *owned)


def decide(workload: Workload, deployment: DeploymentState, *, old_pods: bool) -> decision.Sync:
    """What a sync that starts now would write, given whether pods of old ReplicaSets exist."""
    bounds = decision.RollingUpdate(workload.max_surge, workload.max_unavailable)
    view = decision.DeploymentView(
        replicas=deployment.replicas,
        rolling_update=None if workload.recreate else bounds,
        paused=deployment.paused,
        status_replicas=sum(s.status_replicas for s in deployment.sets),
        complete=_complete(deployment),
        revision_history_limit=(
            workload.revision_history_limit if workload.outgrows_history else None
        ),
    )
    sets = tuple(_view(s, age) for age, s in enumerate(deployment.sets))
    return decision.sync(view, sets, _new(deployment), old_running=old_pods)


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


def _complete(deployment: DeploymentState) -> bool:
    """By the statuses of the ReplicaSets, which the Deployment's own status adds up."""
    current = deployment.current()
    wanted = deployment.replicas
    return (
        current is not None
        and current.status_replicas == wanted
        and sum(s.status_replicas for s in deployment.sets) == wanted
        and sum(s.status_available for s in deployment.sets) == wanted
    )


def _planned(
    deployment: DeploymentState, puts: tuple[decision.Write, ...], created: int = -1
) -> tuple[PlannedWrite, ...]:
    """Writes by template instead of by position; ``created`` is the one just posted."""
    templates = [*(s.template for s in deployment.sets), created]
    return tuple(
        PlannedWrite(templates[p.index], p.replicas, p.desired, p.max_replicas) for p in puts
    )


def _post(
    workload: Workload,
    deployment: DeploymentState,
    create: decision.CreateNew,
    puts: tuple[decision.Write, ...],
) -> Outcome:
    """Create the ReplicaSet of the current template; PUTs of the same sync remain planned."""
    revision = len(deployment.sets) + 1
    created = SetState(
        deployment.template, revision, create.replicas, create.desired, create.max_replicas
    )
    plan = _planned(deployment, puts, deployment.template)
    after = deployment._replace(sets=(*deployment.sets, created), plan=plan)
    why = f"no ReplicaSet has the current template; {_limits(workload, deployment)}"
    arguments = (("template", deployment.template), ("replicas", create.replicas))
    return Outcome("create-replicaset", {workload.cell: after}, arguments, why)


def _put(
    workload: Workload, deployment: DeploymentState, plan: tuple[PlannedWrite, ...], why: str
) -> Outcome:
    write, rest = plan[0], plan[1:]
    before = next(s for s in deployment.sets if s.template == write.template)
    changed = before._replace(replicas=write.replicas, desired=write.desired, maximum=write.maximum)
    after = deployment.with_set(changed)._replace(plan=rest)
    arguments = (("template", write.template), ("replicas", write.replicas))
    return Outcome("scale-replicaset", {workload.cell: after}, arguments, why)


def _reason(workload: Workload, deployment: DeploymentState) -> str:
    sizes = " + ".join(str(s.replicas) for s in deployment.sets)
    available = sum(s.status_available for s in deployment.sets)
    return (
        f"{_limits(workload, deployment)}; it sees ReplicaSets of {sizes} with {available} "
        f"available pods"
    )


def _limits(workload: Workload, deployment: DeploymentState) -> str:
    if workload.recreate:
        return f"spec.replicas is {deployment.replicas}, strategy Recreate"
    surge, unavailable = decision.resolve_fenceposts(
        workload.max_surge, workload.max_unavailable, deployment.replicas
    )
    most = deployment.replicas + surge
    least = deployment.replicas - min(unavailable, deployment.replicas)
    return f"it may have at most {most} pods in all and must keep {least} available"


def _revision_is_old(deployment: DeploymentState) -> bool:
    current = deployment.current()
    return current is not None and current.revision < max(s.revision for s in deployment.sets)


def _adopt_revision(workload: Workload, deployment: DeploymentState) -> Outcome:
    """Going back to a template makes its ReplicaSet the newest revision; ranks stay dense."""
    order = sorted(deployment.sets, key=lambda s: (s.template == deployment.template, s.revision))
    rank = {s.template: i for i, s in enumerate(order, 1)}
    sets = tuple(s._replace(revision=rank[s.template]) for s in deployment.sets)
    why = "the ReplicaSet of the current template becomes the newest revision"
    arguments = (("template", deployment.template),)
    return Outcome(
        "annotate-revision", {workload.cell: deployment._replace(sets=sets)}, arguments, why
    )


def _delete(
    workload: Workload,
    deployment: DeploymentState,
    position: int,
    queue: Counts,
    syncs: Syncs,
) -> Outcome:
    """Its pods without a node go with it, and what its controller remembers."""
    gone = deployment.sets[position]
    sets = tuple(
        s._replace(revision=s.revision - (s.revision > gone.revision))
        for s in deployment.sets
        if s is not gone
    )
    writes = {
        workload.cell: deployment._replace(sets=sets),
        workload.queue: replaced(queue, gone.template, 0),
        workload.syncs: replaced(syncs, gone.template, IDLE),
    }
    why = f"it is empty, and more than {workload.revision_history_limit} old revisions are kept"
    return Outcome("delete-replicaset", writes, (("template", gone.template),), why)
