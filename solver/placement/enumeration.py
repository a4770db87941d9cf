"""Tries every way to place some workloads: the proof of last resort, in plain code.

Rules that only get worse with more pods (room, exclusion) cut a branch short; the others (spread,
affinity) are looked at when all pods are placed. Among nodes that are alike and empty so far only
the first is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .cells import NOWHERE, Cells, Company, Evenly, cells
from .facts import Facts


def is_exhausted(facts: Facts, workloads: Sequence[int], ways: int) -> bool:
    """Whether no way works to place the workloads, without the others; at most so many are tried.

    False also if some rule of the workloads counts pods of another one, or if the ways run out.
    """
    listed = tuple(sorted(set(workloads)))
    if not is_closed(facts, listed):
        return False
    return try_all(cells(facts, listed), ways) is Outcome.NONE


class Outcome:
    """How an enumeration ended."""

    NONE = "none"
    FOUND = "found"
    GAVE_UP = "gave up"


def is_closed(facts: Facts, workloads: Sequence[int]) -> bool:
    """Whether other workloads cannot help these: none of their pods counts for a rule of theirs."""
    inside = set(workloads)
    for w in workloads:
        near = facts.near.get(w)
        if near is not None and not inside.issuperset(near.members):
            return False
        if any(not inside.issuperset(s.members) for s in facts.spreads.get(w, ())):
            return False
    return True


def try_all(problem: Cells, ways: int) -> str:
    """Whether there is a way; ``ways`` bounds the steps."""
    return _Trial(problem, ways).run()


@dataclass(slots=True)
class _Trial:
    """Where pods have been put so far: ``on[w][c]``."""

    cells: Cells
    ways: int
    on: list[list[int]] = field(init=False)
    free: list[list[int]] = field(init=False)
    empty: list[bool] = field(init=False)
    order: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.on = [[0] * len(self.cells.free) for _ in self.cells.count]
        self.free = [list(f) for f in self.cells.free]
        self.empty = [True] * len(self.cells.free)
        sizes = [sum(m) for m in self.cells.most]
        self.order = sorted(range(len(self.on)), key=lambda w: (sizes[w], w))

    def run(self) -> str:
        if self._place(0, 0, self.cells.count[self.order[0]] if self.order else 0):
            return Outcome.FOUND
        return Outcome.NONE if self.ways >= 0 else Outcome.GAVE_UP

    def _place(self, position: int, start: int, pods: int) -> bool:
        """Place the rest of a workload on the cells from ``start`` on, then the others."""
        self.ways -= 1
        if self.ways < 0:
            return False
        if position == len(self.order):
            return self._legal()
        if not pods:
            following = position + 1
            more = self.cells.count[self.order[following]] if following < len(self.order) else 0
            return self._place(following, 0, more)
        w = self.order[position]
        if sum(self.cells.most[w][start:]) < pods:
            return False
        return any(self._try(position, w, c, n, pods) for c, n in self._choices(w, start, pods))

    def _choices(self, w: int, start: int, pods: int) -> Iterator[tuple[int, int]]:
        """The first cell from ``start`` on that gets pods of the workload, and how many."""
        tried: set[int] = set()
        for c in range(start, len(self.free)):
            if self.empty[c]:
                if self.cells.alike[c] in tried:
                    continue
                tried.add(self.cells.alike[c])
            if not self._rival_there(w, c) and self._attachable(w, c):
                yield from ((c, n) for n in range(self._fits(w, c, pods), 0, -1))

    def _try(self, position: int, w: int, c: int, n: int, pods: int) -> bool:
        was_empty = self.empty[c]
        self._put(w, c, n)
        # Alike cells before this one stay possible: the next one starts again from the first
        # empty cell of the sort, which lies behind by construction.
        found = self._place(position, c + 1, pods - n)
        self._put(w, c, -n)
        self.empty[c] = was_empty
        return found

    def _put(self, w: int, c: int, n: int) -> None:
        self.on[w][c] += n
        self.empty[c] = False
        for r, q in enumerate(self.cells.request[w]):
            self.free[c][r] -= n * q

    def _fits(self, w: int, c: int, pods: int) -> int:
        most = min(pods, self.cells.most[w][c])
        for q, f in zip(self.cells.request[w], self.free[c], strict=True):
            if q:
                most = min(most, f // q)
        if most > 1 and any(
            r.left == r.right == w and r.domain[c] != NOWHERE for r in self.cells.rivals
        ):
            return 1
        return max(most, 0)

    def _rival_there(self, w: int, c: int) -> bool:
        for rivals in self.cells.rivals:
            if w not in (rivals.left, rivals.right) or rivals.domain[c] == NOWHERE:
                continue
            other = rivals.right if rivals.left == w else rivals.left
            if self._in_domain((other,), rivals.domain, rivals.domain[c]):
                return True
        return False

    def _attachable(self, w: int, c: int) -> bool:
        """Whether the cell takes the volumes of one more workload."""
        for volumes in self.cells.volumes:
            new = [
                users
                for users, there in zip(volumes.users, volumes.there, strict=True)
                if not there[c] and (w in users or any(self.on[u][c] for u in users))
            ]
            if any(w in users for users in new) and len(new) > volumes.slots[c]:
                return False
        return True

    def _in_domain(self, members: Sequence[int], domain: Sequence[int], value: int) -> int:
        return sum(
            self.on[m][c] for c, d in enumerate(domain) if d == value != NOWHERE for m in members
        )

    def _legal(self) -> bool:
        for w, on in enumerate(self.on):
            used = [c for c, n in enumerate(on) if n]
            if not all(self._is_even(used, evenly) for evenly in self.cells.evenly[w]):
                return False
            company = self.cells.company[w]
            if company is not None and not all(self._has_company(c, company) for c in used):
                return False
        return True

    def _is_even(self, used: Sequence[int], evenly: Evenly) -> bool:
        counts = [
            n + self._in_domain(evenly.members, evenly.domain, d)
            for d, n in enumerate(evenly.existing)
        ]
        least = min(counts, default=0) if evenly.floor else 0
        domains = {evenly.domain[c] for c in used} - {NOWHERE}
        return all(counts[d] - least <= evenly.skew for d in domains)

    def _has_company(self, c: int, company: Company) -> bool:
        own = int(company.itself)
        beside = [
            there[c] or self._in_domain(company.members, domain, domain[c]) > own
            for domain, there in zip(company.domains, company.there, strict=True)
        ]
        if all(beside):
            return True
        members = sum(
            self.on[m][k] for m in company.members for k, keyed in enumerate(company.keyed) if keyed
        )
        return company.itself and not company.anywhere and members == 1
