"""Counterexamples in plain semantics: what is refused, and what becomes of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, System, View
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver.replay import (
    CanonicalStep,
    RecordedStep,
    RepeatStatus,
    ReplayError,
    counterexample,
    refutes,
    replay_steps,
)
from kubelemma.solver.result import CheckResult, Trace
from kubelemma.solver.simulate import simulate

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]

PODS = View(("pods",))


def pods(*, most: int, restarts: bool = True) -> System:
    """Pods that start, and (the environment willing) crash; a restart brings them back."""

    def start(pod: str) -> Iterator[Outcome]:
        if pod == "new":
            yield Outcome(Action("start", "pod"), {"pods": "up"}, (("pod", "any"),))

    def crash(pod: str, crashes: int) -> Iterator[Outcome]:
        if pod == "up" and crashes < most:
            yield Outcome(Action("crash"), {"pods": "down", "crashes": crashes + 1})

    def restart(pod: str) -> Iterator[Outcome]:
        if pod == "down":
            yield Outcome(Action("restart"), {"pods": "up"})

    rules = [
        Rule("start", "kubelet", ("pods",), start),
        Rule("crash", "fault", ("pods", "crashes"), crash, environment=True),
    ]
    if restarts:
        rules.append(Rule("restart", "kubelet", ("pods",), restart))
    return System(
        cells=[Cell("crashes", 0)], families=[Family("pods", ("new", "new"))], rules=rules
    )


NEVER_DOWN = Always(PODS, lambda pod: pod != "down")
ALL_UP = Converges(PODS, lambda pod: pod == "up")


def record(trace: Trace) -> list[RecordedStep]:
    """What is kept of a trace."""
    return [
        RecordedStep(s.rule, s.outcome.action, s.outcome.arguments, s.positions)
        for s in trace.steps
    ]


def found_by(run: Check, system: System, prop: Property) -> Trace:
    """The engine's counterexample."""
    trace = run(system, [prop]).properties[0].trace
    assert trace is not None
    return trace


def test_record_still_fails(run: Check, promise: Promise) -> None:
    """What an engine found can be repeated from its record alone."""
    system = pods(most=1)
    trace = found_by(run, system, promise(NEVER_DOWN))
    assert [step.outcome.action for step in trace.steps] == ["start", "crash"]
    repeat = replay_steps(system, NEVER_DOWN, record(trace))
    assert repeat.status is RepeatStatus.STILL_FAILS
    assert repeat.trace == trace
    assert repeat.failed_step is None


def test_record_of_a_standstill_still_fails(run: Check, promise: Promise) -> None:
    """A standstill is one again."""
    system = pods(most=1, restarts=False)
    trace = found_by(run, system, promise(ALL_UP))
    repeat = replay_steps(system, ALL_UP, record(trace))
    assert (repeat.status, repeat.trace) == (RepeatStatus.STILL_FAILS, trace)


def test_record_of_a_loop_still_fails(run: Check, promise: Promise) -> None:
    """A loop closes again, and no longer refutes if it is recorded as beginning elsewhere."""

    def turn(member: int, hand: int) -> Iterator[Outcome]:
        yield Outcome(Action("turn"), {"members": hand, "hand": member})

    system = System(
        cells=[Cell("hand", 2)],
        families=[Family("members", (0, 1))],
        rules=[Rule("turn", "a", ("members", "hand"), turn)],
    )
    goal = Converges(View(("hand",)), lambda hand: hand == 2)
    trace = found_by(run, system, promise(goal))
    assert trace.loop_start is not None
    repeat = replay_steps(system, goal, record(trace), trace.loop_start)
    assert (repeat.status, repeat.trace) == (RepeatStatus.STILL_FAILS, trace)
    elsewhere = replay_steps(system, goal, record(trace), trace.loop_start + 1)
    assert elsewhere.status is RepeatStatus.HOLDS


