"""What drains promise: DRAIN-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.state import Counts, Specs
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.disruption.decision import Covered, disruptions
from kubelemma.model.components.disruption.rules import Guard, guards
from kubelemma.model.components.drain.rules import LISTED
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import EachStep, LeadsTo
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="DRAIN-1",
        title="Drains complete",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A drain that goes on comes to its end: every pod that it has listed is removed from "
            "its node, or the drain gives it up."
        ),
        why="Nodes that cannot be drained cannot be upgraded, and autoscalers keep them for ever.",
        conditions=(
            "Users and faults stop in the end. A drain with a timeout may end by that, and need "
            "not."
        ),
        source=f"{_DOCS}; staging/src/k8s.io/kubectl/pkg/drain/drain.go",
        components=("kubectl-drain", "api-server", "disruption-controller"),
        remediation=(
            "See what the budget waits for. A budget that allows nothing even when all is well "
            "(maxUnavailable 0, or minAvailable as high as the number of replicas) blocks every "
            "drain: run one replica more, or allow one to go. Pods that never become Ready are let "
            "go by unhealthyPodEvictionPolicy AlwaysAllow. Where no room is left for the pods that "
            "have to move, add a node first."
        ),
    ),
    Statement(
        id="DRAIN-2",
        title="Drains leave the promised pods available",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "Whatever drains and evictions do, as many pods of a workload stay available as its "
            "budget promises, and at least one where it has none."
        ),
        why="A drain is routine; users should not notice it.",
        conditions="When an available pod is evicted, or deleted by a drain. Of 0 replicas: none.",
        source=f"{_DOCS}; https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
        components=("kubectl-drain", "api-server", "disruption-controller"),
        remediation=(
            "Without a budget nothing keeps a drain from taking the last pod: add a "
            "PodDisruptionBudget, run two replicas or more, and keep them on different nodes by "
            "anti-affinity or a topology spread constraint. With a budget, an eviction may still "
            "be granted on a status that does not know of a failing probe or a scale-down yet: run "
            "one replica more than you can do without."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where somebody drains nodes."""
    world, system = scenario.world, scenario.system
    if LISTED not in {tally.name for tally in system.tallies}:
        return
    done = LeadsTo(View((), (LISTED,)), lambda left: left[0] > 0, lambda left: not left[0])
    yield from asked(STATEMENTS, ALL_NODES, {"DRAIN-1": done})
    for workload in world.workloads:
        specs, available = workload.tally("specs"), workload.tally("available")
        kept = EachStep(
            View(reads=(specs, available)),
            _keeps(world, workload),
            frozenset({"evict-pod", "drain-delete"}),
        )
        yield from asked(STATEMENTS, workload.cell, {"DRAIN-2": kept})


def promised(world: World, workload: Workload, replicas: int) -> int:
    """How many available pods drains have to leave, of so many replicas."""
    own = [g for g in guards(world) if set(g.classes) >= set(workload.classes)]
    least = [_desired(guard, replicas) for guard in own if guard.workloads(world) == (workload,)]
    return min(replicas, max([1, *least]))


def _desired(guard: Guard, replicas: int) -> int:
    covered = Covered(pods=replicas, healthy=replicas, scale=replicas)
    return disruptions(guard.budget.spec, covered).desired_healthy


def _keeps(world: World, workload: Workload) -> Any:
    def holds(
        before: tuple[Specs, Counts], _action: str, after: tuple[Specs, Counts]
    ) -> bool | None:
        then, left = sum(before[1]), sum(after[1])
        if left == then:
            return None
        return left >= promised(world, workload, after[0].replicas)

    return holds
