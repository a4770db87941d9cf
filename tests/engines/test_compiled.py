"""What is particular to the compiled engine; it runs all other tests here as well."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Best, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always, Converges, EachStep
from kubelemma.properties.statement import Property
from kubelemma.question import Question, ask
from kubelemma.solver import compiled, explore
from kubelemma.solver.compiled import growing, jit, visited
from kubelemma.solver.compiled.engine import TRIAL_SECONDS
from kubelemma.solver.compiled.warming import use_all
from kubelemma.solver.events import Compiling, Event, Progress, Violation
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Statistics, Verdict

Promise = Callable[..., Property]

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/check.yaml"))


def measured(statistics: Statistics) -> Statistics:
    """The statistics without what differs from run to run, and from engine to engine."""
    return replace(statistics, seconds=0.0, peak_memory_bytes=0, model_calls=0, tables=())


def answered(result: CheckResult) -> list[tuple[object, ...]]:
    """Verdicts, vacuity, reasons, and the form of the traces."""
    return [
        (
            found.verdict,
            found.vacuous,
            found.reason,
            found.trace and (len(found.trace.steps), found.trace.loop_start),
        )
        for found in result.properties
    ]


@pytest.mark.parametrize(
    ("level", "orbits", "terminal", "depth"),
    [
        ("L0", 12, 1, 12),
        ("L1", 523, 2, 28),
        ("L2", 3315, 2, 33),
        ("L2-renew", 3837, 0, 34),
        ("L3", 4296, 2, 35),
        ("L4", 6958, 2, 29),
        ("L5", 8962, 2, 44),
        ("S4", 26208, 4, 41),
        ("S5", 10744, 1, 54),
        ("V1", 5796, 2, 33),
        ("V2", 13, 1, 10),
    ],
)
def test_published_counts(
    kuberollout: ModuleType, level: str, orbits: int, terminal: int, depth: int
) -> None:
    """Orbits, terminal orbits and depth are those of TLC, Spin, rumur and a C++ search."""
    parameters = kuberollout.LEVELS[level]
    system, properties = kuberollout.system(parameters), kuberollout.properties(parameters)
    statistics = compiled.check(system, properties).statistics
    found = (statistics.states, statistics.terminal_states, statistics.depth)
    assert found == (orbits, terminal, depth)


@pytest.mark.parametrize("level", ["L1", "L2-renew", "L4", "V1", "V2"])
def test_rollouts_as_in_plain(kuberollout: ModuleType, level: str) -> None:
    """Every count and every verdict is that of the plain engine."""
    parameters = kuberollout.LEVELS[level]
    system, properties = kuberollout.system(parameters), kuberollout.properties(parameters)
    fast, plain = compiled.check(system, properties), explore.check(system, properties)
    assert measured(fast.statistics) == measured(plain.statistics)
    assert answered(fast) == answered(plain)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_control_plane_as_in_plain(path: Path) -> None:
    """On every example every count and every verdict is that of the plain engine."""
    for case in ask(Question(paths=(str(path),))).cases:
        system, limits = case.scenario.system, Limits(max_states=3_000)
        fast = compiled.check(system, case.properties, limits)
        plain = explore.check(system, case.properties, limits)
        assert measured(fast.statistics) == measured(plain.statistics)
        assert answered(fast) == answered(plain)


def counters(cells: int, most: int) -> System:
    """Counters that each may go up to the same number."""

    def rule(name: str) -> Rule:
        def rise(value: int) -> Iterator[Outcome]:
            if value < most:
                yield Outcome(Action("rise"), {name: value + 1})

        return Rule(name, name, (name,), rise)

    names = [f"counter {i}" for i in range(cells)]
    return System(cells=[Cell(n, 0) for n in names], rules=[rule(n) for n in names])


def test_every_limit_as_in_plain(promise: Promise) -> None:
    """A limit of states ends the search at the same step, and what lies beyond it is not told."""
    names = tuple(f"counter {i}" for i in range(3))
    wanted: list[tuple[int, ...]] = [(2, 1, 0), (0, 2, 1), (1, 1, 1), (1, 1, 2), (2, 2, 2)]

    def unlike(state: tuple[int, ...]) -> EachStep:
        return EachStep(View(names), lambda _before, _, after: after != state, frozenset({"rise"}))

    def below(state: tuple[int, ...]) -> Always:
        return Always(View(names), lambda *now: now != state)

    properties = [promise(make(state)) for make in (unlike, below) for state in wanted]
    properties.append(promise(Always(View(names), lambda *now: sum(now) < 9)))
    system = counters(3, 2)
    for most in range(1, 28):
        limits = Limits(max_states=most)
        fast, plain = (one.check(system, properties, limits) for one in (compiled, explore))
        assert measured(fast.statistics) == measured(plain.statistics)
        assert answered(fast) == answered(plain)


class Waited:
    """A compilation that is done when it was asked so often."""

    def __init__(self, often: int) -> None:
        self.left = often

    def is_done(self) -> bool:
        """Whether that is over."""
        self.left -= 1
        return self.left < 0


@pytest.fixture
def best(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CheckResult]:
    """`compiled.best` on a clock by which every look takes a tenth of a second."""

    def checked(*given: Any, waits: int = 0) -> CheckResult:
        waited = Waited(waits)
        monkeypatch.setattr("kubelemma.solver.compiled.engine.compilation", lambda: waited)
        # Whatever the tests before this one have used.
        monkeypatch.setattr("kubelemma.solver.compiled.engine.TRIAL_SECONDS_THEN", TRIAL_SECONDS)
        ticks = count()
        return compiled.best(*given, clock=lambda: next(ticks) / 10)

    return checked


def test_one_after_the_other(promise: Promise, best: Callable[..., CheckResult]) -> None:
    """What the plain engine does not finish in a moment is left to the compiled one."""
    low = promise(Always(View(("counter 0",)), lambda value: value < 2), "X-1")
    right = promise(Always(View(("counter 0",)), lambda value: value < 99), "X-2")
    small, great = counters(1, 2), counters(4, 9)
    events: list[Event] = []
    assert best(small, [low, right]).engine == "plain"
    result = best(great, [low, right], Limits(), events.append)
    assert (result.engine, result.statistics.states) == ("compiled", 10**4)
    assert [found.verdict for found in result.properties] == [Verdict.VIOLATED, Verdict.HOLDS]
    assert [event for event in events if not isinstance(event, Progress)] == [
        Violation("X-1", "the toy", 3)
    ]


def test_plain_engine_goes_on_while_the_other_is_compiled(
    best: Callable[..., CheckResult],
) -> None:
    """Nobody waits for a compilation, which is told once; a search may be over before it is."""
    for waits, engine in ((100, "compiled"), (10**6, "plain")):
        events: list[Event] = []
        result = best(counters(4, 9), (), Limits(), events.append, waits=waits)
        assert (result.engine, result.statistics.states) == (engine, 10**4)
        assert [event for event in events if not isinstance(event, Progress)] == [Compiling()]


@pytest.mark.parametrize(("most", "engine"), [(5, "plain"), (7_000, "compiled")])
def test_own_limits_come_first(most: int, engine: str, best: Callable[..., CheckResult]) -> None:
    """A limit that the plain engine reaches by itself is no reason to start another."""
    result = best(counters(4, 9), (), Limits(max_states=most))
    assert (result.engine, result.statistics.states) == (engine, most)
    assert result.statistics.stopped_by == "max-states"


def test_small_system_uses_every_part_of_the_loop() -> None:
    """What is compiled in advance is all that there is to compile."""
    use_all()
    assert not jit.never_called()
    assert not jit.missing()


def test_machine_code_of_another_version_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version has left is not even looked into, as it may need what is gone."""
    index = tmp_path / "index"
    index.write_bytes(pickle.dumps(numba.__version__) + b"a module that is gone")
    (kept, *_) = jit._caches()
    monkeypatch.setattr(kept._cache_file, "_index_path", str(index))
    assert jit.missing()


