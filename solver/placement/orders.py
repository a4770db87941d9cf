"""Placement one pod at a time: does some order, does every order of scheduling succeed?

The scheduler takes one pending pod after the other, in any order, and puts it on any node that
passes all filters. It never moves a pod, and never asks about one again. **An order succeeds if it
ends with every pod placed.** So ANY_ORDER implies REACHABLE.

Both differ from FINAL where a pod needs others: spread constraints measure skew at every step, and
affinity needs somebody to be there first. Neither implies FINAL: pods that come later may belie
what an earlier one had asked for (see ``lasting``). They differ from one another even without, as
pods of one kind may break up the room that another kind needs.

Cheap arguments come first: the order of a given legal state, a few greedy runs, and a pigeonhole
argument for ANY_ORDER. What they leave open is searched exhaustively, over counts of pods by node
and workload, with nodes that are alike exchanged freely. Beyond the effort the answer is UNKNOWN.

Every order and every standstill that leads to an answer is replayed with the scheduler's filters,
unless pods times nodes exceed ``REPLAYED``; then the counts of ``order_ledger`` stand alone.
Where volumes are chosen as pods come (WaitForFirstConsumer), unless each pod has one made for
itself, the answer is UNKNOWN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from .check_volumes import Volumes
from .checker import check
from .decision import Effort
from .lasting import lasting
from .order_ledger import Ledger, State
from .order_replay import Order, refusal, way_on
from .order_room import always_room
from .problem import Answer, Assignment, Placement, Problem

REPLAYED = 100_000
"""Pods times nodes up to which witnesses are replayed with the scheduler's own filters."""

RUNS = 12
"""Greedy runs before the exhaustive search."""

_LARGEST_RUN = 200_000
"""Pods times nodes up to which greedy runs are tried."""

_LARGEST_SEARCH = 40_000_000
"""States times workloads times nodes up to which an exhaustive search goes on."""

Move = tuple[int, int]
NOTHING = Placement(())
_UNDECIDED = "which volumes the claims get depends on the order of the pods, and is left open"


@dataclass(frozen=True, slots=True)
class Orders:
    """The answer to a question about orders.

    ``order`` ((workload, node), one pod at a time) leads to ``placement``: for YES of REACHABLE a
    complete state, else the fullest that was found. ``stuck`` is where scheduling stopped short;
    ``order_to_stuck`` leads there. ``states`` is how many the exhaustive search looked at, and
    ``argument`` says in a sentence why.
    """

    answer: Answer
    argument: str
    placement: Placement = NOTHING
    order: Order = ()
    stuck: Placement | None = None
    order_to_stuck: Order = ()
    states: int = 0


def reach(
    problem: Problem, effort: Effort | None = None, target: Placement | None = None
) -> Orders:
    """Whether some order succeeds; ``target`` is a legal final state to try first.

    Raises:
        RuntimeError: the filters refuse a witness (an error in this program).
    """
    if _by_volumes(problem):
        return Orders(Answer.UNKNOWN, _UNDECIDED)
    search = _Search(problem, effort or Effort())
    order = search.ordered(target) if target is not None else None
    if order is not None and search.succeeds(order):
        return search.reached(order, "the pods of a legal final state can be placed one by one")
    for order in search.runs():
        if search.succeeds(order):
            return search.reached(order, "a run of one pod after the other placed all of them")
    return search.exhaust(some=True)


def every_order(problem: Problem, effort: Effort | None = None) -> Orders:
    """Whether every order succeeds.

    Raises:
        RuntimeError: the filters refuse a witness (an error in this program).
    """
    if _by_volumes(problem):
        return Orders(Answer.UNKNOWN, _UNDECIDED)
    search = _Search(problem, effort or Effort())
    if always_room(search.ledger):
        sentence = "whatever the others do, they cannot fill all nodes that a pod may go to"
        return Orders(Answer.YES, sentence)
    for order in search.runs():
        if not search.succeeds(order):
            return search.failed(order)
    return search.exhaust(some=False)


def _by_volumes(problem: Problem) -> bool:
    """Whether volumes make more of the order than is modelled here."""
    volumes = Volumes(problem)
    return any(volumes.depends_on_order(w) for w in problem.workloads if w.pod.spec.volumes)


class _GaveUp(Exception):
    """The effort is used up."""


