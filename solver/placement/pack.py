"""Packing whole pods of plain workloads onto nodes, near the fractions of the relaxation.

First the largest pods, each on the node of its group that is left with the most room: this keeps
all nodes evenly filled. What does not fit is put on anyway, and then pods are moved and swapped
until no node overflows. Pods of a unit are alike, so the state is a unit and a node for each pod;
in the end the units' pods are dealt out to their workloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .facts import Bools, Floats, Ints, parts, scale_of
from .units import NO_LIMIT, Unit

PARTNERS = 48
"""The nodes that are tried as partners of an overfull one, each time."""

PATIENCE = 300
"""The rounds without less overflow in all after which the search ends."""

TOLERANCE = 1e-12

IDLE, SMALL_STEP, CHANCE = 3, 0.02, 0.5
"""After so many rounds without gain, so small a loss (of a mean node) is accepted so often."""


class Packing:
    """Pods of units on nodes; ``free`` is kept up to date, and may be negative in between."""

    def __init__(self, units: Sequence[Unit], free: Ints, capacity: Ints, seed: int = 0) -> None:
        self.units = units
        self.request = _stack([u.request for u in units], free.shape[1])
        self.free = np.maximum(free, 0)
        self.scale = scale_of(capacity)
        self.random = np.random.default_rng(seed)
        self.unit = np.zeros(0, dtype=np.int64)
        self.node = np.zeros(0, dtype=np.int64)

    # --- first attempt --------------------------------------------------------------------------

    def fill(self, groups: Sequence[Ints], target: Ints) -> Ints:
        """Place the target numbers (U, G) of pods on the groups; gives those left over, (U, G)."""
        left = np.zeros_like(target)
        chunks: list[tuple[int, Ints]] = []
        for g, nodes in enumerate(groups):
            room = np.maximum(self.free[nodes].mean(axis=0), 1.0)
            present = np.nonzero(target[:, g])[0]
            size = (self.request[present] / room).max(axis=1, initial=0.0)
            for u in present[np.argsort(-size, kind="stable")].tolist():
                left[u, g] = self._spread_out(u, nodes, int(target[u, g]), room, chunks)
        if chunks:
            self.unit = np.concatenate([np.full(len(n), u, dtype=np.int64) for u, n in chunks])
            self.node = np.concatenate([n for _, n in chunks])
        return left

    def _spread_out(
        self, u: int, nodes: Ints, pods: int, room: Floats, chunks: list[tuple[int, Ints]]
    ) -> int:
        """Place pods of a unit by rounds, on each node at most one a round; gives the rest."""
        request = self.request[u]
        for _ in range(min(self.units[u].limit, pods)):
            after = ((self.free[nodes] - request) / room).min(axis=1)
            fitting = np.nonzero(after >= 0)[0]
            if not len(fitting):
                return pods
            if len(fitting) > pods:
                best = np.argpartition(-after[fitting], pods - 1)[:pods]
                fitting = fitting[best]
            elif self.units[u].limit == NO_LIMIT and len(fitting) > 1:
                # The fuller half of the nodes waits for the next round.
                half = (len(fitting) + 1) // 2
                fitting = fitting[np.argpartition(-after[fitting], half - 1)[:half]]
            chosen = nodes[fitting]
            self.free[chosen] -= request
            chunks.append((u, chosen))
            pods -= len(chosen)
            if not pods:
                break
        return pods

    # --- what was left over ---------------------------------------------------------------------

    def force(self, groups: Sequence[Ints], left: Ints) -> None:
        """Put the pods left over on nodes that suffer least from it, within their domain."""
        pods = [(u, g) for u, g in np.argwhere(left > 0).tolist() for _ in range(int(left[u, g]))]
        pods.sort(key=lambda ug: -float((self.request[ug[0]] / self.scale).max()))
        units, nodes = [], []
        taken: dict[int, set[int]] = {}
        for u, g in pods:
            unit = self.units[u]
            allowed = self._same_domain(u, int(groups[g][0]))
            if unit.limit < NO_LIMIT:
                if u not in taken:
                    taken[u] = set(self._full(u).tolist())
                allowed = allowed.copy()
                allowed[list(taken[u])] = False
            candidates = np.nonzero(allowed)[0]
            if not len(candidates):
                candidates = groups[g]
            after = ((self.free[candidates] - self.request[u]) / self.scale).min(axis=1)
            node = int(candidates[int(np.argmax(after))])
            self.free[node] -= self.request[u]
            units.append(u)
            nodes.append(node)
            if unit.limit < NO_LIMIT:
                taken[u].add(node)
        self.unit = np.concatenate([self.unit, np.array(units, dtype=np.int64)])
        self.node = np.concatenate([self.node, np.array(nodes, dtype=np.int64)])

    def _full(self, u: int) -> Ints:
        """The nodes that have as many pods of a unit as it may have."""
        nodes, numbers = np.unique(self.node[self.unit == u], return_counts=True)
        full: Ints = nodes[numbers >= self.units[u].limit]
        return full

    def _same_domain(self, u: int, node: int) -> Bools:
        unit = self.units[u]
        if unit.domain is None:
            return unit.mask
        inside: Bools = unit.domain == unit.domain[node]
        return unit.mask & inside

    # --- moving and swapping --------------------------------------------------------------------

    def settle(self, rounds: int, stop: Callable[[], bool]) -> bool:
        """Move and swap pods until no node overflows; False if that took too many rounds."""
        search = _Settling(self)
        return search.run(rounds, stop)

    def drop_overflow(self) -> Ints:
        """Take pods off overfull nodes, small ones and those without spread first; by unit."""
        spread = np.array([u.domain is not None for u in self.units])
        dropped = np.zeros(len(self.units), dtype=np.int64)
        gone = np.zeros(len(self.unit), dtype=np.bool_)
        by_node = np.argsort(self.node, kind="stable")
        starts = np.searchsorted(self.node[by_node], np.arange(len(self.free) + 1))
        for node in np.nonzero((self.free < 0).any(axis=1))[0].tolist():
            pods = by_node[starts[node] : starts[node + 1]]
            sizes = (self.request[self.unit[pods]] / self.scale).max(axis=1)
            for p in pods[np.lexsort((sizes, spread[self.unit[pods]]))].tolist():
                if (self.free[node] >= 0).all():
                    break
                lacking = self.free[node] < 0
                if (self.request[self.unit[p]][lacking] > 0).any():
                    self.free[node] += self.request[self.unit[p]]
                    gone[p] = True
                    dropped[self.unit[p]] += 1
        self.unit, self.node = self.unit[~gone], self.node[~gone]
        return dropped

    # --- back to workloads ----------------------------------------------------------------------

    def dealt(self, counts: Ints) -> Iterator[tuple[int, int, int]]:
        """(workload, node, pods): the units' pods dealt out to their workloads.

        ``counts`` are the pods of each workload; where pods are missing, some workloads get fewer.
        """
        for u, pods in parts(self.unit) if len(self.unit) else ():
            unit = self.units[u]
            nodes = np.sort(self.node[pods])
            if unit.domain is None or len(unit.workloads) == 1:
                yield from _deal(unit.workloads, counts, nodes)
            else:
                yield from _deal_evenly(unit, counts, nodes)


def _stack(rows: Sequence[Ints], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def _counted(workload: int, nodes: Ints) -> Iterator[tuple[int, int, int]]:
    values, numbers = np.unique(nodes, return_counts=True)
    for node, number in zip(values.tolist(), numbers.tolist(), strict=True):
        yield workload, node, number


def _deal(workloads: Sequence[int], counts: Ints, nodes: Ints) -> Iterator[tuple[int, int, int]]:
    start = 0
    for w in workloads:
        end = start + int(counts[w])
        yield from _counted(w, nodes[start:end])
        start = end


def _deal_evenly(unit: Unit, counts: Ints, nodes: Ints) -> Iterator[tuple[int, int, int]]:
    """Each workload gets its even share of every domain, and one more where most are left.

    Taking from the fullest always comes out, if any way does (Gale and Ryser).
    """
    if unit.domain is None:
        return
    queues = [nodes[unit.domain[nodes] == d] for d in range(unit.size)]
    extra = [len(queue) - unit.base for queue in queues]
    starts = [0] * unit.size
    for w in unit.workloads:
        share, more = divmod(int(counts[w]), unit.size)
        favoured = sorted(range(unit.size), key=lambda d: -extra[d])[:more]
        for d in favoured:
            extra[d] -= 1
        for d in range(unit.size):
            end = starts[d] + share + (d in favoured)
            yield from _counted(w, queues[d][starts[d] : end])
            starts[d] = end


class _Settling:
    """The search for moves and swaps that lessen the overflow."""

    def __init__(self, packing: Packing) -> None:
        self.p = packing
        units = packing.units
        self.mask = np.array([u.mask for u in units], dtype=np.bool_).reshape(
            len(units), len(packing.free)
        )
        rows = {id(u.domain): u.domain for u in units if u.domain is not None}
        order = {key: i + 1 for i, key in enumerate(rows)}
        self.domains = np.array(
            [np.zeros(len(packing.free), dtype=np.int64), *rows.values()], dtype=np.int64
        )
        self.domain_of = np.array([order.get(id(u.domain), 0) for u in units], dtype=np.int64)
        self.limit = np.array([u.limit for u in units], dtype=np.int64)
        self.on: list[list[int]] = [[] for _ in range(len(packing.free))]
        for pod, node in enumerate(packing.node.tolist()):
            self.on[node].append(pod)

    def overflow(self, free: Floats) -> Floats:
        """How much nodes with this much free (…, R) are overfull, as shares of a mean node."""
        total: Floats = np.maximum(-free, 0.0).sum(axis=-1)
        return total

    def run(self, rounds: int, stop: Callable[[], bool]) -> bool:
        scaled = self.p.free / self.p.scale
        bad = set(np.nonzero((self.p.free < 0).any(axis=1))[0].tolist())
        idle = 0
        least, patience = float("inf"), PATIENCE
        for _ in range(rounds):
            if not bad:
                return True
            total = float(self.overflow(scaled[sorted(bad)]).sum())
            patience = PATIENCE if total < least * 0.999 else patience - 1
            least = min(least, total)
            if not patience or stop():
                return False
            node = self._pick(bad, idle)
            changed = self._improve(node, scaled, idle)
            idle = 0 if changed else idle + 1
            for touched in changed or ():
                (bad.discard if (self.p.free[touched] >= 0).all() else bad.add)(touched)
        return not bad

    def _pick(self, bad: set[int], idle: int) -> int:
        listed = sorted(bad)
        return (
            listed[int(self.p.random.integers(len(listed)))] if idle or len(bad) > 1 else listed[0]
        )

    def _partners(self, node: int, scaled: Floats) -> Ints:
        n = len(scaled)
        if n <= PARTNERS:
            return np.array([k for k in range(n) if k != node], dtype=np.int64)
        short = self.p.free[node] < 0
        drawn = self.p.random.choice(n, size=min(n, 8 * PARTNERS), replace=False)
        slack = scaled[drawn][:, short].min(axis=1) if short.any() else scaled[drawn].min(axis=1)
        best = drawn[np.argpartition(-slack, PARTNERS // 2)[: PARTNERS // 2]]
        chosen = np.unique(np.concatenate([best, drawn[: PARTNERS // 2]]))
        found: Ints = chosen[chosen != node]
        return found

    def _improve(self, node: int, scaled: Floats, idle: int) -> tuple[int, int] | None:
        """The best move of a pod off the node, or swap with one elsewhere; the nodes it changed."""
        p = self.p
        own = np.array(self.on[node], dtype=np.int64)
        partners = self._partners(node, scaled)
        if not len(own) or not len(partners):
            return None
        _, first = np.unique(p.unit[own], return_index=True)
        own = own[first]
        other, where = self._others(partners)
        gain = self._gains(node, own, other, where, scaled)
        order = np.argsort(gain, axis=None)[:20]
        for flat in order.tolist():
            i, j = divmod(flat, gain.shape[1])
            value = gain[i, j]
            if value >= -TOLERANCE and not self._dares(idle, value):
                return None
            a, b, k = int(own[i]), int(other[j]), int(where[j])
            if self._within_limits(a, b, node, k):
                self._exchange(a, b, node, k, scaled)
                return node, k
        return None

    def _dares(self, idle: int, value: float) -> bool:
        """Whether to take a step back, after some rounds in which nothing helped."""
        return idle > IDLE and value < SMALL_STEP and bool(self.p.random.random() < CHANCE)

    def _others(self, partners: Ints) -> tuple[Ints, Ints]:
        """The pods on these nodes, one of each unit a node, and -1 for none; with their nodes."""
        pods, where = [], []
        for k in partners.tolist():
            seen: set[int] = set()
            pods.append(-1)
            where.append(k)
            for pod in self.on[k]:
                unit = int(self.p.unit[pod])
                if unit not in seen:
                    seen.add(unit)
                    pods.append(pod)
                    where.append(k)
        return np.array(pods, dtype=np.int64), np.array(where, dtype=np.int64)

    def _gains(self, node: int, own: Ints, other: Ints, where: Ints, scaled: Floats) -> Floats:
        """By how much each exchange changes the overflow; infinite where it is not allowed."""
        p = self.p
        ours = p.unit[own]
        none = other < 0
        theirs = np.where(none, 0, p.unit[other])
        give = p.request[ours] / p.scale
        take = np.where(none[:, None], 0.0, p.request[theirs] / p.scale)
        change = give[:, None, :] - take[None, :, :]
        before = self.overflow(scaled[node]) + self.overflow(scaled[where])
        after = self.overflow(scaled[node] + change) + self.overflow(scaled[where] - change)
        gain = after - before
        allowed = self._may(ours[:, None], where[None, :], node)
        back = none | self._may(theirs, np.full(len(theirs), node), where)
        same = ours[:, None] == theirs[None, :]
        gain[~allowed | ~back[None, :] | (same & ~none[None, :])] = np.inf
        result: Floats = gain
        return result

    def _may(self, unit: Ints, to: Ints, start: Ints | int) -> Bools:
        """Whether pods of these units may move between the nodes, limits aside."""
        rows = self.domain_of[unit]
        result: Bools = self.mask[unit, to] & (self.domains[rows, to] == self.domains[rows, start])
        return result

    def _within_limits(self, a: int, b: int, node: int, k: int) -> bool:
        for pod, to in ((a, k), (b, node)):
            if pod < 0:
                continue
            unit = int(self.p.unit[pod])
            if self.limit[unit] < NO_LIMIT:
                there = sum(int(self.p.unit[q]) == unit for q in self.on[to])
                if there >= self.limit[unit]:
                    return False
        return True

    def _exchange(self, a: int, b: int, node: int, k: int, scaled: Floats) -> None:
        for pod, start, to in ((a, node, k), (b, k, node)):
            if pod < 0:
                continue
            request = self.p.request[self.p.unit[pod]]
            self.p.free[start] += request
            self.p.free[to] -= request
            self.p.node[pod] = to
            self.on[start].remove(pod)
            self.on[to].append(pod)
        for touched in (node, k):
            scaled[touched] = self.p.free[touched] / self.p.scale
