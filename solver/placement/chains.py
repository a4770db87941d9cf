"""Places for single pods in a full cluster: where there is no room, smaller pods move on.

A pod that finds no node with room goes to one that has almost enough, and the few smaller pods that
give way go elsewhere, or push still smaller ones (an ejection chain). The last pods of a tight
cluster find their places like this, and those of a lost node. It is a heuristic that respects every
rule it reads from the ``Facts``; the checker has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from .facts import Bools, Facts, Ints, Near, Spread, clash
from .problem import Assignment, Placement

DEPTH = 3
"""How far pods that give way may push others."""

HOSTS = 24
"""So many nodes are tried for a pod that finds no room."""

MOST_GIVEN = 6
"""So many pods give way to one at most."""

TRIES = 3000
"""A repair is given up after so many searches for a place."""

On: TypeAlias = dict[int, int]
"""Pods of a workload by node."""


def completed(
    facts: Facts, placement: Placement, left: Sequence[int], tries: int = TRIES
) -> tuple[Placement, tuple[int, ...]]:
    """The placement with as many of the pods ``left`` over (by workload) placed as can be.

    Gives the pods that are left over then, too.
    """
    on: list[On] = [{} for _ in range(facts.workloads)]
    for a in placement.assignments:
        on[a.workload][a.node] = on[a.workload].get(a.node, 0) + a.count
    chains = Chains(facts, on, room_beside(facts, on), tries=tries)
    rest = list(left)
    for w in sorted(range(facts.workloads), key=lambda w: (-chains.size[w], w)):
        while rest[w] and chains.place(w):
            rest[w] -= 1
    found = ((w, node, n) for w in range(facts.workloads) for node, n in chains.on(w).items())
    return Placement(tuple(Assignment(*entry) for entry in sorted(found))), tuple(rest)


def room_beside(facts: Facts, on: Sequence[On]) -> Ints:
    """What is free on each node beside these pods."""
    free = facts.free.copy()
    for w, there in enumerate(on):
        if there:
            nodes, counts = np.array(list(there.items()), dtype=np.int64).T
            free[nodes] -= counts[:, None] * facts.request[w]
    return free


class Chains:
    """A placement that takes in one pod after the other.

    ``start`` and ``free`` are where the pods are, and what is left; both stay as they are. Pods of
    the first ``movable`` workloads may give way, others not. Nodes that are not ``alive`` take no
    pods, and what ``start`` has there does not count; those in ``domains`` make spread domains.
    """

    def __init__(
        self,
        facts: Facts,
        start: Sequence[On],
        free: Ints,
        *,
        movable: int | None = None,
        alive: Bools | None = None,
        domains: Bools | None = None,
        tries: int = TRIES,
    ) -> None:
        everywhere = np.ones(facts.nodes, dtype=np.bool_)
        self.facts, self.start, self.free = facts, start, free.copy()
        self.movable = facts.workloads if movable is None else movable
        self.alive = everywhere if alive is None else alive
        self.counts = everywhere if domains is None else domains
        self.scale = np.maximum(facts.capacity.mean(axis=0), 1)
        self.size = (facts.request / self.scale).max(axis=1)
        self.changed: dict[int, On] = {}
        self.at: list[set[int]] = [set() for _ in range(facts.nodes)]
        for w, there in enumerate(start):
            for node in there:
                self.at[node].add(w)
        self.steps: list[tuple[int, int, int]] = []
        self.most, self.tries = tries, 0

    def on(self, w: int) -> On:
        """Where the workload's pods are now."""
        if w in self.changed:
            return self.changed[w]
        return {node: count for node, count in self.start[w].items() if self.alive[node]}

    def put(self, w: int, node: int, count: int) -> None:
        """So many pods more on the node, or less."""
        there = self.changed.setdefault(w, self.on(w))
        there[node] = there.get(node, 0) + count
        if not there[node]:
            del there[node]
        self.at[node].add(w)
        self.free[node] -= count * self.facts.request[w]
        self.steps.append((w, node, count))

    def undo(self, to: int) -> None:
        """Take back all steps but the first ``to``."""
        while len(self.steps) > to:
            w, node, count = self.steps.pop()
            self.put(w, node, -count)
            self.steps.pop()

    def place(self, w: int, depth: int = DEPTH) -> bool:
        """Give one more pod a place, if there is one: the fullest node of the least domain.

        If no node has room, one that has almost enough gives smaller pods away.
        """
        self.tries += 1
        if self.tries > self.most:
            return False
        may, rank = self._admitting(w)
        request = self.facts.request[w]
        asked = request > 0
        lacking = np.maximum(request[asked] - self.free[:, asked], 0) / self.scale[asked]
        short = lacking.sum(axis=1)
        fits = np.nonzero(may & (short == 0))[0]
        if len(fits):
            left = (self.free[fits] / self.scale).sum(axis=1)
            self.put(w, int(fits[np.lexsort((left, rank[fits]))[0]]), 1)
            return True
        if not depth:
            return False
        others = np.nonzero(may)[0]
        nearest = others[np.lexsort((short[others], rank[others]))[:HOSTS]]
        return any(self._squeeze(w, node, depth) for node in nearest.tolist())

    def _squeeze(self, w: int, node: int, depth: int) -> bool:
        """Put the pod on a node that gives away a few smaller pods for it, if these find places."""
        before = len(self.steps)
        given = self._givable(w, node)
        if given is None:
            return False
        for v in given:
            self.put(v, node, -1)
        self.put(w, node, 1)
        if all(self.place(v, depth - 1) for v in given):
            return True
        self.undo(before)
        return False

    def _givable(self, w: int, node: int) -> list[int] | None:
        """The pods that would make room: one that suffices, as small as can be, or a few."""
        pods = [
            v
            for v in sorted(self.at[node], key=lambda v: (self.size[v], v))
            if v < self.movable and self.size[v] < self.size[w]
            for _ in range(self.on(v).get(node, 0))
        ]
        request = self.facts.request
        missing = request[w] - self.free[node]
        missing[request[w] == 0] = 0
        for v in pods:
            if (request[v] >= missing).all():
                return [v]
        given = []
        for v in reversed(pods[-MOST_GIVEN:]):
            given.append(v)
            missing = missing - request[v]
            if (missing <= 0).all():
                return given
        return None

    def _admitting(self, w: int) -> tuple[Bools, Ints]:
        """The nodes that may take one more pod if they have room; the lower the rank the better."""
        may = self.facts.mask(w) & self.alive & ~self._excluded(w)
        if w in self.facts.near:
            may &= self._near(self.facts.near[w])
        rank = np.zeros(self.facts.nodes, dtype=np.int64)
        for spread in self.facts.spreads.get(w, ()):
            above = self._above(spread)
            may &= above + spread.itself <= spread.skew
            rank += above
        return may, rank

    def _above(self, spread: Spread) -> Ints:
        """By how much each node's domain is above the least; very much where it has none."""
        counts = spread.existing.copy()
        for w in spread.members:
            for node, count in self.on(w).items():
                if spread.domain[node] >= 0:
                    counts[spread.domain[node]] += count
        present = np.unique(spread.domain[self.counts & (spread.domain >= 0)])
        least = counts[present].min() if spread.floor and len(present) else 0
        above: Ints = np.where(spread.domain >= 0, counts[spread.domain] - least, -least)
        return above

    def _domains_with(self, key: str, workloads: Iterable[int]) -> Bools:
        """The nodes in whose domain there is a pod of the workloads."""
        domain = self.facts.domains[key]
        hit = {int(domain[node]) for w in workloads for node in self.on(w)} - {-1}
        inside: Bools = np.isin(domain, sorted(hit))
        return inside

    def _excluded(self, w: int) -> Bools:
        """The nodes that other pods' ports, or anti-affinity, forbid."""
        excluded = np.zeros(self.facts.nodes, dtype=np.bool_)
        for apart in self.facts.apart.get(w, ()):
            excluded |= self._domains_with(apart.key, apart.others)
        ours = self.facts.ports.get(w, ())
        for other, theirs in self.facts.ports.items() if ours else ():
            if clash(ours, theirs):
                excluded[list(self.on(other))] = True
        return excluded

    def _near(self, near: Near) -> Bools:
        """The nodes on which all affinity terms hold."""
        holds = np.full(self.facts.nodes, fill_value=True)
        if near.itself and not near.anywhere and not any(map(self.on, near.members)):
            return holds
        for key, existing in zip(near.keys, near.existing, strict=True):
            holds &= existing | self._domains_with(key, near.members)
        return holds
