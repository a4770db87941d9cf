"""Priorities: who competes with whom when the less important give way."""

from __future__ import annotations

import pytest

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.priorities import at_least, priorities
from kubelemma.solver.placement.problem import Answer, Cluster, Problem, Workload


def pod(name: str, priority: int | None, **spec: str) -> Pod:
    """A pod of this priority."""
    return decode({"metadata": {"name": name}, "spec": {"priority": priority, **spec}}, Pod)


def problem(*workloads: Pod) -> Problem:
    """These workloads, and existing pods of priorities 0, 5 and 10."""
    there = tuple(pod(f"old{p}", p, nodeName="a") for p in (0, 5, 10))
    node = decode({"metadata": {"name": "a"}}, Node)
    kinds = tuple(Workload(p.metadata.name, p, 1) for p in workloads)
    return Problem(Cluster((node,), there), kinds)


@pytest.mark.parametrize(
    ("least", "workloads", "existing"),
    [
        (10, ["high"], ["old10"]),
        (5, ["middle", "high"], ["old5", "old10"]),
        (0, ["none", "middle", "high"], ["old0", "old5", "old10"]),
    ],
)
def test_the_less_important_go(least: int, workloads: list[str], existing: list[str]) -> None:
    """Workloads and existing pods below the priority are left out; equal ones stay."""
    given = problem(pod("none", None), pod("middle", 5), pod("high", 10))
    assert priorities(given) == (10, 5, 0)
    left = at_least(given, least)
    assert [w.name for w in left.workloads] == workloads
    assert [p.metadata.name for p in left.cluster.pods] == existing


def test_who_renounces_preemption_drives_out_nobody() -> None:
    """If all that is left must wait, existing pods stay; one that need not is enough."""
    never = pod("never", 10, preemptionPolicy="Never")
    assert len(at_least(problem(never), 10).cluster.pods) == 3
    assert len(at_least(problem(never, pod("high", 10)), 10).cluster.pods) == 1


def test_levels_of_a_decision() -> None:
    """What cannot be placed beside less important pods can if they give way, and it is said."""

    def asking(priority: int) -> dict[str, object]:
        containers = [{"resources": {"requests": {"cpu": "3"}}}]
        return {"priority": priority, "containers": containers}

    status = {"allocatable": {"cpu": "4", "pods": "9"}}
    node = decode({"metadata": {"name": "a"}, "status": status}, Node)
    there = decode({"metadata": {"name": "old"}, "spec": {**asking(1), "nodeName": "a"}}, Pod)
    kinds = tuple(
        Workload(f"w{p}", decode({"metadata": {"name": f"w{p}"}, "spec": asking(p)}, Pod), 1)
        for p in (9, 1)
    )
    decision = decide(Cluster((node,), (there,)), kinds)
    assert decision.answer is Answer.NO
    assert [(level.priority, level.answer) for level in decision.levels] == [
        (9, Answer.YES),
        (1, Answer.NO),
    ]
    (alone,) = decide(Cluster((node,), (there,)), kinds[:1]).levels
    assert (alone.priority, alone.answer) == (9, Answer.YES)
