"""Whether a run with preemption is one, by a reading of the rules of its own.

Step by step: a pod goes to a node, and pods may have to go for it. Then

- the pod may drive out others (``preemptionPolicy`` is not ``Never``), and fits nowhere without;
- whoever has to go is on that node, and of lower priority;
- afterwards the pod fits there.

Who goes first, and which of several nodes is chosen, is the scheduler's to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from kubelemma.model.objects.pod import Pod

from .checker import check
from .order_ledger import Ledger
from .problem import Assignment, Placement, Problem, Workload


class Step(NamedTuple):
    """A pod of a kind goes to a node, and others leave it for that.

    ``existing`` are indexes of the cluster's pods, ``placed`` the kinds of pods that came before.
    """

    workload: int
    node: int
    existing: tuple[int, ...] = ()
    placed: tuple[int, ...] = ()


def objection(problem: Problem, kinds: Sequence[Workload], steps: Iterable[Step]) -> str | None:
    """The first thing that is wrong with the steps, as a sentence; None if nothing is.

    ``kinds`` are the problem's workloads, and behind them what existing pods are created again as.
    """
    return next(_Replay(problem, kinds).objections(steps), None)


class _Replay:
    """The cluster as it becomes; the ledger is made anew whenever pods have gone."""

    def __init__(self, problem: Problem, kinds: Sequence[Workload]) -> None:
        self.problem = replace(problem, workloads=tuple(kinds))
        self.existing = dict(enumerate(problem.cluster.pods))
        self.placed: list[tuple[int, int]] = []
        self.ledger = Ledger(self.problem)

    def objections(self, steps: Iterable[Step]) -> Iterator[str]:
        for number, step in enumerate(steps, start=1):
            for words in self._step(step):
                name = self.problem.workloads[step.workload].name
                node = self.problem.cluster.nodes[step.node].metadata.name
                yield f"step {number}, {name} to {node}: {words}"

    def _step(self, step: Step) -> Iterator[str]:
        if step.existing or step.placed:
            yield from self._eviction(step)
        elif not self.ledger.fits(step.workload, step.node):
            yield "the pod does not fit"
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
        cluster = replace(self.problem.cluster, pods=tuple(self._there()))
        self.ledger = Ledger(replace(self.problem, cluster=cluster))
        alone = Problem(cluster, (Workload("pod", pod, 1),))
        for complaint in check(alone, Placement((Assignment(0, step.node, 1),))):
            yield f"it does not fit afterwards: {complaint.sentence}"

    def _leave(self, step: Step, pod: Pod) -> Iterator[str]:
        """Take those away that have to go."""
        name = self.problem.cluster.nodes[step.node].metadata.name
        for index in step.existing:
            victim = self.existing.pop(index, None)
            if victim is None or victim.spec.node_name != name:
                yield "a pod has to go that is not there"
            elif _priority(victim) >= _priority(pod):
                yield f"{victim.metadata.name}, which has to go, is no less important"
        for kind in step.placed:
            victim = self.problem.workloads[kind].pod
            if (kind, step.node) not in self.placed:
                yield "a pod has to go that is not there"
                continue
            self.placed.remove((kind, step.node))
            if _priority(victim) >= _priority(pod):
                yield f"a pod of {self.problem.workloads[kind].name} is no less important"

    def _there(self) -> Iterator[Pod]:
        """All pods on nodes."""
        yield from self.existing.values()
        for kind, node in self.placed:
            pod = self.problem.workloads[kind].pod
            name = self.problem.cluster.nodes[node].metadata.name
            yield with_fields(pod, spec=with_fields(pod.spec, node_name=name))


def _priority(pod: Pod) -> int:
    return pod.spec.priority if pod.spec.priority is not None else 0
