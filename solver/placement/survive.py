"""Does everything still find a place whichever nodes are lost?

Survived means: after the loss, all pods that have to go elsewhere, and those that were to be placed
anyway, have a legal final state, while existing pods on other nodes stay where they are.

**Any N nodes.** Interchangeable nodes are lost with the same outcome (see ``interchange``), so one
loss for each way to draw N nodes from the classes decides for all of them; which members of a class
are lost is free, and those with the fewest pods are taken. A NO is final. YES needs a checked
witness for every such loss: as a rule the base placement with only the lost nodes' pods moved, else
one of its own.

**Order.** The slack of the linear relaxation is a concave function of how many nodes of each class
are lost, so it is least where all of them are of one class: those losses come first, the largest
first of all, because they are the likeliest to fail. This is about order only, for integers and
spread constraints break the argument; nothing is skipped on its account.

With preemption, where not everything finds a place after a loss, the scheduler may drive out pods
of lower priority (``preempted``), and everything has to find a place in the end. If that is needed
without any loss already, the losses are those of the cluster that it leads to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations_with_replacement
from math import comb, prod

from .checker import check
from .decide import decide
from .decision import Decision, Effort, Statistics
from .interchange import interchangeable
from .preempted import Preempted, preempted
from .problem import Answer, Placement, Problem, Question
from .repair import Base, Loss, base, loss, repaired
from .whatif import Reading

ZONE = "topology.kubernetes.io/zone"
TIME_LIMIT = "time-limit"
MOST = "most-losses"
MOST_LOSSES = 10_000
REPAIRABLE = 0.05
"""Up to this share of the nodes a loss is repaired; beyond, it is decided anew."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one loss, and of all losses that are like it.

    ``nodes`` are the names of the nodes lost, ``number`` how many sets of nodes it stands for,
    itself included. ``value`` is the lost domain's, where a domain is lost. ``after`` is what is
    left to be placed; ``decision`` is about it, and with the evictions of preemption, if there are
    any. ``repaired`` says that in its placement only pods of the lost nodes moved.
    """

    nodes: tuple[str, ...]
    number: int
    value: str | None
    after: Problem
    decision: Decision
    repaired: bool


@dataclass(frozen=True, slots=True)
class Survival:
    """Whether every loss is survived.

    ``base`` is the decision without any loss, about ``problem``, which is the one that was asked
    about as preemption has changed it; unless it is YES, no loss is looked at. ``total`` is
    the number of losses that are asked about (sets of nodes, or domains), ``covered`` how many of
    them have an outcome among ``outcomes``. NO has the refuting outcome last; UNKNOWN those that
    stayed open among the others, or says by ``stopped_by`` which limit was hit.
    """

    answer: Answer
    reading: Reading
    problem: Problem
    base: Decision
    outcomes: tuple[Outcome, ...]
    total: int
    stopped_by: str | None = None

    @property
    def covered(self) -> int:
        """How many of the losses have an outcome."""
        return sum(outcome.number for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that are not survived, or open."""
        return tuple(o for o in self.outcomes if o.decision.answer is not Answer.YES)

    @property
    def preempting(self) -> tuple[Outcome, ...]:
        """The outcomes that are survived because pods of lower priority go."""
        return tuple(
            o for o in self.outcomes if o.decision.answer is Answer.YES and o.decision.evictions
        )


@dataclass(frozen=True, slots=True)
class _Case:
    nodes: tuple[int, ...]
    number: int
    value: str | None = None


def survive(
    problem: Problem,
    count: int = 1,
    reading: Reading = Reading.GONE,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
    *,
    preemption: bool = False,
) -> Survival:
    """Whether any ``count`` nodes may be lost at once, with ``preemption`` if that is asked for.

    Raises:
        ValueError: there are not so many nodes, or ``count`` is less than 1.
    """
    nodes = len(problem.cluster.nodes)
    if not 1 <= count <= nodes:
        raise ValueError(f"any {count} of {nodes} nodes cannot be lost")
    trial = _Trial(problem, reading, effort, preemption=preemption)
    if trial.base.answer is not Answer.YES:
        return trial.unasked(comb(nodes, count))
    return trial.judged(_sets(trial.problem, count, trial.load()), comb(nodes, count))


def survive_domain(
    problem: Problem,
    key: str = ZONE,
    reading: Reading = Reading.GONE,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
    *,
    preemption: bool = False,
) -> Survival:
    """Whether all nodes with any one value of the label may be lost, the zone by default.

    Raises:
        ValueError: no node has the label.
    """
    domains: dict[str, list[int]] = {}
    for index, node in enumerate(problem.cluster.nodes):
        value = node.metadata.label_map().get(key)
        if value is not None:
            domains.setdefault(value, []).append(index)
    if not domains:
        raise ValueError(f"no node has the label {key}")
    trial = _Trial(problem, reading, effort, preemption=preemption)
    if trial.base.answer is not Answer.YES:
        return trial.unasked(len(domains))
    largest = sorted(domains, key=lambda value: (-len(domains[value]), value))
    cases = (_Case(tuple(domains[value]), 1, value) for value in largest)
    return trial.judged(cases, len(domains))


