"""The best set of pods that one node can hold, by branch and bound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

Number: TypeAlias = Fraction | float


def heaviest(
    weights: Sequence[Fraction],
    requests: Sequence[Sequence[int]],
    free: Sequence[int],
    steps: int,
) -> Fraction | None:
    """The greatest total weight of pods that fit, each kind as often as it does; exact.

    ``requests`` (S, R) and ``free`` (R) are amounts. None if more than so many steps were needed.
    """
    search = _Search(weights, requests, free, steps)
    if not search.run(0, list(free), Fraction(0)):
        return None
    return Fraction(search.best)


def best_pattern(
    values: Sequence[float], requests: Sequence[Sequence[int]], free: Sequence[int], steps: int
) -> list[int]:
    """How many pods of each kind make up the best set; the best found within so many steps."""
    search = _Search(values, requests, free, steps)
    search.run(0, list(free), 0.0)
    counts = [0] * len(values)
    for kind, n in enumerate(search.best_counts):
        counts[search.order[kind]] = n
    return counts


class _Search:
    """Branch and bound over the number of pods of each kind.

    The rest of a branch is worth at most what its best value per unit of a resource gives, for
    whichever resource says least.
    """

    def __init__(
        self,
        values: Sequence[Number],
        requests: Sequence[Sequence[int]],
        free: Sequence[int],
        steps: int,
    ) -> None:
        kinds = [
            (i, value, requests[i])
            for i, value in enumerate(values)
            if value > 0 and all(q <= f for q, f in zip(requests[i], free, strict=True))
        ]
        kinds.sort(key=lambda kind: (-float(kind[1]) / _size(kind[2], free), kind[0]))
        self.order = [i for i, _, _ in kinds]
        self.values = [value for _, value, _ in kinds]
        self.requests = [list(request) for _, _, request in kinds]
        self.best: Number = 0
        self.best_counts: list[int] = []
        self.counts: list[int] = []
        self.steps = steps
        self.ratios = [self._ratios_from(i, len(free)) for i in range(len(kinds) + 1)]

    def _ratios_from(self, start: int, width: int) -> list[Number | None]:
        """The best value per unit of each resource among the kinds from ``start`` on.

        None where one of them asks for nothing of it.
        """
        rest = list(zip(self.values, self.requests, strict=True))[start:]
        return [
            None if any(q[r] == 0 for _, q in rest) else max((v / q[r] for v, q in rest), default=0)
            for r in range(width)
        ]

    def run(self, kind: int, free: list[int], value: Number) -> bool:
        """Search the branch; False if the steps are used up."""
        self.steps -= 1
        if self.steps < 0:
            return False
        if value > self.best:
            self.best, self.best_counts = value, list(self.counts)
        if kind == len(self.values) or value + self._bound(kind, free) <= self.best:
            return True
        request = self.requests[kind]
        most = min(left // q for left, q in zip(free, request, strict=True) if q)
        for n in range(most, -1, -1):
            left = [f - n * q for f, q in zip(free, request, strict=True)]
            self.counts.append(n)
            done = self.run(kind + 1, left, value + n * self.values[kind])
            self.counts.pop()
            if not done:
                return False
        return True

    def _bound(self, kind: int, free: list[int]) -> Number:
        """What the kinds from this one on are worth at most; every pod needs a place at least."""
        bounds = [
            ratio * left
            for ratio, left in zip(self.ratios[kind], free, strict=True)
            if ratio is not None
        ]
        return min(bounds)


def _size(request: Sequence[int], free: Sequence[int]) -> float:
    """The largest share of any resource; every pod needs a place, so it is above 0."""
    return max(q / f for q, f in zip(request, free, strict=True) if q)
