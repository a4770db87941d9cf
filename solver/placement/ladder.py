"""Decides whether workloads can be placed: the ladder, from cheap to dear.

1. each pod has a node · 2. each workload fits alone · 3. sets that exclude each other have enough
domains · 4. entangled workloads fit among themselves · 5. a linear relaxation over shapes and
classes, and if it fails the coarsest shortage · 6. a placement, guided by the relaxation ·
7. weights that show fragmentation · 8. on a small cluster, whole numbers and trying every way.

YES is only said with a complete placement that the checker accepts, NO only with a certificate that
was verified in exact arithmetic; else the answer is UNKNOWN, with the best placement so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from . import orders, refute
from .cells import SINGLE_NODES, cells
from .checker import check
from .collapse import collapse
from .construct import Attempt, Limit, Outlook, attempt, from_cells, mended, outlook, without
from .decision import Decision, Effort, Reason, ReasonKind, Statistics
from .exact import solve
from .facts import Facts
from .lasting import lasting
from .pending import reasons
from .problem import Answer, Placement, Problem, Question
from .refute import Refutation
from .relaxations import is_small, levels, relaxations
from .units import entangled

SMALL_PODS = 64
"""A cluster of single cells with so many pods is decided over whole numbers at once."""

TRIES = 6
"""Attempts at a placement, in different orders, before the dear steps."""

FEW_WAYS = 5_000
"""States of one pod after the other that are looked at for each change that might help."""

TIME_LIMIT = "time-limit"
NOTHING = Placement(())


class IllegalPlacement(Exception):
    """The checker refused what the solver called a placement: an internal error."""


def answer(problem: Problem, question: Question, effort: Effort) -> Decision:
    """What ``decide`` gives."""

    def ask(other: Problem, allowed: Effort) -> Decision:
        return _answer(other, question, allowed)

    found = ask(problem, effort)
    if found.answer is Answer.YES or not effort.relaxations or not is_small(problem):
        return found
    if question is not Question.FINAL:
        effort = replace(effort, exact_ways=min(effort.exact_ways, FEW_WAYS))
    found = replace(found, levels=levels(problem, effort, ask))
    if found.answer is not Answer.NO:
        return found
    return replace(found, relaxations=relaxations(problem, found, effort, ask))


def _answer(problem: Problem, question: Question, effort: Effort) -> Decision:
    final = _Ladder(problem, effort).decide()
    if question is Question.FINAL:
        return final
    if final.answer is Answer.NO:
        rest = lasting(problem)
        refuted = final if rest == problem else _Ladder(rest, effort).decide()
        if refuted.answer is Answer.NO:
            return replace(
                final,
                question=question,
                reason=refuted.reason,
                certificate=refuted.certificate,
            )
    return _in_order(problem, question, effort, final)


def _in_order(problem: Problem, question: Question, effort: Effort, final: Decision) -> Decision:
    """The answer for one pod at a time, where it is not ruled out by what the pods leave behind."""
    if question is Question.REACHABLE:
        target = final.placement if final.answer is Answer.YES else None
        found = orders.reach(problem, effort, target)
    else:
        found = orders.every_order(problem, effort)
    stuck = found.stuck
    no = found.answer is Answer.NO
    kept = found.placement if found.answer is Answer.YES and found.placement.assignments else None
    placement = kept or (stuck if no and stuck is not None else final.placement)
    unplaced = _left(problem, placement)
    return replace(
        final,
        answer=found.answer,
        question=question,
        placement=placement,
        unplaced=unplaced,
        reason=Reason(ReasonKind.ORDER, (), (), (found.argument,)) if no else None,
        certificate=None,
        pending=reasons(collapse(problem), placement, unplaced) if any(unplaced) else (),
        order=found.order if found.answer is Answer.YES else found.order_to_stuck,
        stuck=stuck,
    )


def _left(problem: Problem, placement: Placement) -> tuple[int, ...]:
    """The pods that the placement leaves over, by workload."""
    left = [workload.count for workload in problem.workloads]
    for assigned in placement.assignments:
        left[assigned.workload] -= assigned.count
    return tuple(left)


@dataclass(slots=True)
class _Ladder:
    """One decision; the rungs are noted as they are climbed."""

    problem: Problem
    effort: Effort
    rungs: list[str] = field(default_factory=list)
    knotted: frozenset[int] = frozenset()
    view: Outlook | None = None
    checked: Placement | None = None
    stopped_by: str | None = None
    facts: Facts = field(init=False)
    best: Attempt | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        if self.effort.clock is not None and self.effort.seconds is not None:
            self.deadline = self.effort.clock() + self.effort.seconds
        self.facts = collapse(self.problem)

    def decide(self) -> Decision:
        for name, climb in self._rungs():
            self.rungs.append(name)
            found = climb()
            if isinstance(found, Refutation):
                return self._no(found)
            if found is not None:
                return self._yes(found)
            if self._stop():
                break
        return self._unknown()

    def _stop(self) -> bool:
        if self.deadline is None or self.effort.clock is None:
            return False
        if self.effort.clock() < self.deadline:
            return False
        self.stopped_by = TIME_LIMIT
        return True

    def _rungs(self) -> Iterator[tuple[str, Callable[[], Refutation | Placement | None]]]:
        facts = self.facts
        knotted = self.knotted = entangled(facts)
        yield "each pod", lambda: refute.no_node(facts)
        yield "each workload", lambda: refute.alone(facts)
        if facts.apart or facts.ports:
            yield "exclusions", lambda: refute.exclusion(facts)
        small = facts.nodes <= SINGLE_NODES and facts.count.sum() <= SMALL_PODS
        if knotted and not small:
            yield "entangled", lambda: refute.conflict(facts, knotted, self.effort)
        view = self._view()
        if view.headroom is None or view.headroom < 0:
            yield "totals", lambda: refute.totals(facts)
            yield "prices", lambda: self._combined(view)
        yield "placement", lambda: self._construct(1, self._limit(5, 0))
        yield "fragmentation", lambda: refute.fragmented(facts)
        if small:
            yield "whole numbers", self._exact
            yield "every way", lambda: refute.exhausted(facts, self.effort)
        else:
            yield (
                "more placements",
                lambda: self._construct(
                    TRIES if knotted else 2, self._limit(50, self.effort.repackings)
                ),
            )

    def _combined(self, view: Outlook) -> Refutation | None:
        return None if view.price is None else refute.combined(self.facts, view.groups, view.price)

    def _view(self) -> Outlook:
        if self.view is None:
            self.view = outlook(self.facts, self.knotted)
        return self.view

    def _limit(self, share: float, repackings: int) -> Limit:
        return Limit(int(share * self.effort.rounds), repackings, self._stop)

    def _construct(self, tries: int, limit: Limit) -> Placement | None:
        for seed in range(tries):
            found = attempt(self.facts, self.knotted, self._view(), seed, limit)
            found = self._accepted(found)
            if self.best is None or found.left.sum() < self.best.left.sum():
                self.best = found
            if found.complete:
                return found.placement
            if self._stop():
                break
        return None

    def _accepted(self, found: Attempt) -> Attempt:
        """The attempt, or as much of it as the checker accepts.

        Pods left over may break the spread of their workload, and pods placed one by one that of
        another.
        """
        refused = {c.workload for c in check(self.problem, found.placement)}
        if refused or not found.complete:
            found = mended(self.facts, found, refused)
            refused = {c.workload for c in check(self.problem, found.placement)}
        while refused:
            found = without(self.facts, found, refused)
            refused = {c.workload for c in check(self.problem, found.placement)}
        self.checked = found.placement
        return found

    def _exact(self) -> Placement | None:
        problem = cells(self.facts, range(self.facts.workloads))
        answer, counts = solve(problem, self.effort.solver_steps)
        if answer is not Answer.YES or counts is None:
            return None
        found = from_cells(problem, counts)
        # Volumes that wait for a consumer are no part of the encoding.
        return None if check(self.problem, found) else self._note(found)

    def _note(self, placement: Placement) -> Placement:
        self.checked = placement
        return placement

    # --- answers ---------------------------------------------------------------------------------

    def _statistics(self) -> Statistics:
        facts = self.facts
        return Statistics(
            workloads=facts.workloads,
            pods=int(facts.count.sum()),
            nodes=facts.nodes,
            shapes=len(self.view.units) if self.view else 0,
            classes=len(np.unique(facts.node_class)),
            rungs=tuple(self.rungs),
            headroom=self.view.headroom if self.view else None,
            stopped_by=self.stopped_by,
        )

    def _yes(self, placement: Placement) -> Decision:
        complaints = () if placement is self.checked else check(self.problem, placement)
        if complaints:
            raise IllegalPlacement(f"the solver's placement is refused: {complaints[0].sentence}")
        return Decision(
            answer=Answer.YES,
            question=Question.FINAL,
            placement=placement,
            unplaced=(0,) * self.facts.workloads,
            statistics=self._statistics(),
        )

    def _partial(self) -> tuple[Placement, tuple[int, ...]]:
        if self.best is None:
            self._construct(1, self._limit(1 / 8, 0))
        if self.best is None:
            return NOTHING, tuple(self.facts.count.tolist())
        return self.best.placement, tuple(self.best.left.tolist())

    def _no(self, refutation: Refutation) -> Decision:
        placement, unplaced = self._partial()
        return Decision(
            answer=Answer.NO,
            question=Question.FINAL,
            placement=placement,
            unplaced=unplaced,
            reason=refutation.reason,
            certificate=refutation.certificate,
            pending=reasons(self.facts, placement, unplaced),
            statistics=self._statistics(),
        )

    def _unknown(self) -> Decision:
        placement, unplaced = self._partial()
        if not any(unplaced):
            return self._yes(placement)
        return Decision(
            answer=Answer.UNKNOWN,
            question=Question.FINAL,
            placement=placement,
            unplaced=unplaced,
            pending=reasons(self.facts, placement, unplaced),
            statistics=self._statistics(),
        )
