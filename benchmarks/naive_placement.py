"""Two encodings of placement that come to mind first, for Z3, as a measure for what it is worth.

``booleans`` has a Boolean for each pod and node, ``integers`` a number for each workload and node.
They know what the synthetic clusters use: requests, the number of pods, node selectors, taints, an
even spread over the zones, one pod a host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import gcd
from typing import Any

import z3
from placement_clusters import HOSTNAME, ZONE

from kubelemma.model.components.scheduler.decision.node_affinity import matches_required
from kubelemma.model.components.scheduler.decision.resources import (
    PODS,
    added,
    allocatable,
    as_resources,
    held_requests,
    pod_requests,
)
from kubelemma.model.components.scheduler.decision.taints import has_untolerated_taint
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.problem import Answer, Problem

ANSWERS = {"sat": Answer.YES, "unsat": Answer.NO, "unknown": Answer.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer, and the seconds it took."""

    answer: Answer
    seconds: float


def booleans(problem: Problem) -> z3.Solver:
    """One Boolean for each pod and each node that admits it."""
    solver, terms = z3.Solver(), _Terms(problem)
    for w, workload in enumerate(problem.workloads):
        for p in range(workload.count):
            own = {n: z3.Bool(f"x{w},{p},{n}") for n in terms.admitting(workload.pod)}
            solver.add(z3.PbEq([(x, 1) for x in own.values()], 1) if own else z3.BoolVal(val=False))
            terms.put(w, own)
    for limits, capacity in terms.rooms():
        solver.add(z3.PbLe(limits, max(0, capacity)))
    for host in terms.hosts():
        solver.add(z3.AtMost(*host, 1))
    for zones in terms.zones(lambda xs: z3.Sum([z3.If(x, 1, 0) for x in xs])):
        solver.add([a - b <= skew for a, b, skew in zones])
    return solver


def integers(problem: Problem) -> z3.Solver:
    """One whole number for each workload and each node that admits it."""
    solver, terms = z3.Solver(), _Terms(problem)
    for w, workload in enumerate(problem.workloads):
        own = {n: z3.Int(f"n{w},{n}") for n in terms.admitting(workload.pod)}
        solver.add([x >= 0 for x in own.values()])
        solver.add(z3.Sum(list(own.values())) == workload.count)
        terms.put(w, own)
    for limits, capacity in terms.rooms():
        solver.add(z3.Sum([x * amount for x, amount in limits]) <= capacity)
    for host in terms.hosts():
        solver.add(z3.Sum(host) <= 1)
    for zones in terms.zones(z3.Sum):
        solver.add([a - b <= skew for a, b, skew in zones])
    return solver


ENCODINGS: dict[str, Callable[[Problem], z3.Solver]] = {
    "booleans": booleans,
    "integers": integers,
}


def timed(encoding: str, problem: Problem, seconds: float) -> Timed:
    """Build and solve; UNKNOWN if it takes longer than that to solve."""
    start = time.monotonic()
    solver = ENCODINGS[encoding](problem)
    solver.set("timeout", int(seconds * 1000))
    answer = ANSWERS[str(solver.check())]
    return Timed(answer, time.monotonic() - start)


class _Terms:
    """The unknowns of an encoding by workload and node, and what constrains them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.nodes = problem.cluster.nodes
        self.on: list[tuple[int, int, Any]] = []

    def admitting(self, pod: Pod) -> list[int]:
        return [n for n, node in enumerate(self.nodes) if _admits(pod, node)]

    def put(self, workload: int, own: dict[int, Any]) -> None:
        self.on += [(workload, node, x) for node, x in own.items()]

    def rooms(self) -> Iterable[tuple[list[tuple[Any, int]], int]]:
        """For each node and resource: unknowns with amounts, and their limit."""
        asked = [{**as_resources(pod_requests(w.pod)), PODS: 1} for w in self.problem.workloads]
        free = self._free()
        for n, room in enumerate(free):
            here = [(w, x) for w, node, x in self.on if node == n]
            for name, capacity in room.items():
                limits = [(x, asked[w][name]) for w, x in here if asked[w].get(name)]
                if limits:
                    unit = gcd(*(amount for _, amount in limits))
                    yield [(x, amount // unit) for x, amount in limits], capacity // unit

    def _free(self) -> list[dict[str, int]]:
        loads: dict[str, list[Pod]] = {}
        for pod in self.problem.cluster.pods:
            loads.setdefault(pod.spec.node_name, []).append(pod)
        free = []
        for node in self.nodes:
            there = loads.get(node.metadata.name, [])
            used = added([held_requests(pod)[0] | {PODS: 1} for pod in there])
            offered = allocatable(node.status.allocatable)
            free.append({name: amount - used.get(name, 0) for name, amount in offered.items()})
        return free

    def hosts(self) -> Iterable[list[Any]]:
        """For each workload with one pod a host, and each node: the unknowns of both."""
        for w, workload in enumerate(self.problem.workloads):
            if any(term == HOSTNAME for term in _apart(workload.pod)):
                for n in range(len(self.nodes)):
                    here = [x for v, node, x in self.on if (v, node) == (w, n)]
                    if here:
                        yield here

    def zones(self, total: Callable[[list[Any]], Any]) -> Iterable[list[tuple[Any, Any, int]]]:
        """For each spread workload: pairs of its numbers in two zones, and by how much they differ.

        All zones count, as nothing here narrows a spread workload's nodes.
        """
        values = sorted({node.metadata.label_map()[ZONE] for node in self.nodes})
        for w, workload in enumerate(self.problem.workloads):
            for constraint in workload.pod.spec.topology_spread_constraints or ():
                numbers = [total(self._in_zone(w, value)) for value in values]
                yield [(a, b, constraint.max_skew) for a in numbers for b in numbers if a is not b]

    def _in_zone(self, workload: int, value: str) -> list[Any]:
        return [
            x
            for w, n, x in self.on
            if w == workload and self.nodes[n].metadata.label_map()[ZONE] == value
        ]


def _admits(pod: Pod, node: Node) -> bool:
    return matches_required(pod, node) and not has_untolerated_taint(pod, node)


def _apart(pod: Pod) -> list[str]:
    affinity = pod.spec.affinity
    terms = affinity.pod_anti_affinity if affinity else None
    return [term.topology_key for term in (terms and terms.required) or ()]
