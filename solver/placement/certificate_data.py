"""What proves that there is no placement. Only data; ``certificate`` verifies it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class NoNode:
    """No node takes even one pod of the workload, with nothing else to place."""

    workload: int


@dataclass(frozen=True, slots=True)
class Prices:
    """What one unit of each resource costs on each node; nothing is free where it is short.

    ``groups`` are disjoint sets of nodes, ``prices`` for each of them gives the price by resource.
    The proof: even if each workload went where it is cheapest for it, as if it were alone, all of
    them together would pay more than everything on the nodes is worth. ``workloads`` are those
    that pay; the others are left out of the sum.
    """

    groups: tuple[tuple[int, ...], ...]
    prices: tuple[tuple[tuple[str, Fraction], ...], ...]
    workloads: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight for each pod of a workload, such that all nodes together cannot hold the sum.

    ``weights`` pairs workloads with the weight of one of their pods. The proof: the most that each
    node can hold, by an exact search over what fits on it, is less in sum than all pods weigh.
    """

    weights: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Of these workloads' pods, no two may share a domain of the topology key.

    The proof: every pair excludes one another, and there are fewer domains than pods. The key is
    None where a domain is one node (host ports).
    """

    workloads: tuple[int, ...]
    topology_key: str | None


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """Every way to place these workloads was tried, with none of the others on any node.

    Leaving out the others only helps, as no rule of these workloads counts their pods.
    """

    workloads: tuple[int, ...]


Certificate: TypeAlias = NoNode | Prices | Weights | Exclusion | Exhaustion
