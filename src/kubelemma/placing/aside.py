"""What is said of preemption beside an answer: who goes, or that it was not looked at."""

from __future__ import annotations

from kubelemma.reports.placement_words import listed
from kubelemma.reports.style import plural
from kubelemma.solver.placement import preempting
from kubelemma.solver.placement.decision import Decision
from kubelemma.solver.placement.problem import Afterwards, Problem, Question

from .asking import Asked

PREEMPTION = (
    "preemption: the most important pods come first, and may drive out pods of lower priority, "
    "which are pending then if somebody creates them again"
)
"""What is assumed where pods have to go for others."""

_MOST_NAMED, _FEW = 5, 3


def gone_for(decision: Decision) -> str:
    """Who has to go for others: ``Pod one/a has to go for others; nobody creates it again``."""
    gone = [f"Pod {e.pod.metadata.namespace}/{e.pod.metadata.name}" for e in decision.evictions]
    verb = "has" if len(gone) == 1 else "have"
    first = f"{listed(gone, _MOST_NAMED)} {verb} to go for others"
    lost = len(decision.lost())
    if not lost:
        return first
    which = "it" if len(gone) == 1 else "them" if lost == len(gone) else f"{lost:,} of them"
    unknown = any(one.afterwards is Afterwards.OPEN for one in decision.lost())
    return f"{first}; nobody creates {which} again{', as far as is known' * unknown}"


def left_aside(problem: Problem, asked: Asked) -> str:
    """That preemption was not looked at, and who could go; empty if nobody could, or it was."""
    why = preempting.unanswerable(problem) if asked.preemption else ""
    aside = bool(why) or not asked.preemption or asked.question is Question.ANY_ORDER
    return could_go(problem, why) if aside else ""


def could_go(problem: Problem, why: str = "") -> str:
    """That preemption is left aside, and what it might change; empty if nobody could go."""
    asking = [problem.workloads[w].name for w in preempting.driving(problem)]
    if not asking:
        return ""
    number = len(preempting.evictable(problem))
    reason = f", as {why}" if why else ""
    return (
        f"preemption is left aside{reason}: {plural(number, 'pod')} on nodes could be driven out "
        f"by pods of {listed(asking, _FEW)}"
    )
