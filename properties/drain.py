"""What drains promise: DRAIN-*."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple, Self

from kubelemma.model.cluster.events import budget_names
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Counts, Specs
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.cloudnodelifecycle.actions import COLLECT_ORPHAN
from kubelemma.model.components.disruption.rules import (
    NO_COUNTS,
    Covering,
    Guard,
    counted,
    guards,
)
from kubelemma.model.components.drain.actions import (
    DRAIN_DELETE,
    GIVE_UP_EVICTION,
    REFUSE_DRAIN,
    START_DRAIN,
)
from kubelemma.model.components.drain.rules import LISTED
from kubelemma.model.components.eviction.actions import EVICT_POD, GRANT_EVICTION
from kubelemma.model.components.kubelet.actions import (
    END_POD,
    EVICT_SHORT,
    MEMORY_SHORT,
    NODE_CRASH,
    NODE_SHUTDOWN,
    REMOVE_NODE,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Action, View

from .formula import EachStep, LeadsTo
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"
_KUBECTL = "staging/src/k8s.io/kubectl/pkg/drain/drain.go"

TAKES: frozenset[Action] = frozenset({GRANT_EVICTION, EVICT_POD, DRAIN_DELETE})
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
        title="Drains and a lost node leave the promised pods",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "When a drain, a graceful shutdown, the deletion of a Node or a shortage of memory "
            "takes a pod, or one machine fails, as many of the pods that a budget covers stay "
            "healthy as it desires; of a workload that no budget covers, at least one stays "
            "available."
        ),
        why="Drains are routine, and machines fail; users should not notice either.",
        conditions=(
            "When an eviction is granted, a pod deleted or ended unasked, or one machine fails, if "
            "no more than one may. The pods are counted as they are, not as the status of the "
            "budget says, and those on a failed machine are not available. Of a lost node, budgets "
            "that also cover pods which stand by ask for one pod."
        ),
        source=f"{_DOCS}; https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
        components=("kubectl-drain", "api-server", "disruption-controller"),
        remediation=(
            "Run two replicas or more, and keep them on different nodes by anti-affinity or a "
            "topology spread constraint: of pods that may share a node, one lost machine takes "
            "all. Against drains a PodDisruptionBudget helps as well, which has one pod replaced "
            "before the next goes. A drain with --disable-eviction asks no budget: do without it. "
            "Nor does a kubelet whose machine is shut down gracefully, or whoever deletes a Node: "
            "drain the node before; nor a kubelet that is short of memory: give what matters its "
            "limit of memory as its request. With a budget, an eviction may still be granted on a "
            "status that does not know of a failing probe, a crash or a scale-down yet: run one "
            "replica more than you can do without."
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
    """What is asked where somebody drains nodes, or one may be lost."""
    world = scenario.world
    if any(tally.name == LISTED for tally in scenario.system.tallies):
        yield from _of_drains(scenario)
    if takes := takes_pods(scenario.events):
        for workload in world.owners:
            formula = _kept(scenario, workload, takes)
            yield from asked(STATEMENTS, workload.cell, {"DRAIN-2": formula})


def takes_pods(events: Iterable[Event]) -> frozenset[Action]:
    """What takes available pods away unasked: drains, shutdowns, a single machine that fails."""
    drains = any(event.action == START_DRAIN for event in events)
    crashes = sum(event.budget for event in events if event.action == NODE_CRASH)
    ends = frozenset({END_POD} if any(e.action == NODE_SHUTDOWN for e in events) else ())
    if any(e.action == REMOVE_NODE for e in events):
        ends |= {COLLECT_ORPHAN}
    if any(e.action == MEMORY_SHORT for e in events):
        ends |= {EVICT_SHORT}
    return (
        (TAKES if drains else frozenset()) | ends | frozenset({NODE_CRASH} if crashes == 1 else ())
    )


def _of_drains(scenario: Scenario) -> Iterator[Property]:
    done = LeadsTo(View((), (LISTED,)), lambda left: left[0] > 0, lambda left: not left[0])
    names = budget_names(scenario.world, scenario.events)
    begun = zip(names, scenario.events, strict=True)
    budgets = tuple(name for name, event in begun if event.action == START_DRAIN)
    view = View(budgets, (LISTED,))
    ends = frozenset({START_DRAIN, REFUSE_DRAIN, GIVE_UP_EVICTION})
    succeeds = EachStep(view, _succeeds, ends)
    yield from asked(STATEMENTS, ALL_NODES, {"DRAIN-1": done, "DRAIN-3": succeeds})


def covering(world: World, workload: Workload) -> tuple[Guard, ...]:
    """The budgets that cover pods of a workload."""
    return tuple(guard for guard in guards(world) if workload in guard.workloads(world))


def desired(guard: Guard, pods: Covering, *specs: Specs) -> int:
    """How many healthy pods a budget desires of the pods that there are."""
    return counted(guard, NO_COUNTS, pods, *specs).desired


def _kept(scenario: Scenario, workload: Workload, takes: frozenset[Action]) -> EachStep:
    """What is left of a workload, or of all that its budgets cover."""
    found = covering(scenario.world, workload)
    left = available_name(scenario, workload)
    if not found:
        return EachStep(View(reads=(left,)), _leaves_one, takes)
    covered = tuple(_Covered.of(scenario, guard) for guard in found)
    reads = tuple(dict.fromkeys(chain((left,), *(each.reads for each in covered))))
    return EachStep(View(reads=reads), _keep(covered, reads), takes)


def available_name(scenario: Scenario, workload: Workload) -> str:
    """The tally of the pods that are available: where machines may fail, of those that run."""
    serving = workload.tally("serving")
    there = any(tally.name == serving for tally in scenario.system.tallies)
    return serving if there else workload.tally("available")


class _Covered(NamedTuple):
    """A budget with the tallies that say what is left of the pods that it covers.

    ``available`` has for each tally of available pods the templates that it covers.
    """

    guard: Guard
    specs: tuple[str, ...]
    available: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, scenario: Scenario, guard: Guard) -> Self:
        """The budget in a scenario."""
        workloads = guard.workloads(scenario.world)
        available = {
            available_name(scenario, w): tuple(
                t for t in range(w.templates) if any(c in guard.classes for c in w.of_template(t))
            )
            for w in workloads
        }
        return cls(guard, tuple(w.tally("specs") for w in workloads), available)

    @property
    def reads(self) -> tuple[str, ...]:
        """All that it takes to say so."""
        return (self.guard.tally, *self.specs, *self.available)

    def desired(self, seen: Mapping[str, Any]) -> int:
        """How many healthy pods it desires."""
        return desired(self.guard, seen[self.guard.tally], *(seen[name] for name in self.specs))

    def left(self, seen: Mapping[str, Any]) -> int:
        """How many of its pods in focus are available."""
        return sum(seen[name][t] for name, own in self.available.items() for t in own)

    def keeps(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool | None:
        """Whether a drain that takes a healthy pod leaves enough; None where it takes none."""
        healthy: int = after[self.guard.tally][1]
        if healthy == before[self.guard.tally][1]:
            return None
        return healthy >= self.desired(after)

    def survives(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool | None:
        """Whether a machine that fails leaves enough; None where it takes no available pod."""
        left = self.left(after)
        if left == self.left(before):
            return None
        return left >= (1 if any(self.guard.standing) else self.desired(after))


def _keep(covered: tuple[_Covered, ...], reads: tuple[str, ...]) -> Any:
    """Whether each budget keeps what it desires."""

    def holds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        then, now = (dict(zip(reads, seen, strict=True)) for seen in (before, after))
        asked_of = _Covered.survives if action == NODE_CRASH else _Covered.keeps
        said: list[bool | None] = [asked_of(each, then, now) for each in covered]
        return None if said.count(None) == len(said) else False not in said

    return holds


def _leaves_one(before: tuple[Counts], _action: str, after: tuple[Counts]) -> bool | None:
    then, left = sum(before[0]), sum(after[0])
    return None if left == then else left > 0


def _succeeds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
    """Whether a drain begins; None for what changes neither how many may begin nor what is left."""
    return None if before == after else action == START_DRAIN
