"""Laws of placement on tiny clusters: what more nodes, fewer pods and later pods leave alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice

from hypothesis import assume, given, settings
from test_placement_brute_force import (
    BruteForce,
    Drawer,
    State,
    at_least,
    moved,
    placement_of,
    problems,
)

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.lasting import lasting
from kubelemma.solver.placement.problem import Problem


@settings(max_examples=at_least(100))
@given(problem=problems())
def test_what_lasts_is_there_in_the_end(problem: Problem) -> None:
    """However the pods are placed one by one, what is left lasts, and the rest is not needed."""
    force, rest = BruteForce(problem), lasting(problem)
    seen, agenda = {force.start}, [force.start]
    while agenda and len(seen) < 200:
        state = agenda.pop()
        assert check(rest, placement_of(state)) == ()
        fresh = set(force.successors(state)) - seen
        seen |= fresh
        agenda += sorted(fresh)


def legal_states(problem: Problem, most: int = 5) -> Iterator[State]:
    """Some complete legal states."""
    force = BruteForce(problem)
    return islice(filter(force.is_legal, force.states()), most)


def hard_spread(problem: Problem) -> bool:
    """Whether a constraint measures skew over all domains."""
    found = (c for w in problem.workloads for c in w.pod.spec.topology_spread_constraints or ())
    return any(constraint.when_unsatisfiable == "DoNotSchedule" for constraint in found)


@settings(max_examples=at_least(100))
@given(problem=problems())
def test_one_more_node_keeps_states_legal(problem: Problem) -> None:
    """Without hard spread constraints, a legal state stays legal when an empty node comes."""
    assume(not hard_spread(problem))
    more = decode(Drawer(lambda options: options[0])._raw_node(9), Node)
    cluster = dataclasses.replace(problem.cluster, nodes=(*problem.cluster.nodes, more))
    larger = dataclasses.replace(problem, cluster=cluster)
    for state in legal_states(problem):
        assert check(larger, placement_of(state)) == ()


@settings(max_examples=at_least(100))
@given(problem=problems())
def test_one_pod_less_keeps_states_legal(problem: Problem) -> None:
    """Where no pod asks for others, a legal state stays legal when any pod goes."""
    asking = (w.pod.spec.affinity and w.pod.spec.affinity.pod_affinity for w in problem.workloads)
    assume(not hard_spread(problem) and not any(asking))
    for state in legal_states(problem):
        for w, row in enumerate(state):
            for n in (n for n, number in enumerate(row) if number):
                assert check(problem, placement_of(moved(state, w, n, -1))) == ()
