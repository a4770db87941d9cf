"""Preemption in questions about many clusters: losses, and how many more pods fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from test_placement_preemption import EFFORT, BruteForce, answered, nodes, pod, seeded

from kubelemma.solver.placement.counting import how_many, how_many_preempting
from kubelemma.solver.placement.problem import Answer, Cluster, Problem, Workload
from kubelemma.solver.placement.repair import loss
from kubelemma.solver.placement.survive import survive
from kubelemma.solver.placement.whatif import Reading

BATCH = pod("2", -10, "batch", "n0", owner="")
WEB = Workload("web", pod("2", 0), 2)


def test_a_loss_is_survived_by_preemption() -> None:
    """A pod that cannot go everywhere drives out one that can, and all is placed in the end."""
    apart = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n1"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [apart]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    there = (pod("3", -10, "batch", "n0"), pod("3", 0, "choosy", "n2", affinity=affinity))
    problem = Problem(Cluster(nodes("4", "3", "4"), there), ())
    assert survive(problem, effort=EFFORT).answer is Answer.NO
    found = survive(problem, effort=EFFORT, preemption=True)
    assert found.answer is Answer.YES
    (outcome,) = found.preempting
    assert outcome.nodes == ("n2",)
    assert [one.pod.metadata.name for one in outcome.decision.evictions] == ["batch"]


def test_losses_are_those_of_the_cluster_after_preemption() -> None:
    """What has to go without any loss is gone before one is looked at."""
    problem = Problem(Cluster(nodes("2", "2", "2"), (BATCH,)), (replace(WEB, count=3),))
    found = survive(problem, effort=EFFORT, preemption=True)
    assert found.base.answer is Answer.YES
    assert found.problem.cluster.pods == ()
    assert found.answer is Answer.NO


@pytest.mark.parametrize("owner", ["", "ReplicaSet"])
def test_how_many_more_with_preemption(owner: str) -> None:
    """A lone pod makes room for one more; one that comes back needs that room itself."""
    batch = pod("2", -10, "batch", "n0", owner=owner)
    problem = Problem(Cluster(nodes("4", "4"), (batch,)), (WEB,))
    without = how_many(problem, WEB, EFFORT)
    assert without.more == 1
    found = how_many_preempting(problem, WEB, without, EFFORT)
    assert (found is None) is bool(owner)
    if found is not None:
        assert (found.more, found.exact) == (2, True)
        assert [e.pod.metadata.name for e in found.made.decision.evictions] == ["batch"]


def test_how_many_where_only_preemption_has_room_for_what_is_asked_for() -> None:
    """Not even what is asked for fits without, and all of it does with preemption."""
    problem = Problem(Cluster(nodes("4"), (BATCH,)), (WEB,))
    without = how_many(problem, WEB, EFFORT)
    assert without.more is None
    found = how_many_preempting(problem, WEB, without, EFFORT)
    assert found is not None
    assert (found.more, found.exact) == (0, True)


def differing(seed: int, counts: Counter[str]) -> Iterator[str]:
    """Where questions about many clusters answer otherwise than one question after the other."""
    problem = seeded(seed)
    survived = survive(problem, effort=EFFORT, preemption=True)
    counts[f"survive: {survived.answer}"] += 1
    counts["survive: preempting"] += bool(survived.preempting)
    if survived.base.answer is Answer.YES:
        numbers = range(len(problem.cluster.nodes))
        after = (loss(survived.problem, (n,), Reading.GONE).after for n in numbers)
        single = {answered(each).decision.answer for each in after}
        if Answer.UNKNOWN not in single and (Answer.NO in single) != (survived.answer is Answer.NO):
            yield f"seed {seed}: {survived.answer}, and one by one {single}"
    own = problem.workloads[0]
    without = how_many(problem, own, EFFORT)
    found = how_many_preempting(problem, own, without, EFFORT)
    counts[f"how many: {'none' if found is None else 'more'}"] += 1
    if found is not None:
        least = -1 if without.more is None else without.more
        if found.more <= least:
            yield f"seed {seed}: {found.more} with preemption, {least} without"
        more = replace(own, count=own.count + found.more)
        asked = replace(problem, workloads=(more, *problem.workloads[1:]))
        if BruteForce(asked).succeeds() is False:
            yield f"seed {seed}: {found.more} more, and brute force says no"


def test_many_clusters_agree_with_one_after_the_other() -> None:
    """Losses, and numbers of pods, come out as if each had been asked about by itself."""
    counts: Counter[str] = Counter()
    cases = max(100, settings().max_examples)
    assert [x for seed in range(cases) for x in differing(seed, counts)] == []
    assert counts["survive: preempting"]
    assert counts["how many: more"]
