"""Some workloads on cells: single nodes in a small cluster, else groups of nodes that are alike.

On single nodes this is the whole truth. On groups it is a relaxation: room is that of all nodes of
the cell together, and rules about domains smaller than a cell are left out. So "no" is always
final, and "yes" only on single nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .facts import Facts, Ints, clash
from .units import node_groups

SINGLE_NODES = 24
"""Up to so many nodes each is a cell of its own."""

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Evenly:
    """A spread constraint: ``domain`` by cell, who counts, and what is there already."""

    domain: tuple[int, ...]
    existing: tuple[int, ...]
    members: tuple[int, ...]
    skew: int
    floor: bool


@dataclass(frozen=True, slots=True)
class Company:
    """Required affinity: ``domains`` by term and cell, ``there`` by term and cell likewise.

    ``keyed`` says by cell whether a member there is seen through any of the terms.
    """

    domains: tuple[tuple[int, ...], ...]
    there: tuple[tuple[bool, ...], ...]
    keyed: tuple[bool, ...]
    members: tuple[int, ...]
    anywhere: bool
    itself: bool


@dataclass(frozen=True, slots=True)
class Rivals:
    """Pods of two workloads (or of one) that exclude each other from a domain, by cell."""

    left: int
    right: int
    domain: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Volumes:
    """A driver's volumes: ``users`` by volume, ``there`` by volume and cell, ``slots`` by cell."""

    users: tuple[tuple[int, ...], ...]
    there: tuple[tuple[bool, ...], ...]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """Workloads are numbered as in ``workloads``, cells as in ``nodes``.

    ``most[w][c]`` are the pods of w that fit into c as if they were alone; ``alike[c]`` numbers
    cells that differ in nothing but their own name.
    """

    workloads: tuple[int, ...]
    nodes: tuple[Ints, ...]
    single: bool
    count: tuple[int, ...]
    request: tuple[tuple[int, ...], ...]
    free: tuple[tuple[int, ...], ...]
    most: tuple[tuple[int, ...], ...]
    alike: tuple[int, ...]
    evenly: tuple[tuple[Evenly, ...], ...]
    company: tuple[Company | None, ...]
    rivals: tuple[Rivals, ...]
    volumes: tuple[Volumes, ...]


def cells(facts: Facts, workloads: Sequence[int]) -> Cells:
    """The workloads on cells; all others are left out."""
    single = facts.nodes <= SINGLE_NODES
    nodes = tuple(np.array([i]) for i in range(facts.nodes)) if single else node_groups(facts)
    return _Reading(facts, tuple(workloads), nodes).cells()


def company_of(facts: Facts) -> dict[int, set[int]]:
    """For each workload those that its rules, or theirs, name."""
    found: dict[int, set[int]] = {w: set() for w in range(facts.workloads)}

    def link(a: int, others: Sequence[int]) -> None:
        for b in others:
            if a != b:
                found[a].add(b)
                found[b].add(a)

    for w, others in _named(facts):
        link(w, others)
    for w, near in facts.near.items():
        link(w, near.members)
    for w in facts.attached:
        link(w, list(facts.attached))
    listed = sorted(facts.ports.items())
    for i, (a, ours) in enumerate(listed):
        link(a, [b for b, theirs in listed[i + 1 :] if clash(ours, theirs)])
    return found


