"""Weights that show fragmentation: the duals of a linear programme over what one node can hold.

Only large pods take part, of which few fit on a node: small ones fill gaps. A node's pattern is a
set of pods that fit on it together. If no mix of patterns holds all large pods, the programme's
dual prices are weights that prove it; they are rounded to fractions that a person can read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]

from .certificate_data import Weights
from .facts import Facts, Floats, Ints
from .knapsack import best_pattern

LARGE = 9
"""Pods of which at most so many fit on any of their nodes count as large."""

MOST_SHAPES = 80
MOST_SORTS = 120
ROUNDS = 200
STEPS = 60_000

ENOUGH = 1 - 1e-9
"""The share of all large pods from which on the patterns hold them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """Large pods with equal requests and nodes."""

    workloads: tuple[int, ...]
    request: Ints
    count: int


def find_weights(facts: Facts) -> Weights | None:
    """Weights under which all nodes cannot hold the large pods; None if none were found."""
    shapes = _shapes(facts)
    if not shapes or len(shapes) > MOST_SHAPES:
        return None
    masks = np.array([facts.mask(s.workloads[0]) for s in shapes])
    rows = np.hstack([facts.free, masks.T.astype(np.int64)])
    _, first, number = np.unique(rows, axis=0, return_index=True, return_counts=True)
    if len(first) > MOST_SORTS:
        return None
    prices = _Columns(facts, shapes, masks, first, number).prices()
    return None if prices is None else _readable(shapes, prices)


def _shapes(facts: Facts) -> list[_Shape]:
    groups: dict[tuple[bytes, int], list[int]] = {}
    for w in np.nonzero(facts.count)[0].tolist():
        groups.setdefault((facts.request[w].tobytes(), int(facts.mask_of[w])), []).append(w)
    found = []
    for members in groups.values():
        most = int(facts.room(members[0]).max(initial=0))
        if 0 < most <= LARGE:
            count = int(facts.count[members].sum())
            found.append(_Shape(tuple(members), facts.request[members[0]], count))
    return found


def _readable(shapes: Sequence[_Shape], prices: Floats) -> Weights | None:
    top = float(prices.max(initial=0))
    if top <= 0:
        return None
    weights = [
        (w, weight)
        for shape, price in zip(shapes, prices.tolist(), strict=True)
        if (weight := Fraction(price / top).limit_denominator(60)) > 0
        for w in shape.workloads
    ]
    return Weights(tuple(sorted(weights)))


class _Columns:
    """Column generation: patterns are added while they pay under the current prices."""

    def __init__(
        self, facts: Facts, shapes: list[_Shape], masks: Any, first: Ints, number: Ints
    ) -> None:
        self.shapes, self.number = shapes, number
        self.free = [np.maximum(facts.free[i], 0).tolist() for i in first]
        self.usable = [np.nonzero(masks[:, i])[0].tolist() for i in first]
        self.columns: list[tuple[int, tuple[int, ...]]] = []

    def prices(self) -> Floats | None:
        """The price of each shape, if all nodes together cannot hold the shapes; else None."""
        self.columns = self._single()
        for _ in range(ROUNDS):
            share, prices, worth = self._master()
            if share >= ENOUGH:
                return None
            new = self._paying(prices, worth)
            if not new:
                return prices
            self.columns += new
        return None

    def _single(self) -> list[tuple[int, tuple[int, ...]]]:
        """Patterns of one shape alone, to begin with."""
        found = []
        for k, usable in enumerate(self.usable):
            for s in usable:
                request = self.shapes[s].request.tolist()
                most = min(f // q for f, q in zip(self.free[k], request, strict=True) if q)
                if most:
                    found.append((k, tuple(most * (i == s) for i in range(len(self.shapes)))))
        return found

    def _paying(self, prices: Floats, worth: Floats) -> list[tuple[int, tuple[int, ...]]]:
        """For each sort of node the best pattern, if it is worth more than the node."""
        found = []
        known = set(self.columns)
        for k, usable in enumerate(self.usable):
            requests = [self.shapes[s].request.tolist() for s in usable]
            values = [float(prices[s]) for s in usable]
            counts = best_pattern(values, requests, self.free[k], STEPS)
            value = sum(n * v for n, v in zip(counts, values, strict=True))
            if value <= worth[k] + 1e-9:
                continue
            pattern = [0] * len(self.shapes)
            for s, n in zip(usable, counts, strict=True):
                pattern[s] = n
            column = (k, tuple(pattern))
            if column not in known and any(pattern):
                found.append(column)
        return found

    def _master(self) -> tuple[float, Floats, Floats]:
        """The greatest share of every shape that the patterns hold; prices of shapes and nodes."""
        n, m, k = len(self.columns), len(self.shapes), len(self.free)
        upper = np.zeros((m + k, n + 1))
        for j, (sort, pattern) in enumerate(self.columns):
            upper[:m, j] = [-p for p in pattern]
            upper[m + sort, j] = 1
        upper[:m, n] = [s.count for s in self.shapes]
        bound = np.concatenate([np.zeros(m), self.number.astype(np.float64)])
        cost = np.zeros(n + 1)
        cost[n] = -1
        found = linprog(cost, A_ub=upper, b_ub=bound, bounds=[(0, None)] * n + [(0, 2)])
        duals = np.maximum(-found.ineqlin.marginals, 0)
        return float(found.x[n]), duals[:m], duals[m:]
