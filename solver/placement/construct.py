"""Builds placements: entangled workloads first, then plain ones, guided by the relaxation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from .cells import Cells
from .entangle import Ledger, place
from .exact import Counts
from .facts import Facts, Floats, Ints
from .pack import Packing
from .problem import Assignment, Placement
from .relax import relax, whole
from .repack import repack_all
from .units import Unit, most_pods, node_groups, units

Stop = Callable[[], bool]

MOST_ANEW = 1000
"""Pods that are placed one by one where the packing left them over."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one attempt may use: rounds of moves and swaps, exact re-packings, and until when."""

    rounds: int
    repackings: int
    stop: Stop


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A placement, perhaps not complete, with the pods left over by workload."""

    placement: Placement
    left: Ints

    @property
    def complete(self) -> bool:
        """Whether nothing is left over."""
        return not self.left.any()


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Units on groups of nodes, and what the relaxation says of them.

    ``headroom`` and ``price`` are None if it has no solution.
    """

    units: tuple[Unit, ...]
    groups: tuple[Ints, ...]
    most: Ints
    share: Floats
    headroom: float | None
    price: Floats | None


def outlook(facts: Facts, knotted: frozenset[int]) -> Outlook:
    """The relaxation of everything, in which entangled workloads ask only for room."""
    listed = units(facts, knotted, facts.free) + free_units(facts, knotted)
    return _outlook(facts, listed, facts.free)


def _outlook(facts: Facts, listed: tuple[Unit, ...], free: Ints) -> Outlook:
    groups = node_groups(facts)
    most = most_pods(listed, groups, free)
    share = np.zeros(most.shape)
    able = [u for u, unit in enumerate(listed) if _is_possible(unit, groups, most[u])]
    found = relax([listed[u] for u in able], groups, free, most[able])
    if found is None:
        return Outlook(listed, groups, most, _even(listed, most), None, None)
    share[able] = found.share
    headroom = found.headroom if len(able) == len(listed) else None
    return Outlook(listed, groups, most, share, headroom, found.price)


def _is_possible(unit: Unit, groups: tuple[Ints, ...], most: Ints) -> bool:
    """Whether the unit alone has enough room, and enough in each of its domains."""
    if unit.domain is None:
        return int(most.sum()) >= unit.count
    where = unit.domain[[int(g[0]) for g in groups]]
    room = [int(most[where == d].sum()) for d in range(unit.size)]
    return min(room) >= unit.base and (
        sum(min(n, unit.base + unit.extra) for n in room) >= unit.count
    )


def free_units(facts: Facts, workloads: frozenset[int]) -> tuple[Unit, ...]:
    """Entangled workloads as units that ask for room only."""
    return tuple(
        Unit(
            workloads=(w,),
            request=facts.request[w],
            mask=facts.room(w) > 0,
            mask_number=int(facts.mask_of[w]),
            count=int(facts.count[w]),
        )
        for w in sorted(workloads)
        if facts.count[w]
    )


def attempt(
    facts: Facts, knotted: frozenset[int], view: Outlook, seed: int, limit: Limit
) -> Attempt:
    """One try, by the view of the whole; seeds other than 0 take other turns."""
    free = facts.free.copy()
    assignments: list[tuple[int, int, int]] = []
    if knotted:
        ledger = Ledger(facts, free)
        wanted = np.zeros_like(facts.count)
        wanted[sorted(knotted)] = facts.count[sorted(knotted)]
        place(ledger, wanted, seed)
        assignments += ledger.entries()
        view = _outlook(facts, units(facts, knotted, free), free)
    if view.units:
        packing = Packing(view.units, free, facts.capacity, seed)
        _pack(packing, view, limit)
        assignments += packing.dealt(facts.count)
    return Attempt(_placement(assignments), _left(facts, assignments))


def mended(facts: Facts, found: Attempt, refused: Collection[int]) -> Attempt:
    """The attempt with refused workloads evened out, and with the pods left over placed anew.

    Only so many are placed anew: one by one takes its time.
    """
    ledger = Ledger(facts, facts.free.copy())
    for a in found.placement.assignments:
        ledger.put(a.workload, a.node, a.count)
    for w in refused:
        ledger.even_out(w)
    left = _left(facts, list(ledger.entries()))
    if left.sum() > MOST_ANEW:
        _refill(ledger, left)
        left = _left(facts, list(ledger.entries()))
    some = np.where(np.cumsum(left) <= MOST_ANEW, left, 0)
    place(ledger, some)
    assignments = list(ledger.entries())
    return Attempt(_placement(assignments), _left(facts, assignments))


def _refill(ledger: Ledger, left: Ints) -> None:
    """Place many pods at once where there is room, of workloads that ask for nothing else."""
    facts = ledger.facts
    choosy = {*facts.spreads, *facts.apart, *facts.near, *facts.ports, *facts.attached}
    count = left.copy()
    count[sorted(choosy)] = 0
    rest = replace(facts, count=count)
    view = _outlook(rest, units(rest, frozenset(), ledger.free), ledger.free)
    packing = Packing(view.units, ledger.free, facts.capacity)
    packing.fill(view.groups, whole(view.units, view.groups, view.share, view.most))
    for w, node, n in packing.dealt(count):
        ledger.put(w, node, n)


def without(facts: Facts, found: Attempt, refused: Collection[int]) -> Attempt:
    """The attempt without any pod of the refused workloads."""
    kept = [
        (a.workload, a.node, a.count)
        for a in found.placement.assignments
        if a.workload not in refused
    ]
    return Attempt(_placement(kept), _left(facts, kept))


def _pack(packing: Packing, view: Outlook, limit: Limit) -> None:
    target = whole(view.units, view.groups, view.share, view.most)
    short = packing.fill(view.groups, target)
    if view.headroom is not None and view.headroom < 0:
        return
    packing.force(view.groups, short)
    if packing.settle(limit.rounds, limit.stop):
        return
    if repack_all(packing, limit.repackings, limit.stop):
        return
    packing.drop_overflow()


def _even(listed: tuple[Unit, ...], most: Ints) -> Floats:
    """Shares where the relaxation has no answer: by the room there is."""
    total = np.maximum(most.sum(axis=1, keepdims=True), 1)
    counts = np.array([[u.count] for u in listed])
    shares: Floats = np.minimum(most / total * counts, most)
    return shares


def _left(facts: Facts, assignments: list[tuple[int, int, int]]) -> Ints:
    left = facts.count.copy()
    for w, _, n in assignments:
        left[w] -= n
    return left


def _placement(assignments: list[tuple[int, int, int]]) -> Placement:
    return Placement(tuple(Assignment(w, node, n) for w, node, n in sorted(assignments)))


def from_cells(cells: Cells, counts: Counts) -> Placement:
    """The placement that an exact answer on single nodes means."""
    return _placement(
        [
            (cells.workloads[w], int(cells.nodes[c][0]), n)
            for w, row in enumerate(counts)
            for c, n in enumerate(row)
            if n
        ]
    )
