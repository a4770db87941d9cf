"""Laws of the ReplicaSet controller's decisions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.replicaset.decision import (
    POD_DELETION_COST,
    deletion_cost_of,
    manage_replicas,
    rank_key,
)


def test_criteria_come_in_order() -> None:
    """Each criterion outweighs all later ones."""
    mild: dict[str, Any] = {
        "assigned": True, "phase": "Running", "ready": True,
        "deletion_cost": 2**31 - 1, "colocated": 0,
    }  # fmt: skip
    severe: dict[str, Any] = {
        "assigned": False, "phase": "Pending", "ready": False,
        "deletion_cost": -(2**31), "colocated": 2**24 - 1,
    }  # fmt: skip
    names = list(mild)
    for i, name in enumerate(names):
        worse = {**mild, name: severe[name]}
        later = {**mild, **{n: severe[n] for n in names[i + 1 :]}}
        assert rank_key(**worse) > rank_key(**later)
    assert rank_key(**{**mild, "phase": "Unknown"}) < rank_key(**{**mild, "phase": "Pending"})
    assert 0 <= rank_key(**mild) < rank_key(**severe) < 2**63


@pytest.mark.parametrize("colocated", [-1, 2**24])
def test_colocation_out_of_range_is_refused(colocated: int) -> None:
    """A count that would run into the next criterion is an error."""
    with pytest.raises(ValueError, match="out of range"):
        rank_key(assigned=True, phase="Running", ready=True, deletion_cost=0, colocated=colocated)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 600))
def test_manage_replicas_approaches_the_goal(active: int, desired: int, burst: int) -> None:
    """A sync acts in the right direction, not past the goal, and at most one burst."""
    change = manage_replicas(active, desired, burst)
    assert abs(change) <= burst
    assert abs(desired - active - change) == abs(desired - active) - abs(change)


@pytest.mark.parametrize(
    ("text", "cost"),
    [("10", 10), ("-5", -5), ("-05", -5), ("0", 0), ("+5", 0), ("007", 0), ("2147483648", 0)],
)
def test_deletion_cost_is_read_strictly(text: str, cost: int) -> None:
    """What the API server would not take for a cost counts as none."""
    assert deletion_cost_of({POD_DELETION_COST: text}) == cost