def _sets(problem: Problem, count: int, load: list[int]) -> Iterator[_Case]:
    """One set of nodes for each way to draw so many from the classes, one class alone first."""
    classes = [sorted(c, key=lambda i: (load[i], i)) for c in interchangeable(problem)]
    classes.sort(key=lambda c: (-_size(problem, c[0]), c[0]))
    pure = ((i,) * count for i in range(len(classes)))
    mixed = combinations_with_replacement(range(len(classes)), count)
    for draw in chain(pure, (draw for draw in mixed if len(set(draw)) > 1)):
        numbers = Counter(draw)
        if all(n <= len(classes[c]) for c, n in numbers.items()):
            nodes = [i for c, n in numbers.items() for i in classes[c][:n]]
            number = prod(comb(len(classes[c]), n) for c, n in numbers.items())
            yield _Case(tuple(sorted(nodes)), number)


def _size(problem: Problem, node: int) -> float:
    """The node's share of everything, summed over cpu and memory: how much is lost with it."""
    offered = problem.cluster.nodes[node].status.allocatable or {}
    return sum(float(offered[name].amount) / unit for name, unit in _UNITS if name in offered)


_UNITS = (("cpu", 1.0), ("memory", 4.0 * 2**30))


class _Trial:
    """The losses of one problem, judged one after the other within one effort."""

    def __init__(
        self, problem: Problem, reading: Reading, effort: Effort, *, preemption: bool
    ) -> None:
        self.reading, self.effort, self.preemption = reading, effort, preemption
        self.started = effort.now()
        self.problem, self.base = self.decide(problem)
        self.read: Base | None = None

    def decide(self, problem: Problem) -> Preempted:
        """The decision, within what is left of the effort."""
        found = decide(problem.cluster, problem.workloads, effort=self.rest())
        made = preempted(problem, found, self.rest()) if self.preemption else None
        return made or Preempted(problem, found)

    def rest(self) -> Effort:
        """The effort with the seconds that are left."""
        return self.effort.since(self.started)

    def late(self) -> bool:
        """Whether the time is over."""
        return self.rest().seconds == 0.0

    def load(self) -> list[int]:
        """The pods on each node that a loss would have to move."""
        self.read = self.read or base(self.problem, self.base.placement)
        pods: list[int] = self.read.load.tolist()
        return pods

    def unasked(self, total: int) -> Survival:
        """The answer where not even all is placed without a loss."""
        return Survival(self.base.answer, self.reading, self.problem, self.base, (), total)

    def judged(self, cases: Iterable[_Case], total: int) -> Survival:
        """Judge the cases until one is refuted, all are through, or a limit is hit."""
        outcomes: list[Outcome] = []
        stopped = None
        for number, case in enumerate(cases):
            stopped = TIME_LIMIT if self.late() else MOST if number >= MOST_LOSSES else None
            if stopped:
                break
            outcomes.append(self.outcome(case))
            if outcomes[-1].decision.answer is Answer.NO:
                break
        answers = {outcome.decision.answer for outcome in outcomes}
        if Answer.NO in answers:
            answer = Answer.NO
        else:
            answer = Answer.UNKNOWN if stopped or Answer.UNKNOWN in answers else Answer.YES
        found = tuple(outcomes)
        return Survival(answer, self.reading, self.problem, self.base, found, total, stopped)

    def outcome(self, case: _Case) -> Outcome:
        """Judge one case: by repairing the base placement, else by a decision of its own."""
        lost = loss(self.problem, case.nodes, self.reading)
        mended = None
        if len(case.nodes) <= max(1, REPAIRABLE * len(self.problem.cluster.nodes)):
            mended = self.mended(lost)
        names = tuple(self.problem.cluster.nodes[i].metadata.name for i in case.nodes)
        made = Preempted(lost.after, mended) if mended else self.decide(lost.after)
        repaired = mended is not None
        return Outcome(names, case.number, case.value, made.problem, made.decision, repaired)

    def mended(self, lost: Loss) -> Decision | None:
        """The decision that a repair of the base placement amounts to, if it is legal."""
        self.read = self.read or base(self.problem, self.base.placement)
        placement = repaired(self.read, lost)
        if placement is None or not _is_witness(lost.after, placement):
            return None
        return _yes(lost.after, placement)


def _is_witness(problem: Problem, placement: Placement) -> bool:
    """Whether the placement is complete, and legal for the independent checker."""
    placed = [0] * len(problem.workloads)
    for assignment in placement.assignments:
        placed[assignment.workload] += assignment.count
    complete = placed == [workload.count for workload in problem.workloads]
    return complete and not check(problem, placement)


def _yes(problem: Problem, placement: Placement) -> Decision:
    counts = [workload.count for workload in problem.workloads]
    return Decision(
        answer=Answer.YES,
        question=Question.FINAL,
        placement=placement,
        unplaced=(0,) * len(counts),
        statistics=Statistics(
            workloads=len(counts),
            pods=sum(counts),
            nodes=len(problem.cluster.nodes),
            rungs=("repair",),
        ),
    )
