"""What if: other problems that follow from one.

Every function gives a new ``Problem``; nothing is decided here. Nodes are indexes into
``problem.cluster.nodes``. Functions that take nodes away renumber those that are left, so apply
them last, or look nodes up by name again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from enum import StrEnum

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.taints import tolerates
from kubelemma.model.kinds.registry import ON_EACH_NODE
from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import NodeSelectorRequirement, Pod

from .displaced import belongs_to_node, controller_of, moves, workloads_of
from .problem import Problem, Workload

HOSTNAME = "kubernetes.io/hostname"
HASH = "pod-template-hash"
_LIFECYCLE = "node.kubernetes.io/"
_LONG_AGO = "1970-01-01T00:00:00Z"

UNREACHABLE = (
    Taint(key="node.kubernetes.io/unreachable", effect="NoSchedule"),
    Taint(key="node.kubernetes.io/unreachable", effect="NoExecute"),
)
"""What the node lifecycle controller puts on a node that it no longer hears from
(``pkg/controller/nodelifecycle/node_lifecycle_controller.go``)."""


class Reading(StrEnum):
    """What is left of a lost node. The answers may differ where pods are to be spread."""

    GONE = "gone"
    """The Node object is deleted: its zone is no spread domain any more if it was the last."""
    UNREACHABLE = "unreachable"
    """The Node object is there, tainted: its zone stays a domain, and an empty one."""


def scale(problem: Problem, counts: Mapping[str, int]) -> Problem:
    """So many pods to place of the workloads with these names.

    Raises:
        ValueError: there is no such workload.
    """
    unknown = sorted(set(counts) - {w.name for w in problem.workloads})
    if unknown:
        raise ValueError(f"there is no workload {unknown[0]!r} in the problem")
    workloads = tuple(changed(w, count=counts.get(w.name, w.count)) for w in problem.workloads)
    return changed(problem, workloads=workloads)


def cordon(problem: Problem, nodes: Collection[int]) -> Problem:
    """The nodes take no new pods, unless these tolerate that; what is on them stays.

    A cordoned node stays a spread domain, as ``nodeTaintsPolicy`` ignores taints by default.
    """
    return _with_nodes(
        problem, {i: _cordoned(problem.cluster.nodes[i]) for i in sorted(set(nodes))}
    )


def drain(problem: Problem, nodes: Collection[int]) -> Problem:
    """The nodes are cordoned, and their pods have to go elsewhere.

    As with a ``kubectl drain`` that is forced and ignores daemons: their pods and mirror pods stay,
    and so do leaving ones until they are gone. Disruption budgets say how fast, not whether, and
    are not looked at.
    """
    names = _names(problem, nodes)
    leaving = [pod for pod in problem.cluster.pods if pod.spec.node_name in names and moves(pod)]
    gone = set(map(id, leaving))
    staying = tuple(pod for pod in problem.cluster.pods if id(pod) not in gone)
    drained = cordon(problem, nodes)
    return _displacing(changed(drained, cluster=changed(drained.cluster, pods=staying)), leaving)


def lose(problem: Problem, nodes: Collection[int], reading: Reading = Reading.GONE) -> Problem:
    """The nodes fail, all at once, and their pods have to go elsewhere.

    GONE: nodes and everything on them vanish, daemon and mirror pods for good. UNREACHABLE: the
    nodes are tainted, and their pods are marked as leaving, which they never finish: they still
    count for anti-affinity. Pods that tolerate the taint without a time limit stay. In both
    readings all others count as to be placed, though some controllers wait until somebody has
    deleted the old ones. Daemon pods that were to be placed on a lost node are dropped.
    """
    names, moving = _names(problem, nodes), displaced(problem, nodes, reading)
    workloads = tuple(w for w in problem.workloads if not _is_daemon_of(w.pod, names))
    problem = changed(problem, workloads=workloads)
    if reading is Reading.GONE:
        return _displacing(_without(problem, names), moving)
    return _displacing(_unreachable(problem, names, moving), moving)


def displaced(
    problem: Problem, nodes: Collection[int], reading: Reading = Reading.GONE
) -> tuple[Pod, ...]:
    """The existing pods that have to go elsewhere when these nodes are lost."""
    names = _names(problem, nodes)
    lost = (pod for pod in problem.cluster.pods if pod.spec.node_name in names and moves(pod))
    return tuple(pod for pod in lost if reading is Reading.GONE or not _endures(pod))


def _without(problem: Problem, names: frozenset[str]) -> Problem:
    cluster = problem.cluster
    rest = changed(
        cluster,
        nodes=tuple(node for node in cluster.nodes if node.metadata.name not in names),
        pods=tuple(pod for pod in cluster.pods if pod.spec.node_name not in names),
    )
    return changed(problem, cluster=rest)


def _unreachable(problem: Problem, names: frozenset[str], evicted: Iterable[Pod]) -> Problem:
    nodes = problem.cluster.nodes
    failed = _with_nodes(
        problem, {i: _tainted(node) for i, node in enumerate(nodes) if node.metadata.name in names}
    )
    leaving = set(map(id, evicted))
    pods = tuple(_leaving(p) if id(p) in leaving else p for p in problem.cluster.pods)
    return changed(failed, cluster=changed(failed.cluster, pods=pods))


def _leaving(pod: Pod) -> Pod:
    return replace(pod, metadata=replace(pod.metadata, deletion_timestamp=_LONG_AGO))


def _endures(pod: Pod) -> bool:
    """Whether the pod tolerates the NoExecute taint for ever."""
    tolerations = pod.spec.tolerations or ()
    return any(t.toleration_seconds is None and tolerates(t, UNREACHABLE[1]) for t in tolerations)


def add(problem: Problem, node: Node, count: int) -> Problem:
    """More nodes like this one, fresh: schedulable, and with names of their own.

    If the node is one of the cluster's, its daemon and mirror pods come with every copy, those
    that are still to be placed included. Taints of the node lifecycle are not copied.
    """
    fresh = _names_for(node.metadata.name, count, {n.metadata.name for n in problem.cluster.nodes})
    copies = tuple(_copy(node, name) for name in fresh)
    original = node.metadata.name
    resident = [
        pod
        for pod in problem.cluster.pods
        if pod.spec.node_name == original
        and belongs_to_node(pod)
        and pod.metadata.deletion_timestamp is None
    ]
    pods = tuple(_moved(pod, original, name) for name in fresh for pod in resident)
    asked = [w for w in problem.workloads if _is_daemon_of(w.pod, frozenset({original}))]
    workloads = tuple(
        Workload(f"{w.name} on {name}", _pinned(w.pod, original, name), w.count)
        for name in fresh
        for w in asked
    )
    cluster = changed(
        problem.cluster,
        nodes=problem.cluster.nodes + copies,
        pods=problem.cluster.pods + pods,
    )
    return changed(problem, cluster=cluster, workloads=problem.workloads + workloads)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rolling update of a workload.

    ``name`` is the workload's, ``pod`` a pod of the new template, ``surge`` how many pods there are
    at the worst moment above those that it asks for.
    """

    name: str
    pod: Pod
    surge: int


