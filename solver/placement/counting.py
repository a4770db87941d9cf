"""How many more pods of a workload fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from .chains import completed
from .checker import check
from .collapse import collapse
from .decide import decide
from .decision import Decision, Effort
from .facts import Facts
from .preempted import Preempted, preempted
from .preempting import driving, evictable, unanswerable
from .problem import Answer, Problem, Workload

SHARE = 10
"""There are many decisions, so each gets this part of the rounds of repair."""

MOST = 10**6
"""More pods than this are not asked about."""

DOUBTS = 4
"""So many decisions may stay unknown before the least number that is refused is given up, and so
many again for the greatest that fits."""


@dataclass(frozen=True, slots=True)
class HowMany:
    """How many pods of a workload fit beyond those of the problem.

    ``more`` pods fit: ``decision`` has their placement. ``below`` is the least number that is
    proved not to fit, by ``refusal``. The answer is YES if ``below`` is the next number; NO if not
    even the problem itself fits (then ``more`` is None and ``refusal`` says why); else UNKNOWN.
    ``monotone`` is whether fewer pods always fit where more do; where it is False, numbers above
    ``below`` may fit again.
    """

    answer: Answer
    workload: str
    more: int | None
    below: int | None
    monotone: bool
    decision: Decision
    refusal: Decision | None


def how_many(
    problem: Problem,
    workload: Workload,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
) -> HowMany:
    """How many more pods of the workload fit, its ``count`` in the problem aside.

    If the problem has no workload of this name, it counts as one with no pods yet.
    """
    counted = _Counted(problem, workload, effort)
    first = counted.decision(0)
    if first.answer is not Answer.YES:
        refusal = first if first.answer is Answer.NO else None
        return HowMany(first.answer, workload.name, None, None, counted.monotone, first, refusal)
    return counted.search(first)


class _Counted:
    """The decisions for one workload, by how many pods more of it are asked for."""

    def __init__(self, problem: Problem, workload: Workload, effort: Effort) -> None:
        self.name = workload.name
        names = [w.name for w in problem.workloads]
        if self.name not in names:
            empty = replace(workload, count=0)
            problem = replace(problem, workloads=(*problem.workloads, empty))
            names.append(self.name)
        self.problem, self.index = problem, names.index(self.name)
        self.effort = replace(effort, relaxations=False, rounds=max(1, effort.rounds // SHARE))
        self.started = effort.now()
        self.facts = collapse(problem)
        self.monotone = is_monotone(self.facts, self.index)
        self.bound = min(MOST, upper_bound(self.facts, self.index))
        self.decision_of: dict[int, Decision] = {}

    def decision(self, more: int) -> Decision:
        """The decision about the problem with so many pods more."""
        problem = self.with_more(more)
        effort = self.effort.since(self.started)
        found = decide(problem.cluster, problem.workloads, effort=effort)
        self.decision_of[more] = found
        return found

    def with_more(self, more: int) -> Problem:
        """The problem with so many pods more."""
        workloads = list(self.problem.workloads)
        own = workloads[self.index]
        workloads[self.index] = replace(own, count=own.count + more)
        return replace(self.problem, workloads=tuple(workloads))

    def search(self, first: Decision) -> HowMany:
        """Raise the greatest number that fits, and lower the least that does not, until they meet.

        Pods are put into the first placement one by one at first, which costs little. Then the
        numbers above are halved, for the refusal and after that for what still fits. Only so many
        of these decisions may stay unknown.
        """
        more, doubtful = self.filled(first), None
        low, high, doubts = more, self.bound + 1, 0
        while high - low > 1 and doubts < DOUBTS:
            middle = (low + high) // 2
            answer = self.decision(middle).answer
            if answer is Answer.YES:
                low = more = middle
            elif answer is Answer.NO:
                high = middle
            else:
                low, doubts = middle, doubts + 1
                doubtful = doubtful or middle
        below = high if high <= self.bound else self.refused(high)
        while doubtful is not None and doubtful - more > 1 and doubts < 2 * DOUBTS:
            middle = (more + doubtful) // 2
            answer = self.decision(middle).answer
            if answer is Answer.YES:
                more = middle
            else:
                below = middle if answer is Answer.NO else below
                doubtful, doubts = middle, doubts + (answer is Answer.UNKNOWN)
        return self.result(more, below)

    def refused(self, number: int) -> int | None:
        """The number, if it is refused: more than fit alone always should be."""
        return number if self.decision(number).answer is Answer.NO else None

    def result(self, more: int, below: int | None) -> HowMany:
        """What the search has found out."""
        return HowMany(
            Answer.YES if below == more + 1 else Answer.UNKNOWN,
            self.name,
            more,
            below,
            self.monotone,
            self.decision_of[more],
            self.decision_of[below] if below is not None else None,
        )

    def filled(self, first: Decision) -> int:
        """How many more pods go into the placement one by one, moving few others."""
        workloads = len(self.problem.workloads)
        left = [self.bound if w == self.index else 0 for w in range(workloads)]
        placement, rest = completed(self.facts, first.placement, left)
        more = self.bound - rest[self.index]
        problem = self.with_more(more)
        if not more or check(problem, placement):
            return 0
        self.decision_of[more] = replace(
            first,
            placement=placement,
            statistics=replace(first.statistics, pods=first.statistics.pods + more),
        )
        return more


class Preempting(NamedTuple):
    """How many more pods fit where pods of lower priority go; ``made`` is the answer about them.

    ``exact`` is whether one more is proved not to.
    """

    more: int
    made: Preempted
    exact: bool


def how_many_preempting(
    problem: Problem,
    workload: Workload,
    found: HowMany,
    effort: Effort = Effort(),  # noqa: B008 (frozen)
) -> Preempting | None:
    """How many more fit, and everything else does, if pods of lower priority may be driven out.

    None where that is no more than ``found`` without; numbers in between are taken to fit, too.
    """
    counted = _Counted(problem, workload, effort)
    one_more = counted.with_more(1)
    if not driving(one_more) or unanswerable(one_more):
        return None
    gone = set(evictable(one_more))
    pods = tuple(p for i, p in enumerate(problem.cluster.pods) if i not in gone)
    empty = replace(counted.problem, cluster=replace(problem.cluster, pods=pods))
    bound = min(MOST, upper_bound(collapse(empty), counted.index))

    def made(more: int) -> Preempted:
        asked, without = counted.with_more(more), counted.decision(more)
        rest = effort.since(counted.started)
        return preempted(asked, without, rest) or Preempted(asked, without)

    best: tuple[int, Preempted] | None = None
    low = -1 if found.more is None else found.more
    high, step, exact = bound + 1, 1, True
    while high - low > 1:
        middle = min(low + step, high - 1) if step else (low + high) // 2
        one = made(middle)
        if one.decision.answer is Answer.YES:
            best, low, step = (middle, one), middle, 2 * step
        else:
            aside = unanswerable(counted.with_more(middle))
            exact = one.decision.answer is Answer.NO and not aside
            high, step = middle, 0
    return Preempting(*best, exact) if best is not None else None


def upper_bound(facts: Facts, workload: int) -> int:
    """A number of pods beyond which no more fit, even if all others were gone."""
    room = facts.room(workload)
    if facts.is_loner(workload):
        room = room.clip(max=1)
    return max(0, int(room.sum()) - int(facts.count[workload]))


def is_monotone(facts: Facts, workload: int) -> bool:
    """Whether any legal state stays legal without some one pod of the workload.

    It does if no other pod needs the workload's, by affinity or by a spread constraint that counts
    them, and it has at most one spread constraint of its own: then a pod of its fullest domain can
    go. With two, it may not (kubernetes#109364: seven pods are legal, six are not).
    """
    if any(workload in near.members for near in facts.near.values()):
        return False
    if len(facts.spreads.get(workload, ())) > 1:
        return False
    return not any(
        workload in spread.members
        for other, spreads in facts.spreads.items()
        if other != workload
        for spread in spreads
    )
