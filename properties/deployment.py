"""What Deployments promise: DEP-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.cluster.state import Counts, DeploymentState, Specs
from kubelemma.model.cluster.world import IN_VAIN, SOUND, Workload, World
from kubelemma.model.components.deployment.actions import CREATE_REPLICASET, SCALE_REPLICASET
from kubelemma.model.components.deployment.decision import resolve_fenceposts
from kubelemma.model.components.deployment.owner import rollout_of
from kubelemma.model.components.deployment.rules import may_run_twice
from kubelemma.model.components.replicaset.actions import CREATE_POD, DELETE_POD
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Converges, EachStep, Formula, NeverStuck, StepPredicate
from .statement import Kind, Property, Severity, Statement, asked

_ROLLING = "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"
_PKG = "pkg/controller/deployment"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="DEP-1",
        title="Rolling updates stay within maxSurge",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "When the Deployment controller sizes ReplicaSets, their spec.replicas sum up to at "
            "most spec.replicas + maxSurge."
        ),
        why="Capacity and quotas are planned for replicas + maxSurge; more pods may not fit.",
        conditions=(
            "RollingUpdate only; of spec.replicas as the controller had read it. A sum that is too "
            "large already (the user has just lowered spec.replicas) must not grow."
        ),
        source=f"{_ROLLING}#max-surge; {_PKG}/util/deployment_util.go",
        components=("deployment-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
    Statement(
        id="DEP-2",
        title="Rolling updates keep the promised pods available",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "When the ReplicaSet controller deletes an available pod, at least spec.replicas - "
            "maxUnavailable pods of the Deployment are available afterwards."
        ),
        why=(
            "maxUnavailable is what users rely on to keep serving during a rollout. Pods lost to "
            "crashes do not count against it, but a deletion on top of such a loss does."
        ),
        conditions=(
            "RollingUpdate only; of spec.replicas now and as the Deployment controller last saw "
            "it, the lower one counts. Available is what the API shows."
        ),
        source=f"{_ROLLING}#max-unavailable; {_PKG}/rolling.go",
        components=("deployment-controller", "replicaset-controller"),
        remediation=(
            "The controllers act on what they saw a moment earlier, so no setting closes this "
            "window while pods may fail during a rollout. Plan for it: run one replica more than "
            "you can do without."
        ),
    ),
    Statement(
        id="DEP-3",
        title="Recreate never runs two versions at once",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement="With strategy Recreate, pods of two templates never exist at the same time.",
        why="Recreate is chosen where two versions must not run together, as with one database.",
        conditions="No force deletion; pods that are terminating count as existing.",
        source=f"{_ROLLING}#recreate-deployment; {_PKG}/recreate.go",
        components=("deployment-controller", "replicaset-controller", "kubelet"),
        remediation=(
            "Do not start a rollout while the Deployment is being scaled; where two versions must "
            "never meet, let the application take a lock of its own."
        ),
    ),
    Statement(
        id="DEP-4",
        title="Rollouts complete",
        kind=Kind.LIVENESS,
        severity=Severity.CRITICAL,
        statement=(
            "Once users and faults stop, the Deployment reaches a state in which all its pods are "
            "of the current template, spec.replicas of them are available, and old ReplicaSets "
            "are empty; and it stays there."
        ),
        why="A rollout that cannot finish leaves a mix of versions and blocks every later one.",
        conditions=(
            "Asked of Deployments that are not paused and whose current template becomes Ready "
            "when started and carries no scheduling gates."
        ),
        source=f"{_ROLLING}#complete-deployment; {_PKG}/progress.go",
        components=("deployment-controller", "replicaset-controller", "scheduler", "kubelet"),
        remediation=(
            "Where the story ends in a loop, look for whoever removes the pods again, as for RS-1. "
            "Else look at what the pending pods wait for. Either give them room (one more "
            "node, smaller requests, softer constraints), or let old pods go first: "
            "maxUnavailable of at least 1, with maxSurge 0 where nothing extra fits."
        ),
    ),
    Statement(
        id="DEP-6",
        title="One ReplicaSet per template",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement="A Deployment never has two ReplicaSets of one pod template.",
        why="Two would both be scaled for the same revision and break every count.",
        conditions="Per Deployment uid and collision count.",
        source=f"{_PKG}/sync.go",
        components=("deployment-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
    Statement(
        id="DEP-9",
        title="A version that never runs leaves somebody to serve",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "While the pods of the current template never become Ready, the ReplicaSet controller "
            "does not delete the last available pod of the Deployment."
        ),
        why=(
            "A wrong tag, or a program that does not come up, is then a rollout that waits, and no "
            "outage."
        ),
        conditions=(
            "RollingUpdate only, and spec.replicas of at least 1; asked where the scenario has a "
            "version that never becomes Ready, or whose image cannot be pulled."
        ),
        source=f"{_ROLLING}#failed-deployment; {_PKG}/rolling.go",
        components=("deployment-controller", "replicaset-controller"),
        remediation=(
            "Let fewer pods be missing during a rollout than there are: maxUnavailable 0 with a "
            "maxSurge of at least 1, or more replicas."
        ),
    ),
    Statement(
        id="DEP-10",
        title="A single pod runs once",
        kind=Kind.SAFETY,
        severity=Severity.MEDIUM,
        statement=(
            "Of a Deployment with the strategy Recreate and one replica never two pods run at the "
            "same time, whatever machine is cut off."
        ),
        why=(
            "Who must be alone, as it writes to what others write to, is often made with one "
            "replica and Recreate; but a ReplicaSet promises as many pods as are asked for, and "
            "not that no more of them run."
        ),
        conditions=(
            "Recreate only, and spec.replicas 1; asked where a machine may be cut off "
            "(nodePartition), none crashes or is switched off, and nobody scales."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/; "
            "pkg/controller/replicaset/replica_set.go"
        ),
        components=("replicaset-controller", "taint-eviction-controller"),
        remediation=(
            "Use a StatefulSet, whose pod is not replaced before it is known to be gone; or have "
            "the program hold a lock, such as a Lease, that ends by itself; or let pods tolerate "
            "node.kubernetes.io/unreachable without tolerationSeconds, and free lost machines by "
            "the taint node.kubernetes.io/out-of-service."
        ),
    ),
    Statement(
        id="STUCK",
        title="Nothing stands still short of its goal",
        kind=Kind.LIVENESS,
        severity=Severity.CRITICAL,
        statement=(
            "There is no reachable state in which no component can act any more although the "
            "Deployment is not where its owner wants it."
        ),
        why="Nobody will ever repair such a state but a person.",
        conditions="The goal and its conditions are those of DEP-4.",
        source="https://kubernetes.io/docs/concepts/architecture/controller/",
        components=("all",),
        remediation="As for DEP-4: see what the pending pods wait for.",
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Deployment."""
    for workload in scenario.world.workloads:
        if workload.rollout is None:
            continue
        found = _formulas(scenario.world, workload)
        if may_run_twice(workload, scenario.events):
            view = View(reads=(workload.tally("specs"), workload.tally("running")))
            found["DEP-10"] = Always(view, _runs_once)
        yield from asked(STATEMENTS, workload.cell, found)


