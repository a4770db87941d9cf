"""The stateful engine finds what is there, tells it shortly, and says no more than it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Bound, Cell, Family, Outcome, Rule, System, View
from kubelemma.properties.formula import Always, Converges, EachStep, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver import explore
from kubelemma.solver.events import Event, Violation
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Trace, Verdict
from kubelemma.solver.stateful import engine
from kubelemma.solver.stateful.places import Places
from kubelemma.solver.stateful.sampling import ExamplesError, Sampling
from kubelemma.solver.stateful.shorten import shorter_stories
from kubelemma.solver.stateful.walk import Story, Walk

Promise = Callable[..., Property]

ROOT = Path(__file__).resolve().parents[2]

FEW = Sampling(runs=60, shrinks=30)

SLACK = 2
"""The steps that a story may have more than the shortest."""

AT = View(("at",))


def drawn(system: System, *properties: Property, sampling: Sampling = FEW) -> CheckResult:
    """What a few runs say."""
    return engine.check(system, properties, sampling=sampling)


def told(result: CheckResult, number: int = 0) -> Trace:
    """The counterexample to one of the properties, which must be violated."""
    found = result.properties[number]
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    return found.trace


def line(length: int, *, back: bool = False, bound: int | None = None) -> System:
    """A walk from 0 to its end, where it may turn back; a user may turn a cell on that none reads.

    Of the steps that are possible everywhere most have nothing to do with how far the walk is.
    """

    def step(at: int) -> Iterator[Outcome]:
        if at < length:
            yield Outcome(Action("step"), {"at": at + 1})
        elif back:
            yield Outcome(Action("turn back"), {"at": 0})

    def toggle(on: int) -> Iterator[Outcome]:
        if on < 3:
            yield Outcome(Action("toggle"), {"on": on + 1})

    return System(
        cells=[Cell("at", 0), Cell("on", 0)],
        rules=[
            Rule("step", "walker", ("at",), step),
            Rule("toggle", "user", ("on",), toggle, environment=True),
            Rule(
                "wind up",
                "clock",
                ("on",),
                lambda on: [Outcome(Action("wind"), {})] if on == 9 else [],
            ),
        ],
        bounds=[] if bound is None else [Bound("the fence", AT, lambda at: at <= bound)],
    )


# What it finds


def case_of(example: str) -> api.Case:
    """The one scenario of an example."""
    (case,) = api.ask(api.Question(paths=(str(ROOT / "examples" / example),))).cases
    return case


@pytest.mark.parametrize(
    "example",
    ["crashing-version", "kubelet-rejects", "spread-small-node", "tolerationseconds-loop"],
)
def test_examples(example: str) -> None:
    """Each violation of an example is found, and told almost as shortly as it can be."""
    case = case_of(example)
    system = case.scenario.system
    exact = {
        found.property: found.trace
        for found in explore.check(system, case.properties).properties
        if found.trace
    }
    result = drawn(system, *exact, sampling=Sampling(name=example))
    assert result.statistics.stopped_by == "all-violated"
    for found in result.properties:
        shortest = exact[found.property]
        assert found.trace is not None
        assert len(found.trace.steps) <= len(shortest.steps) + SLACK
        assert (found.trace.loop_start is None) == (shortest.loop_start is None)


def test_nothing_is_proved() -> None:
    """Where nothing is violated, everything is inconclusive, and what was tried is said."""
    case = case_of("rollout-anti-affinity-repaired")
    result = drawn(case.scenario.system, *case.properties, sampling=Sampling(seed=7, runs=20))
    assert {found.verdict for found in result.properties} == {Verdict.INCONCLUSIVE}
    counts = result.statistics
    assert (counts.exhaustive, counts.stopped_by, counts.seed) == (False, "max-runs", 7)
    reasons = {found.reason for found in result.properties if not found.vacuous}
    assert reasons == {
        (
            "runs drawn at random refute, but prove nothing; no violation in "
            f"{counts.runs} runs with {counts.transitions} steps to {counts.states} states (seed 7)"
        )
    }
    assert counts.runs >= 20
    assert counts.states <= 157  # which is all there are
    assert sum(times for _, times in counts.actions) == counts.transitions


def test_premise_that_never_came_true(promise: Promise) -> None:
    """A property that never said anything is told apart from one that was never false."""
    silent = promise(Always(AT, lambda _: None))
    result = drawn(line(3), silent, promise(Always(AT, lambda at: at < 9)))
    assert [found.vacuous for found in result.properties] == [True, False]
    assert result.properties[0].reason.endswith("; its premise never came true")
    assert result.statistics.rules_never_fired == ("wind up",)


def test_random_systems(random_systems: ModuleType, promise: Promise) -> None:
    """Nothing is violated that brute force says is not, and every trace refutes its property."""
    found = violated = 0

    @given(drawn=st.booleans().flatmap(lambda b: random_systems.drawn_systems(bounded=b)))
    @settings(
        max_examples=settings().max_examples // 10, suppress_health_check=[HealthCheck.nested_given]
    )
    def agrees(drawn: Any) -> None:
        nonlocal found, violated
        explored = random_systems.explored(drawn.system)
        properties = [promise(formula, f"X-{i}") for i, formula in enumerate(drawn.formulas)]
        result = engine.check(
            drawn.system, properties, sampling=Sampling(runs=12, shrinks=3, steps=30)
        )
        for formula, said in zip(drawn.formulas, result.properties, strict=True):
            truth = random_systems.truth(drawn.system, explored, formula)
            violated += truth.violated
            assert said.verdict is not Verdict.HOLDS
            if said.trace is not None:
                found += 1
                assert truth.violated
                random_systems.assert_refutes(drawn.system, explored, formula, said.trace)

    agrees()
    assert found >= 0.9 * violated


def test_all_kinds_at_once(promise: Promise) -> None:
    """One search finds violations of every kind of property, each with a shortest story."""
    result = drawn(
        line(12),
        promise(Always(AT, lambda at: at < 9)),
        promise(EachStep(AT, lambda _, __, after: after[0] != 7, frozenset({"step"}))),
        promise(NeverStuck(AT, lambda at: at > 12)),
        promise(Converges(AT, lambda at: at != 12)),
        promise(LeadsTo(AT, lambda at: at == 5, lambda at: at < 5)),
        promise(Always(View(("at", "on")), lambda at, on: (at, on) != (4, 2))),
        promise(Always(AT, lambda at: at != 0)),
        sampling=Sampling(runs=300, shrinks=30),
    )
    assert [len(told(result, n).steps) for n in range(7)] == [9, 7, 12, 12, 12, 6, 0]
    assert [told(result, n).standstill for n in range(7)] == [False] * 2 + [True] * 3 + [False] * 2
    assert result.statistics.stopped_by == "all-violated"


def test_loops(promise: Promise) -> None:
    """A fair loop outside the goal violates what converges, and what leads to a goal."""
    result = drawn(
        line(4, back=True),
        promise(Converges(AT, lambda at: at != 2)),
        promise(LeadsTo(AT, lambda at: at == 1, lambda at: at > 4)),
        promise(NeverStuck(AT, lambda at: at > 4)),
        promise(Converges(View(("on",)), lambda on: on >= 0)),
    )
    assert len(told(result, 0).steps) == 5
    assert told(result, 0).loop_start == 0
    assert told(result, 1).loop_start is not None
    assert {found.verdict for found in result.properties[2:]} == {Verdict.INCONCLUSIVE}


def test_unfair_loops_are_none(promise: Promise) -> None:
    """Who could end it all in the end does: to wait for that for ever is no counterexample."""

    def spin(going: bool) -> Iterator[Outcome]:  # noqa: FBT001
        if going:
            yield Outcome(Action("spin"), {})

    def stop(going: bool) -> Iterator[Outcome]:  # noqa: FBT001
        if going:
            yield Outcome(Action("stop"), {"going": False})

    system = System(
        cells=[Cell("going", initial=True)],
        rules=[Rule("spin", "top", ("going",), spin), Rule("stop", "hand", ("going",), stop)],
    )
    result = drawn(system, promise(Converges(View(("going",)), lambda going: not going)))
    assert result.properties[0].verdict is Verdict.INCONCLUSIVE


def test_bounds(promise: Promise) -> None:
    """What is outside a bound is judged, but not left: nobody is stuck there, nothing is due."""
    result = drawn(
        line(9, bound=5),
        promise(Always(AT, lambda at: at < 6)),
        promise(Always(AT, lambda at: at < 7)),
        promise(NeverStuck(AT, lambda at: at < 6)),
        promise(LeadsTo(AT, lambda at: at > 0, lambda at: at > 6)),
    )
    assert len(told(result).steps) == 6
    assert {found.verdict for found in result.properties[1:]} == {Verdict.INCONCLUSIVE}
    assert result.statistics.cut_states


def test_what_a_property_may_ask_is_checked(promise: Promise) -> None:
    """A property that looks at what is not declared is refused, as by every engine."""
    with pytest.raises(ModelError, match="no such thing"):
        drawn(line(2), promise(Always(View(("no such thing",)), bool)))


# Shortening


def test_detours_are_left_out(promise: Promise) -> None:
    """A story that goes round and about becomes a shortest one, and never longer on the way."""
    places = Places(line(6, back=True), [promise(Always(View(("at", "on")), far_and_on))])
    walk = Walk(places)
    long = detour(walk, 30)
    lengths = [len(story.ways) for story in shorter_stories(places, long)]
    assert lengths == sorted(lengths, reverse=True)
    assert len(long.ways) > 30
    assert lengths[-1] == 6


def far_and_on(at: int, on: int) -> bool:
    """Not at the fifth place with one toggle."""
    return (at, on) != (5, 1)


def detour(walk: Walk, steps: int) -> Story:
    """So many steps of the walker, then a toggle, and on to where that is a violation."""
    for number in count():
        rule = "toggle" if number == steps else "step"
        stories = walk.take(walk.place.ways[rule][0])
        if stories:
            return stories[0]
    raise AssertionError


def test_another_way_is_found_nearby(promise: Promise) -> None:
    """A story from which no step can be left out is replaced by one that takes a shorter way."""

    def move(at: int) -> Iterator[Outcome]:
        yield Outcome(Action("one"), {"at": at + 1})
        if at == 1:
            yield Outcome(Action("jump"), {"at": 10})

    system = System(cells=[Cell("at", 0)], rules=[Rule("move", "walker", ("at",), move)])
    places = Places(system, [promise(Always(AT, lambda at: at != 12))])
    walk, stories = Walk(places), ()
    while not stories:
        stories = walk.take(walk.place.ways["move"][0])
    *_, last = shorter_stories(places, stories[0])
    assert [way.move.outcome.action for way in last.ways] == ["one", "jump", "one", "one"]


def test_the_search_nearby_can_be_stopped(promise: Promise) -> None:
    """Whoever has no time left need not wait until the whole neighbourhood has been searched."""
    places = Places(line(6, back=True), [promise(Always(View(("at", "on")), far_and_on))])
    long = detour(Walk(places), 6)
    looked = count()

    def pause() -> None:
        if next(looked) == 3:
            raise KeyboardInterrupt

    known = len(places)
    with pytest.raises(KeyboardInterrupt):
        list(shorter_stories(places, long, pause=pause))
    stopped = len(places)
    list(shorter_stories(places, long))
    assert known <= stopped < len(places)
    assert next(looked) == 4


# Repeating, and beginning with what is known


def outcome(result: CheckResult) -> Any:
    """What must be the same when a search is repeated: verdicts, stories and counts."""
    found = [(said.verdict, said.trace, said.reason) for said in result.properties]
    counts = result.statistics
    return found, counts.runs, counts.transitions, counts.states, counts.actions


def test_seeds() -> None:
    """The same seed draws the same runs, another one draws others."""
    case = case_of("rollout-node-crash")
    asked = (case.scenario.system, *case.properties)
    first, again, other = (
        outcome(drawn(*asked, sampling=Sampling(seed=seed, runs=30))) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_examples_are_tried_first(tmp_path: Path, promise: Promise) -> None:
    """The second search begins with what the first one found, and needs hardly any runs."""
    kept = Sampling(runs=500, examples=tmp_path / "examples", name="a line")
    rare = promise(Always(View(("at", "on")), lambda at, on: (at, on) != (11, 3)), "X-1")
    often = promise(NeverStuck(AT, lambda at: at > 12), "X-2")
    first = drawn(line(12), rare, often, sampling=kept)
    again = drawn(line(12), rare, often, sampling=replace(kept, runs=9))
    assert [found.verdict for found in again.properties] == [Verdict.VIOLATED] * 2
    assert again.statistics.runs < first.statistics.runs
    lone = drawn(line(12), rare, sampling=replace(kept, runs=9))
    assert lone.properties[0].verdict is Verdict.VIOLATED


def test_examples_that_fail_no_more(tmp_path: Path, promise: Promise) -> None:
    """Runs of a system that was repaired are tried, found to be fine, and thrown away."""
    kept = Sampling(runs=20, examples=tmp_path, name="a line")
    end = promise(NeverStuck(AT, lambda at: at != 12))
    assert told(drawn(line(12), end, sampling=kept))
    before = examples_in(tmp_path)
    assert drawn(line(11), end, sampling=kept).properties[0].verdict is Verdict.INCONCLUSIVE
    assert before
    assert not examples_in(tmp_path)


def examples_in(folder: Path) -> list[Path]:
    """The runs that are kept in a folder; Hypothesis notes beside them what it keeps runs for."""
    return [
        path
        for path in folder.glob("*/*")
        if path.is_file() and len(path.read_bytes()) != 32  # the key of a property
    ]


def test_rubbish_among_the_examples(tmp_path: Path, promise: Promise) -> None:
    """A damaged example is no reason to fail: the search goes on without it."""
    kept = Sampling(runs=20, examples=tmp_path)
    end = promise(NeverStuck(AT, lambda at: at != 12))
    assert told(drawn(line(12), end, sampling=kept))
    for path in examples_in(tmp_path):
        path.write_bytes(b"\xff\x00rubbish")
    assert told(drawn(line(12), end, sampling=kept))


def test_no_folder_for_examples(tmp_path: Path, promise: Promise) -> None:
    """Where examples cannot be kept, the message says where and why."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExamplesError, match=r"no examples can be kept in .*file"):
        drawn(line(2), promise(Always(AT, bool)), sampling=Sampling(examples=tmp_path / "file"))


