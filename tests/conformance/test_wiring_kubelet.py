"""The wired kubelet against the filters of the real scheduler, which the real kubelet runs, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wired import Case, count, kubelet, sample


def test_admission(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """A bound pod is admitted where nothing but the state of other nodes may keep it away."""
    for case in sample(oracle("scheduler"), 16):
        count(tally, "wired admission", case["id"], kubelet.compare(case))
    tally.verify("wired admission")
