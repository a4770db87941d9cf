"""What single nodes add to a state that spans all nodes.

PodTopologySpread, InterPodAffinity and ImageLocality look at the whole cluster. They do it in one
way only: every node gives a *contribution*, a vector of integers over named coordinates, and the
state is a function of the **sum** of these vectors. So whoever knows the sums (pods per zone, say)
needs no list of nodes, and a change of one node changes the sum by that node's difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Coordinate = TypeVar("Coordinate", bound=Hashable)


def total(contributions: Iterable[Mapping[Coordinate, int]]) -> dict[Coordinate, int]:
    """The sum of contributions, without the coordinates that sum up to 0.

    Order and grouping do not matter: ``total([a, b, c]) == total([total([c, a]), b])``.
    """
    sums: dict[Coordinate, int] = {}
    for contribution in contributions:
        for coordinate, amount in contribution.items():
            sums[coordinate] = sums.get(coordinate, 0) + amount
    return {coordinate: amount for coordinate, amount in sums.items() if amount}


def negated(contribution: Mapping[Coordinate, int]) -> dict[Coordinate, int]:
    """The contribution whose sum with the given one is empty."""
    return {coordinate: -amount for coordinate, amount in contribution.items()}
