"""A problem as numbers: what each workload asks, what each node has left, who may go where.

Nothing here decides anything. Whatever does not depend on where the other pods go (selectors,
taints, what existing pods forbid) is folded into one mask of nodes for each workload; what does
depend on it is kept as ``Spread``, ``Apart``, ``Near`` and ``ports``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kubelemma.model.components.scheduler.decision.node_ports import HostPort
from kubelemma.model.components.scheduler.decision.volumes import Handle

from .problem import Problem

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A hard spread constraint of a workload.

    ``domain`` gives for each node its domain's index, -1 where it does not count; ``existing`` the
    matching pods that are there by domain. ``members`` are the workloads whose pods count.
    ``floor`` is whether the least domain is looked at: with fewer domains than ``minDomains``, 0 is
    taken for it. ``itself`` is 1 if the pod matches its own selector.
    """

    key: str
    skew: int
    floor: bool
    domain: Ints
    existing: Ints
    members: tuple[int, ...]
    itself: int

    @property
    def size(self) -> int:
        """The number of domains."""
        return len(self.existing)


@dataclass(frozen=True, slots=True)
class Apart:
    """The workload's pods exclude those of ``others`` (maybe its own) from their domain."""

    key: str
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Required pod affinity: a pod of ``members``, or an existing one, in each term's domain.

    ``existing`` marks by term the nodes in whose domain an existing pod matches; ``anywhere`` is
    whether one does at all, ``itself`` whether the workload's own pods match.
    """

    keys: tuple[str, ...]
    members: tuple[int, ...]
    existing: tuple[Bools, ...]
    anywhere: bool
    itself: bool


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """A problem as arrays: W workloads, N nodes, R resources (cpu in millicores; ``pods`` is last).

    ``capacity`` and ``free`` are (N, R), ``request`` is (W, R), ``count`` (W).
    ``masks[mask_of[w]]`` are the nodes that may take a pod of w as far as only that pod and
    existing ones matter, room aside. ``domains`` gives each node's domain by topology key, -1
    where it lacks the key.
    ``attached`` are the volumes of limited drivers that each pod of a workload needs on its node,
    ``slots`` how many more of a driver each node takes, ``there`` where a volume is already.
    ``node_class`` numbers nodes that no workload can tell apart, per-node domains aside;
    ``single_keys`` are the keys each of whose domains is one node.
    """

    problem: Problem
    resources: tuple[str, ...]
    capacity: Ints
    free: Ints
    request: Ints
    count: Ints
    mask_of: Ints
    masks: Bools
    domains: Mapping[str, Ints]
    spreads: Mapping[int, tuple[Spread, ...]]
    apart: Mapping[int, tuple[Apart, ...]]
    near: Mapping[int, Near]
    ports: Mapping[int, tuple[HostPort, ...]]
    attached: Mapping[int, frozenset[Handle]]
    slots: Mapping[str, Ints]
    there: Mapping[Handle, Bools]
    node_class: Ints
    single_keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        single = (key for key, domain in self.domains.items() if is_single(domain))
        object.__setattr__(self, "single_keys", frozenset(single))

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.free)

    @property
    def workloads(self) -> int:
        """The number of workloads."""
        return len(self.count)

    def mask(self, workload: int) -> Bools:
        """The nodes that may take the workload's pods, room aside."""
        row: Bools = self.masks[self.mask_of[workload]]
        return row

    def per_node(self, key: str) -> bool:
        """Whether each domain of the key is one node."""
        return key in self.single_keys

    def room(self, workload: int) -> Ints:
        """How many pods of the workload fit on each node, as if it were alone; 0 where masked."""
        return room(self.request[workload], self.free) * self.mask(workload)

    def is_loner(self, workload: int) -> bool:
        """Whether no two pods of the workload may share a node: ports, or anti-affinity."""
        if clash(self.ports.get(workload, ()), self.ports.get(workload, ())):
            return True
        return any(
            workload in apart.others
            and self.per_node(apart.key)
            and bool((self.domains[apart.key][self.mask(workload)] >= 0).all())
            for apart in self.apart.get(workload, ())
        )


def is_single(domain: Ints) -> bool:
    """Whether no two nodes share a domain."""
    inside = domain[domain >= 0]
    return len(np.unique(inside)) == len(inside)


def room(request: Ints, free: Ints) -> Ints:
    """How many pods with this request (R) fit into each row of ``free`` (N, R); at least 0."""
    asked = request > 0
    if not asked.any():
        return np.full(len(free), np.iinfo(np.int64).max // 4)
    fits: Ints = (free[:, asked] // request[asked]).min(axis=1)
    return np.maximum(fits, 0)


def scale_of(capacity: Ints) -> Floats:
    """What a mean node offers of each resource, at least 1: to compare different resources."""
    if not len(capacity):
        return np.ones(capacity.shape[1])
    mean: Floats = np.maximum(capacity.mean(axis=0), 1.0)
    return mean


def clash(ours: Iterable[HostPort], theirs: Iterable[HostPort]) -> bool:
    """Whether two pods with these host ports exclude one another from a node."""
    listed = tuple(theirs)
    return any(port.conflicts_with(other) for port in ours for other in listed)


def parts(array: Ints) -> Iterator[tuple[int, Ints]]:
    """Each value of the array with the indexes where it stands, values ascending."""
    order = np.argsort(array, kind="stable")
    values, starts = np.unique(array[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, starts[1:]), strict=True)
