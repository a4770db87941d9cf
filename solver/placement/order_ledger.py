"""A cluster into which pods are put one at a time, and taken out again: who fits where, quickly.

Everything that does not change is worked out once; what changes is counted. ``orders`` searches
with it. What it says is held against the scheduler's filters wherever it leads to an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kubelemma.model.objects.pod import Pod

from . import check_rules as rules
from .check_peers import (
    Domains,
    Evenly,
    Peers,
    Sort,
    Sorts,
    affinity_terms,
    anti_affinity_terms,
    spread_constraints,
)
from .check_volumes import Handle, Volumes, of_driver
from .problem import Assignment, Placement, Problem

T = TypeVar("T")
Domain = list[str | None]
State = tuple[tuple[int, ...], ...]
"""How many pods of each workload lie on each node: first by node, then by workload."""


@dataclass(slots=True)
class Tally:
    """Counted pods by domain; nodes without a domain do not count."""

    domain: Domain
    counts: dict[str, int]
    total: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.counts.values())

    def add(self, node: int, by: int) -> None:
        """Count so many more pods on the node."""
        value = self.domain[node]
        if value is not None:
            self.counts[value] = self.counts.get(value, 0) + by
            self.total += by

    def at(self, node: int) -> int:
        """The count in the node's domain."""
        value = self.domain[node]
        return 0 if value is None else self.counts.get(value, 0)


@dataclass(slots=True)
class Spread(Tally):
    """A hard spread constraint: ``levels`` counts the domains by how many pods they hold."""

    skew: int = 1
    floor: bool = True
    itself: int = 0
    least: int = 0
    levels: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Tally.__post_init__(self)
        for count in self.counts.values():
            self.levels[count] = self.levels.get(count, 0) + 1
        self.least = min(self.levels, default=0)

    def add(self, node: int, by: int) -> None:
        """Count so many more pods on the node, and keep the least domain known."""
        value = self.domain[node]
        if value is None:
            return
        before, levels = self.counts[value], self.levels
        Tally.add(self, node, by)
        levels[before] -= 1
        levels[before + by] = levels.get(before + by, 0) + 1
        if by < 0:
            self.least = min(self.least, before + by)
        while not levels.get(self.least):
            self.least += 1

    def admits(self, node: int) -> bool:
        """Whether one more pod may go into the node's domain."""
        least = self.least if self.floor else 0
        return self.at(node) + self.itself - least <= self.skew


@dataclass(slots=True)
class Near:
    """Required affinity: a tally for each term, all of the pods that every term means."""

    tallies: tuple[Tally, ...]
    itself: bool

    def admits(self, node: int) -> bool:
        """Whether those that are asked for are around, or the pod is the first of its group."""
        if all(tally.at(node) > 0 for tally in self.tallies):
            return True
        return self.itself and not any(tally.total for tally in self.tallies)


@dataclass(slots=True)
class Own:
    """What concerns one workload.

    ``watched`` are the tallies that its pods add to; ``apart`` those that must be 0 where one of
    them goes; ``clashing`` are the workloads that have an overlapping host port. ``volumes`` are
    those that each of its pods needs attached.
    """

    allowed: frozenset[int] = frozenset()
    needs: tuple[tuple[int, int], ...] = ()
    watched: list[Tally] = field(default_factory=list)
    apart: list[Tally] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    near: Near | None = None
    clashing: tuple[int, ...] = ()
    volumes: frozenset[Handle] = frozenset()

    @property
    def asks_for_others(self) -> bool:
        """Whether more pods around may be better: for the least domain, or to be near them."""
        return bool(self.spreads) or self.near is not None

    def tallies(self) -> Iterator[Tally]:
        """All that the workload adds to, or looks at."""
        yield from (*self.watched, *self.apart, *self.spreads)
        yield from self.near.tallies if self.near else ()


