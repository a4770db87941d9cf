"""The wired StatefulSet controller against the real one: what its rules do to which pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wired import Case, count, sample, stateful

Data = Callable[[str], list[Case]]


def test_syncs(oracle: Data, tally: Any) -> None:
    """The first sync does what the real one did, and reports the same current revision."""
    for case in sample(oracle("statefulset"), 5):
        count(tally, "wired statefulset", case["id"], stateful.compare(case))
    tally.verify("wired statefulset")
