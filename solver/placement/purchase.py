"""Which nodes to add, for the least money, so that everything fits.

A lower bound comes from totals: whatever some workloads ask for of a resource has to fit into the
nodes that may take them. Z3 finds the cheapest numbers of machines that pass every such total,
exactly; these are decided; if the answer is NO they are excluded together with everything smaller
(where more machines can never hurt), and so on until a YES, which is then the cheapest of all,
unless an UNKNOWN was cheaper. If that takes too many rounds, the numbers are raised until they
suffice, and what is known about the least price is said beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import z3  # type: ignore[import-untyped]

from kubelemma.model.objects.node import Node

from .collapse import collapse
from .decide import decide
from .decision import Decision, Effort
from .facts import Facts
from .problem import Answer, Problem
from .whatif import add

ROUNDS = 40
"""So many numbers of machines are decided while the least price is being proved."""

DOUBTS = 3
"""So many of these decisions may stay unknown."""

POOLS = 200
"""Totals are looked at for so many sets of nodes that confine workloads, the widest first."""

RAISES = 24
"""So often the numbers are raised afterwards."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A type of node that may be added, and what one costs, in any unit."""

    name: str
    node: Node
    price: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What to add: ``counts`` in the order of the machines.

    YES: with these everything fits, at this ``price``; ``decision`` is about ``problem``, in which
    they have been added. ``lower`` is a proved bound: no choice that costs less suffices; the
    choice is ``cheapest`` if that is its price. NO: no number of these machines suffices, as a pod
    fits on none of them, nor elsewhere; ``decision`` then is about the problem as it was, as it is
    with UNKNOWN.
    """

    answer: Answer
    counts: tuple[int, ...]
    price: Fraction
    lower: Fraction
    problem: Problem
    decision: Decision

    @property
    def cheapest(self) -> bool:
        """Whether nothing cheaper suffices, proved."""
        return self.answer is Answer.YES and self.price == self.lower


def fewest_nodes(
    problem: Problem,
    machines: Sequence[Machine],
    effort: Effort = Effort(),  # noqa: B008 (frozen)
) -> Purchase:
    """The cheapest machines to add, or the fewest where all prices are equal.

    Raises:
        ValueError: there are no machines, or a price is not above 0.
    """
    if not machines or any(machine.price <= 0 for machine in machines):
        raise ValueError("at least one machine type is needed, and prices above 0")
    return _Search(problem, machines, effort).run()


class _Search:
    """The search for the cheapest numbers of machines."""

    def __init__(self, problem: Problem, machines: Sequence[Machine], effort: Effort) -> None:
        self.problem, self.machines = problem, machines
        self.effort = replace(effort, relaxations=False)
        self.started = effort.now()
        self.base = self.decide(problem)
        self.open: Fraction | None = None

    def decide(self, problem: Problem) -> Decision:
        return decide(problem.cluster, problem.workloads, effort=self.rest())

    def rest(self) -> Effort:
        """The effort with the seconds that are left."""
        return self.effort.since(self.started)

    def run(self) -> Purchase:
        none = (0,) * len(self.machines)
        if self.base.answer is Answer.YES:
            return self.found(none, Fraction(0), self.problem, self.base)
        if self.base.answer is Answer.UNKNOWN:
            self.open = Fraction(0)
        programme = _Programme(self.problem, self.machines)
        programme.exclude(none, decided=self.base.answer is Answer.NO)
        lower, counts, doubts = Fraction(0), none, 0
        for _ in range(ROUNDS):
            cheapest = programme.cheapest()
            if cheapest is None:
                return self.failed(lower, programme)
            counts, lower = cheapest, self.price(cheapest)
            problem = self.added(counts)
            decision = self.decide(problem)
            if decision.answer is Answer.YES:
                return self.found(counts, lower, problem, decision)
            programme.exclude(counts, decided=decision.answer is Answer.NO)
            doubts += decision.answer is Answer.UNKNOWN
            if decision.answer is Answer.UNKNOWN and self.open is None:
                self.open = lower
            if doubts == DOUBTS or self.rest().seconds == 0.0:
                break
        return self.raised(counts, lower)

    def raised(self, counts: tuple[int, ...], lower: Fraction) -> Purchase:
        """More and more of what totals ask for until it suffices, then as little more as does."""
        best: Purchase | None = None
        low, extra = 0, 1
        for _ in range(RAISES):
            more = tuple(n + extra * max(1, n >> 5) if n else 0 for n in counts)
            problem = self.added(more)
            decision = self.decide(problem)
            if decision.answer is Answer.YES:
                best, high = self.found(more, lower, problem, decision), extra
            else:
                low = extra
            extra = (low + high) // 2 if best else 2 * extra
            if extra == low or self.rest().seconds == 0.0:
                break
        return best or self.unknown(lower)

    def found(
        self, counts: tuple[int, ...], lower: Fraction, problem: Problem, decision: Decision
    ) -> Purchase:
        proved = lower if self.open is None else min(lower, self.open)
        return Purchase(Answer.YES, counts, self.price(counts), proved, problem, decision)

    def failed(self, lower: Fraction, programme: _Programme) -> Purchase:
        """No numbers are left: totals can never be met, unless something cheaper stayed open."""
        if self.open is not None or not programme.complete:
            return self.unknown(lower)
        none = (0,) * len(self.machines)
        return Purchase(Answer.NO, none, Fraction(0), lower, self.problem, self.base)

    def unknown(self, lower: Fraction) -> Purchase:
        none = (0,) * len(self.machines)
        proved = lower if self.open is None else min(lower, self.open)
        return Purchase(Answer.UNKNOWN, none, Fraction(0), proved, self.problem, self.base)

    def price(self, counts: Sequence[int]) -> Fraction:
        return sum((m.price * n for m, n in zip(self.machines, counts, strict=True)), Fraction(0))

    def added(self, counts: Sequence[int]) -> Problem:
        problem = self.problem
        for machine, count in zip(self.machines, counts, strict=True):
            problem = add(problem, machine.node, count) if count else problem
        return problem


class _Programme:
    """Numbers of machines that pass all totals and were not excluded, cheapest first."""

    def __init__(self, problem: Problem, machines: Sequence[Machine]) -> None:
        self.numbers = [z3.Int(f"n{i}") for i in range(len(machines))]
        self.solver = z3.Optimize()
        self.solver.add([number >= 0 for number in self.numbers])
        facts, own = _with_one_each(problem, machines)
        self.complete = True
        self.monotone = _never_hurts(facts, len(problem.cluster.nodes))
        asked = [w for w, load in enumerate(problem.workloads) if load.count]
        self._totals(facts, own, asked)
        self._alone(facts, own, asked)
        terms = zip(machines, self.numbers, strict=True)
        self.solver.minimize(z3.Sum([_real(m.price) * n for m, n in terms]))

    def _totals(self, facts: Facts, own: list[int], asked_for: list[int]) -> None:
        """For each set of nodes that confines some workloads: what they ask for is there."""
        room = np.maximum(facts.free, 0)
        room[own] = 0
        widest = np.argsort(-facts.masks.sum(axis=1), kind="stable")[:POOLS]
        for mask in facts.masks[widest]:
            confined = (facts.masks <= mask).all(axis=1)
            inside = [w for w in asked_for if confined[facts.mask_of[w]]]
            if not inside:
                continue
            asked = (facts.request[inside] * facts.count[inside, None]).sum(axis=0)
            there = room[mask].sum(axis=0)
            for r in range(len(facts.resources)):
                if asked[r] > there[r]:
                    offers = [
                        int(facts.free[i, r]) * n
                        for i, n in zip(own, self.numbers, strict=True)
                        if mask[i] and facts.free[i, r] > 0
                    ]
                    self.solver.add(int(there[r]) + z3.Sum(offers) >= int(asked[r]))

    def _alone(self, facts: Facts, own: list[int], asked_for: list[int]) -> None:
        """Each workload would have a place if there were nothing else to be placed."""
        for w in asked_for:
            room = facts.room(w).clip(max=1 if facts.is_loner(w) else facts.count[w])
            offers = [int(room[i]) * n for i, n in zip(own, self.numbers, strict=True)]
            there = int(room.sum()) - int(room[own].sum())
            if there < facts.count[w]:
                self.solver.add(there + z3.Sum(offers) >= int(facts.count[w]))

    def exclude(self, counts: Sequence[int], *, decided: bool) -> None:
        """Leave out these numbers; all smaller ones too if decided and more can never hurt."""
        pairs = list(zip(self.numbers, counts, strict=True))
        if decided and self.monotone:
            self.solver.add(z3.Or([n > c for n, c in pairs]))
        else:
            self.solver.add(z3.Or([n != c for n, c in pairs]))

    def cheapest(self) -> tuple[int, ...] | None:
        """The cheapest numbers left; None if there are none."""
        result = self.solver.check()
        if result != z3.sat:
            self.complete = self.complete and result == z3.unsat
            return None
        model = self.solver.model()
        return tuple(model.eval(n, model_completion=True).as_long() for n in self.numbers)


def _real(price: Fraction) -> Any:
    return z3.Q(price.numerator, price.denominator)


def _with_one_each(problem: Problem, machines: Sequence[Machine]) -> tuple[Facts, list[int]]:
    """The facts of the problem with one machine of each type, and the indexes of these."""
    own = []
    for machine in machines:
        own.append(len(problem.cluster.nodes))
        problem = add(problem, machine.node, 1)
    return collapse(problem), own


def _never_hurts(facts: Facts, nodes: int) -> bool:
    """Whether one machine more can never turn a YES into a NO.

    It might if it makes a new domain of somebody's spread constraint, which starts empty, or if it
    comes with pods of its own that some rule looks at.
    """
    comes_with_pods = len(facts.problem.cluster.pods) > 0 and bool(
        (facts.free[nodes:] != facts.capacity[nodes:]).any()
    )
    if comes_with_pods and (facts.spreads or facts.apart or facts.near):
        return False
    for spreads in facts.spreads.values():
        for spread in spreads:
            known = set(spread.domain[:nodes].tolist())
            if spread.floor and set(spread.domain[nodes:].tolist()) - known - {-1}:
                return False
    return True
