"""The step of a story that decides: after it the promise is broken, or cannot be kept any more.

Whether a promise that something comes to pass can still be kept is a question of its own: of the
state after each step it is asked whether the components, left alone by users and faults, could
still come to where they should. That is searched on the plain semantics, from the end of the story
back, and only as far as it takes few states; where it takes more, what is told is since when things
are not as promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State, System
from kubelemma.properties.formula import Always, Converges, EachStep, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Decisive
from kubelemma.solver.result import Trace

MOST_STATES = 2000
"""States that are looked at for one story: a second or two."""

_BROKEN = "It breaks the promise"
_LOST = (
    "Before it, the components could still have come to where they should; "
    "after it they cannot any more, unless users or faults act"
)
_LEFT = "From here on things are not as promised, to the end"
_AGAIN = "Things are as promised before it and not after it, again and again"

Towards: TypeAlias = NeverStuck | Converges | LeadsTo
"""A formula with a goal."""


def decisive(scenario: Scenario, prop: Property, trace: Trace) -> Decisive | None:
    """The step that decides; None where it is so from the start."""
    formula, last = prop.formula, len(trace.steps)
    if not last:
        return None
    if isinstance(formula, Always | EachStep):
        return Decisive(last, _BROKEN)
    states = trace.states()
    step = _Search(scenario.system, formula).lost_after(states)
    if step:
        return Decisive(step, _LOST)
    left = _left_after(scenario.system, formula, states)
    again = trace.loop_start is not None and left > trace.loop_start
    return Decisive(left, _AGAIN if again else _LEFT) if left else None


def _left_after(system: System, formula: Towards, states: Sequence[State]) -> int:
    """After which step the goal is never met again; 0 where it was not met at the start, either."""
    steps = range(len(states) - 1, 0, -1)
    return next((step for step in steps if _met(system, formula, states[step - 1])), 0)


def _met(system: System, formula: Towards, state: State) -> bool:
    return all(formula.goal(*seen) for seen in system.look(formula.view, state))


class _Search:
    """What is known of the states from which nobody comes to where they should."""

    def __init__(self, system: System, formula: Towards) -> None:
        self.system = system
        self.formula = formula
        self.lost: set[State] = set()
        self.left = MOST_STATES

    def lost_after(self, states: Sequence[State]) -> int:
        """The last step before which all could still end well; 0 where that is not known."""
        for step in range(len(states) - 1, -1, -1):
            found = self._can_end_well(states[step])
            if found is not False:
                return step + 1 if found and step < len(states) - 1 else 0
        return 0

    def _can_end_well(self, start: State) -> bool | None:
        """Depth first, since every run comes to an end soon; None where that is not known.

        To end well is to come to rest in the goal, or where it may be left again, to reach it.
        """
        found = {self.system.canonical(start)}
        waiting = list(found)
        met: dict[State, list[State]] = {}
        while waiting:
            state = waiting.pop()
            if state in self.lost:
                continue
            if self.left == 0 or not self.system.within_bounds(state):
                return None
            self.left -= 1
            nexts = self._nexts(state)
            if _met(self.system, self.formula, state):
                if not nexts or isinstance(self.formula, LeadsTo):
                    return True
                met[state] = nexts
            fresh = [s for s in nexts if s not in found]
            found.update(fresh)
            waiting += fresh
        if _goes_round(met):  # it need not come to rest to stay in the goal
            return None
        self.lost |= found
        return False

    def _nexts(self, state: State) -> list[State]:
        """What components may make of it, each once and in order."""
        return _canonical(
            self.system,
            (t.state for t in self.system.successors(state) if not t.rule.environment),
        )


def _canonical(system: System, states: Iterable[State]) -> list[State]:
    return list(dict.fromkeys(map(system.canonical, states)))


def _goes_round(nexts: Mapping[State, Iterable[State]]) -> bool:
    """Whether there is a loop among states, given what may come after each."""
    left = set(nexts)
    while ends := {state for state in left if left.isdisjoint(nexts[state])}:
        left -= ends
    return bool(left)
