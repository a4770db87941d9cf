"""Shapes of pods and groups of nodes: what the linear relaxation and the packing work on.

A workload is *plain* if its pods care about no other workload's pods and nobody cares about them,
and if all it asks beyond room is an even spread over domains, or a limit per node. Plain workloads
that ask for the same make one ``Unit``; all others are *entangled*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .facts import Bools, Facts, Ints, Spread, clash, room

NO_LIMIT = 2**40


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Plain workloads whose pods are alike.

    ``mask`` are the nodes on which a pod fits as if it were alone; at most ``limit`` pods go to a
    node. If spread, ``domain`` numbers the nodes' domains, each of
    the ``size`` domains gets ``base`` pods, and ``extra`` more at most.
    """

    workloads: tuple[int, ...]
    request: Ints
    mask: Bools
    mask_number: int
    count: int
    limit: int = NO_LIMIT
    domain: Ints | None = None
    size: int = 0
    base: int = 0
    extra: int = 0


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a plain workload is spread: at most ``limit`` a node; evenly over the domains."""

    limit: int = NO_LIMIT
    spread: Spread | None = None


def entangled(facts: Facts) -> frozenset[int]:
    """The workloads that are not plain."""
    found: set[int] = set(facts.near)
    for near in facts.near.values():
        found.update(near.members)
    for w, apart in facts.apart.items():
        if len(apart) > 1 or any(a.others != (w,) for a in apart) or not facts.is_loner(w):
            found.add(w)
    for w, spreads in facts.spreads.items():
        if _rule(facts, w) is None:
            found.add(w)
            found.update(m for spread in spreads for m in spread.members)
    found.update(_port_rivals(facts), facts.attached)
    return frozenset(found)


def _port_rivals(facts: Facts) -> Iterable[int]:
    listed = sorted(facts.ports.items())
    return (
        w
        for w, ports in listed
        if any(other != w and clash(ports, theirs) for other, theirs in listed)
    )


def _rule(facts: Facts, w: int) -> _Rule | None:
    """The plain rule of a workload, None if its spread is more than an even one by itself."""
    limit = 1 if facts.is_loner(w) else NO_LIMIT
    even: Spread | None = None
    for spread in facts.spreads.get(w, ()):
        alone = spread.members == (w,) and spread.itself and not spread.existing.any()
        if not alone:
            return None
        if not spread.floor or (facts.per_node(spread.key) and facts.count[w] < spread.size):
            if not facts.per_node(spread.key):
                return None
            limit = min(limit, spread.skew)
        elif even is not None or facts.per_node(spread.key):
            return None
        else:
            even = spread
    return _Rule(limit, even)


def units(facts: Facts, without: frozenset[int], free: Ints) -> tuple[Unit, ...]:
    """The plain workloads in units, with so much free; those with a limit per node make one each.

    Spread constraints over the same domains share one array of them, so its identity is its key.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    rules: dict[tuple[object, ...], _Rule] = {}
    for w in range(facts.workloads):
        if w in without or not facts.count[w]:
            continue
        rule = _rule(facts, w) or _Rule()
        even = rule.spread
        key = (
            facts.request[w].tobytes(),
            int(facts.mask_of[w]),
            even and (id(even.domain), int(facts.count[w]) % even.size),
            (rule.limit, w) if rule.limit < NO_LIMIT else None,
        )
        groups.setdefault(key, []).append(w)
        rules[key] = rule
    return tuple(_unit(facts, tuple(members), rules[key], free) for key, members in groups.items())


def _unit(facts: Facts, members: tuple[int, ...], rule: _Rule, free: Ints) -> Unit:
    first = members[0]
    counts = facts.count[list(members)]
    unit = {
        "workloads": members,
        "request": facts.request[first],
        "mask": facts.mask(first) & (room(facts.request[first], free) > 0),
        "mask_number": int(facts.mask_of[first]),
        "count": int(counts.sum()),
        "limit": rule.limit,
    }
    if rule.spread is None:
        return Unit(**unit)
    size = rule.spread.size
    return Unit(
        **unit,
        domain=rule.spread.domain,
        size=size,
        base=int((counts // size).sum()),
        extra=len(members) if counts[0] % size else 0,
    )


def node_groups(facts: Facts) -> tuple[Ints, ...]:
    """Nodes that differ in their room at most (and in domains of their own)."""
    columns = [
        domain[:, None] for key, domain in sorted(facts.domains.items()) if not facts.per_node(key)
    ]
    packed = np.packbits(facts.masks, axis=0).T.astype(np.int64)
    rows = np.ascontiguousarray(np.hstack([packed, *columns]))
    numbers: dict[bytes, list[int]] = {}
    for i, row in enumerate(rows):
        numbers.setdefault(row.tobytes(), []).append(i)
    return tuple(np.array(members, dtype=np.int64) for members in numbers.values())


def most_pods(units: Sequence[Unit], groups: Sequence[Ints], free: Ints) -> Ints:
    """How many pods of each unit fit on each group of nodes, as if it were alone: (U, G)."""
    found = np.zeros((len(units), len(groups)), dtype=np.int64)
    if not groups:
        return found
    order = np.concatenate(groups)
    starts = np.cumsum([0, *(len(g) for g in groups[:-1])])
    for u, unit in enumerate(units):
        fits = np.minimum(room(unit.request, free), min(unit.limit, unit.count)) * unit.mask
        found[u] = np.add.reduceat(fits[order], starts)
    return found


def rounded(ideal: Sequence[float], total: int, most: Sequence[int]) -> list[int]:
    """Whole numbers with that total next to the ideal ones, none above ``most``.

    The total may come out less if ``most`` does not admit it.
    """
    whole = [min(int(x + 1e-9), m) for x, m in zip(ideal, most, strict=True)]
    missing = total - sum(whole)
    order = sorted(range(len(whole)), key=lambda i: whole[i] - ideal[i])
    while missing > 0:
        before = missing
        for i in order:
            if missing > 0 and whole[i] < most[i]:
                whole[i] += 1
                missing -= 1
        if missing == before:
            break
    while missing < 0:
        i = max((k for k, n in enumerate(whole) if n), key=lambda k: whole[k] - ideal[k])
        whole[i] -= 1
        missing += 1
    return whole