def surge(problem: Problem, rollouts: Iterable[Rollout]) -> Problem:
    """The moment at which each of these workloads has all old pods and its surge of new ones.

    That is the most pods a rollout has at once (``NewRSNewReplicas``), except for those that are
    terminating and not gone yet, which Kubernetes does not limit. New pods get another
    ``pod-template-hash`` than old ones, so ``matchLabelKeys`` tells them apart. With a surge of 0
    nothing is added: old pods make room first.
    """
    more = (Workload(f"{r.name} (surge)", _of_new_template(r.pod), r.surge) for r in rollouts)
    added = tuple(w for w in more if w.count)
    return changed(problem, workloads=problem.workloads + added)


def _of_new_template(pod: Pod) -> Pod:
    labels = pod.metadata.label_map()
    if HASH not in labels:
        return pod
    metadata = replace(pod.metadata, labels={**labels, HASH: f"{labels[HASH]}-next"})
    return replace(pod, metadata=metadata)


# --- nodes and pods ------------------------------------------------------------------------------


def _names(problem: Problem, nodes: Collection[int]) -> frozenset[str]:
    listed = problem.cluster.nodes
    wrong = [i for i in nodes if not 0 <= i < len(listed)]
    if wrong:
        raise ValueError(f"there is no node {wrong[0]}: the cluster has {len(listed)}")
    return frozenset(listed[i].metadata.name for i in nodes)


