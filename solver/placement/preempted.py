"""The answer where pods of lower priority make room: what ``preempting`` is asked, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from .collapse import collapse
from .decide import decide
from .decision import Decision, Effort, Reason, ReasonKind, Relaxation
from .pending import reasons
from .preempting import Outcome, Run, Scheduling, evictable, freed, matters, unanswerable
from .problem import Answer, Problem, Question

_ALL_TRIED = (
    "Whichever pod is scheduled next, and whoever makes room for it, somebody is pending in the "
    "end: every way was tried."
)


class Preempted(NamedTuple):
    """The answer with preemption.

    ``problem`` has, behind the other workloads, what is created again of the existing pods that had
    to go, which it lacks; ``decision`` is about it.
    """

    problem: Problem
    decision: Decision


def preempted(problem: Problem, found: Decision, effort: Effort) -> Preempted | None:
    """What preemption makes of an answer that was found without it.

    None where it makes nothing of it: all is placed anyway, nobody is more important than anybody,
    or it cannot be looked at (``preempting.unanswerable``).

    Raises:
        RuntimeError: a run is none (an error in this program).
    """
    asked = found.answer is not Answer.YES and found.question is not Question.ANY_ORDER
    if not asked or not matters(problem) or unanswerable(problem):
        return None
    started = effort.now()
    scheduling = Scheduling(problem, effort)
    run = scheduling.run()
    if _leaves_none(run):
        return _told(scheduling, run, replace(found, answer=Answer.YES))
    if scheduling.is_late() or not (evictable(problem) or found.answer is Answer.NO):
        return None
    if not evictable(problem):
        return _told(scheduling, run, found)
    free = freed(problem)
    proof = decide(
        free.cluster, free.workloads, effort=replace(effort.since(started), relaxations=False)
    )
    if proof.answer is Answer.NO:
        reason = _about(problem, proof.reason)
        refuted = replace(found, answer=Answer.NO, reason=reason, certificate=proof.certificate)
        return _told(scheduling, run, refuted)
    other = next(filter(_leaves_none, scheduling.runs()), None)
    tried = False
    if other is None:
        other, tried = scheduling.successful()
    if other is not None:
        return _told(scheduling, other, replace(found, answer=Answer.YES))
    reason = Reason(ReasonKind.EXHAUSTED, (), (), (_ALL_TRIED,)) if tried else None
    answer = Answer.NO if tried else Answer.UNKNOWN
    return _told(scheduling, run, replace(found, answer=answer, reason=reason, certificate=None))


def _for_nobody_to_go(found: tuple[Relaxation, ...], outcome: Outcome) -> tuple[Relaxation, ...]:
    """What would help, which was found without preemption: so less of it may do, if pods go."""
    if not outcome.evictions:
        return found
    words = ", so that nobody has to go; less may do if others go."
    return tuple(
        replace(one, sentence=f"{one.sentence.removesuffix('.')}{words}", smallest=False)
        for one in found
    )


def _leaves_none(run: Run) -> bool:
    return not any(run[0].left)


def _about(problem: Problem, reason: Reason | None) -> Reason | None:
    """The reason, about workloads of the problem only."""
    if reason is None:
        return None
    return replace(
        reason, workloads=tuple(w for w in reason.workloads if w < len(problem.workloads))
    )


def _told(scheduling: Scheduling, run: Run, found: Decision) -> Preempted:
    """The decision with where the run ends."""
    outcome = scheduling.outcome(run)
    left = [workload.count for workload in outcome.problem.workloads]
    for assigned in outcome.placement.assignments:
        left[assigned.workload] -= assigned.count
    said = dict(outcome.said)
    pending = tuple(
        replace(one, preemption=said.get(one.workload, one.preemption))
        for one in reasons(collapse(outcome.problem), outcome.placement, left)
    )
    good = found.answer is Answer.YES
    decision = replace(
        found,
        placement=outcome.placement,
        unplaced=tuple(left),
        pending=pending,
        reason=None if good else found.reason,
        certificate=None if good else found.certificate,
        relaxations=() if good else _for_nobody_to_go(found.relaxations, outcome),
        order=outcome.order if found.question is Question.REACHABLE else (),
        stuck=None,
        evictions=outcome.evictions,
        by_importance=True,
    )
    return Preempted(outcome.problem, decision)
