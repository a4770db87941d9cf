"""What can be asked of a system: predicates over its states and steps, and over its runs.

A predicate is a pure function of what a `View` shows and gives True, False, or None where it has
nothing to say. A formula whose predicates said nothing (or, for runs, whose goal was never left)
in all that was explored is *vacuous*, which is reported and is not the same as holding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from kubelemma.model.system import View

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


Formula: TypeAlias = Always | EachStep | NeverStuck | Converges
