"""The wired node lifecycle controller against the real one: zones that evict, or give up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wired import Case, count, zones

Data = Callable[[str], list[Case]]


def test_evicting_zones(oracle: Data, tally: Any) -> None:
    """After every pass of every sequence exactly the zones evict that really have a rate."""
    for case in oracle("zone"):
        count(tally, "wired zones", case["id"], zones.compare_rates(case))
    tally.verify("wired zones")


def test_lifted_taints(oracle: Data, tally: Any) -> None:
    """Taints are lifted after exactly the passes that find all zones fully disrupted."""
    for case in oracle("zone"):
        count(tally, "wired full disruption", case["id"], zones.compare_lifting(case))
    tally.verify("wired full disruption")
