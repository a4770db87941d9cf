"""How runs are drawn. Only data; `kubelemma.solver.stateful.engine` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class ExamplesError(Exception):
    """The folder of examples cannot be used; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which runs, and how many.

    Attributes:
        seed: the same seed draws the same runs, as long as ``examples`` are the same.
        runs: the search ends after so many runs in turn that violate nothing new.
        steps: the most that a run takes before users and faults stop, and the controllers go on
            until nobody can act or all comes round.
        shrinks: so many more runs are tried to find a shorter one like one that fails.
        examples: a folder that keeps the failing runs, which the next search begins with; None
            keeps none.
        name: what the runs are of, to tell them from others in the same folder.
    """

    seed: int = 0
    runs: int = 1000
    steps: int = 100
    shrinks: int = 200
    examples: Path | None = None
    name: str = ""
