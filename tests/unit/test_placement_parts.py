"""The parts of placement, each by itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement import Cluster, Problem, Workload
from kubelemma.solver.placement.certificate import cheapest, cheapest_within, proves
from kubelemma.solver.placement.certificate_data import NoNode, Prices, Weights
from kubelemma.solver.placement.collapse import collapse
from kubelemma.solver.placement.facts import room
from kubelemma.solver.placement.knapsack import best_pattern, heaviest
from kubelemma.solver.placement.units import rounded
from kubelemma.solver.placement.words import amount, listed


def small_problem(count: int = 3) -> Problem:
    """Two nodes of 4 cpus, one of them tainted, and a workload of 1500m pods."""
    plain = {"metadata": {"name": "n0"}, "status": {"allocatable": {"cpu": "4", "pods": "9"}}}
    taint = {"taints": [{"key": "k", "effect": "NoSchedule"}]}
    marked = {**plain, "metadata": {"name": "n1"}, "spec": taint}
    web = {"spec": {"containers": [{"resources": {"requests": {"cpu": "1500m"}}}]}}
    cluster = Cluster((decode(plain, Node), decode(marked, Node)))
    return Problem(cluster, (Workload("web", decode(web, Pod), count),))


def test_collapse_reads_room_and_masks() -> None:
    """Cpu is in millicores, the number of pods is the last resource, taints mask."""
    facts = collapse(small_problem())
    assert facts.resources == ("cpu", "pods")
    assert facts.free.tolist() == [[4000, 9], [4000, 9]]
    assert facts.request.tolist() == [[1500, 1]]
    assert facts.mask(0).tolist() == [True, False]
    assert facts.room(0).tolist() == [2, 0]


def test_amounts_that_cannot_be_summed_are_refused() -> None:
    """An absurd amount is an error that names it, not a wrong sum."""
    node = {"metadata": {"name": "n"}, "status": {"allocatable": {"memory": "100P"}}}
    web = {"spec": {"containers": [{"resources": {"requests": {"memory": "1Gi"}}}]}}
    problem = Problem(Cluster((decode(node, Node),)), (Workload("web", decode(web, Pod), 1),))
    with pytest.raises(ValueError, match="memory"):
        collapse(problem)


def test_a_pod_on_an_unknown_node_is_refused() -> None:
    """The message names the pod and the node."""
    problem = small_problem()
    lost = decode({"metadata": {"name": "p"}, "spec": {"nodeName": "gone"}}, Pod)
    with pytest.raises(ValueError, match="gone"):
        collapse(Problem(Cluster(problem.cluster.nodes, (lost,)), problem.workloads))


def test_room_of_an_overcommitted_node() -> None:
    """Less than nothing takes no pod, and what asks for nothing fits anywhere."""
    free = np.array([[-5, 3], [10, 3]])
    assert room(np.array([2, 1]), free).tolist() == [0, 3]
    assert room(np.array([0, 1]), free).tolist() == [3, 3]


def test_certificates_prove_what_they_should() -> None:
    """Three pods do not fit on a node for two; two do."""
    prices = Prices((), (), (0,))
    assert proves(collapse(small_problem(3)), prices)
    assert not proves(collapse(small_problem(2)), prices)
    assert not proves(collapse(small_problem(3)), NoNode(0))
    weights = Weights(((0, Fraction(1)),))
    assert proves(collapse(small_problem(3)), weights)
    assert not proves(collapse(small_problem(2)), weights)


def test_groups_that_overlap_are_refused() -> None:
    """A node that is paid for twice would prove too much."""
    twice = Prices(((0,), (0, 1)), (((("cpu"), Fraction(1)),),) * 2, (0,))
    with pytest.raises(ValueError, match="two groups"):
        proves(collapse(small_problem()), twice)


segments = st.lists(st.tuples(st.integers(0, 5).map(Fraction), st.integers(1, 3)), max_size=3)


@given(segments, st.integers(0, 8))
def test_cheapest_takes_the_cheapest(offers: list[tuple[Fraction, int]], count: int) -> None:
    """The price of so many is the sum of the lowest single prices."""
    single = sorted(cost for cost, amount_ in offers for _ in range(amount_))
    expected = sum(single[:count], Fraction(0)) if len(single) >= count else None
    assert cheapest(sorted(offers), count) == expected


@given(st.lists(segments, min_size=1, max_size=3), st.data())
def test_cheapest_within_bounds(
    domains: list[list[tuple[Fraction, int]]], data: st.DataObject
) -> None:
    """The same as trying every number of pods for each domain."""
    domains = [sorted(d) for d in domains]
    bounds = [
        tuple(sorted(data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3))))) for _ in domains
    ]
    count = data.draw(st.integers(0, 8))
    found = []
    for split in product(*(range(low, high + 1) for low, high in bounds)):
        if sum(split) == count:
            prices = [cheapest(d, n) for d, n in zip(domains, split, strict=True)]
            if None not in prices:
                found.append(sum((p for p in prices if p is not None), Fraction(0)))
    pairs = [(low, high) for low, high in bounds]
    assert cheapest_within(domains, pairs, count) == min(found, default=None)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 4)), max_size=4),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_the_heaviest_set(kinds: list[tuple[int, int, int]], free: tuple[int, int]) -> None:
    """Branch and bound finds what trying all sets finds."""
    requests = [(a, b) for _, a, b in kinds]
    weights = [Fraction(w) for w, _, _ in kinds]
    best = max(
        sum((n * w for n, w in zip(counts, weights, strict=True)), Fraction(0))
        for counts in product(range(10), repeat=len(kinds))
        if sum(n * a for n, (a, _) in zip(counts, requests, strict=True)) <= free[0]
        and sum(n * b for n, (_, b) in zip(counts, requests, strict=True)) <= free[1]
    )
    assert heaviest(weights, requests, free, 100_000) == best
    counts = best_pattern([float(w) for w in weights], requests, free, 100_000)
    assert sum(n * w for n, w in zip(counts, weights, strict=True)) == best


def test_the_heaviest_set_gives_up() -> None:
    """With too few steps there is no answer."""
    assert heaviest([Fraction(1)] * 3, [(1,)] * 3, (9,), 1) is None


@given(st.lists(st.tuples(st.floats(0, 9), st.integers(0, 10)), min_size=1, max_size=5), st.data())
def test_rounding_keeps_totals(parts: list[tuple[float, int]], data: st.DataObject) -> None:
    """The total comes out unless the limits forbid it; no limit is exceeded."""
    ideal, most = [x for x, _ in parts], [m for _, m in parts]
    total = data.draw(st.integers(0, sum(most)))
    found = rounded(ideal, total, most)
    assert sum(found) == total
    assert all(0 <= n <= m for n, m in zip(found, most, strict=True))


def test_words() -> None:
    """Amounts as in a manifest; long lists are cut."""
    assert amount("cpu", 2650) == "2650m"
    assert amount("cpu", 15800) == "15.8"
    assert amount("memory", 3 * 2**30) == "3Gi"
    assert amount("nvidia.com/gpu", 3) == "3"
    assert listed(["a", "b", "c", "d"]) == "a, b, c, d"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
