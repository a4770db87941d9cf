"""What the scheduler promises: SCH-*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.cluster.columns import SHOWN
from kubelemma.model.cluster.state import HOLDING, ShownNode, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import RESIZES
from kubelemma.model.components.registry import ACTIONS
from kubelemma.model.components.replicaset.actions import (
    ADOPT_POD,
    CREATE_POD,
    RELABEL,
    RELEASE_POD,
)
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.topology import ALONE, Domains, Topology, topology_of
from kubelemma.model.components.statefulset.actions import CREATE_POD as CREATE_MEMBER
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .constraints import means_all, refusals, required_affinity, skew_exceeded
from .formula import EachStep, Formula, StepPredicate
from .overcommitment import overcommitted
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/scheduling-eviction"
_ALL = HOLDING

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="SCH-1",
        title="A pod is bound once",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "spec.nodeName changes at most once, from empty to a node, and never while the pod "
            "carries scheduling gates."
        ),
        why="A pod that moved would run twice; a gated pod waits for something it needs.",
        conditions="Pods whose template names a node are created with it.",
        source=f"{_DOCS}/pod-scheduling-readiness/; pkg/registry/core/pod/storage/storage.go",
        components=("kube-apiserver", "scheduler"),
        remediation="None on the user's side: this is an invariant of the binding itself.",
        defect_only=True,
    ),
    Statement(
        id="SCH-2",
        title="A binding never overcommits a node",
        kind=Kind.STEP,
        severity=Severity.CRITICAL,
        statement=(
            "After a binding, the requests of all pods on the node sum up to at most what it has "
            "allocatable, in every resource and in number."
        ),
        why="The kubelet would reject the pod for good, or guarantees would be broken.",
        conditions="One scheduler, whose cache is current; pods with spec.nodeName bypass it.",
        source=f"{_DOCS}/kube-scheduler/; pkg/scheduler/framework/plugins/noderesources/fit.go",
        components=("scheduler",),
        remediation="None on the user's side: this is an invariant of the scheduler itself.",
        defect_only=True,
    ),
    Statement(
        id="SCH-3",
        title="A binding respects every hard constraint",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod is bound only to a node that fits its node selector, required affinities and "
            "tolerations, whose host ports are free, and where its topology spread constraints "
            "and everybody's required anti-affinity hold."
        ),
        why="Hard constraints stand for licences, hardware, failure domains: they must hold.",
        conditions="At the time of the binding; constraints are not enforced afterwards.",
        source=f"{_DOCS}/assign-pod-node/; pkg/scheduler/framework/plugins",
        components=("scheduler",),
        remediation="None on the user's side: this is an invariant of the scheduler itself.",
        defect_only=True,
    ),
)

_RENAMING = frozenset({RELABEL, RELEASE_POD, ADOPT_POD, *RESIZES})
"""What takes a pod from one class to another, wherever it is; all else may put none on a node."""


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all that is bound to any node."""
    if scenario.world.classes:
        yield from asked(STATEMENTS, ALL_NODES, _formulas(scenario.world))


def _formulas(world: World) -> dict[str, Formula]:
    """The formulas about what is bound to any node, by property."""
    topologies = tuple(topology_of(world, pod_class) for pod_class in world.classes)
    reads = tuple(dict.fromkeys(name for topology in topologies for name in topology.reads))
    queues = tuple(workload.queue for workload in world.workloads)
    pods = tuple(world.existing_by_class(workload) for workload in world.workloads)
    bind = frozenset({BIND})
    return {
        "SCH-1": EachStep(View(queues, pods), _bound_once(world), frozenset(ACTIONS) - _RENAMING),
        "SCH-2": EachStep(View(SHOWN), _never_overcommits(world), bind),
        "SCH-3": EachStep(View(SHOWN, reads), _legal(topologies, reads), bind),
    }


def _gained(before: ShownNode, after: ShownNode) -> dict[int, int]:
    """How many more pods of each class the node has; classes with fewer or as many are left out."""
    classes = {group.pod_class for group in after.pods if group not in before.pods}
    more = {c: count(after.pods, c, _ALL) - count(before.pods, c, _ALL) for c in classes}
    return {c: n for c, n in more.items() if n > 0}


