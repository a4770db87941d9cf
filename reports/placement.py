"""The answer to a question of placement as one typed document, from which every format is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.scheduler.decision.resources import allocatable, held_requests
from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.decision import Decision, Overfull
from kubelemma.solver.placement.problem import (
    Afterwards,
    Answer,
    Cluster,
    Eviction,
    Placement,
    Problem,
    Question,
)

from .shown import shown

CPU, MEMORY, PODS = "cpu", "memory", "pods"


class Usage(NamedTuple):
    """How much of a resource is requested, of how much; cpu in millicores, else in own units."""

    resource: str
    used: int
    total: int


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node in the placement.

    Attributes:
        name, zone, type: as its labels say; empty where they do not.
        schedulable: whether it is not cordoned.
        usage: the number of pods, cpu, memory, and what else pods ask for.
        placed: pods that are new here, by the index of their workload.
    """

    name: str
    zone: str
    type: str
    schedulable: bool
    usage: tuple[Usage, ...]
    placed: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What the input says of a workload of the problem.

    Attributes:
        owner: the workload as people know it; several of the problem may be parts of one.
        wanted: how many pods there should be in all.
        staying: how many of them are on nodes and stay there.
        location: where it stands in the input; empty where it stands nowhere.
        pod: metadata and specification of a pod as they are written.
        position: where it stands, for programs.
    """

    owner: str
    wanted: int
    staying: int
    location: str = ""
    pod: Mapping[str, Any] = field(default_factory=dict)
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """A workload in the placement; ``nodes`` are indexes of nodes with numbers of new pods."""

    name: str
    share: Share
    count: int
    placed: int
    nodes: tuple[tuple[int, int], ...]

    @property
    def pending(self) -> int:
        """How many of its pods have no place."""
        return self.count - self.placed


class EvictionRow(NamedTuple):
    """A pod that has to go: from which node, for a pod of which workload, and what then.

    ``owner`` is who controls it, such as ``Job one/load``; empty where nobody does.
    """

    pod: str
    priority: int
    node: str
    by: str
    position: Position | None = None
    afterwards: Afterwards = Afterwards.AGAIN
    owner: str = ""

    @property
    def sentence(self) -> str:
        """What the scheduler says of it, in an event of the pod."""
        return f"Preempted by a pod of {self.by} on node {self.node}"

    @property
    def told(self) -> str:
        """The sentence, with what becomes of the pod."""
        return f"{self.sentence}{self._then}"

    @property
    def _then(self) -> str:
        if self.afterwards is Afterwards.AGAIN:
            return f", and created again by {self.owner}"
        if self.afterwards is Afterwards.OPEN:
            return (
                f", and lost unless {self.owner} creates it again: what such an owner does is not "
                "known here, and no place was looked for"
            )
        if self.afterwards is Afterwards.ENDING:
            return ", though it was terminating already"
        return ", and nobody creates it again"


class Refused(NamedTuple):
    """A pod that a kubelet does not admit, its reason, and where the pod stands."""

    pod: str
    reason: str
    position: Position | None = None


class OverfullRow(NamedTuple):
    """A node that holds more than it offers before anything is placed.

    Attributes:
        node: its name.
        short: what there is too much of.
        pods: those that hold any of it.
        refused: those among them that the kubelet does not admit.
    """

    node: str
    short: tuple[Usage, ...]
    pods: tuple[str, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A question about more than one cluster, such as what happens when any node is lost.

    Attributes:
        title: what is asked, such as ``any 1 node is lost``.
        answer: whether everything has a place then.
        lines: what came out, in sentences.
        data: the same for programs.
        more: how many pods of the placement are there only because of this question.
        full: whether it asks for a number, and there is room for none.
    """

    title: str
    answer: Answer
    lines: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    more: int = 0
    full: bool = False


