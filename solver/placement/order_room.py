"""A pigeonhole argument: pods that always find a node, whatever the others do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .order_ledger import Ledger, Own

_MARGIN = 1e-6
"""Far above what rounding can add to a sum of at most some ten thousand ratios."""


def always_room(ledger: Ledger) -> bool:
    """Whether no order of scheduling can ever leave a pod without a node. False may be wrong.

    To close a node to a pod by a resource, others must take more of it there than the node can
    spare. All others together have a total of each resource, so the shares of these totals that it
    takes, summed up over all nodes, can be no more than the number of resources. Anti-affinity and
    host ports close no more nodes than there are pods to do it, times the nodes of the largest
    domain; the nodes that are hardest to fill are left out for them. Where the sum over the nodes
    that remain is higher still, one node is always open. Pods that need others around (spread,
    affinity), and limits of volumes, are beyond this argument.
    """
    if any(own.asks_for_others or own.volumes for own in ledger.own):
        return False
    totals = _totals(ledger)
    free = np.array(ledger.free, dtype=np.float64).reshape(ledger.size, len(totals))
    known: dict[Any, NDArray[np.float64]] = {}
    for w, own in enumerate(ledger.own):
        key = (own.allowed, own.needs)
        if key not in known:
            known[key] = _shares(own, free, totals)
        closed = _closers(ledger, w)
        shares = known[key][closed:] if closed else known[key]
        if ledger.asked[w] and float(shares.sum()) <= len(own.needs) * (1 + _MARGIN):
            return False
    return True


def _totals(ledger: Ledger) -> list[int]:
    """What all pods ask for, by resource."""
    width = 1 + max((r for own in ledger.own for r, _ in own.needs), default=0)
    totals = [0] * max(width, len(ledger.free[0]) if ledger.free else 0)
    for own, asked in zip(ledger.own, ledger.asked, strict=True):
        for resource, amount in own.needs:
            totals[resource] += amount * asked
    return totals


def _shares(own: Own, free: NDArray[np.float64], totals: list[int]) -> NDArray[np.float64]:
    """For each node that may take the pod: the share of the others' total that closes it, at least.

    The largest come first.
    """
    nodes = free[sorted(own.allowed)]
    fits = np.ones(len(nodes), dtype=np.bool_)
    least = np.full(len(nodes), np.inf)
    for resource, amount in own.needs:
        spare = nodes[:, resource] - amount + 1
        fits &= spare >= 1
        others = totals[resource] - amount
        if others > 0:
            least = np.minimum(least, spare / others)
    shares: NDArray[np.float64] = np.sort(np.where(fits, least, 0.0))[::-1]
    return shares


def _closers(ledger: Ledger, workload: int) -> int:
    """How many nodes anti-affinity and host ports can close to the workload at most."""
    own = ledger.own[workload]

    def others(w: int) -> int:
        return ledger.asked[w] - (w == workload)

    closed = sum(others(w) for w in own.clashing)
    for tally in own.apart:
        sizes: dict[str, int] = {}
        for value in tally.domain:
            if value is not None:
                sizes[value] = sizes.get(value, 0) + 1
        watching = sum(
            others(w)
            for w, each in enumerate(ledger.own)
            for watched in each.watched
            if watched is tally
        )
        closed += watching * max(sizes.values(), default=0)
    return closed
