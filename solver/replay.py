"""Counterexamples in plain semantics: made concrete, confirmed, and repeated from a record.

Nothing here uses tables or symmetry. `System.successors` is followed without sorting the members
of families, so that a position means the same member in all states of a trace; and the property is
asked again about what comes out. What an engine found but this does not confirm is an error of the
engine (or a model function that is not pure), never a counterexample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from kubelemma.model.system import Outcome, State, System, Transition
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property

from .result import Trace, TraceStep


class ReplayError(Exception):
    """The plain semantics does not confirm what an engine found."""


class CanonicalStep(NamedTuple):
    """A step of a run of canonical states: the rule's name, its outcome, the state after it."""

    rule: str
    outcome: Outcome
    state: State


class RecordedStep(NamedTuple):
    """A concrete step as it is kept on record."""

    rule: str
    action: str
    arguments: tuple[tuple[str, object], ...]
    positions: tuple[int, ...]


class RepeatStatus(StrEnum):
    """What became of a recorded counterexample."""

    STILL_FAILS = "still fails"
    NOT_POSSIBLE = "no longer possible"
    HOLDS = "possible, but the property now holds"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The outcome of repeating a record.

    ``trace`` goes as far as the record is possible. If that is not to its end, ``failed_step`` is
    the first step that is not possible, counted from 1.
    """

    status: RepeatStatus
    trace: Trace
    failed_step: int | None = None


def counterexample(
    system: System,
    prop: Property,
    steps: Sequence[CanonicalStep],
    loop_start: int | None = None,
    start: State | None = None,
) -> Trace:
    """The concrete trace of a canonical counterexample, confirmed in plain semantics.

    It begins in the start that is like ``start``, or in the first.
    The steps from ``loop_start`` on repeat for ever. They may come back to the same state with its
    members in another order; then they are repeated until they come back to the very same state.

    Raises:
        ReplayError: a step cannot be repeated, or the trace does not refute the property.
    """
    begin = system.initial if start is None else system.start_like(start)
    trace = _concrete(system, prop, steps, loop_start, begin)
    if not refutes(system, prop.formula, trace):
        raise ReplayError(
            f"{prop.id} of {prop.subject}: the counterexample of {len(trace.steps)} steps "
            "does not refute it in plain semantics"
        )
    return trace


def replay_steps(
    system: System, formula: Formula, steps: Sequence[RecordedStep], loop_start: int | None = None
) -> Repeat:
    """Take the recorded steps again, and ask whether the formula is still refuted by them.

    A record that several outcomes fit stands for all of them: it still fails if one way does.
    """
    runs = [Trace(start, ()) for start in system.starts]
    for number, recorded in enumerate(steps, start=1):
        longer = _continued(system, runs, recorded)
        if not longer:
            return Repeat(RepeatStatus.NOT_POSSIBLE, runs[0], failed_step=number)
        runs = longer
    traces = [_recorded_trace(system, formula, run, loop_start) for run in runs]
    failing = next((trace for trace in traces if refutes(system, formula, trace)), None)
    if failing is None:
        return Repeat(RepeatStatus.HOLDS, traces[0])
    return Repeat(RepeatStatus.STILL_FAILS, failing)


def refutes(system: System, formula: Formula, trace: Trace) -> bool:
    """Whether a run of plain semantics is a counterexample to the formula.

    An invariant must be false in the last state, a property of steps false of the last step.
    Otherwise the run must end where nobody but the environment can act, or, to refute that it
    converges, in a fair loop of controllers; outside the goal. To refute that a premise leads to a
    goal it must end in either way, with the premise met and the goal not reached from there on.
    """
    last = trace.states()[-1]
    match formula:
        case Always():
            return any(_is_false(formula.holds(*seen)) for seen in system.look(formula.view, last))
        case EachStep():
            return _refutes_step(system, formula, trace)
        case LeadsTo():
            return _leaves_due(system, formula, trace)
        case NeverStuck() | Converges() if trace.loop_start is None:
            return stands_still(system, last) and is_outside(system, formula, last)
        case Converges():
            return _loops_outside(system, formula, trace, trace.loop_start)
        case NeverStuck():
            return False


def stands_still(system: System, state: State) -> bool:
    """Whether nobody but the environment can act."""
    return all(transition.rule.environment for transition in system.successors(state))


def step_of(transition: Transition) -> TraceStep:
    """A transition as a step of a trace."""
    rule, positions, outcome, state = transition
    return TraceStep(rule.name, rule.actor, rule.environment, positions, outcome, state)


def _concrete(
    system: System,
    prop: Property,
    steps: Sequence[CanonicalStep],
    loop_start: int | None,
    begin: State,
) -> Trace:
    if loop_start is None:
        taken = _follow(system, prop, begin, steps)
        standstill = isinstance(prop.formula, NeverStuck | Converges | LeadsTo)
        return Trace(begin, tuple(taken), standstill=standstill)
    taken = _follow(system, prop, begin, steps[:loop_start])
    rounds: dict[State, int] = {}
    while (at := taken[-1].state if taken else begin) not in rounds:
        rounds[at] = len(taken)
        taken += _follow(system, prop, at, steps[loop_start:])
    return Trace(begin, tuple(taken), loop_start=rounds[at])


def _follow(
    system: System, prop: Property, state: State, steps: Sequence[CanonicalStep]
) -> list[TraceStep]:
    """The steps taken from a concrete state, the first that fits each time."""
    taken = []
    for wanted in steps:
        fitting = (
            transition
            for transition in system.successors(state, wanted.rule)
            if transition.outcome == wanted.outcome
            and system.canonical(transition.state) == wanted.state
        )
        transition = next(fitting, None)
        if transition is None:
            raise ReplayError(
                f'{prop.id} of {prop.subject}: the step "{wanted.outcome.action}" of the rule '
                f'"{wanted.rule}" is not possible in plain semantics'
            )
        taken.append(step_of(transition))
        state = transition.state
    return taken


def _continued(system: System, runs: list[Trace], recorded: RecordedStep) -> list[Trace]:
    """The runs, each continued by every step that fits; one for each pair of last states."""
    longer: dict[tuple[State, State], Trace] = {}
    for run in runs:
        for transition in system.successors(run.end, recorded.rule):
            rule, positions, outcome, after = transition
            if (rule.name, outcome.action, outcome.arguments, positions) == recorded:
                further = Trace(run.initial, (*run.steps, step_of(transition)))
                longer.setdefault((run.end, after), further)
    return list(longer.values())


def _recorded_trace(system: System, formula: Formula, run: Trace, loop_start: int | None) -> Trace:
    """The run as it was recorded: that it ends in a standstill matters where it refutes by that."""
    standstill = (
        loop_start is None
        and isinstance(formula, NeverStuck | Converges | LeadsTo)
        and stands_still(system, run.end)
    )
    return replace(run, loop_start=loop_start, standstill=standstill)


def _is_false(answer: bool | None) -> bool:  # noqa: FBT001 - a predicate's answer, not a flag
    return answer is not None and not answer


def is_outside(system: System, formula: NeverStuck | Converges, state: State) -> bool:
    """Whether the goal of a property of runs is missed in a state."""
    return not all(formula.goal(*seen) for seen in system.look(formula.view, state))


def _refutes_step(system: System, formula: EachStep, trace: Trace) -> bool:
    if not trace.steps or trace.steps[-1].outcome.action not in formula.actions:
        return False
    *_, before, after = trace.states()
    seen = zip(system.look(formula.view, before), system.look(formula.view, after), strict=True)
    action = trace.steps[-1].outcome.action
    return any(_is_false(formula.holds(b, action, a)) for b, a in seen)


def _loops_outside(system: System, formula: Converges, trace: Trace, start: int) -> bool:
    """Whether there is a fair loop, and it leaves the goal."""
    outside = any(is_outside(system, formula, state) for state in trace.states()[start:])
    return outside and _loops_fairly(system, trace, start)


def _leaves_due(system: System, formula: LeadsTo, trace: Trace) -> bool:
    """Whether the premise is met, and the goal not reached from there on, for ever."""
    states, start = trace.states(), trace.loop_start
    if formula.due_since(system, states) is None:
        return False
    if start is None:
        return stands_still(system, states[-1])
    reached = any(formula.met_in(system, state) for state in states[start:])
    return not reached and _loops_fairly(system, trace, start)


def _loops_fairly(system: System, trace: Trace, start: int) -> bool:
    """Whether the loop closes, is the controllers' own, and is fair."""
    states, steps = trace.states()[start:], trace.steps[start:]
    if not steps or states[0] != states[-1] or any(step.environment for step in steps):
        return False
    return _is_fair(system, states, steps)


def _is_fair(system: System, states: Sequence[State], steps: Sequence[TraceStep]) -> bool:
    """Whether every task is worked on in the loop, or cannot be in one of its states."""
    tasks = {rule.name: rule.fairness for rule in system.rules if not rule.environment}
    waiting = set(tasks.values()) - {tasks[step.rule] for step in steps}
    for state in states:
        rules = [t.rule for t in system.successors(state) if not t.rule.environment]
        if not any(rule.urgent for rule in rules):
            waiting &= {rule.fairness for rule in rules}
    return not waiting
