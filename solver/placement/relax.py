"""The linear relaxation: fractions of shapes on groups of nodes, with as much headroom as possible.

It always has an answer: ``headroom`` is the share of its room that each group keeps free at best,
negative if there is a shortage. Then its dual prices say where, and ``certificate`` turns them into
a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.sparse import csr_array, hstack, vstack  # type: ignore[import-untyped]

from .facts import Floats, Ints
from .units import Unit, rounded


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """An optimum: ``share`` (U, G) are pods of each unit on each group of nodes.

    ``price`` (G, R) is what one more of a resource is worth; all capacity together costs 1.
    """

    headroom: float
    share: Floats
    price: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """Units that differ only in their limit per node: one row of the linear programme."""

    members: tuple[int, ...]
    unit: Unit
    count: int
    base: int
    extra: int


def relax(
    units: Sequence[Unit], groups: Sequence[Ints], free: Ints, most: Ints
) -> Relaxation | None:
    """Spread the units over the groups so that all keep as much of their room as possible.

    ``most`` (U, G) are the pods of each unit that fit on a group as if it were alone.

    None if a unit has no node at all, or a domain that must get pods cannot.
    """
    if not units:
        return Relaxation(1.0, np.zeros((0, len(groups))), np.zeros((len(groups), free.shape[1])))
    families = _families(units)
    room = np.array([np.maximum(free[g], 0).sum(axis=0) for g in groups], dtype=np.float64)
    programme = _Programme(families, groups, room, most)
    solution = programme.solve()
    if solution is None:
        return None
    headroom, by_family, price = solution
    share = np.zeros((len(units), len(groups)))
    for row, family in zip(by_family, families, strict=True):
        for u in family.members:
            share[u] = row * (units[u].count / max(family.count, 1))
    return Relaxation(headroom, share, price)


def _families(units: Sequence[Unit]) -> tuple[_Family, ...]:
    found: dict[tuple[object, ...], list[int]] = {}
    for u, unit in enumerate(units):
        domain = None if unit.domain is None else id(unit.domain)
        found.setdefault((unit.request.tobytes(), unit.mask_number, domain), []).append(u)
    return tuple(
        _Family(
            tuple(members),
            units[members[0]],
            sum(units[u].count for u in members),
            sum(units[u].base for u in members),
            sum(units[u].extra for u in members),
        )
        for members in found.values()
    )


class _Programme:
    """Variables: pods of family f on group g, where admitted; and the headroom, the last one."""

    def __init__(
        self, families: tuple[_Family, ...], groups: Sequence[Ints], room: Floats, most: Ints
    ) -> None:
        self.families, self.groups, self.room = families, groups, room
        self.most = _stack([most[list(f.members)].sum(axis=0) for f in families], len(groups))
        self.family, self.group = np.nonzero(self.most)
        self.first = np.array([int(g[0]) for g in groups], dtype=np.int64)

    def solve(self) -> tuple[float, Floats, Floats] | None:
        variables = len(self.family)
        if len(set(self.family.tolist())) < len(self.families):
            return None
        requests = np.array([f.unit.request for f in self.families], dtype=np.float64)
        loads = self._load_rows(requests)
        headroom = csr_array(np.ones((loads.shape[0], 1)))
        spread, least, most = self._spread_rows()
        zeros = csr_array((spread.shape[0], 1))
        upper = vstack(
            [hstack([loads, headroom]), hstack([spread, zeros]), hstack([-spread, zeros])]
        ).tocsr()
        bound = np.concatenate([np.ones(loads.shape[0]), most, -least])
        total = csr_array(
            (np.ones(variables), (self.family, np.arange(variables))),
            shape=(len(self.families), variables + 1),
        )
        counts = np.array([f.count for f in self.families], dtype=np.float64)
        cost = np.zeros(variables + 1)
        cost[-1] = -1.0
        above = self.most[self.family, self.group].tolist()
        bounds = [*((0, top) for top in above), (None, 1)]
        found = linprog(
            cost, A_ub=upper, b_ub=bound, A_eq=total, b_eq=counts, bounds=bounds, method="highs-ds"
        )
        if found.status != 0:
            return None
        shares = np.zeros((len(self.families), len(self.groups)))
        shares[self.family, self.group] = found.x[:-1]
        price = np.zeros_like(self.room)
        present = self.room > 0
        duals = np.maximum(-found.ineqlin.marginals[: loads.shape[0]], 0)
        price[present] = duals / self.room[present]
        return float(found.x[-1]), shares, price

    def _load_rows(self, requests: Floats) -> Any:
        """Share of a group's room that is used, by resource; a group without room admits none."""
        present = self.room > 0
        number = np.full(self.room.shape, -1)
        number[present] = np.arange(present.sum())
        rows, columns, values = [], [], []
        for r in range(self.room.shape[1]):
            used = requests[self.family, r] > 0
            ok = used & present[self.group, r]
            self_rows = number[self.group[ok], r]
            rows.append(self_rows)
            columns.append(np.nonzero(ok)[0])
            values.append(requests[self.family[ok], r] / self.room[self.group[ok], r])
        return csr_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
            shape=(int(present.sum()), len(self.family)),
        )

    def _spread_rows(self) -> tuple[Any, Floats, Floats]:
        rows, columns = [], []
        least: list[float] = []
        most: list[float] = []
        for f, family in enumerate(self.families):
            if family.unit.domain is None:
                continue
            own = np.nonzero(self.family == f)[0]
            where = family.unit.domain[self.first[self.group[own]]]
            for d in range(family.unit.size):
                inside = own[where == d]
                rows.append(np.full(len(inside), len(least)))
                columns.append(inside)
                least.append(family.base)
                most.append(family.base + family.extra)
        if not least:
            return csr_array((0, len(self.family))), np.zeros(0), np.zeros(0)
        row, column = np.concatenate(rows), np.concatenate(columns)
        matrix = csr_array((np.ones(len(row)), (row, column)), shape=(len(least), len(self.family)))
        return matrix, np.array(least), np.array(most)


def _stack(rows: Sequence[Ints], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def whole(units: Sequence[Unit], groups: Sequence[Ints], share: Floats, most: Ints) -> Ints:
    """Whole numbers of pods near the shares: right totals, and right ones in each domain."""
    target = np.zeros(share.shape, dtype=np.int64)
    first = np.array([int(g[0]) for g in groups], dtype=np.int64)
    for u, unit in enumerate(units):
        ideal = share[u]
        if unit.domain is None:
            target[u] = rounded(ideal.tolist(), unit.count, most[u].tolist())
            continue
        where = unit.domain[first]
        above = [max(float(ideal[where == d].sum()) - unit.base, 0.0) for d in range(unit.size)]
        tops = [unit.extra] * unit.size
        for d, more in enumerate(rounded(above, unit.count - unit.base * unit.size, tops)):
            inside = np.nonzero(where == d)[0]
            pods = unit.base + more
            target[u, inside] = rounded(ideal[inside].tolist(), pods, most[u, inside].tolist())
    return target