def _with_nodes(problem: Problem, replaced: Mapping[int, Node]) -> Problem:
    nodes = tuple(replaced.get(i, node) for i, node in enumerate(problem.cluster.nodes))
    return changed(problem, cluster=changed(problem.cluster, nodes=nodes))


def _cordoned(node: Node) -> Node:
    return replace(node, spec=replace(node.spec, unschedulable=True))


def _tainted(node: Node) -> Node:
    kept = tuple(t for t in node.spec.taints or () if t.key != UNREACHABLE[0].key)
    return replace(node, spec=replace(node.spec, taints=kept + UNREACHABLE))


def _displacing(problem: Problem, pods: Iterable[Pod]) -> Problem:
    added = tuple(workloads_of(pods, {w.name for w in problem.workloads}))
    return changed(problem, workloads=problem.workloads + added)


def _names_for(original: str, count: int, taken: Collection[str]) -> tuple[str, ...]:
    def fresh() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            if (name := f"{original}-added-{number}") not in taken:
                yield name

    return tuple(name for name, _ in zip(fresh(), range(count), strict=False))


def _copy(node: Node, name: str) -> Node:
    labels = node.metadata.label_map()
    own = {HOSTNAME: name} if HOSTNAME in labels else {}
    taints = tuple(t for t in node.spec.taints or () if not t.key.startswith(_LIFECYCLE))
    return replace(
        node,
        metadata=replace(node.metadata, name=name, uid="", labels={**labels, **own}),
        spec=replace(node.spec, unschedulable=False, taints=taints or None),
    )


def _moved(pod: Pod, original: str, name: str) -> Pod:
    called = pod.metadata.name.removesuffix(f"-{original}")
    pod = _pinned(pod, original, name)
    return replace(
        pod,
        metadata=replace(pod.metadata, name=f"{called}-{name}", uid=""),
        spec=replace(pod.spec, node_name=name),
    )


def _fields(pod: Pod) -> Iterator[NodeSelectorRequirement]:
    """What the pod asks of the name of its node, term by term."""
    affinity = pod.spec.affinity
    required = affinity and affinity.node_affinity and affinity.node_affinity.required
    for term in required.node_selector_terms if required else ():
        yield from term.match_fields or ()


def _is_daemon_of(pod: Pod, names: frozenset[str]) -> bool:
    """Whether it is a daemon's pod for one of these nodes: it asks for the node by name."""
    owner = controller_of(pod)
    if owner is None or owner.kind not in ON_EACH_NODE:
        return False
    asked = {pod.spec.node_name} if pod.spec.node_name else set[str]()
    asked |= {v for r in _fields(pod) if r.operator == "In" for v in r.values or ()}
    return bool(asked) and asked <= names


def _pinned(pod: Pod, original: str, name: str) -> Pod:
    """The pod with every mention of one node's name in its affinity replaced by another."""
    affinity = pod.spec.affinity
    required = affinity and affinity.node_affinity and affinity.node_affinity.required
    if not affinity or not affinity.node_affinity or not required:
        return pod
    terms = tuple(
        replace(
            term,
            match_fields=term.match_fields
            and tuple(
                replace(r, values=tuple(name if v == original else v for v in r.values or ()))
                for r in term.match_fields
            ),
        )
        for term in required.node_selector_terms
    )
    own = replace(affinity.node_affinity, required=replace(required, node_selector_terms=terms))
    return replace(pod, spec=replace(pod.spec, affinity=replace(affinity, node_affinity=own)))
