"""Where a search is kept on disk. Only data; `kubelemma.solver.compiled.checkpoint` does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path

SAVE_SECONDS = 20.0
"""A killed search has lost no more than what it found in about this time."""


BESIDE = "~"
"""Between the name of a case and that of another search of it; in no name of a case."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Keep the search in ``folder`` from time to time; go on with what is there if ``resume``."""

    folder: Path
    resume: bool = False
    every_seconds: float = SAVE_SECONDS

    def beside(self, name: str) -> Checkpoints:
        """For another search of the same case, in a folder of its own beside this one."""
        return replace(self, folder=self.folder.with_name(f"{self.folder.name}{BESIDE}{name}"))

    def used(self) -> Path | None:
        """The first folder, of this or of searches beside it, that has something in it."""
        others = sorted(self.folder.parent.glob(f"{escape(self.folder.name)}{BESIDE}*"))
        return next((f for f in (self.folder, *others) if any(f.glob("[!.]*"))), None)
