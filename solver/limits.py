"""How far a search may go, and the measuring of how far it has gone.

Clock and memory gauge are passed in, so that a run can be repeated to the digit.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .machine import available_memory

CHECK_SECONDS = 0.05
"""A limit of time or memory is exceeded by no more than what happens in this many seconds."""

REPORT_SECONDS = 1.0
"""The time between two reports of progress."""

MEMORY_SHARE = 0.8
"""The part of the available memory that a search takes at most where nobody says."""

MAX_STATES = "max-states"
TIME_LIMIT = "time-limit"
MAX_MEMORY = "max-memory"
INTERRUPTED = "interrupted"
MAX_RUNS = "max-runs"
ALL_VIOLATED = "all-violated"
HANDED_OVER = "handed-over"
"""Why a search stopped before its end, as ``Statistics.stopped_by`` tells it."""

Clock: TypeAlias = Callable[[], float]
"""Gives seconds; only differences matter."""

Gauge: TypeAlias = Callable[[], int]
"""Gives the bytes of memory that the process holds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a search may use; None is without limit.

    ``max_states`` counts canonical states and is exact. ``max_memory_bytes`` limits the growth of
    the process since the search began; without it, most of what the machine has left is the limit.
    """

    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory_bytes: int | None = None


UNLIMITED = Limits()

_STATM = Path("/proc/self/statm")


def resident_memory() -> int:
    """The bytes of the process that are in memory now (its peak where there is no ``/proc``)."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Watch:
    """Measures one run: its seconds, the growth of its memory and the peak of that.

    ``max_memory_bytes`` is the limit in effect; None where the machine does not tell what it has.
    """

    def __init__(self, limits: Limits, clock: Clock, gauge: Gauge) -> None:
        self._limits = limits
        self._clock = clock
        self._gauge = gauge
        self._started = self._next_check = clock()
        self._next_report = self._started + REPORT_SECONDS
        self._memory_before = gauge()
        self.max_memory_bytes = limits.max_memory_bytes
        if self.max_memory_bytes is None:
            available = available_memory()
            self.max_memory_bytes = None if available is None else int(MEMORY_SHARE * available)
        self.seconds = 0.0
        self.memory_bytes = 0
        self.peak_memory_bytes = 0

    def due(self) -> bool:
        """Whether it is time to measure again; cheap enough to ask for every state."""
        return self._clock() >= self._next_check

    def measure(self) -> str | None:
        """Measure time and memory; gives the limit that is exceeded, if one is."""
        now = self._clock()
        self._next_check = now + CHECK_SECONDS
        self.seconds = now - self._started
        self.memory_bytes = max(0, self._gauge() - self._memory_before)
        self.peak_memory_bytes = max(self.peak_memory_bytes, self.memory_bytes)
        if _above(self.seconds, self._limits.time_limit_seconds):
            return TIME_LIMIT
        if _above(self.memory_bytes, self.max_memory_bytes):
            return MAX_MEMORY
        return None

    def report_due(self) -> bool:
        """Whether a report is due by the last measurement; if so, the next is a second later."""
        now = self._started + self.seconds
        if now < self._next_report:
            return False
        self._next_report = now + REPORT_SECONDS
        return True


def _above(value: float, limit: float | None) -> bool:
    return limit is not None and value > limit