def test_more_orders_than_64_bits(promise: Promise) -> None:
    """The orders of a great family are counted exactly."""

    def rise(value: int) -> Iterator[Outcome]:
        if value < 2:
            yield Outcome(Action("rise"), {"many": value + 1})

    system = System(
        families=[Family("many", (0,) * 60)], rules=[Rule("rise", "a", ("many",), rise)]
    )
    result = compiled.check(system, [promise(Always(View(("many",)), lambda value: value < 3))])
    assert result.statistics.states == 62 * 61 // 2
    assert result.statistics.concrete_states == 3**60


def test_memory_is_refused_before_it_is_taken() -> None:
    """Where the next doubling would exceed the limit, the search ends with what it has."""
    memory = count(10**9, 10)
    limits = Limits(max_memory_bytes=100_000)
    result = compiled.check(counters(4, 9), (), limits, gauge=lambda: next(memory))
    assert result.statistics.stopped_by == "max-memory"
    assert 0 < result.statistics.states <= 1 << 12


def test_scores_and_sums_of_any_sign() -> None:
    """Bests and tallies that read each other take the sign of what they are made of."""

    def fall(value: int, total: tuple[int], least: int) -> Iterator[Outcome]:
        if value > -3:
            yield Outcome(Action(f"fall from {total[0]} to {least}"), {"members": value - 1})

    system = System(
        families=[Family("members", (0, 0))],
        tallies=[Tally("sum", {"members": lambda v, best: (v * best,)}, 1, reads=("best",))],
        bests=[Best("best", {"members": lambda v: v - 2**40})],
        rules=[Rule("fall", "a", ("members",), fall, ("sum", "best"))],
    )
    fast, plain = compiled.check(system), explore.check(system)
    assert measured(fast.statistics) == measured(plain.statistics)


