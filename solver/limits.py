"""How far a search may go, and the measuring of how far it has gone.

Clock and memory gauge are passed in, so that a run can be repeated to the digit.
"""

from __future__ import annotations

import resource
import sys
import time
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

WALL = 3
"""How many times the limit of the processor's time a search may take by the wall."""

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
    ``time_limit_seconds`` is of the processor's time, and `WALL` times that by the wall: a machine
    that others use as well decides no less. Of these, ``spent_seconds`` and ``waited_seconds`` are
    gone already, by searches for the same answer. ``kept_seconds`` of the limit are kept for what
    comes after.
    """

    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory_bytes: int | None = None
    spent_seconds: float = 0.0
    waited_seconds: float = 0.0
    kept_seconds: float = 0.0


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

    def __init__(
        self, limits: Limits, clock: Clock, gauge: Gauge, processor: Clock | None = None
    ) -> None:
        """The ``processor``'s clock is by default that of the process, or the one that is given."""
        self._limits = limits
        self._clock = clock
        own = time.process_time if clock is time.monotonic else clock
        self._processor = processor or own
        self._begun = self._processor()
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
        if self._is_late():
            return TIME_LIMIT
        if _above(self.memory_bytes, self.max_memory_bytes):
            return MAX_MEMORY
        return None

    def _is_late(self) -> bool:
        limits, limit = self._limits, self._limits.time_limit_seconds
        if limit is None:
            return False
        limit -= limits.kept_seconds
        worked = self._processor() - self._begun + limits.spent_seconds
        return worked > limit or self.seconds + limits.waited_seconds > WALL * limit

    def report_due(self) -> bool:
        """Whether a report is due by the last measurement; if so, the next is a second later."""
        now = self._started + self.seconds
        if now < self._next_report:
            return False
        self._next_report = now + REPORT_SECONDS
        return True


def _above(value: float, limit: float | None) -> bool:
    return limit is not None and value > limit
