"""What drains promise: DRAIN-*."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, chain
from typing import Any

from kubelemma.model.cluster.columns import PODS, SHAPE
from kubelemma.model.cluster.state import ACTIVE, Counts, Marks, Pods, Specs
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.disruption.rules import (
    NO_COUNTS,
    Covering,
    Guard,
    counted,
    guards,
)
from kubelemma.model.components.drain.actions import DRAIN_DELETE, GIVE_UP_EVICTION, START_DRAIN
from kubelemma.model.components.drain.decision import Options
from kubelemma.model.components.drain.rules import LISTED, options_of, refusal
from kubelemma.model.components.eviction.actions import EVICT_POD, GRANT_EVICTION
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import EachStep, LeadsTo
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"
_KUBECTL = "staging/src/k8s.io/kubectl/pkg/drain/drain.go"

TAKES = frozenset({GRANT_EVICTION, EVICT_POD, DRAIN_DELETE})
"""What takes healthy pods away."""

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="DRAIN-1",
        title="Drains complete",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A drain that goes on comes to its end: every pod that it has listed is gone, or the "
            "drain gives it up."
        ),
        why="Nodes that cannot be drained cannot be upgraded, and autoscalers keep them for ever.",
        conditions=(
            "Users and faults stop in the end, and a timeout is not counted on. Where no machine "
            "may be down, a pod that is deleted is taken to be gone: it ends by itself."
        ),
        source=f"{_DOCS}; {_KUBECTL}",
        components=("kubectl-drain", "api-server", "disruption-controller"),
        remediation=(
            "See what the budget waits for. A budget that allows nothing even when all is well "
            "(maxUnavailable 0, or minAvailable as high as the number of replicas) blocks every "
            "drain: run one replica more, or allow one to go. A budget that also covers pods of "
            "DaemonSets or Jobs, and asks for a share or maxUnavailable, allows nothing: narrow "
            "its selector. Pods that never become Ready are let go by unhealthyPodEvictionPolicy "
            "AlwaysAllow. Where no room is left for the pods that have to move, add a node first. "
            "On a machine that is down no pod ends: drain with --skip-wait-for-delete-timeout, or "
            "taint the node node.kubernetes.io/out-of-service once it is known to be down."
        ),
    ),
    Statement(
        id="DRAIN-2",
        title="Drains leave the promised pods",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "When a drain takes a pod, as many of the pods that a budget covers stay healthy as it "
            "desires; of a workload that no budget covers, at least one stays available."
        ),
        why="A drain is routine; users should not notice it.",
        conditions=(
            "When an eviction is granted, or a pod deleted without asking. The pods are counted as "
            "they are, not as the status of the budget says."
        ),
        source=f"{_DOCS}; https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
        components=("kubectl-drain", "api-server", "disruption-controller"),
        remediation=(
            "Without a budget nothing keeps a drain from taking the last pod: add a "
            "PodDisruptionBudget, run two replicas or more, and keep them on different nodes by "
            "anti-affinity or a topology spread constraint. A drain with --disable-eviction asks "
            "no budget: do without it. With a budget, an eviction may still be granted on a status "
            "that does not know of a failing probe, a crash or a scale-down yet: run one replica "
            "more than you can do without."
        ),
    ),
    Statement(
        id="DRAIN-3",
        title="Drains do not fail",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "No drain refuses to begin for the sake of a pod that it may not remove, and none "
            "gives a pod up because its eviction fails."
        ),
        why="A drain that fails leaves the node cordoned, with its pods, until somebody looks.",
        conditions="Ends by a timeout are not counted, nor are requests that get lost.",
        source=f"{_DOCS}; {_KUBECTL}; pkg/registry/core/pod/storage/eviction.go",
        components=("kubectl-drain", "api-server"),
        remediation=(
            "Two budgets that cover one pod make every eviction of it fail: keep one of them, or "
            "make their selectors disjoint. Pods without a controller need force, pods with an "
            "emptyDir deleteEmptyDirData, and pods of DaemonSets ignoreDaemonSets; or keep such "
            "pods away from nodes that are drained."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where somebody drains nodes."""
    world, system = scenario.world, scenario.system
    if LISTED not in {tally.name for tally in system.tallies}:
        return
    done = LeadsTo(View((), (LISTED,)), lambda left: left[0] > 0, lambda left: not left[0])
    succeeds = EachStep(
        View((SHAPE, PODS)),
        _succeeds(world, options_of(scenario.events)),
        frozenset({START_DRAIN, GIVE_UP_EVICTION}),
    )
    yield from asked(STATEMENTS, ALL_NODES, {"DRAIN-1": done, "DRAIN-3": succeeds})
    for workload in world.owners:
        yield from asked(STATEMENTS, workload.cell, {"DRAIN-2": _kept(world, workload)})


def covering(world: World, workload: Workload) -> tuple[Guard, ...]:
    """The budgets that cover pods of a workload."""
    return tuple(guard for guard in guards(world) if workload in guard.workloads(world))


def desired(guard: Guard, pods: Covering, *specs: Specs) -> int:
    """How many healthy pods a budget desires of the pods that there are."""
    return counted(guard, NO_COUNTS, pods, *specs).desired


def _kept(world: World, workload: Workload) -> EachStep:
    found = covering(world, workload)
    if not found:
        return EachStep(View(reads=(workload.tally("available"),)), _leaves_one, TAKES)
    reads = [(g.tally, *(w.tally("specs") for w in g.workloads(world))) for g in found]
    return EachStep(View(reads=tuple(chain(*reads))), _keep(found, reads), TAKES)


def _keep(found: tuple[Guard, ...], reads: list[tuple[str, ...]]) -> Any:
    """Whether each budget keeps what it desires, where it loses a healthy pod."""
    ends = tuple(accumulate(map(len, reads)))

    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        kept = []
        for guard, own, end in zip(found, reads, ends, strict=True):
            first = end - len(own)
            pods, specs = after[first], after[first + 1 : end]
            if pods[1] != before[first][1]:
                kept.append(pods[1] >= desired(guard, pods, *specs))
        return all(kept) if kept else None

    return holds


def _leaves_one(before: tuple[Counts], _action: str, after: tuple[Counts]) -> bool | None:
    then, left = sum(before[0]), sum(after[0])
    return None if left == then else left > 0


def _succeeds(world: World, options: tuple[Options, ...]) -> Any:
    """Whether nothing fails; a drain is told by what it lists, and all are asked that might be."""

    def holds(before: tuple[int, Pods], action: str, after: tuple[int, Pods]) -> bool:
        shape, pods = before
        if action == GIVE_UP_EVICTION:
            return False
        if any(group.marks & (Marks.LISTED | Marks.AWAITED) for group in after[1]):
            return True
        refused = [bool(refusal(world, each, shape, pods)) for each in options]
        return not (all(refused) or (any(refused) and _has_active(pods)))

    return holds


def _has_active(pods: Pods) -> bool:
    return any(group.phase in ACTIVE for group in pods)
