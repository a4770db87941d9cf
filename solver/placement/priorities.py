"""Priorities: what is left of a problem when everything less important gives way.

Preemption drives out pods of strictly lower priority, one node at a time, and disruption budgets do
not forbid it (the scheduler's ``preemption``). So pods of at least a given priority compete with
each other only. Whether *they* can be placed, with the rest gone, decides what preemption can do:
a NO for them is a NO whatever gives way; a YES says that giving way is enough, not that the
scheduler finds every one of the steps.
"""

from __future__ import annotations

from dataclasses import replace

from kubelemma.model.objects.pod import Pod

from .problem import Problem


def priority(pod: Pod) -> int:
    """The pod's priority; 0 where admission has set none."""
    return pod.spec.priority or 0


def priorities(problem: Problem) -> tuple[int, ...]:
    """The priorities of the workloads, the highest first."""
    return tuple(sorted({priority(w.pod) for w in problem.workloads}, reverse=True))


def at_least(problem: Problem, least: int) -> Problem:
    """The workloads of at least this priority, with the existing pods that need not give way.

    Existing pods of lower priority go, unless no workload that is left may drive them out
    (``preemptionPolicy: Never``).
    """
    workloads = tuple(w for w in problem.workloads if priority(w.pod) >= least)
    driving = any(w.pod.spec.preemption_policy != "Never" for w in workloads)
    pods = tuple(p for p in problem.cluster.pods if priority(p) >= least or not driving)
    return replace(problem, cluster=replace(problem.cluster, pods=pods), workloads=workloads)
