"""Loops: which are fair, where they close, and when a standstill is told of instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Converges, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver.result import CheckResult, PropertyResult, Trace, Verdict

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]

NEVER = Converges(View(), lambda: False)
DONE = Converges(View(("done",)), lambda done: done)


def toggler(*, actor: str, finishes_at: tuple[int, ...], environment: bool = False) -> System:
    """One actor toggles ``x`` for ever; another may finish, at some values of ``x`` only."""

    def toggle(x: int, done: bool) -> Iterator[Outcome]:  # noqa: FBT001
        if not done:
            yield Outcome(Action("toggle"), {"x": 1 - x})

    def finish(x: int, done: bool) -> Iterator[Outcome]:  # noqa: FBT001
        if not done and x in finishes_at:
            yield Outcome(Action("finish"), {"done": True})

    return System(
        cells=[Cell("x", 0), Cell("done", initial=False)],
        rules=[
            Rule("toggle", "toggler", ("x", "done"), toggle, environment=environment),
            Rule("finish", actor, ("x", "done"), finish),
        ],
    )


def only(result: CheckResult) -> PropertyResult:
    """The result on the one property that was checked."""
    (found,) = result.properties
    return found


def trace_of(result: CheckResult) -> Trace:
    """The counterexample to the one property that was checked."""
    found = only(result)
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    return found.trace


def test_livelock_that_fairness_removes(run: Check, promise: Promise) -> None:
    """An actor that can always act does, however long another toggles."""
    found = only(run(toggler(actor="finisher", finishes_at=(0, 1)), [promise(DONE)]))
    assert found.verdict is Verdict.HOLDS
    assert not found.vacuous


def test_fairness_is_weak(run: Check, promise: Promise) -> None:
    """An actor that can act again and again, but not all the time, may be passed over for ever."""
    trace = trace_of(run(toggler(actor="finisher", finishes_at=(1,)), [promise(DONE)]))
    assert (trace.loop_start, len(trace.steps)) == (0, 2)


def test_fairness_is_per_actor(run: Check, promise: Promise) -> None:
    """An actor that toggles for ever acts, whatever else it could do."""
    trace = trace_of(run(toggler(actor="toggler", finishes_at=(0, 1)), [promise(DONE)]))
    assert trace.loop_start == 0
    assert {step.outcome.action for step in trace.steps} == {"toggle"}


def test_environment_has_stopped(run: Check, promise: Promise) -> None:
    """The environment may do anything on the way, and nothing in the loop or at the standstill."""
    system = toggler(actor="finisher", finishes_at=(1,), environment=True)
    trace = trace_of(run(system, [promise(DONE)]))
    assert trace.standstill
    assert trace.steps == ()
    assert run(system, [promise(NEVER)]).properties[0].verdict is Verdict.VIOLATED
    reached = NeverStuck(View(("x", "done")), lambda x, done: done or x == 0)
    assert only(run(system, [promise(reached)])).verdict is Verdict.HOLDS


def test_step_that_changes_nothing_is_a_step(run: Check, promise: Promise) -> None:
    """A no-op keeps its actor busy: nobody stands still, and the loop of one step is fair."""
    noop = Rule("noop", "idler", ("x",), lambda _: [Outcome(Action("noop"), {})])
    system = System(cells=[Cell("x", 0)], rules=[noop])
    stuck, never = run(
        system, [promise(NeverStuck(View(), lambda: False)), promise(NEVER)]
    ).properties
    assert stuck.verdict is Verdict.HOLDS
    assert never.trace is not None
    assert (never.trace.loop_start, len(never.trace.steps)) == (0, 1)


def test_goal_must_be_kept(run: Check, promise: Promise) -> None:
    """To come to the goal again and again is not to converge."""
    goal = Converges(View(("x",)), lambda x: x == 1)
    found = only(run(toggler(actor="toggler", finishes_at=()), [promise(goal)]))
    assert found.verdict is Verdict.VIOLATED


def test_goal_never_left_is_vacuous(run: Check, promise: Promise) -> None:
    """A run that is always at its goal proves little."""
    found = only(
        run(toggler(actor="a", finishes_at=()), [promise(Converges(View(), lambda: True))])
    )
    assert (found.verdict, found.vacuous) == (Verdict.HOLDS, True)


def forked(*, loop_after: int, stop_after: int) -> System:
    """A walk that comes to a self-loop after so many steps one way, to a stop another way."""

    def walk(way: str, at: int) -> Iterator[Outcome]:
        if way in ("", "loop") and at < loop_after:
            yield Outcome(Action("walk"), {"way": "loop", "at": at + 1})
        if way in ("", "stop") and at < stop_after:
            yield Outcome(Action("walk"), {"way": "stop", "at": at + 1})
        if way == "loop" and at == loop_after:
            yield Outcome(Action("circle"), {})

    return System(
        cells=[Cell("way", ""), Cell("at", 0)], rules=[Rule("walk", "walker", ("way", "at"), walk)]
    )


@pytest.mark.parametrize(("loop_after", "stop_after"), [(2, 3), (3, 3), (3, 2)])
def test_shorter_stem_is_told(
    run: Check, promise: Promise, loop_after: int, stop_after: int
) -> None:
    """Of a standstill and a loop the one with the shorter stem is told of, or the standstill."""
    # A second property that holds keeps the search going to the end.
    holds = promise(NeverStuck(View(), lambda: True))
    result = run(forked(loop_after=loop_after, stop_after=stop_after), [promise(NEVER), holds])
    trace = result.properties[0].trace
    assert trace is not None
    if loop_after < stop_after:
        assert (trace.loop_start, trace.standstill) == (loop_after, False)
    else:
        assert (trace.loop_start, trace.standstill) == (None, True)
        assert len(trace.steps) == stop_after


def round_table(members: int) -> System:
    """In one round every member passes its place on to the next, so all places shift by one."""

    def shift(phase: int, place: int) -> Iterator[Outcome]:
        if place == (members - 1 - phase if phase < members else members):
            yield Outcome(
                Action("shift"),
                {
                    "phase": (phase + 1) % (members + 1),
                    "members": place + 1 if phase < members else 0,
                },
            )

    return System(
        cells=[Cell("phase", 0)],
        families=[Family("members", tuple(range(members)))],
        rules=[Rule("shift", "all", ("phase", "members"), shift)],
    )


@pytest.mark.parametrize("members", [2, 3, 4])
def test_loop_that_permutes_the_members(run: Check, promise: Promise, members: int) -> None:
    """A round restores the canonical state; the very same state takes as many rounds as members."""
    result = run(round_table(members), [promise(NEVER)])
    assert result.statistics.states == members + 1
    trace = trace_of(result)
    assert trace.loop_start == 0
    assert len(trace.steps) == members * (members + 1)
    assert trace.steps[-1].state == trace.initial


def test_loop_that_begins_later_than_its_canonical_form(run: Check, promise: Promise) -> None:
    """Who gives back the token need not be who takes it next, so the first round may not recur."""

    def give(hand: bool, member: int) -> Iterator[Outcome]:  # noqa: FBT001
        if hand and not member:
            yield Outcome(Action("give"), {"hand": False, "members": 1})
        if not hand and member:
            yield Outcome(Action("take"), {"hand": True, "members": 0})

    system = System(
        cells=[Cell("hand", initial=False)],
        families=[Family("members", (0, 1))],
        rules=[Rule("give", "dealer", ("hand", "members"), give)],
    )
    trace = trace_of(run(system, [promise(NEVER)]))
    assert trace.loop_start is not None
    assert len(trace.steps) - trace.loop_start == 2
    assert trace.states()[trace.loop_start] == trace.states()[-1]


def test_fair_loop_serves_every_actor(run: Check, promise: Promise) -> None:
    """The loop told of passes where each actor acts or cannot act, and leaves the goal."""
    actors = ("a", "b", "c")

    def worker(actor: str) -> Rule:
        return Rule(
            actor, actor, (actor,), lambda mine: [Outcome(Action("work"), {actor: 1 - mine})]
        )

    system = System(
        cells=[Cell(actor, 0) for actor in actors], rules=[worker(actor) for actor in actors]
    )
    goal = Converges(View(actors), lambda *state: sum(state) < 3)
    trace = trace_of(run(system, [promise(goal)]))
    assert trace.loop_start == 3
    assert {step.actor for step in trace.steps[3:]} == set(actors)
    assert len(trace.steps) == 3 + 6


def test_family_goal_is_for_every_member(run: Check, promise: Promise) -> None:
    """A goal over a family is reached when every member is there; the tally agrees."""

    def rise(value: int) -> Iterator[Outcome]:
        if value < 2:
            yield Outcome(Action("rise"), {"members": value + 1})

    system = System(
        families=[Family("members", (0, 0, 0))],
        tallies=[Tally("risen", {"members": lambda v: (int(v == 2),)}, 1)],
        rules=[Rule("rise", "sun", ("members",), rise)],
    )
    each = Converges(View(("members",)), lambda value: value == 2)
    all_three = Converges(View((), ("risen",)), lambda risen: risen == (3,))
    two_only = Converges(View((), ("risen",)), lambda risen: risen == (2,))
    result = run(system, [promise(each), promise(all_three), promise(two_only)])
    assert [found.verdict for found in result.properties] == [
        Verdict.HOLDS,
        Verdict.HOLDS,
        Verdict.VIOLATED,
    ]
    trace = result.properties[2].trace
    assert trace is not None
    assert (trace.standstill, len(trace.steps)) == (True, 6)


def test_many_steps_between_two_states(run: Check, promise: Promise) -> None:
    """A loop is found however many steps lead from one of its states to the next."""

    def step(x: int) -> Iterator[Outcome]:
        for number in range(256):
            yield Outcome(Action("step", "number"), {"x": 1 - x}, (("number", number),))

    system = System(cells=[Cell("x", 0)], rules=[Rule("step", "stepper", ("x",), step)])
    result = run(system, [promise(Converges(View(("x",)), lambda x: x == 0))])
    assert len(trace_of(result).steps) - (trace_of(result).loop_start or 0) == 2