# Ending early


def test_max_states(promise: Promise) -> None:
    """The limit counts the states that all runs together have seen."""
    fine = promise(Always(AT, lambda at: at < 99))
    result = engine.check(line(50), [fine], Limits(max_states=20), sampling=FEW)
    assert (result.statistics.states, result.statistics.stopped_by) == (20, "max-states")
    assert result.properties[0].reason.startswith(
        "the limit of 20 states was reached; no violation"
    )


def test_time_limit(promise: Promise) -> None:
    """The search stops by the clock that it is given, and tells what it found by then."""
    ticks = count()
    properties = [
        promise(Always(AT, lambda at: at < 40), "X-1"),
        promise(Always(AT, lambda at: at < 99), "X-2"),
    ]
    result = engine.check(
        line(50), properties, Limits(time_limit_seconds=60), clock=lambda: next(ticks) * 0.06
    )
    assert result.statistics.stopped_by == "time-limit"
    assert len(told(result).steps) == 40
    assert result.properties[1].reason.startswith("the time limit of 60 s was reached")


def test_time_is_spared_for_shortening(promise: Promise) -> None:
    """Where time runs out before all that was found is shrunk, it is shortened all the same."""
    ticks = count()
    properties = [
        promise(Always(View(("at", "on")), lambda at, on, k=k: (at, on) != (5 + k, 1)), f"X-{k}")
        for k in range(3)
    ]
    result = engine.check(
        line(9, back=True),
        properties,
        Limits(time_limit_seconds=60),
        sampling=Sampling(shrinks=1000),
        clock=lambda: next(ticks) * 0.06,
    )
    assert result.statistics.stopped_by in {"time-limit", "all-violated"}
    found = [said.trace for said in result.properties if said.trace]
    assert found
    assert [len(trace.steps) for trace in found] == [
        6 + k for k, said in enumerate(result.properties) if said.trace
    ]