def test_record_no_longer_possible(run: Check, promise: Promise) -> None:
    """The first step that the changed system does not allow is named; what came before is kept."""
    trace = found_by(run, pods(most=1), promise(NEVER_DOWN))
    repeat = replay_steps(pods(most=0), NEVER_DOWN, record(trace))
    assert (repeat.status, repeat.failed_step) == (RepeatStatus.NOT_POSSIBLE, 2)
    assert repeat.trace.steps == trace.steps[:1]


@pytest.mark.parametrize(
    "change",
    [{"rule": "x"}, {"action": "x"}, {"arguments": ()}, {"positions": (2,)}, {"positions": (9,)}],
)
def test_every_part_of_a_record_counts(
    run: Check, promise: Promise, change: dict[str, Any]
) -> None:
    """A step with another rule, action, argument or place is another step."""
    system = pods(most=1)
    steps = record(found_by(run, system, promise(NEVER_DOWN)))
    steps[0] = steps[0]._replace(**change)
    repeat = replay_steps(system, NEVER_DOWN, steps)
    # The other pod may start too, but then this one cannot crash.
    first_impossible = 2 if change == {"positions": (2,)} else 1
    assert (repeat.status, repeat.failed_step) == (RepeatStatus.NOT_POSSIBLE, first_impossible)


def test_record_of_a_repaired_property(run: Check, promise: Promise) -> None:
    """A story that still happens need not break what is promised now."""
    system = pods(most=1)
    trace = found_by(run, system, promise(NEVER_DOWN))
    for formula in (
        Always(PODS, lambda _: True),
        NeverStuck(PODS, lambda _: False),
        EachStep(PODS, lambda *_: False, frozenset({"start"})),
        ALL_UP,
    ):
        assert replay_steps(system, formula, record(trace)).status is RepeatStatus.HOLDS


def test_empty_record() -> None:
    """A record of no steps is about the initial state."""
    always = Always(PODS, lambda pod: pod != "new")
    assert replay_steps(pods(most=0), always, []).status is RepeatStatus.STILL_FAILS
    assert replay_steps(pods(most=0), NEVER_DOWN, []).status is RepeatStatus.HOLDS


def test_ambiguous_record() -> None:
    """Where several outcomes fit the record, it fails if one of them leads to a failure."""

    def split(at: int) -> Iterator[Outcome]:
        if at == 0:
            yield from (Outcome(Action("split"), {"at": value}) for value in (1, 2, 3))
        elif at < 4:
            yield Outcome(Action("on"), {"at": at + 10})

    system = System(cells=[Cell("at", 0)], rules=[Rule("split", "a", ("at",), split)])
    steps = [RecordedStep("split", "split", (), (0,)), RecordedStep("split", "on", (), (0,))]
    for value in (11, 12, 13):
        formula = Always(View(("at",)), lambda at, value=value: at != value)
        repeat = replay_steps(system, formula, steps)
        assert repeat.status is RepeatStatus.STILL_FAILS
        assert repeat.trace.states()[-1] == (value,)
    assert replay_steps(system, Always(View(("at",)), bool), steps).status is RepeatStatus.HOLDS


# What an engine must not get away with.


def canonical(system: System, trace: Trace) -> list[CanonicalStep]:
    """What an engine hands over."""
    return [CanonicalStep(s.rule, s.outcome, system.canonical(s.state)) for s in trace.steps]


def test_impossible_step_is_an_error(promise: Promise) -> None:
    """A step that the plain semantics does not have is refused, and named."""
    system, steps = (
        pods(most=1),
        [CanonicalStep("start", Outcome(Action("fly"), {}), (0, "up", "up"))],
    )
    with pytest.raises(ReplayError, match='X-1 of the toy: the step "fly" of the rule "start" is'):
        counterexample(system, promise(NEVER_DOWN), steps)


def test_wrong_result_of_a_step_is_an_error(promise: Promise) -> None:
    """The state after a step must be the one that the engine says."""
    system = pods(most=1)
    steps = canonical(system, simulate(system, 1, 1))
    wrong = [steps[0]._replace(state=(0, "up", "up"))]
    with pytest.raises(ReplayError, match='"start" is not possible'):
        counterexample(system, promise(NEVER_DOWN), wrong)


