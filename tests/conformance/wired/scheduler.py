"""Problems of the scheduler: which nodes the rule that binds has an outcome for.

The incoming pod is the one pod of a workload that has no node; assigned pods stand by. Nodes are
grouped as in every scenario, so what is merged there is merged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import Ailment, DeploymentState, NodeState, Queue, SetState
from kubelemma.model.cluster.world import (
    AILMENT_KEYS,
    NODES,
    Behaviour,
    PodClass,
    Rollout,
    Workload,
    World,
)
from kubelemma.model.components.nodelifecycle.decision import UNSCHEDULABLE
from kubelemma.model.components.scheduler.decision.default_selector import Workload as Owner
from kubelemma.model.components.scheduler.decision.default_selector import default_selector
from kubelemma.model.components.scheduler.decision.nodeinfo import node_infos
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.components.scheduler.decision.topology_spread import HOSTNAME
from kubelemma.model.components.scheduler.rules import SCHEDULER
from kubelemma.model.components.scheduler.telling import unique_keys
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.workloads import ReplicaSet
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.scenario.initial import is_ready
from kubelemma.model.scenario.shapes import Grouping, group_nodes
from kubelemma.model.system import System

from . import Case, Found, matched

NAMED = "the pod names its node: it is bound without the scheduler"
NOMINATED = "nominated pods, and pods that are nominated, come with preemption"
GATED = "gates keep the pod out of the queue"
CORDONED = "a cordoned node without its taint, which a spread constraint honours"


class Problem(NamedTuple):
    """A recorded problem, decoded."""

    pod: Pod
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    namespaces: tuple[Namespace, ...]
    services: tuple[Service, ...]
    owners: Mapping[Owner, LabelSelector]

    @property
    def snapshot(self) -> Snapshot:
        """What the scheduler sees."""
        return Snapshot(
            nodes=node_infos(self.nodes, self.pods),
            namespaces={n.metadata.name: n.metadata.label_map() for n in self.namespaces},
            services=self.services,
            workloads=self.owners,
        )

    @property
    def selector(self) -> LabelSelector:
        """What whatever the pod belongs to selects."""
        return default_selector(self.pod, self.services, self.owners) or LabelSelector()


def problem(given: Case) -> Problem:
    """The input of a case."""
    owned = [decode(raw, ReplicaSet) for raw in given.get("replicaSets", ())]
    owners = {
        Owner("ReplicaSet", rs.metadata.namespace, rs.metadata.name): rs.spec.selector
        for rs in owned
        if rs.spec.selector is not None
    }
    return Problem(
        decode(given["pod"], Pod),
        tuple(decode(raw, Node) for raw in given["nodes"]),
        tuple(decode(raw, Pod) for raw in given["pods"]),
        tuple(decode(raw, Namespace) for raw in given["namespaces"]),
        tuple(decode(raw, Service) for raw in given.get("services", ())),
        owners,
    )


def left_out(case: Case) -> str:
    """Why no state of the model says what the case is about; empty if one does."""
    given = case["input"]
    if given["pod"]["spec"].get("nodeName"):
        return NAMED
    if given.get("pendingPods") or "nominatedNodeFirst" in case["expect"]:
        return NOMINATED
    spread = given["pod"]["spec"].get("topologySpreadConstraints", ())
    honoured = any(c.get("nodeTaintsPolicy") == "Honor" for c in spread)
    if honoured and any(_cordoned_untainted(node) for node in given["nodes"]):
        return CORDONED
    return ""


def _taints(node: Case) -> tuple[str, ...]:
    return tuple(taint["key"] for taint in node.get("spec", {}).get("taints", ()))


def _cordoned_untainted(node: Case) -> bool:
    return bool(node.get("spec", {}).get("unschedulable")) and UNSCHEDULABLE not in _taints(node)


def compare(case: Case) -> Found:
    """Feasible nodes, and where several are, those that score best."""
    reason = left_out(case)
    if reason:
        return Found(skipped=reason)
    asked, expect = problem(case["input"]), case["expect"]
    feasible = [] if "preEnqueue" in expect else expect["feasible"]
    found = matched(bound(asked, scoring=False), feasible, "feasible")
    if found.difference or "preEnqueue" in expect:
        return found
    return matched(bound(asked, scoring=True), sorted(expect.get("best", ())), "best")


def compare_feasible(case: Case) -> Found:
    """The feasible nodes alone."""
    reason = left_out(case)
    if reason:
        return Found(skipped=reason)
    expect = case["expect"]
    feasible = [] if "preEnqueue" in expect else expect["feasible"]
    return matched(bound(problem(case["input"]), scoring=False), feasible, "feasible")


def bound(asked: Problem, *, scoring: bool) -> list[str]:
    """The names of all nodes that the pod may be bound to, sorted."""
    system, names = system_of(asked, scoring=scoring)
    first = system.positions[NODES].start
    return sorted(names[position - first] for position in _chosen(system))


def system_of(asked: Problem, *, scoring: bool) -> tuple[System, tuple[str, ...]]:
    """The system of a problem, and the names of its nodes by position within their family."""
    grouping = grouped(asked, scoring=scoring)
    named = sorted(
        (node_state(node, grouping.shape_of[node.metadata.name]), index)
        for index, node in enumerate(asked.nodes)
    )
    system = _system(asked, grouping, tuple(state for state, _ in named), scoring=scoring)
    return system, tuple(asked.nodes[index].metadata.name for _, index in named)


def _chosen(system: System) -> Iterator[int]:
    """The positions of the nodes that a rule of the scheduler writes to."""
    for rule in system.rules:
        if rule.actor == SCHEDULER:
            where = system.sight(rule.cells).places.index(NODES)
            for step in system.successors(system.initial, rule.name):
                assert step.outcome.action == "bind"
                yield step.positions[where]


def with_copies(asked: Problem, node: int, copies: int) -> Problem:
    """The problem with more nodes like one that it has, and pods like those on them."""
    original = asked.nodes[node]
    names = [f"{original.metadata.name}-copy-{i}" for i in range(copies)]
    nodes = [_renamed(original, name) for name in names]
    here = [pod for pod in asked.pods if pod.spec.node_name == original.metadata.name]
    pods = [_moved(pod, name) for name in names for pod in here]
    return asked._replace(nodes=(*asked.nodes, *nodes), pods=(*asked.pods, *pods))


def almost_alike(asked: Problem) -> Problem:
    """The problem with one more node for each: like it, but for one of its labels or pods."""
    more = asked
    for i, node in enumerate(asked.nodes):
        more = with_copies(more, i, 1)
        copy = more.nodes[-1]
        here = [pod for pod in more.pods if pod.spec.node_name == copy.metadata.name]
        # Without its host name, a node would keep all others from being grouped.
        labels = [key for key in sorted(node.metadata.label_map()) if key != HOSTNAME]
        if here and (i % 2 or not labels):
            more = more._replace(pods=tuple(pod for pod in more.pods if pod is not here[0]))
        elif labels:
            changed = _without_label(copy, labels[i % len(labels)])
            more = more._replace(nodes=(*more.nodes[:-1], changed))
    return more


def _without_label(node: Node, key: str) -> Node:
    labels = {k: v for k, v in node.metadata.label_map().items() if k != key}
    return replace(node, metadata=replace(node.metadata, labels=labels))


def compare_merged(case: Case) -> Found:
    """With nodes that are almost alike, the rule binds where the profile would."""
    reason = left_out(case) or (GATED if "preEnqueue" in case["expect"] else "")
    if reason:
        return Found(skipped=reason)
    asked = almost_alike(problem(case["input"]))
    decision = decide(asked.pod, asked.snapshot)
    found = matched(bound(asked, scoring=False), sorted(decision.feasible), "feasible")
    if found.difference:
        return found
    return matched(bound(asked, scoring=True), sorted(decision.scores.best), "best")


def _renamed(node: Node, name: str) -> Node:
    labels = dict(node.metadata.label_map())
    if HOSTNAME in labels:
        labels[HOSTNAME] = name
    return replace(node, metadata=replace(node.metadata, name=name, labels=labels))


def _moved(pod: Pod, node: str) -> Pod:
    metadata = replace(pod.metadata, name=f"{pod.metadata.name}-of-{node}")
    return replace(pod, metadata=metadata, spec=replace(pod.spec, node_name=node))


def grouped(asked: Problem, *, scoring: bool) -> Grouping:
    """The nodes as a scenario groups them."""
    return group_nodes(crowd(asked, scoring=scoring), _standing(asked.nodes, asked.pods))


def crowd(asked: Problem, *, scoring: bool) -> Crowd:
    """All whom a scenario with these nodes and pods may meet."""
    standing = _standing(asked.nodes, asked.pods).values()
    pods = (asked.pod, *(pod for group in standing for pod in group))
    return Crowd(nodes=asked.nodes, pods=pods, scoring=scoring)


def _standing(nodes: Sequence[Node], pods: Sequence[Pod]) -> Mapping[str, tuple[Pod, ...]]:
    """The pods that the scheduler sees on each node."""
    return {info.name: info.pods for info in node_infos(nodes, pods)}


def node_state(node: Node, shape: int) -> NodeState:
    """The state that stands for what the node's conditions and taints say."""
    taints = {(t.key, t.effect) for t in node.spec.taints or ()}
    ready = is_ready(node)
    return NodeState(
        shape,
        up=ready,
        ready=ready,
        tainted=_ailments(taints, "NoSchedule"),
        evicting=_ailments(taints, "NoExecute"),
        cordoned=node.spec.unschedulable or (UNSCHEDULABLE, "NoSchedule") in taints,
    )