def _formulas(world: World, workload: Workload) -> dict[str, Formula]:
    """The formulas of one Deployment, by property."""
    cell = workload.cell
    specs, available = workload.tally("specs"), workload.tally("available")
    whole = View(reads=(specs, workload.tally("active"), available))
    found: dict[str, Formula] = {
        "DEP-4": Converges(whole, _complete(world, workload)),
        "DEP-6": Always(View((cell,)), _distinct_templates),
        "STUCK": NeverStuck(whole, _complete(world, workload)),
    }
    if all(rollout.recreate for rollout in workload.rollouts):
        found["DEP-3"] = Always(View(reads=(specs, workload.tally("alive"))), _one_version)
    elif workload.recreate:
        crowds = View((cell,), (specs, workload.tally("alive")))
        found["DEP-3"] = EachStep(crowds, _stays_one_version(workload), frozenset({CREATE_POD}))
    if not all(rollout.recreate for rollout in workload.rollouts):
        sized = frozenset({CREATE_REPLICASET, SCALE_REPLICASET})
        found["DEP-1"] = EachStep(View((cell,)), _within_surge(workload), sized)
        deleted = frozenset({DELETE_POD})
        found["DEP-2"] = EachStep(View((cell,), (available,)), _keeps_available(workload), deleted)
        if any(world.classes[index].behaviour in IN_VAIN for index in workload.classes):
            serving = View((cell,), (available,))
            acted = frozenset({CREATE_POD, DELETE_POD})
            found["DEP-9"] = EachStep(serving, _keeps_one(world, workload), acted)
    return found