@pytest.mark.parametrize(
    "formula",
    [
        NEVER_DOWN,
        EachStep(PODS, lambda *_: True, frozenset({"start"})),
        EachStep(PODS, lambda *_: False, frozenset({"crash"})),
        NeverStuck(PODS, lambda _: False),
        Converges(PODS, lambda _: False),
    ],
)
def test_trace_that_refutes_nothing_is_an_error(promise: Promise, formula: Formula) -> None:
    """A run is no counterexample unless the property is false of it."""
    system = pods(most=1)
    steps = canonical(system, simulate(system, 1, 1))
    with pytest.raises(ReplayError, match="counterexample of 1 steps does not refute it in plain"):
        counterexample(system, promise(formula), steps)


def loops(*, fair: bool, environment: bool = False) -> tuple[System, Trace]:
    """A run that turns twice and is where it was; another actor waits, or cannot act."""
    turn = Rule(
        "turn",
        "a",
        ("at",),
        lambda at: [Outcome(Action("turn"), {"at": 1 - at})],
        environment=environment,
    )
    other = Rule(
        "other", "b", ("at",), lambda at: [Outcome(Action("no"), {})] if at or not fair else []
    )
    system = System(cells=[Cell("at", 0)], rules=[turn, other])
    run: list[Any] = []
    state = system.initial
    for _ in range(2):
        step = next(t for t in system.successors(state) if t.rule.name == "turn")
        run.append(step)
        state = step.state
    recorded = [RecordedStep("turn", "turn", (), (0,))] * 2
    return system, replay_steps(system, Converges(View(), lambda: False), recorded, 0).trace


@pytest.mark.parametrize(
    ("fair", "environment", "goal", "wanted"),
    [
        (True, False, 2, True),
        (True, False, 0, True),
        (False, False, 2, False),
        (True, True, 2, False),
    ],
)
def test_loops_must_be_fair(*, fair: bool, environment: bool, goal: int, wanted: bool) -> None:
    """A loop refutes only if it passes over nobody, and the environment has no part in it."""
    system, trace = loops(fair=fair, environment=environment)
    formula = Converges(View(("at",)), lambda at: at == goal)
    assert refutes(system, formula, trace) is wanted
    assert not refutes(system, NeverStuck(View(), lambda: False), trace)
    assert not refutes(system, Converges(View(), lambda: True), trace)
    assert not refutes(system, formula, replace(trace, loop_start=1))
    assert not refutes(system, formula, replace(trace, loop_start=2))


# Simulation.


@given(seed=st.integers(0, 10**9), most=st.integers(0, 30), environment=st.booleans())
def test_simulation(seed: int, most: int, *, environment: bool) -> None:
    """A run of plain semantics, the same for the same seed, that stops only for a reason."""
    system = pods(most=3)
    trace = simulate(system, seed, most, environment=environment)
    assert trace == simulate(system, seed, most, environment=environment)
    assert replay_steps(system, NEVER_DOWN, record(trace)).trace.steps == trace.steps
    assert environment or not any(step.environment for step in trace.steps)
    last = list(system.successors(trace.states()[-1]))
    able = [t for t in last if environment or not t.rule.environment]
    assert len(trace.steps) == most or not able
    assert trace.standstill is all(t.rule.environment for t in last)
    assert trace.loop_start is None


def test_simulation_draws_evenly() -> None:
    """Each enabled step is as likely as any other, and the seed decides."""
    system = System(
        cells=[Cell("at", 0)],
        rules=[
            Rule("one", "a", ("at",), lambda _: [Outcome(Action("one"), {"at": 1})]),
            Rule(
                "two",
                "a",
                ("at",),
                lambda _: [Outcome(Action("two"), {"at": n}) for n in (2, 3, 4)],
            ),
        ],
    )
    steps = simulate(system, 0, 4000).steps
    shares = [sum(step.state == (n,) for step in steps) / 4000 for n in (1, 2, 3, 4)]
    assert all(0.22 < share < 0.28 for share in shares)
    assert len({simulate(system, seed, 5).states() for seed in range(20)}) > 15
