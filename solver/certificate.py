"""The loop certificate: which steps of controllers may be repeated for ever, from tables alone.

A run of controllers that never ends goes round, and goes round in every projection of the state
(`kubelemma.solver.projections`). Where no step is left that may be repeated, every run comes to
rest: what must converge does so if no state that is at rest is outside the goal. Where steps are
left, loops consist of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kubelemma.model.system import Outcome, System

from .projections import Flags, LocalSteps, Numbers, Projection, local_steps, places, together
from .reductions.names import CERTIFICATE
from .result import Reduction
from .tables import Tables

MOST_NAMED = 5
"""So many actions are named that may be repeated."""


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What is left after some rounds of so many local steps of controllers, as rules see them.

    ``repeats`` says of each move, by its number, whether it may be repeated for ever; ``actions``
    are those that are.
    """

    steps: int
    left: int
    rounds: int
    repeats: Flags
    actions: tuple[str, ...]

    @property
    def note(self) -> Reduction:
        """What a report says of it."""
        known = f"{self.steps:,} local step{'' if self.steps == 1 else 's'} of controllers"
        rounds = f"after {self.rounds} round{'' if self.rounds == 1 else 's'}"
        if not self.left:
            why = f"none of {known} is left {rounds} that may be repeated for ever: all runs end"
            return Reduction(CERTIFICATE, used=True, why=why)
        named = ", ".join(self.actions[:MOST_NAMED])
        more = len(self.actions) - MOST_NAMED
        others = f" and {more} other{'' if more == 1 else 's'}" if more > 0 else ""
        why = f"{self.left:,} of {known} are left {rounds}: loops can only be of {named}{others}"
        return Reduction(CERTIFICATE, used=True, why=why)


def certify(system: System, tables: Tables, numbers: Numbers) -> Certificate:
    """What may be repeated for ever among the states found, whose steps are all in the tables.

    What ``numbers`` gives is of these states.
    """
    known = local_steps(tables)
    alone = places(system, tables)
    rounds, left = _taken_away(known, alone)
    if left:
        more, left = _taken_away(left, [*alone, *together(system, tables, numbers)])
        rounds += more
    outcomes = _outcomes(left, tables)
    repeats = np.zeros(len(tables.moves), dtype=np.bool_)
    for each in left:
        repeats[each.numbers] = True
    return Certificate(
        steps=len(_outcomes(known, tables)),
        left=len(outcomes),
        rounds=rounds,
        repeats=repeats,
        actions=tuple(sorted({str(outcome.action) for outcome in outcomes.values()})),
    )


def _outcomes(steps: Iterable[LocalSteps], tables: Tables) -> Mapping[int, Outcome]:
    """The steps as rules see them, who may be shown less than is at a place, by identity."""
    outcomes = (tables.moves[n].outcome for each in steps for n in each.numbers.tolist())
    return {id(outcome): outcome for outcome in outcomes}


def _taken_away(
    steps: Sequence[LocalSteps], projections: Sequence[Projection]
) -> tuple[int, Sequence[LocalSteps]]:
    """What is left once every projection lets all that is left turn; and after how many rounds."""
    rounds = 0
    while before := _count(steps):
        for projection in projections:
            if steps:
                pairs = zip(steps, projection.turning(steps), strict=True)
                steps = [each.among(kept) for each, kept in pairs if kept.any()]
        if _count(steps) == before:
            break
        rounds += 1
    return rounds, steps


def _count(steps: Iterable[LocalSteps]) -> int:
    return sum(each.numbers.size for each in steps)