def _within_surge(workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[DeploymentState], _action: str, after: tuple[DeploymentState]
    ) -> bool | None:
        deployment = after[0]
        rollout = rollout_of(workload, deployment.strategy)
        if rollout.recreate:
            return None
        surge = rollout.max_surge.scaled(deployment.replicas, round_up=True)
        total, earlier = (sum(s.replicas for s in state[0].sets) for state in (after, before))
        read = [s.maximum for s in deployment.sets if s not in before[0].sets]
        return total <= max(deployment.replicas + surge, earlier, *read)

    return holds


def _keeps_available(workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[DeploymentState, Counts],
        _action: str,
        after: tuple[DeploymentState, Counts],
    ) -> bool | None:
        left, least = sum(after[1]), promised(workload, after[0])
        recreate = rollout_of(workload, after[0].strategy).recreate
        if left == sum(before[1]) or not least or recreate:
            return None
        return left >= least

    return holds


def _keeps_one(world: World, workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[DeploymentState, Counts],
        _action: str,
        after: tuple[DeploymentState, Counts],
    ) -> bool | None:
        deployment, were, left = after[0], sum(before[1]), sum(after[1])
        wanted = world.classes[workload.classes[deployment.template]]
        recreate = rollout_of(workload, deployment.strategy).recreate
        if not were or recreate or not deployment.replicas:
            return None
        return left > 0 if wanted.behaviour in IN_VAIN else None

    return holds


def promised(workload: Workload, deployment: DeploymentState) -> int:
    """How many pods must stay available: by the spec, or by what the controller last saw of it."""
    seen = [s.desired for s in deployment.sets if s.replicas]
    desired = min([deployment.replicas, *seen])
    rollout = rollout_of(workload, deployment.strategy)
    _, unavailable = resolve_fenceposts(rollout.max_surge, rollout.max_unavailable, desired)
    return desired - min(unavailable, desired)


def _runs_once(specs: Specs, running: tuple[int]) -> bool | None:
    return running[0] <= 1 if specs.replicas == 1 else None


def _one_version(specs: Specs, alive: Counts) -> bool | None:
    versions = [n for size, n in zip(specs.sets, alive, strict=True) if n and size >= 0]
    return None if not versions else len(versions) == 1


def _stays_one_version(workload: Workload) -> StepPredicate:
    """Where the strategy becomes Recreate only later: from then on, once there is one version."""

    def holds(
        before: tuple[DeploymentState, Specs, Counts],
        _action: str,
        after: tuple[DeploymentState, Specs, Counts],
    ) -> bool | None:
        recreates = rollout_of(workload, before[0].strategy).recreate
        if not recreates or _one_version(*before[1:]) is False:
            return None
        return _one_version(*after[1:])

    return holds


def _distinct_templates(deployment: DeploymentState) -> bool:
    return len({s.template for s in deployment.sets}) == len(deployment.sets)


def _complete(world: World, workload: Workload) -> Callable[[Specs, Counts, Counts], bool]:
    def goal(specs: Specs, active: Counts, available: Counts) -> bool:
        wanted = world.classes[workload.classes[specs.template]]
        if specs.paused or wanted.gated or wanted.behaviour not in SOUND:
            return True
        asked = tuple(max(size, 0) for size in specs.sets)
        own = range(workload.templates)
        complete = tuple(specs.replicas if t == specs.template else 0 for t in own)
        return asked == active == available == complete

    return goal
