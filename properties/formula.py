"""What can be asked of a system: predicates over its states and steps, and over its runs.

A predicate is a pure function of what a `View` shows and gives True, False, or None where it has
nothing to say. A formula whose predicates said nothing (or, for runs, whose goal was never left or
whose premise never held outside the goal) in all that was explored is *vacuous*, which is reported
and is not the same as holding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from kubelemma.model.errors import ModelError
from kubelemma.model.system import State, System, View

StepPredicate: TypeAlias = Callable[[Any, str, Any], bool | None]
"""Of what the view shows before a step, the action, and what the view shows after it."""


@dataclass(frozen=True, slots=True)
class Always:
    """An invariant: ``holds(*seen)`` is never False in a reachable state."""

    view: View
    holds: Callable[..., bool | None]


@dataclass(frozen=True, slots=True)
class EachStep:
    """A property of steps: ``holds(before, action, after)`` is never False.

    ``before`` and ``after`` are what the view shows at the same positions before and after the
    step, ``action`` is what the step is called. The step is asked about once for each choice of
    members of the families in the view. ``actions`` names the actions asked about.
    """

    view: View
    holds: StepPredicate
    actions: frozenset[str]


@dataclass(frozen=True, slots=True)
class NeverStuck:
    """In every reachable state where only the environment can act, ``goal(*seen)`` holds."""

    view: View
    goal: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Converges:
    """Once the environment stops, every fair run reaches the goal and stays there.

    Fair means: a task (see `Rule`) that can be worked on from some point on for ever is worked on.
    A counterexample is a stem and a standstill outside the goal, or a stem and a fair loop that
    leaves the goal.
    """

    view: View
    goal: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class LeadsTo:
    """Whenever the premise holds, the goal is reached: at once, or later in every fair run.

    Users and faults may act on the way, even if that reaches no goal, but stop in the end; fair is
    as in `Converges`. A goal that was reached may be left again: then nothing is due until the
    premise holds outside of it. A counterexample is a stem on which the premise holds and the goal
    is not reached from there on, and then a standstill outside the goal, or a fair loop that never
    reaches it.

    The view names cells, tallies and bests, but no family: a premise about one member could be
    followed by the goal of another, and members have no identity.
    """

    view: View
    premise: Callable[..., bool | None]
    goal: Callable[..., bool | None]

    def met(self, *seen: Any) -> bool | None:
        """True in the goal, False where the premise holds outside of it, None elsewhere."""
        if self.goal(*seen):
            return True
        return False if self.premise(*seen) else None

    def met_in(self, system: System, state: State) -> bool | None:
        """As `met`, of a state."""
        (seen,) = system.look(self.view, state)
        return self.met(*seen)

    def due_since(self, system: System, states: Iterable[State]) -> int | None:
        """Of a run: after how many steps the premise held for which the goal is still due."""
        since = None
        for steps, state in enumerate(states):
            met = self.met_in(system, state)
            if met:
                since = None
            elif met is False and since is None:
                since = steps
        return since


Formula: TypeAlias = Always | EachStep | NeverStuck | Converges | LeadsTo


def check_formula(system: System, formula: Formula, who: str) -> None:
    """Refuse a formula that cannot be asked of a system.

    Raises:
        ModelError: naming ``who`` and the culprit.
    """
    system.check_view(formula.view, who)
    if isinstance(formula, LeadsTo):
        families = {family.name for family in system.families}
        for name in formula.view.cells:
            if name in families:
                raise ModelError(
                    f'{who} uses the family "{name}" in "leads to", which cannot tell its members '
                    "apart from one state to the next; let it read a tally of them"
                )
