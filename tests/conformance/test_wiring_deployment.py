"""The wired Deployment controller against the real one: sizes after a sync by its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wired import Case, count, deployment, sample

Data = Callable[[str], list[Case]]


def test_rolling_steps(oracle: Data, tally: Any) -> None:
    """A step of a rolling update leaves every ReplicaSet at the real size."""
    for case in sample(oracle("deployment"), 2):
        found = deployment.compare_step(case)
        count(tally, "wired rolling step", case["id"], found)
    tally.verify("wired rolling step")


def test_proportional_scaling(oracle: Data, tally: Any) -> None:
    """A sync that only scales leaves every ReplicaSet at the real size, with real annotations."""
    for case in sample(oracle("deployment"), 2):
        found = deployment.compare_scale(case)
        count(tally, "wired scaling", case["id"], found)
    tally.verify("wired scaling")
