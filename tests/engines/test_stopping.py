"""Searches that end early: by a limit, a bound, an interrupt, or because all is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Bound, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always, Converges, EachStep, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver import certificate, limits, liveness, machine
from kubelemma.solver.events import Event, Progress, Violation
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits, Watch
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import CheckResult, Verdict

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]

AT = View(("at",))


def walk(length: int, *, bound: int | None = None, environment: bool = False) -> System:
    """A walk from 0 to its end, step by step; whoever wants may keep to a part of it."""

    def step(at: int) -> Iterator[Outcome]:
        if at < length:
            yield Outcome(Action("step"), {"at": at + 1})

    within = [] if bound is None else [Bound("the fence", AT, lambda at: at <= bound)]
    return System(
        cells=[Cell("at", 0)],
        rules=[Rule("step", "walker", ("at",), step, environment=environment)],
        bounds=within,
    )


def always(promise: Promise, most: int) -> Property:
    """The walk never goes beyond this."""
    return promise(Always(AT, lambda at: at <= most))


def ticking(step: float) -> Callable[[], float]:
    """A clock that goes forward by so many seconds each time that it is read."""
    ticks = count()
    return lambda: next(ticks) * step


def test_max_states_is_exact(run: Check, promise: Promise) -> None:
    """The limit is the number of states found, and one that suffices changes nothing."""
    enough = run(walk(9), [always(promise, 9)], Limits(max_states=10))
    assert enough.statistics.exhaustive
    assert enough.statistics.stopped_by is None
    assert enough.properties[0].verdict is Verdict.HOLDS
    short = run(walk(9), [always(promise, 9), always(promise, 3)], Limits(max_states=9))
    assert (short.statistics.states, short.statistics.stopped_by) == (9, "max-states")
    assert not short.statistics.exhaustive
    assert [found.verdict for found in short.properties] == [
        Verdict.INCONCLUSIVE,
        Verdict.VIOLATED,
    ]
    assert short.properties[0].reason == (
        "the limit of 9 states was reached; no violation in 9 states (8 left by every step), "
        "9 levels deep"
    )


def test_no_states_at_all(run: Check, promise: Promise) -> None:
    """Even the initial state counts."""
    result = run(walk(9), [always(promise, 9)], Limits(max_states=0))
    assert result.statistics.states == result.statistics.depth == 0
    assert result.properties[0].verdict is Verdict.INCONCLUSIVE


def test_time_limit(run: Check, promise: Promise) -> None:
    """The search stops by the clock that it is given."""
    limited = Limits(time_limit_seconds=60)
    result = run(walk(1000), [always(promise, 1000)], limited, clock=ticking(1.0))
    assert result.statistics.stopped_by == "time-limit"
    assert 0 < result.statistics.states < 100
    assert result.statistics.seconds > 60
    assert result.properties[0].reason.startswith("the time limit of 60 s was reached; ")


def test_memory_limit(run: Check, promise: Promise) -> None:
    """The search stops by the growth of memory since it began, not by what was there before."""
    growth = count(10**9, 10**6)
    limited = Limits(max_memory_bytes=20_500_000)
    result = run(
        walk(1000),
        [always(promise, 1000)],
        limited,
        clock=ticking(1.0),
        gauge=lambda: next(growth),
    )
    assert result.statistics.stopped_by == "max-memory"
    assert 0 < result.statistics.states < 100
    assert result.statistics.peak_memory_bytes >= 21_000_000
    assert result.properties[0].reason.startswith(
        "the memory limit of 20,500,000 bytes was reached"
    )


def machine_with(monkeypatch: pytest.MonkeyPatch, root: Path, **files: str) -> None:
    """Have the solver see a machine that has these files; ``__`` stands for a slash."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    monkeypatch.setattr(limits, "available_memory", lambda: machine.available_memory(root))


MEMINFO = "MemTotal:       9000 kB\nMemFree:        10 kB\nMemAvailable:     1000 kB\n"