def test_interrupt(promise: Promise) -> None:
    """Ctrl-C ends the search with what is known by then, which is all told."""
    heard: list[Event] = []

    def interrupt(event: Event) -> None:
        heard.append(event)
        raise KeyboardInterrupt

    properties = [
        promise(Always(AT, lambda at: at < 4), "X-1"),
        promise(Always(AT, lambda at: at < 99), "X-2"),
    ]
    result = engine.check(line(9), properties, listener=interrupt, sampling=FEW)
    assert result.statistics.stopped_by == "interrupted"
    (event,) = heard
    assert isinstance(event, Violation)
    assert (event.property_id, event.subject) == ("X-1", "the toy")
    assert event.depth >= 5
    assert result.properties[1].reason.startswith("the search was interrupted; no violation in ")


def test_families(promise: Promise) -> None:
    """Members of a family are interchangeable, and a story tells of one and the same."""

    def rise(value: int) -> Iterator[Outcome]:
        if value < 3:
            yield Outcome(Action("rise"), {"members": value + 1})

    system = System(
        families=[Family("members", (0, 0, 0))], rules=[Rule("rise", "air", ("members",), rise)]
    )
    top = promise(Always(View(("members",)), lambda value: value < 3))
    trace = told(drawn(system, top))
    assert [step.positions for step in trace.steps] == [(2,)] * 3 or len(trace.steps) == 3
    assert max(trace.steps[-1].state) == 3
