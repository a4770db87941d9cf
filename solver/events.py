"""What engines tell while they run. Renderers decide what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come. ``entries`` are those of all tables of the model's answers."""

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Violation:
    """A property was found to be violated at this depth; the trace follows in the result."""

    property_id: str
    subject: str
    depth: int


@dataclass(frozen=True, slots=True)
class Compiling:
    """A faster engine is being compiled, once for all; the search goes on meanwhile."""


Event: TypeAlias = Progress | Violation | Compiling
Listener: TypeAlias = Callable[[Event], None]
