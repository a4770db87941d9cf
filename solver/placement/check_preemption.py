"""Whether a run with preemption is one, by a reading of the rules of its own.

Step by step: a pod goes to a node, and pods may have to go for it. Then

- the pod may drive out others (``preemptionPolicy`` is not ``Never``), and fits nowhere without;
- whoever has to go is on that node, and of lower priority;
- afterwards the pod fits there;
- there is such a pod: one that was asked for, or one that its controller creates again. Whoever had
  to go without a controller that is known does not come back.

Who goes first, and which of several nodes is chosen, is the scheduler's to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from kubelemma.model.objects.pod import Pod

from . import check_rules as rules
from .checker import check
from .order_ledger import Ledger
from .problem import Assignment, Placement, Problem, Workload

_MIRROR = "kubernetes.io/config.mirror"
_CREATORS = frozenset(
    ("DaemonSet", "Job", "Node", "ReplicaSet", "ReplicationController", "StatefulSet")
)
"""Whose pods are created again; for those of a Node, its kubelet does it."""


class Step(NamedTuple):
    """A pod of a kind goes to a node, and others leave it for that.

    ``existing`` are indexes of the cluster's pods, ``placed`` the kinds of pods that came before.
    """

    workload: int
    node: int
    existing: tuple[int, ...] = ()
    placed: tuple[int, ...] = ()


LARGEST = 200_000
"""Evictions times pods on nodes up to which ``checker`` looks at each of them, beside the counts of
``order_ledger``, which look at every step."""


def objection(
    problem: Problem,
    kinds: Sequence[Workload],
    steps: Sequence[Step],
    again: Mapping[int, int] | None = None,
) -> str | None:
    """The first thing that is wrong with the steps, as a sentence; None if nothing is.

    ``kinds`` are the problem's workloads, and behind them what existing pods are created again as:
    ``again`` gives the kind of each by the number of the pod.
    """
    replay = _Replay(problem, kinds, again or {})
    evictions = sum(bool(step.existing or step.placed) for step in steps)
    replay.thorough = evictions * len(problem.cluster.pods) <= LARGEST
    return next(replay.objections(steps), None)


class _Replay:
    """The cluster as it becomes; pods that may go are counted as pods of their kinds."""

    def __init__(
        self, problem: Problem, kinds: Sequence[Workload], again: Mapping[int, int]
    ) -> None:
        self.problem = replace(problem, workloads=tuple(kinds))
        self.node_of = {node.metadata.name: n for n, node in enumerate(problem.cluster.nodes)}
        self.existing = dict(enumerate(problem.cluster.pods))
        # In the middle of a resize a pod holds what one that is created again would not ask for.
        self.again = {
            i: kind
            for i, kind in again.items()
            if rules.requests(self.existing[i], running=True) == rules.requests(kinds[kind].pod)
        }
        self.back = dict(again)
        self.pending = [kind.count for kind in kinds[: len(problem.workloads)]]
        self.pending += [0] * (len(kinds) - len(problem.workloads))
        self.placed: list[tuple[int, int]] = []
        self.thorough = True
        self.ledger = self._counted()

    def _counted(self) -> Ledger:
        """The counts as they are now."""
        fixed = tuple(pod for i, pod in self.existing.items() if i not in self.again)
        cluster = replace(self.problem.cluster, pods=fixed)
        ledger = Ledger(replace(self.problem, cluster=cluster))
        for i, kind in self.again.items():
            if i in self.existing:
                ledger.put(kind, self.node_of[self.existing[i].spec.node_name])
        for kind, node in self.placed:
            ledger.put(kind, node)
        return ledger

    def objections(self, steps: Iterable[Step]) -> Iterator[str]:
        for number, step in enumerate(steps, start=1):
            for words in self._step(step):
                name = self.problem.workloads[step.workload].name
                node = self.problem.cluster.nodes[step.node].metadata.name
                yield f"step {number}, {name} to {node}: {words}"

    def _step(self, step: Step) -> Iterator[str]:
        if step.existing or step.placed:
            yield from self._eviction(step)
        if not self.ledger.fits(step.workload, step.node):
            yield "the pod does not fit"
        if not self.pending[step.workload]:
            yield "there is no such pod"
        self.pending[step.workload] -= 1
        self.ledger.put(step.workload, step.node)
        self.placed.append((step.workload, step.node))

    def _eviction(self, step: Step) -> Iterator[str]:
        pod = self.problem.workloads[step.workload].pod
        if pod.spec.preemption_policy == "Never":
            yield "its preemptionPolicy is Never"
        nodes = range(len(self.problem.cluster.nodes))
        if any(self.ledger.fits(step.workload, n) for n in nodes):
            yield "it fits without"
        yield from self._leave(step, pod)
        if self.thorough:
            cluster = replace(self.problem.cluster, pods=tuple(self._there()))
            alone = Problem(cluster, (Workload("pod", pod, 1),))
            for complaint in check(alone, Placement((Assignment(0, step.node, 1),))):
                yield f"it does not fit afterwards: {complaint.sentence}"

    def _leave(self, step: Step, pod: Pod) -> Iterator[str]:
        """Take those away that have to go."""
        known = True
        for index in step.existing:
            victim = self.existing.pop(index, None)
            if victim is None or self.node_of[victim.spec.node_name] != step.node:
                yield "a pod has to go that is not there"
                continue
            yield from self._comes_back(index, victim)
            if _priority(victim) >= _priority(pod):
                yield f"{victim.metadata.name}, which has to go, is no less important"
            elif index in self.again:
                self.ledger.put(self.again[index], step.node, -1)
            else:
                known = False
        for kind in step.placed:
            if (kind, step.node) not in self.placed:
                yield "a pod has to go that is not there"
                continue
            self.placed.remove((kind, step.node))
            self.ledger.put(kind, step.node, -1)
            self.pending[kind] += _has_creator(self.problem.workloads[kind].pod)
            if _priority(self.problem.workloads[kind].pod) >= _priority(pod):
                yield f"a pod of {self.problem.workloads[kind].name} is no less important"
        if not known:
            self.ledger = self._counted()

    def _comes_back(self, index: int, victim: Pod) -> Iterator[str]:
        """Count who is created again; the run has to know of the same."""
        kind = self.back.get(index)
        if _has_creator(victim) and kind is None:
            yield f"{victim.metadata.name} is created again, and nobody says as what"
        elif kind is not None and not _has_creator(victim):
            yield f"nobody creates {victim.metadata.name} again"
        elif kind is not None:
            self.pending[kind] += 1

    def _there(self) -> Iterator[Pod]:
        """All pods on nodes."""
        yield from self.existing.values()
        for kind, node in self.placed:
            pod = self.problem.workloads[kind].pod
            name = self.problem.cluster.nodes[node].metadata.name
            yield with_fields(pod, spec=with_fields(pod.spec, node_name=name))


def _has_creator(pod: Pod) -> bool:
    """Whether the pod is created again when it is gone, unless it was about to go anyway."""
    metadata = pod.metadata
    if metadata.deletion_timestamp is not None:
        return False
    if _MIRROR in metadata.annotation_map():
        return True
    owners = (owner.kind for owner in metadata.owner_references or () if owner.controller)
    return next(owners, None) in _CREATORS


def _priority(pod: Pod) -> int:
    return pod.spec.priority if pod.spec.priority is not None else 0