class Ledger:
    """The counts, and the rules over them. Starts with the existing pods only."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.asked = tuple(w.count for w in problem.workloads)
        self.on: list[dict[int, int]] = [{} for _ in problem.workloads]
        self.left = list(self.asked)
        book = _Book(problem)
        self.own = book.own
        self.free = book.free
        self.limits = book.limits
        self.attached = book.attached
        self.size = len(problem.cluster.nodes)

    def fits(self, workload: int, node: int) -> bool:
        """Whether one more pod of the workload could be scheduled on the node."""
        own = self.own[workload]
        if node not in own.allowed:
            return False
        free = self.free[node]
        if any(amount > free[resource] for resource, amount in own.needs):
            return False
        if any(self.on[other].get(node) for other in own.clashing):
            return False
        if any(tally.at(node) for tally in own.apart):
            return False
        if own.volumes and not self._attaches(own, node):
            return False
        if not all(spread.admits(node) for spread in own.spreads):
            return False
        return own.near is None or own.near.admits(node)

    def _attaches(self, own: Own, node: int) -> bool:
        """Whether the node takes the volumes; those that are there already cost nothing."""
        there = {handle for handle, users in self.attached[node].items() if users}
        fresh = own.volumes - there
        return not fresh or all(
            not of_driver(driver, fresh) or of_driver(driver, fresh | there) <= most
            for driver, most in self.limits[node].items()
        )

    def put(self, workload: int, node: int, by: int = 1) -> None:
        """Lay pods of the workload on the node; a negative number takes them away."""
        own, on, free = self.own[workload], self.on[workload], self.free[node]
        on[node] = on.get(node, 0) + by
        if not on[node]:
            del on[node]
        self.left[workload] -= by
        for resource, amount in own.needs:
            free[resource] -= amount * by
        for tally in own.watched:
            tally.add(node, by)
        for handle in own.volumes:
            self.attached[node][handle] = self.attached[node].get(handle, 0) + by

    def moves(self) -> Iterator[tuple[int, int]]:
        """Every (workload, node) that may come next."""
        for workload, left in enumerate(self.left):
            if left:
                for node in sorted(self.own[workload].allowed):
                    if self.fits(workload, node):
                        yield workload, node

    @property
    def is_complete(self) -> bool:
        """Whether all pods are placed."""
        return not any(self.left)

    def placement(self) -> Placement:
        """Where the placed pods are."""
        return Placement(
            tuple(
                Assignment(workload, node, number)
                for workload, on in enumerate(self.on)
                for node, number in sorted(on.items())
            )
        )

    def state(self) -> State:
        """The counts by node and workload."""
        return tuple(tuple(on.get(node, 0) for on in self.on) for node in range(self.size))

    def alikes(self) -> tuple[tuple[int, ...], ...]:
        """The nodes in groups such that nodes of a group may change places.

        A domain that is a single node is no difference between two nodes; any other is.
        """
        tallies = list({id(t): t for own in self.own for t in own.tallies()}.values())
        sizes = [_sizes(tally.domain) for tally in tallies]
        groups: dict[Any, list[int]] = {}
        for node in range(self.size):
            look: list[Any] = [tuple(self.free[node])]
            look.append(tuple(node in own.allowed for own in self.own))
            look.append(frozenset(self.limits[node].items()))
            look.append(frozenset(self.attached[node].items()))
            for tally, size in zip(tallies, sizes, strict=True):
                value = tally.domain[node]
                alone = value is None or size[value] == 1
                look.append((value is None, tally.at(node)) if alone else value)
            groups.setdefault(tuple(look), []).append(node)
        return tuple(tuple(nodes) for nodes in groups.values())


def _sizes(domain: Domain) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value in domain:
        if value is not None:
            sizes[value] = sizes.get(value, 0) + 1
    return sizes


class _Book:
    """Reads a problem once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.nodes = problem.cluster.nodes
        self.pods = [workload.pod for workload in problem.workloads]
        self.resident = rules.residents(problem.cluster)
        self.domains = Domains(self.nodes)
        self.memory: dict[Any, Any] = {}
        self.own = [Own(self._admitting(pod)) for pod in self.pods]
        self.free: list[list[int]] = []
        self.limits: list[dict[str, int]] = []
        self.attached: list[dict[Handle, int]] = [{} for _ in self.nodes]
        self._room()
        self._ports()
        self._volumes()
        self._relations()

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        """The same object for the same key: what many workloads have in common is held once."""
        if key not in self.memory:
            self.memory[key] = make()
        known: T = self.memory[key]
        return known

    def _admitting(self, pod: Pod) -> frozenset[int]:
        def admitting() -> frozenset[int]:
            fit = (n for n, node in enumerate(self.nodes) if not any(rules.objections(pod, node)))
            return frozenset(fit)

        return self._once(("admitting", rules.static_key(pod)), admitting)

    def _close(self, w: int, closed: Collection[int]) -> None:
        """Keep the workload off these nodes for good."""
        own = self.own[w]
        if not own.allowed.isdisjoint(closed):
            own.allowed = own.allowed.difference(closed)

    def _room(self) -> None:
        wanted = [rules.requests(pod) for pod in self.pods]
        names = sorted({name for vector in wanted for name, amount in vector.items() if amount})
        for node in self.nodes:
            offered = rules.offered(node)
            self.free.append([offered.get(name, 0) for name in (rules.PODS, *names)])
        for n, pod in self.resident:
            held = {**rules.requests(pod, running=True), rules.PODS: 1}
            for i, name in enumerate((rules.PODS, *names)):
                self.free[n][i] -= held.get(name, 0)
        for own, vector in zip(self.own, wanted, strict=True):
            needs = [(i, vector.get(name, 0)) for i, name in enumerate(names, start=1)]
            own.needs = ((0, 1), *((i, amount) for i, amount in needs if amount > 0))

    def _ports(self) -> None:
        ports = [rules.host_ports(pod) for pod in self.pods]
        for w, wanted in enumerate(ports):
            if not wanted:
                continue
            self.own[w].clashing = tuple(
                other for other, theirs in enumerate(ports) if rules.overlap(wanted, theirs)
            )
            holders = (
                n for n, pod in self.resident if rules.overlap(wanted, rules.host_ports(pod))
            )
            self._close(w, set(holders))

    def _volumes(self) -> None:
        """Claims: out of whose reach they are, those for one pod only, and limits of drivers.

        Claims whose volume is chosen as pods come are beyond this ledger (``depends_on_order``).
        """
        volumes = Volumes(self.problem)
        self.limits = [volumes.limits(node) for node in self.nodes]
        for n, pod in self.resident if any(self.limits) else ():
            for handle in volumes.attached(pod, -1, 1):
                self.attached[n][handle] = self.attached[n].get(handle, 0) + 1
        anywhere: Domain = ["cluster"] * len(self.nodes)
        taken: dict[tuple[str, str], Tally] = {}
        used = {use.key for _, pod in self.resident for use in volumes.uses(pod)}
        for w, pod in enumerate(self.pods):
            if not pod.spec.volumes:
                continue
            hopeless = volumes.unusable(pod) is not None
            self._close(
                w,
                {
                    n
                    for n, node in enumerate(self.nodes)
                    if hopeless or volumes.out_of_reach(pod, node) or not volumes.is_served(pod, n)
                },
            )
            if any(self.limits):
                self.own[w].volumes = frozenset(volumes.attached(pod, w, 1))
            for key in sorted(volumes.one_pod_claims(pod)):
                if key in used:
                    self._close(w, range(len(self.nodes)))
                self.own[w].apart.append(taken.setdefault(key, Tally(anywhere, {})))
            for key in {use.key for use in volumes.uses(pod)} & taken.keys():
                self.own[w].watched.append(taken[key])

    # --- pods among each other ------------------------------------------------------------------

    def _relations(self) -> None:
        sorts = Sorts(self.problem.cluster.namespaces)
        for w, pod in enumerate(self.pods):
            sorts.of(pod).workloads.append(w)
        for n, pod in self.resident:
            sort = sorts.of(pod)
            count = sort.there if pod.metadata.deletion_timestamp is None else sort.leaving
            count[n] = count.get(n, 0) + 1
        for n, pod in self.resident:
            for term in anti_affinity_terms(pod):
                self._closed_by_resident(n, term, sorts)
        for w, pod in enumerate(self.pods):
            self._apart(w, sorts)
            self._near(w, affinity_terms(pod), sorts)
            self._spread(w, sorts)

    def _closed_by_resident(self, n: int, term: Peers, sorts: Sorts) -> None:
        domain = self.domains.of(term.topology_key)
        closed = {i for i, value in enumerate(domain) if value is not None and value == domain[n]}
        for w in _workloads(sorts.meant_by_existing(term)):
            self._close(w, closed)

    def _apart(self, w: int, sorts: Sorts) -> None:
        for term in anti_affinity_terms(self.pods[w]):
            domain = self.domains.of(term.topology_key)
            meant = sorts.meant_by_new(term)
            there = self.domains.counted(term.topology_key, _counts(meant))
            if there:
                self._close(w, {i for i, value in enumerate(domain) if value in there})
            ours, theirs = Tally(domain, {}), Tally(domain, {})
            self.own[w].apart.append(ours)
            self._watch(ours, meant)
            self.own[w].watched.append(theirs)
            for other in _workloads(sorts.meant_by_existing(term)):
                self.own[other].apart.append(theirs)

    def _near(self, w: int, terms: list[Peers], sorts: Sorts) -> None:
        if not terms:
            return
        first, *others = (sorts.meant_by_new(term) for term in terms)
        meant = [sort for sort in first if all(any(sort is o for o in other) for other in others)]
        tallies = []
        for term in terms:
            domain = self.domains.of(term.topology_key)
            tallies.append(Tally(domain, self.domains.counted(term.topology_key, _counts(meant))))
            self._watch(tallies[-1], meant)
            self._close(w, self._without(term.topology_key))
        self.own[w].near = Near(tuple(tallies), any(w in sort.workloads for sort in meant))

    def _spread(self, w: int, sorts: Sorts) -> None:
        constraints = spread_constraints(self.pods[w])
        keys = tuple(sorted({constraint.topology_key for constraint in constraints}))
        for key in keys:
            self._close(w, self._without(key))
        for constraint in constraints:
            if constraint.wanted.selector is None or constraint.wanted.is_empty:
                continue
            domain, values = self._counted(self.pods[w], constraint, keys)
            counts = dict.fromkeys(values, 0)
            meant = sorts.in_namespace(constraint.wanted, self.pods[w].metadata.namespace)
            for n, number in ((n, x) for sort in meant for n, x in sort.there.items()):
                value = domain[n]
                if value is not None:
                    counts[value] += number
            spread = Spread(
                domain,
                counts,
                skew=constraint.max_skew,
                floor=len(counts) >= constraint.min_domains,
                itself=constraint.itself,
            )
            self.own[w].spreads.append(spread)
            self._watch(spread, meant)

    def _without(self, key: str) -> frozenset[int]:
        """The nodes that lack a topology key."""

        def without() -> frozenset[int]:
            return frozenset(n for n, v in enumerate(self.domains.of(key)) if v is None)

        return self._once(("without", key), without)

    def _counted(
        self, pod: Pod, constraint: Evenly, keys: tuple[str, ...]
    ) -> tuple[Domain, tuple[str, ...]]:
        """Each node's domain, None where it does not count; and the domains there are."""

        def counted() -> tuple[Domain, tuple[str, ...]]:
            domain = [
                value if self._is_included(pod, constraint, keys, n) else None
                for n, value in enumerate(self.domains.of(constraint.topology_key))
            ]
            return domain, tuple(dict.fromkeys(v for v in domain if v is not None))

        affinity = rules.affinity_key(pod) if constraint.honor_affinity else None
        tolerations = (pod.spec.tolerations or ()) if constraint.honor_taints else None
        key = ("counted", constraint.topology_key, keys, affinity, tolerations)
        return self._once(key, counted)

    def _is_included(self, pod: Pod, constraint: Evenly, keys: tuple[str, ...], n: int) -> bool:
        if any(n in self._without(key) for key in keys):
            return False
        if constraint.honor_affinity and not rules.selects_node(pod, self.nodes[n]):
            return False
        return not (constraint.honor_taints and rules.repels(self.nodes[n], pod))

    def _watch(self, tally: Tally, meant: list[Sort]) -> None:
        for w in _workloads(meant):
            self.own[w].watched.append(tally)


def _workloads(sorts: list[Sort]) -> list[int]:
    return [w for sort in sorts for w in sort.workloads]


def _counts(sorts: list[Sort]) -> Iterator[dict[int, int]]:
    for sort in sorts:
        yield sort.there
        yield sort.leaving