def test_interrupted_at_the_end(run: Check, promise: Promise) -> None:
    """Whoever presses Ctrl-C while the last states are judged gets what was found, too."""

    def holds(at: int) -> bool:
        if at == 4:
            raise KeyboardInterrupt
        return True

    result = run(walk(9), [promise(Always(AT, holds))], Limits(max_states=5))
    assert result.statistics.stopped_by == "interrupted"
    assert result.properties[0].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("checks", range(1, 8))
def test_memory_limit_before_a_new_layout(run: Check, promise: Promise, checks: int) -> None:
    """States that were found but not left are judged, however much has to be learnt for that."""

    def fan(at: int) -> Iterator[Outcome]:
        if at == 0:
            yield from (Outcome(Action("fan"), {"at": i}) for i in range(1, 41))

    sum_ = Tally("sum", {"at": lambda at: (at * at,)}, 1)
    system = System(cells=[Cell("at", 0)], tallies=[sum_], rules=[Rule("fan", "a", ("at",), fan)])
    readings = count()
    result = run(
        system,
        [promise(Always(View((), ("sum",)), lambda parts: parts[0] < 1600))],
        Limits(max_memory_bytes=10**8),
        clock=ticking(0.06),
        gauge=lambda: 0 if next(readings) < checks else 10**9,
    )
    found = result.statistics.states == 41
    assert result.statistics.stopped_by in {None, "max-memory", "all-violated"}
    assert (result.properties[0].verdict is Verdict.VIOLATED) == found


