"""Where runs go on from: what is remembered of a search, and what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always, EachStep
from kubelemma.properties.statement import Property
from kubelemma.solver.result import Verdict
from kubelemma.solver.stateful import engine
from kubelemma.solver.stateful.beginnings import BACK, Beginnings, recorded, retraced
from kubelemma.solver.stateful.places import Places
from kubelemma.solver.stateful.sampling import Sampling
from kubelemma.solver.stateful.walk import Walk

Promise = Callable[..., Property]

CLOCKS = tuple(f"clock {number}" for number in range(3))


def copies() -> System:
    """A client's write is copied to other machines; two of them may crash, and forget it.

    Most of what happens has nothing to do with that: three clocks run, each for itself.
    """

    def write(written: bool, copy: int) -> Iterator[Outcome]:  # noqa: FBT001
        if not written and not copy:
            yield Outcome(Action("write"), {"written": True, "machines": 1})

    def replicate(copy: int, there: tuple[int]) -> Iterator[Outcome]:
        if not copy and there[0]:
            yield Outcome(Action("copy"), {"machines": 1})

    def crash(left: int, copy: int) -> Iterator[Outcome]:
        if left and copy:
            yield Outcome(Action("crash"), {"crashes": left - 1, "machines": 0})

    def tick(name: str) -> Rule:
        return Rule(
            name, name, (name,), lambda at: [Outcome(Action(name), {name: at + 1})] * (at < 9)
        )

    return System(
        cells=[Cell("written", initial=False), Cell("crashes", 2), *(Cell(c, 0) for c in CLOCKS)],
        families=[Family("machines", (0, 0, 0, 0))],
        tallies=[Tally("copies", {"machines": lambda copy: (copy,)}, 1)],
        rules=[
            Rule("write", "client", ("written", "machines"), write),
            Rule("copy", "server", ("machines",), replicate, ("copies",)),
            Rule("crash", "fault", ("crashes", "machines"), crash, environment=True),
            *map(tick, CLOCKS),
        ],
    )


def kept_twice(promise: Promise) -> Property:
    """A crash leaves a copy, if there were two."""
    return promise(
        EachStep(
            View((), ("copies",)),
            lambda then, _, now: None if then[0][0] < 2 else now[0][0] > 0,
            frozenset({"crash"}),
        ),
        "X-2",
    )


def not_few(promise: Promise) -> Property:
    """Once it is written, there are some copies."""
    return promise(
        Always(View(("written",), ("copies",)), lambda written, n: n[0] > 0 if written else None)
    )


def luck() -> Random:
    """The same draws in every test."""
    return Random(0)  # noqa: S311 - to try this and that, not a secret


def take(walk: Walk, *rules: str) -> None:
    """The first step of each of these rules, one after the other."""
    for rule in rules:
        walk.take(walk.place.ways[rule][0])


GROUND = Places(copies())


@given(st.lists(st.integers(0, 99), max_size=30))
def test_what_is_recorded_can_be_retraced(choices: list[int]) -> None:
    """Whatever way a run took, another one that begins with it takes the same."""
    walk, again = Walk(GROUND), Walk(GROUND)
    for choice in choices:
        ways = [way for each in walk.place.ways.values() for way in each]
        if ways:
            walk.take(ways[choice % len(ways)])
    for way in retraced(again, recorded(GROUND, walk.ways)):
        again.take(way)
    assert again.places == walk.places


@given(st.binary(max_size=60))
def test_any_bytes_are_a_beginning(beginning: bytes) -> None:
    """What Hypothesis makes of a beginning is one too: it ends where there is no such step."""
    walk = Walk(GROUND)
    for way in retraced(walk, beginning):
        walk.take(way)
    assert len(walk.ways) <= len(beginning) / 3 + 1


def test_the_shortest_way_is_kept(promise: Promise) -> None:
    """Of all runs that come to the same question, the one with the fewest steps is gone on from."""
    places = Places(copies(), [not_few(promise)])
    beginnings = Beginnings(places, 20)
    for rules in ((*CLOCKS, "write"), ("write",), (CLOCKS[0], "write")):
        walk = Walk(places)
        for rule in rules:
            take(walk, rule)
            beginnings.passed(walk)
    chosen = beginnings.choose(50, [0], luck())
    assert {len(beginning) for beginning in chosen} == {0, 3}
    assert recorded(places, walk.ways[:0]) in chosen


def test_steps_are_gone_back_before(promise: Promise) -> None:
    """What is asked of a step is gone on from before it, and sometimes from some steps before."""
    places = Places(copies(), [kept_twice(promise)])
    beginnings, walk = Beginnings(places, 20), Walk(places)
    for rule in ("write", *CLOCKS, "copy", "crash"):
        take(walk, rule)
        beginnings.passed(walk)
    chosen = set(beginnings.choose(200, [0], luck()))
    assert chosen == {recorded(places, walk.ways[: 5 - back]) for back in set(BACK)}
    assert beginnings.choose(5, [], luck()) == ()


def test_no_beginning_is_as_long_as_a_run(promise: Promise) -> None:
    """After as many steps as a run may take, nothing is remembered: it could not go on."""
    places = Places(copies(), [not_few(promise)])
    beginnings, walk = Beginnings(places, 2), Walk(places)
    for rule in (*CLOCKS, "write"):
        take(walk, rule)
        beginnings.passed(walk)
    assert set(beginnings.choose(50, [0], luck())) <= {
        recorded(places, walk.ways[:steps]) for steps in range(2)
    }


def test_rare_conjunction(promise: Promise) -> None:
    """Two crashes before the others have a copy are found, among all that has no part in it."""
    result = engine.check(copies(), [not_few(promise)], sampling=Sampling(runs=300, shrinks=5))
    (found,) = result.properties
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert [step.outcome.action for step in found.trace.steps] == ["write", "crash"]