def _named(facts: Facts) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each workload, with those that one of its exclusions or spread constraints names."""
    yield from ((w, entry.others) for w, apart in facts.apart.items() for entry in apart)
    yield from ((w, s.members) for w, spreads in facts.spreads.items() for s in spreads)


def components(facts: Facts, among: frozenset[int]) -> tuple[tuple[int, ...], ...]:
    """The workloads in question, those that concern one another together, small sets first."""
    links = company_of(facts)
    left = set(among)
    found = []
    while left:
        start = min(left)
        reached, stack = {start}, [start]
        while stack:
            for other in links[stack.pop()] - reached:
                reached.add(other)
                stack.append(other)
        left -= reached
        found.append(tuple(sorted(reached)))
    return tuple(sorted(found, key=lambda c: (sum(int(facts.count[w]) for w in c), c)))


class _Reading:
    def __init__(self, facts: Facts, workloads: tuple[int, ...], nodes: tuple[Ints, ...]) -> None:
        self.facts, self.workloads, self.nodes = facts, workloads, nodes
        self.single = all(len(cell) == 1 for cell in nodes)
        self.number = {w: i for i, w in enumerate(workloads)}

    def cells(self) -> Cells:
        facts = self.facts
        free = [np.maximum(facts.free[cell], 0).sum(axis=0).tolist() for cell in self.nodes]
        return Cells(
            workloads=self.workloads,
            nodes=self.nodes,
            single=self.single,
            count=tuple(int(facts.count[w]) for w in self.workloads),
            request=tuple(tuple(facts.request[w].tolist()) for w in self.workloads),
            free=tuple(map(tuple, free)),
            most=tuple(self._most(w) for w in self.workloads),
            alike=self._alike() if self.single else tuple(range(len(self.nodes))),
            evenly=tuple(self._evenly(w) for w in self.workloads),
            company=tuple(self._company(w) for w in self.workloads),
            rivals=tuple(self._rivals()),
            volumes=tuple(self._volumes()) if self.single else (),
        )

    def _alike(self) -> tuple[int, ...]:
        """Numbers nodes by their class, and by what of the existing pods the rules see there."""
        looks: dict[tuple[object, ...], int] = {}
        found = []
        for (node,) in (cell.tolist() for cell in self.nodes):
            near = (
                m[node]
                for w in self.workloads
                if w in self.facts.near
                for m in self.facts.near[w].existing
            )
            even = (
                -1 if s.domain[node] < 0 else int(s.existing[s.domain[node]])
                for w in self.workloads
                for s in self.facts.spreads.get(w, ())
            )
            slots = tuple(int(s[node]) for s in self.facts.slots.values())
            there = tuple(bool(t[node]) for t in self.facts.there.values())
            kind = int(self.facts.node_class[node])
            look = (kind, tuple(map(bool, near)), tuple(even), slots, there)
            found.append(looks.setdefault(look, len(looks)))
        return tuple(found)

    def _most(self, w: int) -> tuple[int, ...]:
        fits = np.minimum(self.facts.room(w), int(self.facts.count[w]))
        if self.facts.is_loner(w):
            fits = np.minimum(fits, 1)
        return tuple(int(fits[cell].sum()) for cell in self.nodes)

    def _by_cell(self, domain: Ints) -> tuple[int, ...] | None:
        """The domain of each cell; None if a cell reaches over several."""
        found = []
        for cell in self.nodes:
            values = np.unique(domain[cell])
            if len(values) > 1:
                return None
            found.append(int(values[0]))
        return tuple(found)

    def _inside(self, members: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.number[m] for m in members if m in self.number)

    def _evenly(self, w: int) -> tuple[Evenly, ...]:
        found = []
        for spread in self.facts.spreads.get(w, ()):
            domain = self._by_cell(spread.domain)
            if domain is not None:
                found.append(
                    Evenly(
                        domain,
                        tuple(spread.existing.tolist()),
                        self._inside(spread.members),
                        spread.skew,
                        spread.floor,
                    )
                )
        return tuple(found)

    def _company(self, w: int) -> Company | None:
        near = self.facts.near.get(w)
        if near is None:
            return None
        domains, there = [], []
        for key, existing in zip(near.keys, near.existing, strict=True):
            domain = self._by_cell(self.facts.domains[key])
            if domain is None:
                return None
            domains.append(domain)
            there.append(tuple(bool(existing[cell[0]]) for cell in self.nodes))
        keyed = tuple(any(d[c] != NOWHERE for d in domains) for c in range(len(self.nodes)))
        return Company(
            tuple(domains),
            tuple(there),
            keyed,
            self._inside(near.members),
            near.anywhere,
            near.itself,
        )

    def _volumes(self) -> Iterator[Volumes]:
        facts = self.facts
        needed = {w: facts.attached[w] for w in self.workloads if w in facts.attached}
        everything = sorted(set().union(*needed.values()))
        for driver, slots in sorted(facts.slots.items()):
            own = [handle for handle in everything if handle[0] == driver]
            nowhere = np.zeros(facts.nodes, dtype=np.bool_)
            if own:
                yield Volumes(
                    tuple(tuple(self.number[w] for w, v in needed.items() if h in v) for h in own),
                    tuple(tuple(facts.there.get(h, nowhere).tolist()) for h in own),
                    tuple(slots.tolist()),
                )

    def _rivals(self) -> list[Rivals]:
        found = []
        for w, i in self.number.items():
            for apart in self.facts.apart.get(w, ()):
                domain = self._by_cell(self.facts.domains[apart.key])
                if domain is not None:
                    found += [Rivals(i, j, domain) for j in self._inside(apart.others) if i <= j]
        if self.single:
            own = tuple(range(len(self.nodes)))
            listed = [(i, self.facts.ports.get(w, ())) for w, i in self.number.items()]
            found += [
                Rivals(i, j, own)
                for i, ours in listed
                for j, theirs in listed
                if i <= j and clash(ours, theirs)
            ]
        return found
