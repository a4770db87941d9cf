"""Places entangled workloads one pod at a time, each where it leaves most choice to the others.

It is a heuristic: what it leaves over may still have a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .facts import Bools, Facts, Floats, Ints, Near, Spread, clash, scale_of


@dataclass(slots=True, eq=False)
class Ledger:
    """Pods on nodes, and what follows for the next one."""

    facts: Facts
    free: Ints
    on: dict[int, Ints] = field(default_factory=dict)
    scale: Floats = field(init=False)
    _rivals: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scale = scale_of(self.facts.capacity)

    def pods(self, w: int) -> Ints:
        """The workload's pods by node."""
        if w not in self.on:
            self.on[w] = np.zeros(self.facts.nodes, dtype=np.int64)
        return self.on[w]

    def put(self, w: int, node: int, n: int = 1) -> None:
        """Place pods, or with a negative number take them away."""
        self.pods(w)[node] += n
        self.free[node] -= n * self.facts.request[w]

    def entries(self) -> Iterator[tuple[int, int, int]]:
        """(workload, node, pods)."""
        for w, on in sorted(self.on.items()):
            for node in np.nonzero(on)[0].tolist():
                yield w, node, int(on[node])

    def open(self, w: int) -> Bools:
        """The nodes that may take one more pod of the workload now."""
        request = self.facts.request[w]
        asked = request > 0
        mask: Bools = self.facts.mask(w) & (self.free[:, asked] >= request[asked]).all(axis=1)
        mask &= self.apart(w) & self.free_of_ports(w)
        for spread in self.facts.spreads.get(w, ()):
            mask &= self.even(spread)
        if w in self.facts.attached:
            mask &= self.attachable(w)
        near = self.facts.near.get(w)
        return mask if near is None else mask & self.company(near)

    def apart(self, w: int) -> Bools:
        """The nodes in whose domains no pod is that the workload's pods exclude."""
        mask = np.ones(self.facts.nodes, dtype=np.bool_)
        for entry in self.facts.apart.get(w, ()):
            mask &= ~self._occupied(entry.others, self.facts.domains[entry.key])
        return mask

    def attachable(self, w: int) -> Bools:
        """The nodes that can take the workload's volumes too; shared ones count once."""
        facts = self.facts
        ok = np.ones(facts.nodes, dtype=np.bool_)
        for driver, slots in facts.slots.items():
            used = np.zeros(facts.nodes, dtype=np.int64)
            more = np.zeros(facts.nodes, dtype=np.int64)
            for handle in sorted(set().union(*facts.attached.values())):
                users = [v for v, needed in facts.attached.items() if handle in needed]
                new = ~facts.there.get(handle, np.zeros(facts.nodes, dtype=np.bool_))
                if handle[0] == driver:
                    here = new & (self._total(users) > 0)
                    used += here
                    more += (new & ~here) * (w in users)
            ok &= (more == 0) | (used + more <= slots)
        return ok

    def free_of_ports(self, w: int) -> Bools:
        """The nodes on which no placed pod holds a host port of the workload."""
        mask = np.ones(self.facts.nodes, dtype=np.bool_)
        for rival in self._port_rivals(w):
            mask &= self.pods(rival) == 0
        return mask

    def _port_rivals(self, w: int) -> tuple[int, ...]:
        if w not in self.facts.ports:
            return ()
        if w not in self._rivals:
            ours = self.facts.ports[w]
            listed = self.facts.ports.items()
            self._rivals[w] = tuple(o for o, theirs in listed if clash(ours, theirs))
        return self._rivals[w]

    def _total(self, members: Sequence[int]) -> Ints:
        total = np.zeros(self.facts.nodes, dtype=np.int64)
        for m in members:
            if m in self.on:
                total += self.on[m]
        return total

    def _occupied(self, members: Sequence[int], domain: Ints) -> Bools:
        there = np.unique(domain[self._total(members) > 0])
        found: Bools = np.isin(domain, there[there >= 0])
        return found

    def even_out(self, w: int) -> None:
        """Take pods off until each domain has at most ``maxSkew`` more than the least."""
        for spread in self.facts.spreads.get(w, ()):
            counts = self.counts(spread)
            most = (int(counts.min()) if spread.floor else 0) + spread.skew
            for d in np.nonzero(counts > most)[0].tolist():
                nodes = np.nonzero((spread.domain == d) & (self.pods(w) > 0))[0].tolist()
                surplus = int(counts[d]) - most
                for node in nodes:
                    taken = min(surplus, int(self.pods(w)[node]))
                    self.put(w, node, -taken)
                    surplus -= taken

    def counts(self, spread: Spread) -> Ints:
        """The pods that count by domain."""
        total = self._total(spread.members)
        inside = spread.domain >= 0
        found: Ints = spread.existing + np.bincount(
            spread.domain[inside], weights=total[inside], minlength=spread.size
        ).astype(np.int64)
        return found

    def even(self, spread: Spread) -> Bools:
        """The nodes in whose domains one more pod keeps the skew small enough."""
        if not spread.size:
            return np.zeros(self.facts.nodes, dtype=np.bool_)
        counts = self.counts(spread)
        least = int(counts.min()) if spread.floor else 0
        ok = counts + spread.itself - least <= spread.skew
        found: Bools = (spread.domain >= 0) & ok[spread.domain]
        return found

    def company(self, near: Near) -> Bools:
        """The nodes where the pods are that required affinity asks for."""
        mask = np.ones(self.facts.nodes, dtype=np.bool_)
        anywhere = near.anywhere
        for key, existing in zip(near.keys, near.existing, strict=True):
            occupied = self._occupied(near.members, self.facts.domains[key])
            anywhere = anywhere or bool(occupied.any())
            mask &= existing | occupied
        return np.ones_like(mask) if not anywhere and near.itself else mask


def place(ledger: Ledger, left: Ints, seed: int = 0) -> Ints:
    """Place what can be placed of the pods left over by workload (W); gives what is still left.

    Seeds other than 0 shuffle the order of workloads and of nodes that are about equally good.
    """
    random = np.random.default_rng(seed)
    left = left.copy()
    order = sorted(np.nonzero(left)[0].tolist(), key=lambda w: _urgency(ledger, w))
    if seed:
        order = [order[i] for i in random.permutation(len(order))]
    progress = True
    while progress:
        progress = False
        for w in order:
            while left[w]:
                node = _choose(ledger, w, random if seed else None)
                if node is None:
                    break
                ledger.put(w, node)
                left[w] -= 1
                progress = True
    return left


def _urgency(ledger: Ledger, w: int) -> tuple[int, int, float, int]:
    """Those whom others wait for come first, then those with few nodes, then large ones."""
    facts = ledger.facts
    follows = int(w in facts.near and not facts.near[w].itself)
    choices = int(facts.mask(w).sum())
    return follows, choices, -float((facts.request[w] / ledger.scale).max()), w


def _choose(ledger: Ledger, w: int, random: np.random.Generator | None) -> int | None:
    """The open node in the emptiest domains of its spread, then that with the most room."""
    facts = ledger.facts
    nodes = np.nonzero(ledger.open(w))[0]
    if not len(nodes):
        return None
    room = ((ledger.free[nodes] - facts.request[w]) / ledger.scale).min(axis=1)
    if random is not None:
        room = room + random.random(len(nodes)) * 0.5
    crowd = np.zeros(len(nodes))
    for spread in facts.spreads.get(w, ()):
        crowd += ledger.counts(spread)[spread.domain[nodes]]
    best = nodes[np.lexsort((-room, crowd))[0]]
    return int(best)