class Said(NamedTuple):
    """What some nodes say to a pod, in the scheduler's words; nothing where it fits."""

    nodes: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The words, or that there is room."""
        return ", ".join(self.words) or "it fits here"


class Why(NamedTuple):
    """Why a pod is where it is, or pending.

    Attributes:
        pod: whom it is about, a pod or those of a workload.
        where: where it is, and why it is looked at so, in sentences.
        said: what the nodes say to it, those that say the same together.
    """

    pod: str
    where: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class PlacementReport:
    """The result of one run of ``kubelemma place``.

    Attributes:
        version: of kubelemma.
        problem: what was decided.
        decision: its answer, with all that proves it.
        workloads, nodes: the placement that the decision gives, the best one if it is incomplete.
        setting: what was assumed, in sentences.
        evictions: pods on nodes that have to go for others.
        overfull: nodes that hold more than they offer before anything is placed.
        whatifs: answers to what is asked beside.
        whys: what was asked about single pods.
        extra: pods that came onto nodes before anything was decided (DaemonSets'), and from where.
        not_modelled: what the input holds beyond the model.
    """

    version: str
    problem: Problem
    decision: Decision
    workloads: tuple[WorkloadRow, ...]
    nodes: tuple[NodeRow, ...]
    setting: tuple[str, ...]
    evictions: tuple[EvictionRow, ...] = ()
    overfull: tuple[OverfullRow, ...] = ()
    whatifs: tuple[WhatIf, ...] = ()
    whys: tuple[Why, ...] = ()
    extra: tuple[tuple[Pod, Share], ...] = ()
    not_modelled: tuple[NotModelled, ...] = ()

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.decision.question

    @property
    def verdict(self) -> Answer:
        """What is decided; no, if a kubelet refuses pods that are on its node already."""
        refused = any(row.refused for row in self.overfull)
        return Answer.NO if refused else self.decision.answer

    @property
    def answer(self) -> Answer:
        """No if anything is answered no, else unknown if anything is, else yes."""
        found = {self.verdict, *(whatif.answer for whatif in self.whatifs)}
        order = (Answer.NO, Answer.UNKNOWN)
        return next((a for a in order if a in found), Answer.YES)

    @property
    def pods(self) -> int:
        """How many pods were to be placed, those that are more than was asked for aside."""
        return sum(row.count for row in self.workloads) - self._more

    @property
    def placed(self) -> int:
        """How many of them have a place."""
        return sum(row.placed for row in self.workloads) - self._more

    @property
    def _more(self) -> int:
        return sum(whatif.more for whatif in self.whatifs)

    def total(self) -> tuple[Usage, ...]:
        """What all nodes have together."""
        return totals(self.nodes)

    def shown(self) -> PlacementReport:
        """The report for people: all that is said is visible; the problem is what it was."""
        decision = self.decision
        return replace(
            self,
            decision=replace(
                decision,
                reason=shown(decision.reason),
                pending=shown(decision.pending),
                relaxations=shown(decision.relaxations),
            ),
            version=shown(self.version),
            workloads=shown(self.workloads),
            nodes=shown(self.nodes),
            setting=shown(self.setting),
            evictions=shown(self.evictions),
            overfull=shown(self.overfull),
            whatifs=shown(self.whatifs),
            whys=shown(self.whys),
            not_modelled=shown(self.not_modelled),
        )


def placement_report(
    version: str,
    problem: Problem,
    decision: Decision,
    shares: Mapping[str, Share],
    *,
    setting: Iterable[str] = (),
    whatifs: Iterable[WhatIf] = (),
    extra: Iterable[tuple[Pod, Share]] = (),
    not_modelled: Iterable[NotModelled] = (),
) -> PlacementReport:
    """Put a report together; ``shares`` says where each workload comes from, by its name."""
    return PlacementReport(
        version,
        problem,
        decision,
        tuple(workload_rows(problem, decision.placement, shares)),
        tuple(node_rows(problem, decision.placement)),
        tuple(setting),
        tuple(_eviction(problem, one) for one in decision.evictions),
        whatifs=tuple(whatifs),
        extra=tuple(extra),
        not_modelled=tuple(not_modelled),
    )


def _eviction(problem: Problem, one: Eviction) -> EvictionRow:
    return EvictionRow(
        _called(one.pod),
        one.pod.spec.priority or 0,
        problem.cluster.nodes[one.node].metadata.name,
        problem.workloads[one.workload].name,
        afterwards=one.afterwards,
        owner=one.creator,
    )


def overfull_row(cluster: Cluster, one: Overfull) -> OverfullRow:
    """An overfull node with the names of all that it concerns."""
    return OverfullRow(
        cluster.nodes[one.node].metadata.name,
        tuple(Usage(*each) for each in one.short),
        tuple(map(_called, one.pods)),
        tuple(Refused(_called(pod), reason) for pod, reason in one.refused),
    )


def _called(pod: Pod) -> str:
    return f"Pod {pod.metadata.namespace}/{pod.metadata.name}"


def workload_rows(
    problem: Problem, placement: Placement, shares: Mapping[str, Share]
) -> Iterator[WorkloadRow]:
    """Each workload with its nodes."""
    nodes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for assigned in placement.assignments:
        nodes[assigned.workload].append((assigned.node, assigned.count))
    for index, workload in enumerate(problem.workloads):
        name, count = workload.name, workload.count
        share = shares.get(name) or Share(name, count, 0)
        placed = sum(number for _, number in nodes[index])
        yield WorkloadRow(name, share, count, placed, tuple(nodes[index]))


def node_rows(problem: Problem, placement: Placement) -> Iterator[NodeRow]:
    """Each node with what is requested of it."""
    held = _Requests()
    used: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pod in problem.cluster.pods:
        _add(used[pod.spec.node_name], held.of(pod), 1)
    placed: dict[int, list[tuple[int, int]]] = defaultdict(list)
    requests = [held.of(workload.pod) for workload in problem.workloads]
    for assigned in placement.assignments:
        placed[assigned.node].append((assigned.workload, assigned.count))
        name = problem.cluster.nodes[assigned.node].metadata.name
        _add(used[name], requests[assigned.workload], assigned.count)
    asked = {name for request in held.all() for name in request}
    others = sorted(asked - {CPU, MEMORY, "ephemeral-storage"})
    for index, node in enumerate(problem.cluster.nodes):
        labels = node.metadata.label_map()
        offered = allocatable(node.status.allocatable)
        own = used[node.metadata.name]
        names = [PODS, CPU, MEMORY, *(name for name in others if name in offered)]
        yield NodeRow(
            node.metadata.name,
            labels.get("topology.kubernetes.io/zone", ""),
            labels.get("node.kubernetes.io/instance-type", ""),
            not node.spec.unschedulable,
            tuple(Usage(name, own.get(name, 0), offered.get(name, 0)) for name in names),
            tuple(placed[index]),
        )


def totals(nodes: Iterable[NodeRow]) -> tuple[Usage, ...]:
    """The sum over nodes, by resource."""
    used: dict[str, int] = {}
    total: dict[str, int] = {}
    for node in nodes:
        for usage in node.usage:
            used[usage.resource] = used.get(usage.resource, 0) + usage.used
            total[usage.resource] = total.get(usage.resource, 0) + usage.total
    return tuple(Usage(name, used[name], total[name]) for name in total)


class _Requests:
    """What pods request, worked out once for all pods that ask alike."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, int]] = {}
        self._encoder = msgspec.json.Encoder(enc_hook=str)

    def of(self, pod: Pod) -> Mapping[str, int]:
        """The pod's requests; the pod itself is not among them."""
        spec, status = pod.spec, pod.status
        asked = [[c.resources, c.restart_policy] for c in spec.containers or ()]
        before = [[c.resources, c.restart_policy] for c in spec.init_containers or ()]
        resized = [status.container_statuses, status.conditions] if _is_resized(pod) else None
        key = self._encoder.encode((asked, before, spec.resources, spec.overhead, resized))
        if key not in self._known:
            self._known[key] = {n: a for n, a in held_requests(pod)[0].items() if a}
        return self._known[key]

    def all(self) -> Iterable[Mapping[str, int]]:
        """All that were asked for."""
        return self._known.values()


def _is_resized(pod: Pod) -> bool:
    return any(s.resources is not None for s in pod.status.container_statuses or ())


def _add(into: dict[str, int], request: Mapping[str, int], count: int) -> None:
    into[PODS] = into.get(PODS, 0) + count
    for name, amount in request.items():
        into[name] = into.get(name, 0) + amount * count
