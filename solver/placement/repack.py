"""Exact re-packing of a few nodes: an integer programme for what moves and swaps do not find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from .facts import Floats, Ints
from .pack import Packing

NODES = 10
"""So many nodes are packed anew together."""

BRANCHES = 100
"""The branches after which an integer programme is given up."""


def repack_all(packing: Packing, attempts: int, stop: Callable[[], bool]) -> bool:
    """Pack overfull nodes anew, each together with roomy ones; False if some stay overfull."""
    for _ in range(attempts):
        bad = np.nonzero((packing.free < 0).any(axis=1))[0]
        if not len(bad):
            return True
        if len(bad) > attempts or stop():
            return False
        node = int(bad[int(packing.random.integers(len(bad)))])
        repack(packing, _together(packing, node))
    return not (packing.free < 0).any()


def _together(packing: Packing, node: int) -> Ints:
    """The node with others that have room of what it is short of; mostly the roomiest."""
    others = np.array([n for n in range(len(packing.free)) if n != node], dtype=np.int64)
    if len(others) < NODES:
        return np.sort(np.append(others, node))
    short = packing.free[node] < 0
    slack = (packing.free[others] / packing.scale)[:, short].min(axis=1)
    weight = np.maximum(slack, 0) + 1e-9
    chosen = packing.random.choice(others, NODES - 1, replace=False, p=weight / weight.sum())
    return np.sort(np.append(chosen, node))


def repack(packing: Packing, nodes: Ints) -> bool:
    """Find places on these nodes for all their pods, each unit keeping its pods by domain."""
    inside = np.nonzero(np.isin(packing.node, nodes))[0]
    kinds: dict[tuple[int, int], list[int]] = {}
    for pod in inside.tolist():
        u, domain = int(packing.unit[pod]), packing.units[int(packing.unit[pod])].domain
        where = -1 if domain is None else int(domain[packing.node[pod]])
        kinds.setdefault((u, where), []).append(pod)
    choices = [
        (kind, place)
        for kind, (u, where) in enumerate(kinds)
        for place, node in enumerate(nodes.tolist())
        if _admits(packing, u, where, node)
    ]
    counts = _solve(packing, nodes, list(kinds.items()), choices)
    if counts is None:
        return False
    queues = [list(pods) for pods in kinds.values()]
    for (kind, place), count in zip(choices, counts.tolist(), strict=True):
        for _ in range(count):
            _move(packing, queues[kind].pop(), int(nodes[place]))
    return True


def _admits(packing: Packing, u: int, where: int, node: int) -> bool:
    unit = packing.units[u]
    return bool(unit.mask[node]) and (unit.domain is None or int(unit.domain[node]) == where)


def _move(packing: Packing, pod: int, node: int) -> None:
    request = packing.request[packing.unit[pod]]
    packing.free[packing.node[pod]] += request
    packing.free[node] -= request
    packing.node[pod] = node


def _solve(
    packing: Packing,
    nodes: Ints,
    kinds: list[tuple[tuple[int, int], list[int]]],
    choices: list[tuple[int, int]],
) -> Ints | None:
    """How many pods of each kind go to each node, by choice; None if that was not found."""
    kind = np.array([k for k, _ in choices], dtype=np.int64)
    place = np.array([p for _, p in choices], dtype=np.int64)
    request = np.array([packing.request[u] for (u, _), _ in kinds], dtype=np.float64)
    total = np.array([len(pods) for _, pods in kinds], dtype=np.float64)
    if len(np.unique(kind)) < len(kinds):
        return None
    room = packing.free[nodes].astype(np.float64)
    for (u, _), pods in kinds:
        used = np.bincount(np.searchsorted(nodes, packing.node[pods]), minlength=len(nodes))
        room += used[:, None] * packing.request[u]
    rows, bound = _loads(packing, request, kind, place, room)
    columns = np.arange(len(choices))
    each = csr_array((np.ones(len(choices)), (kind, columns)), shape=(len(kinds), len(choices)))
    limits = np.array([packing.units[u].limit for (u, _), _ in kinds], dtype=np.float64)
    found = milp(
        np.zeros(len(choices)),
        integrality=np.ones(len(choices)),
        bounds=Bounds(0, np.minimum(limits[kind], total[kind])),
        constraints=[LinearConstraint(rows, -np.inf, bound), LinearConstraint(each, total, total)],
        options={"node_limit": BRANCHES},
    )
    return None if found.x is None else np.rint(found.x).astype(np.int64)


def _loads(
    packing: Packing, request: Floats, kind: Ints, place: Ints, room: Floats
) -> tuple[csr_array, Floats]:
    """A row for each node and resource: what is used of it, as a share of a mean node."""
    width = request.shape[1]
    rows = (place[:, None] * width + np.arange(width)).ravel()
    columns = np.repeat(np.arange(len(kind)), width)
    values = (request[kind] / packing.scale).ravel()
    matrix = csr_array((values, (rows, columns)), shape=(len(room) * width, len(kind)))
    return matrix, (room / packing.scale).ravel()
