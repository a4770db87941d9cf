"""What is said of a write that the model could not have done where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubelemma.reports.conformance import Possible

from .roster import Roster
from .seen import Change, Seen, changes, distance, same
from .steps import States, Steps
from .words import told


class Earlier(NamedTuple):
    """The states that the model may have been in before a write, and as of which revision."""

    revision: int
    steps: Steps
    states: States


def possible_at(
    earlier: Iterable[Earlier], actor: str | None, done: tuple[Change, ...]
) -> int | None:
    """The revision of the first of these moments at which the actor could have written the same."""
    for moment in earlier:
        seen = moment.steps.lens.seen(next(iter(moment.states)))
        for state in moment.states:
            for step in moment.steps.visible(state, actor):
                if same(changes(seen, step.seen), done):
                    return moment.revision
    return None


def nearest(
    now: Earlier, seen: Seen, actor: str | None, done: tuple[Change, ...], roster: Roster
) -> Possible | None:
    """The step of the actor that changes what is most like what was changed; None for none."""
    best: tuple[tuple[int, tuple[str, ...]], Possible] | None = None
    for state in now.states:
        for step in now.steps.visible(state, actor):
            made = changes(seen, step.seen)
            shown = tuple(told(change, roster) for change in made)
            key = (distance(made, done), shown)
            if best is None or key < best[0]:
                outcome = step.transition.outcome
                best = key, Possible(str(outcome.action), outcome.why, shown)
    return None if best is None else best[1]


def in_hand(now: Earlier, actor: str | None) -> tuple[str, ...]:
    """What the actor may have had in memory: one line for each possibility."""
    found = {now.steps.lens.in_hand(state, actor) for state in now.states}
    return tuple(sorted("; ".join(hand) or "nothing" for hand in found))