def test_memory_of_the_machine(
    run: Check, promise: Promise, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no limit is given, a search takes four fifths of what is available and says so."""
    machine_with(monkeypatch, tmp_path, proc__meminfo=MEMINFO)
    growth = count(10**9, 10_000)
    result = run(
        walk(1000),
        [always(promise, 1000)],
        clock=ticking(1.0),
        gauge=lambda: next(growth),
    )
    assert result.statistics.stopped_by == "max-memory"
    assert 0 < result.statistics.peak_memory_bytes <= 1_024_000 * 0.8 + 20_000
    assert result.properties[0].reason.startswith(
        "the machine's memory is the limit, and was reached: without another limit, a search takes "
        "at most 80% of what is available when it begins; no violation in "
    )


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, None),
        ({"proc__meminfo": "MemTotal: 9000 kB\n"}, None),
        ({"proc__meminfo": MEMINFO}, 1_024_000),
        (
            {
                "proc__meminfo": MEMINFO,
                "proc__self__cgroup": "0::/a/b\n",
                "sys__fs__cgroup__a__b__memory.max": "max\n",
                "sys__fs__cgroup__a__b__memory.current": "5\n",
                "sys__fs__cgroup__a__memory.max": "500000\n",
                "sys__fs__cgroup__a__memory.current": "400000\n",
                "sys__fs__cgroup__a__memory.stat": "anon 1\ninactive_file 300000\n",
            },
            400_000,
        ),
        (
            {
                "proc__meminfo": MEMINFO,
                "proc__self__cgroup": "4:cpu,memory:/of/the/host\n1:name=systemd:/\n0::/\n",
                "sys__fs__cgroup__memory__memory.limit_in_bytes": "300000\n",
                "sys__fs__cgroup__memory__memory.usage_in_bytes": "400000\n",
            },
            0,
        ),
        (
            {
                "proc__meminfo": MEMINFO,
                "proc__self__cgroup": "4:memory:/own\n",
                "sys__fs__cgroup__memory__own__memory.limit_in_bytes": "9223372036854771712\n",
                "sys__fs__cgroup__memory__own__memory.usage_in_bytes": "400000\n",
            },
            1_024_000,
        ),
    ],
    ids=["nothing", "old kernel", "machine", "cgroup v2", "cgroup v1, full", "cgroup v1, no limit"],
)
def test_available_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], available: int | None
) -> None:
    """It is what the kernel says, or what the narrowest control group leaves; caches are free."""
    machine_with(monkeypatch, tmp_path, **files)
    assert machine.available_memory(tmp_path) == available
    watch = Watch(Limits(), lambda: 0.0, lambda: 0)
    assert watch.max_memory_bytes == (None if available is None else int(0.8 * available))
    assert Watch(Limits(max_memory_bytes=7), lambda: 0.0, lambda: 0).max_memory_bytes == 7


def test_cut_states_are_no_dead_ends(run: Check, promise: Promise) -> None:
    """A state outside a bound is judged as a state, and nothing is known of what follows."""
    properties = [
        promise(NeverStuck(AT, lambda at: at == 9)),
        promise(Converges(AT, lambda at: at == 9)),
        always(promise, 4),
        always(promise, 5),
    ]
    result = run(walk(9, bound=4), properties)
    assert (result.statistics.states, result.statistics.cut_states) == (6, 1)
    assert result.statistics.terminal_states == 0
    assert not result.statistics.exhaustive
    assert result.statistics.stopped_by is None
    assert [found.verdict for found in result.properties] == [
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
        Verdict.VIOLATED,
        Verdict.INCONCLUSIVE,
    ]
    assert result.properties[0].reason == (
        '1 state outside the bound "the fence" was not left; no violation in 6 states '
        "(5 left by every step), 6 levels deep"
    )


def test_bound_that_is_never_left(run: Check, promise: Promise) -> None:
    """A bound that cuts nothing takes nothing away."""
    result = run(walk(9, bound=9), [always(promise, 9)])
    assert result.properties[0].verdict is Verdict.HOLDS
    assert result.statistics.exhaustive


def test_one_member_outside_a_bound(run: Check, promise: Promise) -> None:
    """A state is outside a bound if one member of a family is, whatever the others hold."""

    def step(at: int) -> Iterator[Outcome]:
        if at < 3:
            yield Outcome(Action("step"), {"walkers": at + 1})

    system = System(
        families=[Family("walkers", (0, 0))],
        rules=[Rule("step", "walker", ("walkers",), step)],
        bounds=[Bound("the fence", View(("walkers",)), lambda at: at <= 2)],
    )
    result = run(system, [promise(Always(View(("walkers",)), lambda at: at <= 3))])
    assert (result.statistics.states, result.statistics.cut_states) == (9, 3)
    assert result.properties[0].verdict is Verdict.INCONCLUSIVE


def test_nothing_said_is_no_yes(run: Check, promise: Promise) -> None:
    """A goal that says nothing is not reached, and a bound that says nothing is left."""
    result = run(walk(2), [promise(NeverStuck(AT, lambda _: None))])  # type: ignore[arg-type, return-value]
    assert result.properties[0].verdict is Verdict.VIOLATED
    system = walk(2)
    silent = Bound("the fence", AT, lambda at: at < 1 or None)  # type: ignore[arg-type, return-value]
    fenced = System(cells=system.cells, rules=system.rules, bounds=[silent])
    assert run(fenced, [always(promise, 2)]).statistics.cut_states == 1


def test_unexpanded_states_are_no_dead_ends(run: Check, promise: Promise) -> None:
    """What a limit left unexplored may still reach the goal."""
    properties = [
        promise(NeverStuck(AT, lambda at: at == 9)),
        promise(Converges(AT, lambda at: at == 9)),
    ]
    for most in range(1, 10):
        result = run(walk(9), properties, Limits(max_states=most))
        assert {found.verdict for found in result.properties} == {Verdict.INCONCLUSIVE}
    assert {found.verdict for found in run(walk(9), properties).properties} == {Verdict.HOLDS}


def test_loop_in_a_part_is_a_loop(run: Check, promise: Promise) -> None:
    """A fair loop among the states that were expanded refutes, whatever else there is."""

    def turn(side: int) -> Iterator[Outcome]:
        yield Outcome(Action("turn"), {"side": 1 - side})

    def grow(size: int) -> Iterator[Outcome]:
        yield Outcome(Action("grow"), {"size": size + 1})

    system = System(
        cells=[Cell("side", 0), Cell("size", 0)],
        rules=[
            Rule("turn", "turner", ("side",), turn),
            Rule("grow", "grower", ("size",), grow, environment=True),
        ],
    )
    converges = promise(Converges(View(("side",)), lambda side: side == 0))
    result = run(system, [converges], Limits(max_states=50))
    assert result.properties[0].verdict is Verdict.VIOLATED
    assert result.statistics.stopped_by == "max-states"


def test_interrupt_of_the_listener(run: Check, promise: Promise) -> None:
    """Ctrl-C ends the search with what it has found, and that is whole."""
    events: list[Event] = []

    def listener(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress):
            raise KeyboardInterrupt

    properties = [
        always(promise, 5),
        always(promise, 1000),
        promise(Converges(AT, lambda at: at == 1000)),
    ]
    result = run(walk(1000), properties, Limits(), listener, clock=ticking(0.01))
    assert result.statistics.stopped_by == "interrupted"
    assert [found.verdict for found in result.properties] == [
        Verdict.VIOLATED,
        Verdict.INCONCLUSIVE,
        Verdict.INCONCLUSIVE,
    ]
    assert result.properties[1].reason.startswith("the search was interrupted; ")
    assert result.properties[0].trace is not None
    assert len(result.properties[0].trace.steps) == 6
    assert isinstance(events[0], Violation)


@pytest.mark.parametrize(("module", "name"), [(certificate, "certify"), (liveness, "find_loops")])
def test_interrupt_of_the_search_for_loops(
    run: Check, promise: Promise, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    """Where nobody knows whether there is a loop, nothing converges."""
    turn = Rule("turn", "turner", ("at",), lambda at: [Outcome(Action("turn"), {"at": 1 - at})])
    system = System(cells=[Cell("at", 0)], rules=[turn])

    def struck(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, struck)
    result = run(system, [promise(Converges(AT, lambda at: at == 1)), always(promise, 9)])
    assert result.statistics.stopped_by == "interrupted"
    assert not result.statistics.exhaustive
    assert result.properties[0].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("place", ["rule", "invariant", "goal", "tally", "step"])
def test_interrupt_of_model_code(run: Check, promise: Promise, place: str) -> None:
    """Wherever Ctrl-C comes, the partial result is consistent."""

    def struck(here: str, at: int) -> None:
        if here == place and at == 7:
            raise KeyboardInterrupt

    def step(at: int, _: object) -> Iterator[Outcome]:
        struck("rule", at)
        yield Outcome(Action("step"), {"at": at + 1})

    def measure(at: int) -> tuple[int]:
        struck("tally", at)
        return (at,)

    def holds(here: str) -> Callable[[int], bool]:
        def predicate(at: int) -> bool:
            struck(here, at)
            return here == "invariant"

        return predicate

    def each(before: tuple[int], _: Outcome, after: tuple[int]) -> bool:
        struck("step", after[0])
        return before[0] < after[0]

    system = System(
        cells=[Cell("at", 0)],
        tallies=[Tally("sum", {"at": measure}, 1)],
        rules=[Rule("step", "walker", ("at",), step, ("sum",))],
    )
    properties = [
        promise(Always(AT, holds("invariant"))),
        promise(Converges(AT, holds("goal"))),
        promise(EachStep(AT, each, frozenset({"step"}))),
    ]
    result = run(system, properties)
    assert result.statistics.stopped_by == "interrupted"
    assert result.statistics.states in (7, 8)
    assert {found.verdict for found in result.properties} == {Verdict.INCONCLUSIVE}


def test_progress_once_a_second(run: Check, promise: Promise) -> None:
    """Progress is told about once a second of the clock, and counts up."""
    events: list[Event] = []
    result = run(walk(400), [always(promise, 400)], Limits(), events.append, clock=ticking(0.03))
    told = [event for event in events if isinstance(event, Progress)]
    assert len(told) == len(events)
    assert 5 < len(told) <= result.statistics.seconds
    assert all(a.seconds + 1 <= b.seconds + 1e-6 for a, b in pairwise(told))
    assert all(a.states < b.states for a, b in pairwise(told))
    assert {event.frontier for event in told} == {1}


def test_violations_are_told_when_found(run: Check, promise: Promise) -> None:
    """Each violation is told once, with the level of the state that shows it."""
    events: list[Event] = []
    properties = [
        promise(Always(AT, lambda at: at < 3), "X-1"),
        promise(EachStep(AT, lambda _b, _o, a: a[0] < 2, frozenset({"step"})), "X-2"),
        promise(NeverStuck(AT, lambda at: at < 5), "X-3"),
        promise(Converges(AT, lambda at: at < 5), "X-4"),
    ]
    run(walk(5), properties, Limits(), events.append)
    assert events == [
        Violation("X-2", "the toy", 3),
        Violation("X-1", "the toy", 4),
        Violation("X-3", "the toy", 6),
        Violation("X-4", "the toy", 6),
    ]


def test_search_ends_when_all_is_violated(run: Check, promise: Promise) -> None:
    """Once every property is refuted there is nothing left to search for."""
    result = run(walk(1000), [always(promise, 3), always(promise, 5)])
    assert {found.verdict for found in result.properties} == {Verdict.VIOLATED}
    assert result.statistics.stopped_by == "all-violated"
    assert not result.statistics.exhaustive
    assert result.statistics.states < 10
    going_on = run(walk(1000), [always(promise, 3), always(promise, 1000)])
    assert going_on.statistics.states == 1001


def test_nothing_to_check_still_explores(run: Check) -> None:
    """Without properties there are statistics."""
    statistics = run(walk(9)).statistics
    assert (statistics.states, statistics.depth, statistics.terminal_states) == (10, 10, 1)
    assert statistics.exhaustive
    assert statistics.actions == (("step", 9),)


def test_engine_name_and_actions(engine: tuple[str, Check]) -> None:
    """A result names its engine, the actions that were taken and the rules that never were."""
    name, run = engine
    system = System(
        cells=[Cell("at", 0)],
        rules=[
            Rule("never", "a", ("at",), lambda _: ()),
            Rule(
                "ever",
                "a",
                ("at",),
                lambda _: [Outcome(Action("b"), {"at": 1}), Outcome(Action("a"), {})],
            ),
        ],
    )
    result = run(system)
    assert result.engine == name
    assert result.statistics.actions == (("a", 2), ("b", 2))
    assert result.statistics.rules_never_fired == ("never",)
    assert result.statistics.out_degree == 2


def test_model_code_is_called_once_for_each_combination(run: Check, promise: Promise) -> None:
    """Calls of model code grow with the combinations of values, not with the states."""
    calls = []

    def rise(member: int, total: int) -> Iterator[Outcome]:
        calls.append((member, total))
        if member < 3:
            yield Outcome(Action("rise"), {"members": member + 1})

    system = System(
        families=[Family("members", (0,) * 6)],
        tallies=[Tally("sum", {"members": lambda v: (v,)}, 1, lambda total: total[0] % 2)],
        rules=[Rule("rise", "them", ("members",), rise, ("sum",))],
    )
    before = len(calls)
    result = run(system, [promise(Always(View(("members",)), lambda v: v < 4))])
    assert len(calls) - before == 4 * 2
    # Besides the rule: four measures, nineteen sums to reduce, four values to judge.
    assert result.statistics.model_calls == 8 + 4 + 19 + 4
    assert result.statistics.tables == (
        ("rules: rise", 8),
        ("tally: sum", 2),
        ("predicates over: members", 4),
    )
    assert result.statistics.transitions > 100


def test_property_of_what_is_not_declared(run: Check, promise: Promise) -> None:
    """A property over an unknown cell is an error that names both."""
    with pytest.raises(ModelError, match='property "X-1" uses the cell "off", which is not decl'):
        run(walk(1), [promise(Always(View(("off",)), lambda _: True))])


def test_members_that_cannot_be_ordered(run: Check) -> None:
    """Values that turn up later are checked as the initial ones are."""

    def outcomes(member: int) -> Iterator[Outcome]:
        if member == 0:
            yield Outcome(Action("spoil"), {"members": "spoilt"})

    system = System(
        families=[Family("members", (0, 1))],
        rules=[Rule("spoil", "it", ("members",), outcomes)],
    )
    with pytest.raises(ModelError, match='the members of the family "members" cannot be ordered'):
        run(system)


def test_watch_measures_growth() -> None:
    """Seconds and memory count from the start; limits are exceeded only when passed."""
    now, memory = [0.0], [500]
    watch = Watch(Limits(None, 2.0, 100), lambda: now[0], lambda: memory[0])
    assert watch.due()
    assert watch.measure() is None
    assert not watch.due()
    now[0], memory[0] = 2.0, 600
    assert watch.due()
    assert watch.measure() is None
    assert (watch.seconds, watch.memory_bytes) == (2.0, 100)
    memory[0] = 601
    assert watch.measure() == "max-memory"
    memory[0], now[0] = 400, 2.5
    assert watch.measure() == "time-limit"
    assert (watch.memory_bytes, watch.peak_memory_bytes) == (0, 101)


@pytest.mark.parametrize(
    ("gone", "seconds"),
    [
        (Limits(time_limit_seconds=10.0), 10.0),
        (Limits(time_limit_seconds=10.0, spent_seconds=4.0), 6.0),
        (Limits(time_limit_seconds=10.0, kept_seconds=2.0), 8.0),
        (Limits(time_limit_seconds=10.0, spent_seconds=4.0, kept_seconds=2.0), 4.0),
        (Limits(time_limit_seconds=10.0, waited_seconds=27.0), 3.0),
        (Limits(time_limit_seconds=10.0, spent_seconds=11.0), -1.0),
    ],
)
def test_a_limit_is_one_for_all_searches_of_an_answer(gone: Limits, seconds: float) -> None:
    """What is gone, by the processor or the wall, and what is kept for later, is not there."""
    now = [0.0]
    watch = Watch(gone, lambda: now[0], lambda: 0)
    for now[0], late in ((max(seconds, 0.0), seconds < 0), (max(seconds, 0.0) + 0.1, True)):
        assert watch.measure() == ("time-limit" if late else None)


def test_reductions_tell_what_is_gone() -> None:
    """Whoever searches after something else was tried is told how long that took."""
    told: list[Limits] = []

    def engine(
        system: System, properties: Any, given: Limits, listener: Any, *, certified: bool
    ) -> CheckResult:
        told.append(given)
        return check(system, properties, given, listener, certified=certified)

    begun = Limits(time_limit_seconds=10.0, spent_seconds=1.0, waited_seconds=2.0)
    toy = System(cells=[Cell("at", 0)])
    reduced(engine, toy, (), begun, lambda _: None, without=("all",))
    assert 1.0 < told[0].spent_seconds < 10.0
    assert told[0].waited_seconds > 2.0


@pytest.mark.skipif(not limits._STATM.exists(), reason="there is no /proc here")
def test_resident_memory_sees_an_allocation() -> None:
    """The gauge rises by about what is allocated and touched."""
    before = limits.resident_memory()
    block = bytearray(b"x" * 50_000_000)
    assert limits.resident_memory() - before > 40_000_000
    assert len(block) == 50_000_000


def test_resident_memory_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no /proc, the gauge gives the peak in bytes, which Python alone exceeds."""
    monkeypatch.setattr(limits, "_STATM", tmp_path / "absent")
    assert 5_000_000 < limits.resident_memory() < 100_000_000_000
