"""Verifies, in exact arithmetic, that there is no placement. It knows nothing of any solver.

It reads the ``Facts`` and the certificate, recomputes every sum with ``Fraction``, and says whether
the certificate proves its claim. See ``certificate_data`` for the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .certificate_data import Certificate, Exclusion, Exhaustion, NoNode, Prices, Weights
from .collapse import collapse
from .enumeration import is_exhausted
from .facts import Bools, Facts, Ints, Spread, clash
from .knapsack import heaviest
from .problem import Problem

Money = Fraction
Segment = tuple[Fraction, int]
"""So many pods may be had at this price each."""

MOST_DOMAINS = 64
"""Spread over more domains than this is left out of what a workload must pay."""

KNAPSACK_STEPS = 2_000_000


def verify(problem: Problem, certificate: Certificate, ways: int = 200_000) -> bool:
    """Whether the certificate proves that the problem has no placement.

    ``ways`` bounds the placements that are tried to repeat an ``Exhaustion``.
    """
    return proves(collapse(problem), certificate, ways)


def proves(facts: Facts, certificate: Certificate, ways: int = 200_000) -> bool:
    """The same, where the problem has been read already."""
    match certificate:
        case NoNode(workload):
            return bool(facts.count[workload] > 0) and not facts.room(workload).any()
        case Prices():
            balance = settle(facts, certificate)
            return balance.needed is None or balance.needed > balance.available
        case Weights(weights):
            return _weigh_too_much(facts, weights)
        case Exclusion(workloads, key):
            return _exclude(facts, workloads, key)
        case Exhaustion(workloads):
            return is_exhausted(facts, workloads, ways)


# --- prices ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """What the workloads must pay at least, and what all room is worth.

    ``needed`` is None if a workload finds no place at all.
    """

    needed: Fraction | None
    available: Fraction


def settle(facts: Facts, prices: Prices) -> Balance:
    """Both sides of the sum that ``Prices`` claims not to come out."""
    market = Market(facts, prices.groups, [dict(p) for p in prices.prices])
    needed = Fraction(0)
    for w in prices.workloads:
        paid = market.least(w)
        if paid is None:
            return Balance(None, market.worth())
        needed += paid
    return Balance(needed, market.worth())


class Market:
    """Groups of nodes with a price for each resource. Nodes in no group are free of charge."""

    def __init__(
        self,
        facts: Facts,
        groups: Sequence[Sequence[int]],
        prices: Sequence[Mapping[str, Fraction]],
    ) -> None:
        self.facts = facts
        inside = np.zeros(facts.nodes, dtype=np.bool_)
        self.groups = [np.array(group, dtype=np.int64) for group in groups]
        for group in self.groups:
            if inside[group].any():
                raise ValueError("a node is in two groups of a certificate")
            inside[group] = True
        self.prices = list(prices)
        rest = np.nonzero(~inside)[0]
        if len(rest):
            self.groups.append(rest)
            self.prices.append({})
        if any(price < 0 for group in self.prices for price in group.values()):
            raise ValueError("a price of a certificate is negative")
        self.number = {name: i for i, name in enumerate(facts.resources)}
        self._loners = {w for w in (*facts.apart, *facts.ports) if facts.is_loner(w)}
        self._costs: dict[bytes, list[Fraction]] = {}
        self._segments: dict[tuple[object, ...], list[list[Segment]]] = {}

    def worth(self) -> Fraction:
        """What all room on the nodes costs."""
        total = Fraction(0)
        for group, prices in zip(self.groups, self.prices, strict=True):
            for name, price in prices.items():
                free = self.facts.free[group, self.number[name]]
                total += price * int(np.maximum(free, 0).sum())
        return total

    def least(self, w: int) -> Fraction | None:
        """What the workload pays where it is cheapest for it; None if it cannot be placed alone."""
        count = int(self.facts.count[w])
        alone = [
            s
            for s in self.facts.spreads.get(w, ())
            if s.members == (w,) and s.itself and s.size <= MOST_DOMAINS
        ]
        if not alone:
            return cheapest(self._offers(w, None)[0], count)
        answers = [self._least_spread(w, spread, count) for spread in alone]
        if any(answer is None for answer in answers):
            return None
        return max(answer for answer in answers if answer is not None)

    def _least_spread(self, w: int, spread: Spread, count: int) -> Fraction | None:
        by_domain = self._offers(w, spread)
        existing = spread.existing.tolist()
        found: list[Fraction] = []
        for least in _floors(spread, count):
            bounds = [_bounds(n, least, spread) for n in existing]
            paid = cheapest_within(by_domain, bounds, count)
            if paid is not None:
                found.append(paid)
        return min(found, default=None)

    def _offers(self, w: int, spread: Spread | None) -> list[list[Segment]]:
        """What pods of the workload cost, the cheapest first; by domain, if it is spread."""
        loner = w in self._loners
        request, mask = self.facts.request[w], int(self.facts.mask_of[w])
        key = (request.tobytes(), mask, loner, None if spread is None else id(spread.domain))
        if key not in self._segments:
            fits = np.minimum(self.facts.room(w), 1 if loner else 2**40)
            domains = [None] if spread is None else [spread.domain == d for d in range(spread.size)]
            self._segments[key] = [self._offer(w, fits, where) for where in domains]
        return self._segments[key]

    def _offer(self, w: int, fits: Ints, where: Bools | None) -> list[Segment]:
        inside = fits if where is None else fits * where
        amounts = [int(inside[group].sum()) for group in self.groups]
        return sorted((c, n) for c, n in zip(self._cost(w), amounts, strict=True) if n)

    def _cost(self, w: int) -> list[Fraction]:
        request = self.facts.request[w]
        key = request.tobytes()
        if key not in self._costs:
            self._costs[key] = [
                sum((p * int(request[self.number[r]]) for r, p in prices.items()), Fraction(0))
                for prices in self.prices
            ]
        return self._costs[key]


def cheapest(segments: Iterable[Segment], count: int) -> Fraction | None:
    """The price of so many pods, None if there are not so many."""
    total = Fraction(0)
    for cost, amount in segments:
        taken = min(amount, count)
        total += cost * taken
        count -= taken
        if not count:
            return total
    return None if count else total


def cheapest_within(
    by_domain: Sequence[Sequence[Segment]], bounds: Sequence[tuple[int, int]], count: int
) -> Fraction | None:
    """The price of so many pods where each domain gets at least and at most so many."""
    total = Fraction(0)
    spare: list[Segment] = []
    for segments, (least, most) in zip(by_domain, bounds, strict=True):
        if most < least:
            return None
        needed, room_left = least, most - least
        for cost, amount in segments:
            taken = min(amount, needed)
            needed -= taken
            count -= taken
            total += cost * taken
            more = min(amount - taken, room_left)
            room_left -= more
            if more:
                spare.append((cost, more))
        if needed:
            return None
    if count < 0:
        return None
    rest = cheapest(sorted(spare), count)
    return None if rest is None else total + rest


def _floors(spread: Spread, count: int) -> Iterable[int]:
    """What the least domain may hold in the end; the others have so many or more."""
    if not spread.floor or not spread.size:
        return (0,)
    total = count + int(spread.existing.sum())
    most = total // spread.size
    return range(max(0, most - spread.skew - int(spread.existing.max(initial=0))), most + 1)


def _bounds(existing: int, least: int, spread: Spread) -> tuple[int, int]:
    lower = max(0, least - existing) if spread.floor else 0
    return lower, max(0, least + spread.skew - existing)


# --- weights -----------------------------------------------------------------------------------


def _weigh_too_much(facts: Facts, weights: Sequence[tuple[int, Fraction]]) -> bool:
    if any(weight < 0 for _, weight in weights):
        return False
    listed = [(w, weight) for w, weight in weights if weight > 0]
    total = sum((weight * int(facts.count[w]) for w, weight in listed), Fraction(0))
    held = Fraction(0)
    for nodes, amount in _alike(facts, [w for w, _ in listed]):
        best = _most_on(facts, nodes, listed)
        if best is None:
            return False
        held += best * amount
    return total > held


def _alike(facts: Facts, workloads: Sequence[int]) -> list[tuple[int, int]]:
    """One node of each sort, as these workloads see it, and how many there are of it."""
    masks = facts.masks[np.unique(facts.mask_of[list(workloads)])]
    rows = np.hstack([facts.free, masks.T.astype(np.int64)])
    _, first, number = np.unique(rows, axis=0, return_index=True, return_counts=True)
    return list(zip(first.tolist(), number.tolist(), strict=True))


def _most_on(facts: Facts, node: int, weights: Sequence[tuple[int, Fraction]]) -> Fraction | None:
    """The greatest weight that one node can hold; None if that took too long to find out."""
    best: dict[bytes, tuple[Fraction, list[int]]] = {}
    for w, weight in weights:
        if facts.mask(w)[node]:
            key = facts.request[w].tobytes()
            if key not in best or best[key][0] < weight:
                best[key] = (weight, facts.request[w].tolist())
    items = sorted(best.values(), key=lambda item: -item[0])
    free = np.maximum(facts.free[node], 0).tolist()
    return heaviest([w for w, _ in items], [r for _, r in items], free, KNAPSACK_STEPS)


# --- exclusion ---------------------------------------------------------------------------------


def _exclude(facts: Facts, workloads: Sequence[int], key: str | None) -> bool:
    """All pairs exclude one another, and there are fewer domains than pods."""
    pods = int(facts.count[list(workloads)].sum())
    anywhere = np.zeros(facts.nodes, dtype=np.bool_)
    for w in workloads:
        anywhere |= facts.room(w) > 0
    domain = np.arange(facts.nodes) if key is None else facts.domains[key]
    inside = domain[anywhere]
    if (inside < 0).any() or len(np.unique(inside)) >= pods:
        return False
    return all(
        excludes(facts, a, b, key)
        for i, a in enumerate(workloads)
        for b in workloads[i:]
        if a != b or facts.count[a] > 1
    )


def excludes(facts: Facts, a: int, b: int, key: str | None) -> bool:
    """Whether pods of the two workloads may not share a domain of the key (None: a node)."""
    if key is None:
        return clash(facts.ports.get(a, ()), facts.ports.get(b, ()))
    return any(apart.key == key and b in apart.others for apart in facts.apart.get(a, ()))
