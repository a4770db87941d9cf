"""A batch of states, and who keeps a search on disk between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Batch(NamedTuple):
    """A batch of states that was looked over: in which parts, and how many candidates there are.

    A part is a range of its states, counted from the first.
    """

    begin: int
    end: int
    parts: Sequence[tuple[int, int]]
    shards: int
    candidates: int


class Keeper(Protocol):
    """Who keeps a search on disk: brings it back, says when it is time to save, and saves it."""

    def restore(self) -> bool:
        """Bring the search to where it was saved; False if it was not."""

    def due(self, seconds: float) -> bool:
        """Whether to save, so long after the start."""

    def save(self) -> None:
        """Save the search, which is between two batches."""
