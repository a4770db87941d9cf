"""What the scheduler promises: SCH-*."""

from __future__ import annotations

from kubelemma.model.system import View
from kubelemma.model.wiring.replicaset import Counts
from kubelemma.model.wiring.state import NodeState, Phase, count
from kubelemma.model.wiring.topology import Domains, Topology
from kubelemma.model.wiring.world import NODES, PodClass, World

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

_ADDING = frozenset({"bind", "create-pod"})
_TOUCHING = frozenset(
    {
        "admit",
        "reject",
        "become-ready",
        "become-available",
        "finish-termination",
        "pod-unready",
        "evict",
        "delete-pod",
        "node-return",
        "drain-delete",
        "user-delete-pod",
        "container-crash",
        "probe-failure",
    }
)
"""The other actions that touch pods on nodes: none of them may put one there."""


def formulas(world: World, topologies: tuple[Topology, ...]) -> dict[str, Formula]:
    """The formulas about what is bound to any node, by property."""
    reads = tuple(dict.fromkeys(name for topology in topologies for name in topology.reads))
    pending = tuple(workload.tally("pending") for workload in world.workloads)
    bind = frozenset({"bind"})
    return {
        "SCH-1": EachStep(View((NODES,), pending), _bound_once(world), _ADDING | _TOUCHING),
        "SCH-2": EachStep(View((NODES,)), _never_overcommits(world), bind),
        "SCH-3": EachStep(View((NODES,), reads), _legal(topologies, reads), bind),
    }


def _gained(before: NodeState, after: NodeState) -> dict[int, int]:
    """How many more pods of each class the node has; classes with fewer or as many are left out."""
    classes = {group.pod_class for group in after.pods}
    more = {c: count(after.pods, c, _ALL) - count(before.pods, c, _ALL) for c in classes}
    return {c: n for c, n in more.items() if n > 0}


def _queue(seen: tuple[NodeState, *tuple[Counts, ...]], pod_class: PodClass) -> int:
    """How many pods of the class have no node."""
    _, *pending = seen
    return pending[pod_class.workload][pod_class.template]


def _bound_once(world: World) -> StepPredicate:
    """Nothing but a binding puts a pod on a node: one, and out of the queue of its template."""

    def holds(
        before: tuple[NodeState, *tuple[Counts, ...]],
        action: str,
        after: tuple[NodeState, *tuple[Counts, ...]],
    ) -> bool | None:
        gained = _gained(before[0], after[0])
        if not gained:
            return None
        ((bound, number), *others) = gained.items()
        pod_class = world.classes[bound]
        if number != 1 or others:
            return False
        if action == "create-pod":
            return bool(pod_class.node_name)
        queue, left = _queue(before, pod_class), _queue(after, pod_class)
        return action == "bind" and not pod_class.gated and left == queue - 1

    return holds


def _never_overcommits(world: World) -> StepPredicate:
    def holds(before: tuple[NodeState], _action: str, after: tuple[NodeState]) -> bool | None:
        if not _gained(before[0], after[0]):
            return None
        return not overcommitted(world, after[0], _ALL)

    return holds


def _legal(topologies: tuple[Topology, ...], reads: tuple[str, ...]) -> StepPredicate:
    def holds(
        before: tuple[NodeState, *tuple[object, ...]],
        _action: str,
        after: tuple[NodeState, *tuple[object, ...]],
    ) -> bool | None:
        bound = _gained(before[0], after[0])
        if not bound:
            return None
        topology = topologies[next(iter(bound))]
        info = topology.world.node_info(before[0])
        if refusals(topology.pod_class.pod, info.node, info.pods):
            return False
        seen = dict(zip(reads, before[1:], strict=True))
        return not _too_crowded(topology, before[0], seen)

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
