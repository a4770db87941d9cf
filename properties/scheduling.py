"""What the scheduler promises: SCH-*."""

from __future__ import annotations

from kubelemma.model.system import Outcome, View
from kubelemma.model.wiring.state import DeploymentState, NodeState, Phase, count
from kubelemma.model.wiring.topology import Domains, Topology
from kubelemma.model.wiring.world import NODES, Workload, World

from .capacity import overcommitted
from .formula import EachStep, Formula, StepPredicate
from .legal import refusals, skew_exceeded
from .statement import Kind, Severity, Statement

_DOCS = "https://kubernetes.io/docs/concepts/scheduling-eviction"
_ALL = tuple(Phase)

STATEMENTS = (
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
    ),
)

_MOVING = frozenset(
    {
        "bind",
        "create-pod",
        "admit",
        "reject",
        "become-ready",
        "become-available",
        "finish-termination",
        "pod-unready",
        "evict",
        "delete-pod",
        "node-return",
        "node-crash",
        "drain-delete",
        "container-crash",
        "probe-failure",
    }
)
"""The actions that touch pods on nodes."""


def formulas(
    world: World, workload: Workload, topologies: tuple[Topology, ...]
) -> dict[str, Formula]:
    """The formulas about the pods of one workload, by property."""
    both = View((workload.cell, NODES))
    own = [topologies[c] for c in workload.classes]
    reads = dict.fromkeys(name for topology in own for name in topology.reads)
    seeing = View((workload.cell, NODES), tuple(reads))
    bind = frozenset({"bind"})
    return {
        "SCH-1": EachStep(both, _bound_once(world, workload), _MOVING),
        "SCH-2": EachStep(both, _never_overcommits(world, workload), bind),
        "SCH-3": EachStep(seeing, _legal(world, own, tuple(reads)), bind),
    }


def _gained(workload: Workload, before: NodeState, after: NodeState) -> dict[int, int]:
    """How many pods of each class of the workload the node has more (or fewer), if any."""
    differences = {
        c: count(after.pods, c, _ALL) - count(before.pods, c, _ALL) for c in workload.classes
    }
    return {c: n for c, n in differences.items() if n}


def _bound_once(world: World, workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[DeploymentState, NodeState],
        outcome: Outcome,
        after: tuple[DeploymentState, NodeState],
    ) -> bool | None:
        gained = {c: n for c, n in _gained(workload, before[1], after[1]).items() if n > 0}
        if not gained:
            return None
        named = all(world.classes[c].node_name for c in gained)
        if outcome.action == "create-pod":
            return named
        pending = sum(s.pending for s in before[0].sets) - sum(s.pending for s in after[0].sets)
        gated = any(world.classes[c].gated for c in gained)
        return outcome.action == "bind" and not gated and sum(gained.values()) == pending == 1

    return holds


def _never_overcommits(world: World, workload: Workload) -> StepPredicate:
    def holds(
        before: tuple[DeploymentState, NodeState],
        _outcome: Outcome,
        after: tuple[DeploymentState, NodeState],
    ) -> bool | None:
        if not _gained(workload, before[1], after[1]):
            return None
        return not overcommitted(world, after[1], _ALL)

    return holds


def _legal(world: World, topologies: list[Topology], reads: tuple[str, ...]) -> StepPredicate:
    by_class = {topology.pod_class.index: topology for topology in topologies}
    workload = world.workloads[topologies[0].pod_class.workload]

    def holds(
        before: tuple[object, ...], _outcome: Outcome, after: tuple[object, ...]
    ) -> bool | None:
        old, new = before[1], after[1]
        if not isinstance(old, NodeState) or not isinstance(new, NodeState):
            return None
        bound = _gained(workload, old, new)
        if not bound:
            return None
        topology = by_class[next(iter(bound))]
        info = world.node_info(old)
        if refusals(topology.pod_class.pod, info.node, info.pods):
            return False
        seen = dict(zip(reads, before[2:], strict=True))
        return not _too_crowded(topology, old, seen)

    return holds


def _too_crowded(topology: Topology, node: NodeState, seen: dict[str, object]) -> bool:
    """Whether a topology spread constraint over shared domains is exceeded by the new pod."""
    domains = seen.get(topology.tally_name)
    if not isinstance(domains, Domains):
        return False
    labels = topology.world.node(node).metadata.label_map()
    mine = topology.pod_class.pod.metadata.label_map()
    for i, constraint in enumerate(topology.constraints):
        if i in topology.single:
            continue
        domain = labels.get(constraint.topology_key)
        if domain is None:
            return True
        counted = dict(domains.matching[i])
        selector = constraint.selector
        if selector is not None and not selector.is_empty() and selector.matches(mine):
            counted[domain] = counted.get(domain, 0) + 1
        if skew_exceeded(counted, domain, constraint.max_skew, constraint.min_domains):
            return True
    return False