class _Search:
    """One question: the ledger that is written and undone, and the budget."""

    def __init__(self, problem: Problem, effort: Effort) -> None:
        self.problem = problem
        self.ledger = Ledger(problem)
        self.pods = sum(self.ledger.asked)
        self.size = self.pods * self.ledger.size
        cells = max(1, len(problem.workloads) * self.ledger.size)
        self.ways = min(effort.exact_ways, _LARGEST_SEARCH // cells)
        self.clock = effort.clock if effort.seconds is not None else None
        self.states = 1
        self.deadline = self.clock() + (effort.seconds or 0) if self.clock else 0.0

    def is_late(self) -> bool:
        """Whether the time of the effort is over."""
        return self.clock is not None and self.clock() > self.deadline

    # --- the order of a given state ---------------------------------------------------------------

    def ordered(self, target: Placement) -> Order | None:
        """An order in which the pods of the target can be placed; None if none was found.

        Those that ask for others go first, as often as one of them can; the rest, if nothing else
        is left to do, one by one.
        """
        pending: list[list[list[int]]] = [[] for _ in self.problem.workloads]
        for a in target.assignments:
            pending[a.workload].append([a.node, a.count])
        asking = [w for w, own in enumerate(self.ledger.own) if own.asks_for_others]
        others = [w for w, own in enumerate(self.ledger.own) if not own.asks_for_others]
        order: list[Move] = []
        progress = True
        while progress and not self.is_late():
            progress = False
            for w in asking:
                progress |= self._put_all(w, pending[w], order)
            asking = [w for w in asking if pending[w]]
            for w in others:
                if asking and progress:
                    break
                progress |= self._put_some(w, pending[w], order)
            others = [w for w in others if pending[w]]
        self._undo(order)
        return None if any(pending) else tuple(order)

    def _put_all(self, w: int, places: list[list[int]], order: list[Move]) -> bool:
        """Place the workload's pods, one a node in each round, until none goes any more."""
        before, more = len(order), True
        while more and places:
            more = False
            for place in places:
                if place[1] and self.ledger.fits(w, place[0]):
                    self._put(w, place[0], order)
                    place[1] -= 1
                    more = True
            places[:] = [place for place in places if place[1]]
        return len(order) > before

    def _put_some(self, w: int, places: list[list[int]], order: list[Move]) -> bool:
        """Place what can be placed of a workload that does not ask for others."""
        before = len(order)
        for place in places:
            while place[1] and self.ledger.fits(w, place[0]):
                self._put(w, place[0], order)
                place[1] -= 1
        places[:] = [place for place in places if place[1]]
        return len(order) > before

    def _put(self, w: int, n: int, order: list[Move]) -> None:
        self.ledger.put(w, n)
        order.append((w, n))

    def _undo(self, order: Iterable[Move]) -> None:
        for w, n in order:
            self.ledger.put(w, n, -1)

    # --- greedy runs ------------------------------------------------------------------------------

    def runs(self) -> Iterator[Order]:
        """A few runs to the end: large pods to roomy nodes, small ones to full nodes, at random."""
        if self.size > _LARGEST_RUN:
            return
        for number in range(RUNS):
            if self.is_late():
                return
            yield self._run(Random(number), number)  # noqa: S311 - the same runs each time

    def _run(self, random: Random, number: int) -> Order:
        """Number 0 is meant to succeed, number 1 to fail, the others differ."""
        ledger, order = self.ledger, list[Move]()
        workloads = sorted(range(len(ledger.own)), key=self._weight, reverse=number != 1)
        while True:
            if number > 1:
                random.shuffle(workloads)
            found = ((w, nodes) for w in workloads if (nodes := self._open(w)))
            w, nodes = next(found, (0, []))
            if not nodes:
                break
            if number > 1:
                self._put(w, random.choice(nodes), order)
            else:
                by_room = sorted(nodes, key=lambda n, w=w: self._room(w, n))  # type: ignore[misc]
                self._put(w, by_room[number - 1], order)
        self._undo(order)
        return tuple(order)

    def _open(self, w: int) -> list[int]:
        """The nodes to which a pod of the workload may go; none if none is left to place."""
        ledger = self.ledger
        return (
            [n for n in sorted(ledger.own[w].allowed) if ledger.fits(w, n)]
            if ledger.left[w]
            else []
        )

    def _weight(self, w: int) -> tuple[bool, float]:
        own, free = self.ledger.own[w], self.ledger.free
        most = [max((row[r] for row in free), default=0) for r, _ in own.needs]
        shares = (need / room for (_, need), room in zip(own.needs, most, strict=True) if room > 0)
        return own.asks_for_others, max(shares, default=0.0)

    def _room(self, w: int, n: int) -> float:
        """How often the pod's needs go into what the node has free."""
        free = self.ledger.free[n]
        return min(free[resource] / amount for resource, amount in self.ledger.own[w].needs)

    # --- exhaustive search ------------------------------------------------------------------------

    def exhaust(self, *, some: bool) -> Orders:
        """Look at every state, until an order succeeds (``some``), or until one does not."""
        fullest: Order = ()
        if self.ways <= self.pods:
            return Orders(Answer.UNKNOWN, "too large to try all orders")
        try:
            for order, succeeded in self._ends():
                if succeeded and some:
                    return self.reached(order, "trying all orders found one that places all pods")
                if not succeeded and not some:
                    return self.failed(order)
                if not succeeded and len(order) >= len(fullest):
                    fullest = order
        except _GaveUp:
            sentence = f"not decided after {self.states} states of one pod after the other"
            return Orders(Answer.UNKNOWN, sentence, self._placed(fullest), states=self.states)
        if not some:
            sentence = f"scheduling stops short in none of the {self.states} states it can reach"
            return Orders(Answer.YES, sentence, states=self.states)
        return self.failed(fullest, "no order of scheduling succeeds: at best ")

    def _ends(self) -> Iterator[tuple[Order, bool]]:
        """Each state in which nothing more can be placed, with an order, and whether it is good."""
        ledger, alikes = self.ledger, self.ledger.alikes()
        path, seen = list[Move](), {_canonical(ledger.state(), alikes)}
        agenda = [list(ledger.moves())]
        if not agenda[0]:
            yield (), ledger.is_complete
        while agenda:
            if not agenda[-1]:
                agenda.pop()
                self._undo([path.pop()] if path else ())
                continue
            self._put(*agenda[-1].pop(), path)
            state = _canonical(ledger.state(), alikes)
            if state in seen:
                self._undo([path.pop()])
                continue
            seen.add(state)
            self.states = len(seen)
            if self.states > self.ways or self.is_late():
                raise _GaveUp
            agenda.append(list(ledger.moves()))
            if not agenda[-1]:
                yield tuple(path), ledger.is_complete

    # --- answers ----------------------------------------------------------------------------------

    def succeeds(self, order: Order) -> bool:
        """Whether the order ends with all pods placed."""
        return len(order) == self.pods

    def reached(self, order: Order, argument: str) -> Orders:
        """YES, with an order that was replayed, to a state that keeps all that lasts.

        Raises:
            RuntimeError: it does not lead there after all.
        """
        placement = self._placed(order)
        complaints = check(lasting(self.problem), placement)
        objection = self._refusal(order) or (complaints[0].sentence if complaints else None)
        if objection is not None:
            raise RuntimeError(f"the order that was found is none: {objection}")
        return Orders(Answer.YES, argument, placement, order, states=self.states)

    def failed(self, order: Order, start: str = "scheduling can end where ") -> Orders:
        """NO, with an order that does not succeed, and was replayed; ``start`` begins the sentence.

        Raises:
            RuntimeError: it is none, or scheduling could go on.
        """
        placement = self._placed(order)
        objection = self._refusal(order)
        if objection is None and self.size <= REPLAYED:
            objection = way_on(self.problem, placement)
        if objection is None and self.succeeds(order):
            objection = "it succeeds"
        if objection is not None:
            raise RuntimeError(f"the order that was found does not fail: {objection}")
        ending = f"{len(order)} of {self.pods} pods are placed"
        return Orders(Answer.NO, f"{start}{ending}", placement, (), placement, order, self.states)

    def _refusal(self, order: Order) -> str | None:
        return refusal(self.problem, order) if self.size <= REPLAYED else None

    def _placed(self, order: Order) -> Placement:
        counts = Counter(order)
        return Placement(tuple(Assignment(w, n, count) for (w, n), count in sorted(counts.items())))


def _canonical(state: State, alikes: tuple[tuple[int, ...], ...]) -> State:
    """The same for states that differ only in which of alike nodes is which."""
    return tuple(row for nodes in alikes for row in sorted(state[n] for n in nodes))