def test_measures_too_great() -> None:
    """A measure whose sums might leave 64 bits is refused, and named."""
    system = System(
        cells=[Cell("at", 0)],
        tallies=[Tally("sum", {"at": lambda value: (value * 2**60,)}, 1)],
        rules=[Rule("leap", "a", ("at",), lambda _: [Outcome(Action("leap"), {"at": 1})])],
    )
    with pytest.raises(ModelError, match='"sum" counts or scores'):
        compiled.check(system)


def test_search_that_outgrows_its_first_room(promise: Promise) -> None:
    """Tables, states, edges and moves may all grow in the middle of a level."""
    step = EachStep(
        View(("counter 0", "counter 1")),
        lambda before, _, after: sum(after) <= sum(before) + 1,
        frozenset({"rise"}),
    )
    system = counters(2, 150)
    fast, plain = compiled.check(system, [promise(step)]), explore.check(system, [promise(step)])
    assert fast.statistics.states == 151**2
    assert measured(fast.statistics) == measured(plain.statistics)
    assert answered(fast) == answered(plain)


def test_more_edges_than_a_limit_of_states_suggests(promise: Promise) -> None:
    """A limit of states bounds no edges: each of 900 states leads to forty others."""

    def leap(at: int) -> Iterator[Outcome]:
        for far in range(1, 41):
            yield Outcome(Action("leap"), {"at": (at + far) % 900})

    system = System(cells=[Cell("at", 0)], rules=[Rule("leap", "leaper", ("at",), leap)])
    settles = promise(Converges(View(("at",)), lambda at: at > 0))
    result = compiled.check(system, [settles], Limits(max_states=900))
    assert result.statistics.stopped_by is None
    assert (result.statistics.states, result.statistics.transitions) == (900, 36_000)
    assert result.properties[0].verdict is Verdict.VIOLATED


@pytest.mark.parametrize("width", [1, 3])
def test_states_of_one_hash(width: int) -> None:
    """States whose hashes are equal to the last bit are told apart by every word of theirs."""
    states = growing.room_for_states(width, 0, 9)
    candidates = growing.room_for_candidates(9, width)
    states.words[:], candidates.words[:] = 0, 0
    candidates.hashes[:] = 0x0123456789ABCDEF
    candidates.sources[:] = candidates.moves[:] = 0
    fired = np.zeros(1, dtype=np.int64)

    def numbers(last_words: list[int], known: int) -> list[int]:
        """Of each candidate the number of the state, or of the first that is equal to it."""
        found = len(last_words)
        candidates.words[:found, width - 1] = last_words
        candidates.spans[0, :2] = 0, found
        visited.deal(candidates, 0, 1, 0, 1, 0)
        assert visited.sift(states, candidates, 1, 0, known)
        visited.settle(states, candidates, fired, 0, 1, known, known)
        return [int(number) for number in candidates.ids[:found]]

    assert numbers([5, 6, 5], 0) == [0, 1, 0]
    assert numbers([6, 7, 5, 7, 8], 2) == [1, 2 + 1, 0, 2 + 1, 2 + 4]
    assert [int(word) for word in states.words[:4, width - 1]] == [5, 6, 7, 8]


def test_sum_that_changes_by_what_it_reads(promise: Promise) -> None:
    """After a step a tally is another if only what it reads is, and no cell that it measures."""

    def rise(low: int) -> Iterator[Outcome]:
        if low < 3:
            yield Outcome(Action("rise"), {"low": low + 1})

    system = System(
        cells=[Cell("low", 0), Cell("high", 5)],
        tallies=[
            Tally("below", {"low": lambda value: (value,)}, 1),
            Tally("all", {"high": lambda value, below: (value + below[0],)}, 1, reads=("below",)),
        ],
        rules=[Rule("rise", "riser", ("low",), rise)],
    )
    steps = EachStep(View((), ("all",)), lambda b, _, a: b != a, frozenset({"rise"}))
    found = compiled.check(system, [promise(steps)]).properties[0]
    assert (found.verdict, found.vacuous) == (Verdict.HOLDS, False)


def test_wider_states_need_no_more_than_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where states become wider than memory was asked for, there is room for fewer of them."""
    monkeypatch.setattr(growing, "machine_memory", lambda: 800)
    assert growing.wider(50, 2, 10).shape == (33, 2)
    assert growing.wider(50, 2, 40).shape == (40, 2)
