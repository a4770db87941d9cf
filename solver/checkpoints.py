"""Where a search is kept on disk. Only data; `kubelemma.solver.compiled.checkpoint` does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SAVE_SECONDS = 20.0
"""A killed search has lost no more than what it found in about this time."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Keep the search in ``folder`` from time to time; go on with what is there if ``resume``."""

    folder: Path
    resume: bool = False
    every_seconds: float = SAVE_SECONDS