def _ailments(taints: set[tuple[str, str]], effect: str) -> Ailment:
    found = Ailment.NONE
    for ailment, key in AILMENT_KEYS.items():
        if (key, effect) in taints:
            found |= ailment
    return found


def _system(
    asked: Problem, grouping: Grouping, nodes: tuple[NodeState, ...], *, scoring: bool
) -> System:
    world = World(
        workloads=(
            Workload(
                index=0,
                kind="Deployment",
                namespace=asked.pod.metadata.namespace,
                name="incoming",
                classes=(0,),
                templates=1,
                rollout=Rollout(
                    recreate=False,
                    max_surge=IntOrPercent(1),
                    max_unavailable=IntOrPercent(0),
                    revision_history_limit=10,
                ),
            ),
        ),
        classes=(
            PodClass(
                index=0,
                workload=0,
                template=0,
                pod=asked.pod,
                behaviour=Behaviour.HEALTHY,
                min_ready_seconds=0,
                deletion_cost=0,
                selector=asked.selector,
            ),
        ),
        shapes=grouping.shapes,
        sizes=grouping.sizes,
        unique_keys=unique_keys(*crowd(asked, scoring=scoring)[:2]),
        namespaces=asked.namespaces,
    )
    only = SetState(template=0, revision=1, replicas=1, desired=1, maximum=2)
    start = Start((DeploymentState(1, 0, False, (only,)),), (Queue.of((1,)),), nodes)
    return assemble(world, (start,), (), Choices(scoring=scoring))