def _bound_once(world: World) -> StepPredicate:
    """Nothing but a binding puts a pod on a node: one, and out of the queue of its template."""
    size = len(world.workloads)

    def by_class(seen: tuple[Any, ...]) -> dict[int, tuple[int, int]]:
        """Of each class, the pods without a node and those on nodes."""
        parts = zip(world.workloads, seen[:size], seen[size:], strict=True)
        return {
            pod_class: (queued, every - queued)
            for workload, queue, pods in parts
            for pod_class, queued, every in zip(workload.classes, queue.waiting, pods, strict=True)
        }

    def holds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        old, new = by_class(before), by_class(after)
        changes = [(c, old[c.index], new[c.index]) for c in world.classes]
        gained = [(c, then, now) for c, then, now in changes if now[1] > then[1]]
        if not gained:
            return None
        ((bound, then, now), *others) = gained
        if others or now[1] != then[1] + 1:
            return False
        if action in (CREATE_POD, CREATE_MEMBER):
            return bool(bound.node_name)
        return action == BIND and not bound.gated and now[0] == then[0] - 1

    return holds


def _never_overcommits(world: World) -> StepPredicate:
    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        now = ShownNode(*after)
        if not _gained(ShownNode(*before), now):
            return None
        return not overcommitted(world, now, _ALL)

    return holds


def _legal(topologies: tuple[Topology, ...], reads: tuple[str, ...]) -> StepPredicate:
    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        node, summaries = ShownNode(*before[: len(SHOWN)]), before[len(SHOWN) :]
        bound = _gained(node, ShownNode(*after[: len(SHOWN)]))
        if not bound:
            return None
        topology = topologies[next(iter(bound))]
        info = topology.world.node_info(node)
        if refusals(topology.pod_class.pod, info.node, info.pods):
            return False
        seen = dict(zip(reads, summaries, strict=True))
        domains = seen.get(topology.tally_name, ALONE)
        least = {i: seen.get(topology.least_name(i)) for i in topology.single}
        return (
            not _too_crowded(topology, info, domains, least)
            and not _kept_apart(info, domains)
            and _company(topology, info, domains)
        )

    return holds


def _too_crowded(
    topology: Topology, info: NodeInfo, domains: Domains, least: Mapping[int, Any]
) -> bool:
    """Whether a topology spread constraint is exceeded by the new pod."""
    mine = topology.pod_class.pod.metadata
    for i, constraint in enumerate(topology.constraints):
        domain = info.labels.get(constraint.topology_key)
        if domain is None:
            return True
        selector = constraint.selector
        counts = selector is not None and not selector.is_empty()
        itself = counts and selector is not None and selector.matches(mine.label_map())
        if i in least:
            others = [p for p in info.pods if selector and counts and _counted(p, mine, selector)]
            enough = domains.nodes[i] >= constraint.min_domains
            lowest = -(least[i] or 0) if enough else 0
            exceeded = len(others) + itself - lowest > constraint.max_skew
        else:
            matching = dict(domains.matching[i])
            matching[domain] = matching.get(domain, 0) + itself
            exceeded = skew_exceeded(matching, domain, constraint.max_skew, constraint.min_domains)
        if exceeded:
            return True
    return False


def _counted(other: Pod, mine: ObjectMeta, selector: LabelSelector) -> bool:
    there = other.metadata
    same = there.namespace == mine.namespace and there.deletion_timestamp is None
    return same and selector.matches(there.label_map())


def _kept_apart(info: NodeInfo, domains: Domains) -> bool:
    """Whether some required anti-affinity, its own or another's, reaches into the node's domain."""
    kinds = ("antiAffinity", "existingAntiAffinity")
    return any((kind, *pair) in domains.pairs for kind in kinds for pair in info.labels.items())


def _company(topology: Topology, info: NodeInfo, domains: Domains) -> bool:
    """Whether every required affinity finds a pod in the node's domain, or may be the first."""
    pod = topology.pod_class.pod
    keys = [term.topology_key for term in required_affinity(pod)]
    if not all(key in info.labels for key in keys):
        return False
    here = any(means_all(pod, other) for other in info.pods)
    found = all(here or ("affinity", key, info.labels[key]) in domains.pairs for key in keys)
    return found or (not domains.anywhere and means_all(pod, pod))
