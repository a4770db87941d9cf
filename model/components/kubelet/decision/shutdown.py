"""In which order a kubelet ends its pods when its machine shuts down.

Source: pkg/kubelet/nodeshutdown/nodeshutdown_manager.go, ``migrateConfig`` and
``groupByPriority``: with ``shutdownGracePeriod`` and ``shutdownGracePeriodCriticalPods`` there are
two groups, and one ends after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

SYSTEM_CRITICAL_PRIORITY = 2_000_000_000
"""From which priority on pods are critical to the system."""


def next_to_end(priorities: Sequence[int]) -> tuple[int, ...]:
    """The places of those that end now, all others being later: critical pods end last."""
    regular = tuple(i for i, p in enumerate(priorities) if p < SYSTEM_CRITICAL_PRIORITY)
    return regular or tuple(range(len(priorities)))
