"""Families of many members and few values, which the compiled engine counts by value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import factorial, prod
from pathlib import Path

import numpy as np
import pytest
from drawn_systems import die
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.system import Action, Best, Bound, Cell, Family, Outcome, Rule, System, Tally
from kubelemma.model.system import View as Seen
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled, explore
from kubelemma.solver.checkpoints import Checkpoints
from kubelemma.solver.compiled import orders
from kubelemma.solver.compiled.layout import LEAST_COUNTED
from kubelemma.solver.compiled.search import CompiledSearch
from kubelemma.solver.limits import UNLIMITED, Limits, Watch
from kubelemma.solver.result import CheckResult

Promise = Callable[..., Property]

VALUES = "abc"
GO = Action("go")
CLIMB = Action("climb")


def crowd(seed: int, members: int) -> System:
    """Many members with a value each, and a switch; who changes what depends on the seed alone."""

    def roll(sides: int, *about: object) -> int:
        return die(seed, *about) % sides

    def outcomes(number: int) -> Callable[..., Iterator[Outcome]]:
        def found(value: str, switch: int, *reads: object) -> Iterator[Outcome]:
            for way in range(2):
                case = (number, value, switch, reads, way)
                if not roll(3, "acts", case):
                    after = VALUES[roll(len(VALUES), "value", case)]
                    writes = {"members": after, "switch": roll(2, "switch", case)}
                    names = [name for name in writes if roll(4, "writes", name, case)]
                    yield Outcome(GO, {name: writes[name] for name in names})

        return found

    def turn(switch: int) -> Iterator[Outcome]:
        yield Outcome(Action("turn"), {"switch": 1 - switch})

    def share(value: str, reads: object = ()) -> tuple[int, ...]:
        return roll(3, "first", value, reads) - 1, roll(2, "second", value)

    cells = ("members", "switch")
    reads: tuple[tuple[str, ...], ...] = ((), ("some",), ("best",), ("more",))
    rules = [Rule(f"rule {i}", f"actor {i % 2}", cells, outcomes(i), reads[i]) for i in range(4)]
    urgent = replace(rules[3], urgent=True, actor="pressed")
    return System(
        cells=[Cell("switch", 0)],
        families=[Family("members", tuple(VALUES[i % 2] for i in range(members)))],
        tallies=[
            Tally("some", {"members": share}, 2, lambda total: total[0] % 3),
            Tally("more", {"members": share, "switch": lambda *_: (1, 0)}, 2, reads=("best",)),
        ],
        bests=[Best("best", {"members": lambda v: [None, -1, 2, 1][roll(4, "score", v)]})],
        rules=[*rules[:3], urgent, Rule("turn", "user", ("switch",), turn, environment=True)],
        bounds=[
            Bound("bound", Seen(("switch",), ("some",)), lambda *seen: roll(9, "in", seen) > 0)
        ],
    )


def formulas(seed: int) -> tuple[Formula, ...]:
    """Something of every kind about members; the last holds, so that no search ends early."""

    def about(*question: object) -> bool:
        return die(seed, *question) % 5 != 0

    view = Seen(("members", "switch"), ("best",))
    return (
        Always(view, lambda *seen: about("always", seen)),
        NeverStuck(view, lambda *seen: about("stuck", seen)),
        Converges(Seen(("members",)), lambda value: value != VALUES[seed % 3]),
        EachStep(view, lambda before, _, after: about("step", before, after), frozenset({GO})),
        Always(view, lambda value, *_: value in VALUES),
    )


def compared(result: CheckResult) -> tuple[object, ...]:
    """All that does not depend on the engine and the run."""
    statistics = replace(
        result.statistics, seconds=0.0, peak_memory_bytes=0, model_calls=0, tables=()
    )
    found = [
        (each.verdict, each.vacuous, each.reason, each.trace and len(each.trace.steps))
        for each in result.properties
    ]
    return statistics, found


def counted_of(system: System) -> int:
    """How many families a search counts in the end."""
    search = CompiledSearch(system, (), UNLIMITED, lambda _: None, Watch(UNLIMITED, float, int))
    search.run()
    families = search.store.known.packing.families
    return int(np.count_nonzero(families[:, -1]))


@given(seed=st.integers(0, 10**6), members=st.integers(12, 16), workers=st.integers(1, 2))
def test_crowds(*, promise: Promise, seed: int, members: int, workers: int) -> None:
    """States, steps, orders, verdicts and the length of stories are those of the plain engine."""
    system = crowd(seed, members)
    asked = [promise(formula, f"X-{number}") for number, formula in enumerate(formulas(seed))]
    plain = explore.check(system, asked)
    fast = compiled.check(system, asked, workers=workers)
    assert compared(fast) == compared(plain)


def test_great_crowds() -> None:
    """The states of a great crowd stand for more than a word can count."""
    system = crowd(18, 60)
    fast, plain = compiled.check(system), explore.check(system)
    assert compared(fast) == compared(plain)
    assert fast.statistics.concrete_states > 2**64


def test_crowds_are_counted() -> None:
    """Or else nothing here is tested."""
    assert counted_of(crowd(0, 12)) == 1
    assert counted_of(crowd(0, LEAST_COUNTED - 1)) == 0


def climbers(top: int) -> System:
    """One of ten climbs, and with each step there is another value."""

    def climb(height: int, free: int) -> Iterator[Outcome]:
        if (height or free) and height < top:
            yield Outcome(CLIMB, {"heights": height + 1, "free": 0})

    rule = Rule("climb", "climber", ("heights", "free"), climb)
    return System(cells=[Cell("free", 1)], families=[Family("heights", (0,) * 10)], rules=[rule])


@pytest.mark.parametrize("top", [2, 40])
def test_a_family_with_more_and_more_values(promise: Promise, top: int) -> None:
    """Where values become many, a family is counted no more, and nothing else changes."""
    system = climbers(top)
    low = promise(Always(Seen(("heights",)), lambda height: height <= top))
    fast, plain = compiled.check(system, [low]), explore.check(system, [low])
    assert compared(fast) == compared(plain)
    assert fast.statistics.states == top + 1
    assert counted_of(system) == (top == 2)


def test_a_kept_search_of_a_crowd_goes_on(promise: Promise, tmp_path: Path) -> None:
    """What is kept has members and not counts, and is counted again."""
    seed = next(n for n in range(100) if explore.check(crowd(n, 12)).statistics.states > 100)
    system = crowd(seed, 12)
    asked = [promise(formula, f"X-{number}") for number, formula in enumerate(formulas(seed))]
    begun = Checkpoints(tmp_path / "kept")
    compiled.check(system, asked, Limits(max_states=60), checkpoints=begun)
    resumed = compiled.check(system, asked, checkpoints=replace(begun, resume=True))
    assert compared(resumed) == compared(explore.check(system, asked))


@given(sizes=st.lists(st.integers(0, 70), max_size=3), states=st.integers(1, 2**31))
def test_moduli_suffice(sizes: list[int], states: int) -> None:
    """So many states with all their orders are told from any lower number."""
    table = orders.moduli(sizes, states)
    most = states * prod(map(factorial, sizes))
    for number in (0, 1, most // 3, most):
        residues = np.array([number % prime for prime in table[:, 0].tolist()], dtype=np.int64)
        assert orders.together(table, residues) == number
