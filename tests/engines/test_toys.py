"""Toy models whose answers are known from the literature or from a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import comb
from typing import Any

import pytest

from kubelemma.model.system import Action, Best, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always, Converges, EachStep, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver.result import CheckResult, Trace, Verdict

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]


def violation(result: CheckResult, number: int = 0) -> Trace:
    """The counterexample to one of the properties, which must be violated."""
    found = result.properties[number]
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    return found.trace


def verdicts(result: CheckResult) -> list[Verdict]:
    """All verdicts in order."""
    return [found.verdict for found in result.properties]


# Die Hard: measure four gallons with jugs of three and five. TLC finds 16 distinct states (97
# generated, the initial one included; depth 8) and a shortest trace of seven states.


def die_hard() -> System:
    """The two jugs; a step that changes nothing is a step."""

    def pour(small: int, big: int) -> Iterator[Outcome]:
        to_big, to_small = min(small, 5 - big), min(big, 3 - small)
        yield Outcome(Action("fill small"), {"small": 3})
        yield Outcome(Action("fill big"), {"big": 5})
        yield Outcome(Action("empty small"), {"small": 0})
        yield Outcome(Action("empty big"), {"big": 0})
        yield Outcome(Action("small to big"), {"small": small - to_big, "big": big + to_big})
        yield Outcome(Action("big to small"), {"small": small + to_small, "big": big - to_small})

    return System(
        cells=[Cell("small", 0), Cell("big", 0)],
        rules=[Rule("pour", "hero", ("small", "big"), pour)],
    )


def test_die_hard(run: Check, promise: Promise) -> None:
    """The counts are those of TLC, and four gallons take six steps."""
    never_four = promise(Always(View(("big",)), lambda big: big != 4))
    result = run(die_hard(), [promise(Always(View(("big",)), lambda big: big <= 5)), never_four])
    assert result.statistics.states == 16
    assert result.statistics.transitions == 96
    assert result.statistics.depth == 8
    assert result.statistics.exhaustive
    assert verdicts(result) == [Verdict.HOLDS, Verdict.VIOLATED]
    trace = violation(result, 1)
    assert len(trace.steps) == 6
    assert trace.steps[-1].state[1] == 4


# Peterson's mutual exclusion. A process goes through idle, flag set, waiting, critical.


def peterson(*, polite: bool) -> System:
    """Two processes; an impolite one gives itself the turn instead of the other."""

    def process(me: int) -> Rule:
        mine, other = f"process {me}", f"process {1 - me}"
        given = 1 - me if polite else me

        def outcomes(at: str, others: str, turn: int) -> Iterator[Outcome]:
            if at == "idle":
                yield Outcome(Action("raise flag"), {mine: "flag"})
            elif at == "flag":
                yield Outcome(Action("give turn"), {mine: "waiting", "turn": given})
            elif at == "waiting" and (others == "idle" or turn == me):
                yield Outcome(Action("enter"), {mine: "critical"})
            elif at == "critical":
                yield Outcome(Action("leave"), {mine: "idle"})

        return Rule(mine, mine, (mine, other, "turn"), outcomes)

    return System(
        cells=[Cell("process 0", "idle"), Cell("process 1", "idle"), Cell("turn", 0)],
        rules=[process(0), process(1)],
    )


def exclusive(first: str, second: str) -> bool:
    """Not both processes are critical."""
    return not first == second == "critical"


def test_peterson(run: Check, promise: Promise) -> None:
    """Mutual exclusion holds, and nobody is ever stuck."""
    both = View(("process 0", "process 1"))
    result = run(
        peterson(polite=True),
        [promise(Always(both, exclusive)), promise(NeverStuck(both, lambda *_: False))],
    )
    assert verdicts(result) == [Verdict.HOLDS, Verdict.HOLDS]
    assert result.statistics.terminal_states == 0


def test_peterson_broken(run: Check, promise: Promise) -> None:
    """Who takes the turn for itself meets the other: three steps each."""
    both = View(("process 0", "process 1"))
    trace = violation(run(peterson(polite=False), [promise(Always(both, exclusive))]))
    assert len(trace.steps) == 6
    assert trace.steps[-1].state[:2] == ("critical", "critical")


# Dining philosophers: forbidden neighbours make the states the cyclic words over three letters
# that the Pell-Lucas numbers count.

PELL_LUCAS = {2: 6, 3: 14, 4: 34, 5: 82}


def philosophers(count: int, *, left_handed: int = 0) -> System:
    """Philosophers around a table; the first ``left_handed`` of them take the other fork first."""

    def seat(me: int) -> Rule:
        first, second = f"fork {me}", f"fork {(me + 1) % count}"
        if me < left_handed:
            first, second = second, first

        def outcomes(at: int, taken_first: bool, taken_second: bool) -> Iterator[Outcome]:  # noqa: FBT001
            if at == 0 and not taken_first:
                yield Outcome(Action("take one"), {name: 1, first: True})
            elif at == 1 and not taken_second:
                yield Outcome(Action("take two"), {name: 2, second: True})
            elif at == 2:
                yield Outcome(Action("put down"), {name: 0, first: False, second: False})

        name = f"philosopher {me}"
        return Rule(name, name, (name, first, second), outcomes)

    return System(
        cells=[
            *(Cell(f"philosopher {i}", 0) for i in range(count)),
            *(Cell(f"fork {i}", initial=False) for i in range(count)),
        ],
        rules=[seat(i) for i in range(count)],
    )


@pytest.mark.parametrize("count", PELL_LUCAS)
def test_philosophers_starve(run: Check, promise: Promise, count: int) -> None:
    """All take one fork and are stuck: one such state, reached first after as many steps."""
    never = promise(NeverStuck(View(), lambda: False))
    result = run(philosophers(count), [never, promise(Always(View(), lambda: None))])
    assert result.statistics.states == result.statistics.concrete_states == PELL_LUCAS[count]
    assert result.statistics.terminal_states == 1
    trace = violation(result)
    assert [step.outcome.action for step in trace.steps] == ["take one"] * count
    assert trace.standstill


def test_one_left_handed_philosopher(run: Check, promise: Promise) -> None:
    """One who takes the other fork first saves them all."""
    result = run(philosophers(4, left_handed=1), [promise(NeverStuck(View(), lambda: False))])
    assert verdicts(result) == [Verdict.HOLDS]


# Dijkstra's token ring: from any state a ring of n machines with enough values comes to have one
# privilege; with fewer values it need not.


def token_ring(machines: int, values: int) -> System:
    """A ring that the environment first puts into any state."""
    names = [f"machine {i}" for i in range(machines)]

    def scramble(ready: bool, *_: int) -> Iterator[Outcome]:  # noqa: FBT001
        if not ready:
            for state in product(range(values), repeat=machines):
                yield Outcome(
                    Action("start"), {"ready": True, **dict(zip(names, state, strict=True))}
                )

    def bottom(mine: int, last: int) -> Iterator[Outcome]:
        if mine == last:
            yield Outcome(Action("move"), {names[0]: (mine + 1) % values})

    def other(me: int) -> Rule:
        def outcomes(mine: int, before: int) -> Iterator[Outcome]:
            if mine != before:
                yield Outcome(Action("move"), {names[me]: before})

        return Rule(names[me], names[me], (names[me], names[me - 1]), outcomes)

    return System(
        cells=[Cell("ready", initial=False), *(Cell(name, 0) for name in names)],
        rules=[
            Rule("scramble", "user", ("ready", *names), scramble, environment=True),
            Rule("bottom", names[0], (names[0], names[-1]), bottom),
            *(other(i) for i in range(1, machines)),
        ],
    )


def one_privilege(*state: int) -> bool:
    """Exactly one machine may move."""
    moving = [a != b for a, b in zip(state[1:], state, strict=False)]
    return sum(moving) + (state[0] == state[-1]) == 1


@pytest.mark.parametrize(
    ("machines", "values", "stabilises"), [(3, 2, True), (4, 3, True), (4, 2, False)]
)
def test_token_ring(
    run: Check, promise: Promise, machines: int, values: int, *, stabilises: bool
) -> None:
    """The ring stabilises with enough values, and circles with several privileges with fewer."""
    view = View(tuple(f"machine {i}" for i in range(machines)))
    properties = [promise(Converges(view, one_privilege)), promise(NeverStuck(view, one_privilege))]
    result = run(token_ring(machines, values), properties)
    wanted = Verdict.HOLDS if stabilises else Verdict.VIOLATED
    assert verdicts(result) == [wanted, Verdict.HOLDS]
    if not stabilises:
        trace = violation(result)
        assert trace.loop_start == 1
        assert not any(one_privilege(*step.state[1:]) for step in trace.steps)


# Transaction commit and two-phase commit with three resource managers: TLC finds 34 distinct states
# (94 generated, the initial one included; depth 7) of the one and 288 (depth 11) of the other.

MANAGERS = ("manager 0", "manager 1", "manager 2")


def tally(name: str, names: tuple[str, ...], counted: Callable[..., bool]) -> Tally:
    """How many values of these cells or families are counted."""
    measure = {each: lambda value: (int(counted(value)),) for each in names}
    return Tally(name, measure, 1, lambda total: total[0])


def commitment(initial: Any, rules: Callable[[str], list[Rule]], *, symmetric: bool) -> System:
    """Three resource managers, as a family or as cells; "c" and "p" count as prepared."""
    names = ("managers",) if symmetric else MANAGERS
    return System(
        cells=[Cell("coordinator", "init"), *(Cell(n, initial) for n in names if not symmetric)],
        families=[Family(n, (initial,) * 3) for n in names if symmetric],
        tallies=[
            tally("prepared", names, lambda value: value[0] in "pc"),
            tally("committed", names, lambda value: value[0] == "c"),
            tally("heard", names, lambda value: value[-1] == "heard"),
        ],
        rules=[
            Rule("coordinator", "coordinator", ("coordinator",), coordinate, ("heard",)),
            *(rule for name in names for rule in rules(name)),
        ],
    )


def coordinate(state: str, heard: int) -> Iterator[Outcome]:
    """The coordinator commits once it has heard of all, and may abort before that."""
    if state == "init":
        yield Outcome(Action("abort"), {"coordinator": "aborted"})
        if heard == 3:
            yield Outcome(Action("commit"), {"coordinator": "committed"})


def transaction(name: str) -> list[Rule]:
    """A manager (its state alone) that sees the states of all others."""

    def outcomes(value: str, prepared: int, committed: int) -> Iterator[Outcome]:
        if value == "w":
            yield Outcome(Action("prepare"), {name: "p"})
        if value == "p" and prepared == 3:
            yield Outcome(Action("decide commit"), {name: "c"})
        if value in "wp" and not committed:
            yield Outcome(Action("decide abort"), {name: "a"})

    return [Rule(name, name, (name,), outcomes, ("prepared", "committed"))]


def two_phase(name: str) -> list[Rule]:
    """A manager: its state, whether it has sent that it is prepared, whether that was heard."""

    def outcomes(value: tuple[str, str, str], coordinator: str) -> Iterator[Outcome]:
        state, sent, heard = value
        if coordinator == "init" and sent:
            yield Outcome(Action("hear"), {name: (state, sent, "heard")})
        if state == "w":
            yield Outcome(Action("prepare"), {name: ("p", "sent", heard)})
            yield Outcome(Action("choose to abort"), {name: ("a", sent, heard)})
        if coordinator == "committed":
            yield Outcome(Action("obey commit"), {name: ("c", sent, heard)})
        if coordinator == "aborted":
            yield Outcome(Action("obey abort"), {name: ("a", sent, heard)})

    return [Rule(name, name, (name, "coordinator"), outcomes)]


@pytest.mark.parametrize("symmetric", [True, False])
def test_transaction_commit(run: Check, promise: Promise, *, symmetric: bool) -> None:
    """Without a coordinator, the counts are those of TLC."""
    system = commitment("w", transaction, symmetric=symmetric)
    still = System(
        cells=[cell for cell in system.cells if cell.name != "coordinator"],
        families=system.families,
        tallies=system.tallies,
        rules=system.rules[1:],
    )
    undecided = promise(NeverStuck(View((), ("committed",)), lambda committed: committed in (0, 3)))
    result = run(still, [undecided])
    assert verdicts(result) == [Verdict.HOLDS]
    assert result.statistics.concrete_states == 34
    assert result.statistics.depth == 7
    if symmetric:
        # Nobody has committed, or all are prepared and one to three have.
        assert result.statistics.states == comb(5, 2) + 3
    else:
        assert result.statistics.transitions == 93


@pytest.mark.parametrize("symmetric", [True, False])
def test_two_phase_commit(run: Check, promise: Promise, *, symmetric: bool) -> None:
    """The counts are those of TLC, and no manager commits while another has aborted."""
    system = commitment(("w", "", ""), two_phase, symmetric=symmetric)
    names = ("managers",) if symmetric else MANAGERS

    def aborts(value: tuple[str, str, str], committed: int) -> bool | None:
        return None if value[0] != "a" else committed == 0

    properties = [promise(Always(View((name,), ("committed",)), aborts)) for name in names]
    result = run(system, properties)
    assert set(verdicts(result)) == {Verdict.HOLDS}
    assert result.statistics.concrete_states == 288
    assert result.statistics.depth == 11
    assert (result.statistics.states == 288) is not symmetric


# Families: interchangeable members, counted by formulas.


def wanderers(members: int, values: int) -> System:
    """Members that each may take any value."""

    def outcomes(_: int) -> Iterator[Outcome]:
        for value in range(values):
            yield Outcome(Action("go"), {"wanderers": value})

    return System(
        families=[Family("wanderers", (0,) * members)],
        rules=[Rule("go", "them", ("wanderers",), outcomes)],
    )


@pytest.mark.parametrize(("members", "values"), [(1, 4), (3, 3), (5, 2), (6, 4)])
def test_multisets(run: Check, members: int, values: int) -> None:
    """The canonical states are multisets; equal members move once."""
    statistics = run(wanderers(members, values), ()).statistics
    assert statistics.states == comb(members + values - 1, members)
    assert statistics.concrete_states == values**members
    # A multiset has as many steps as it has different values, times the values to take.
    different = values * comb(members + values - 2, members - 1)
    assert statistics.transitions == different * values


def spread(pods: int, nodes: int) -> System:
    """A scheduler that binds each pod to an emptiest node."""

    def score(load: int) -> int:
        return -load

    def bind(left: int, load: int, best: int) -> Iterator[Outcome]:
        if left and score(load) == best:
            yield Outcome(Action("bind"), {"queue": left - 1, "nodes": load + 1})

    return System(
        cells=[Cell("queue", pods)],
        families=[Family("nodes", (0,) * nodes)],
        bests=[Best("emptiest", {"nodes": score})],
        rules=[Rule("bind", "scheduler", ("queue", "nodes"), bind, ("emptiest",))],
    )


@pytest.mark.parametrize(("pods", "nodes"), [(7, 3), (4, 5), (6, 2)])
def test_spreading(run: Check, promise: Promise, pods: int, nodes: int) -> None:
    """Only one orbit is reached by each number of bound pods, and the pods end up level."""
    level = promise(
        Converges(View(("queue", "nodes")), lambda q, n: q == 0 and n <= -(-pods // nodes))
    )
    result = run(spread(pods, nodes), [level])
    assert verdicts(result) == [Verdict.HOLDS]
    assert result.statistics.states == result.statistics.depth == pods + 1
    assert result.statistics.concrete_states == sum(comb(nodes, p % nodes) for p in range(pods + 1))


def test_family_without_members(run: Check, promise: Promise) -> None:
    """Nobody acts, sums are zero, the best is None, and what is asked of each member is vacuous."""

    def count(left: int, total: tuple[int], best: int | None) -> Iterator[Outcome]:
        if left and total == (0,) and best is None:
            yield Outcome(Action("count"), {"left": left - 1})

    system = System(
        cells=[Cell("left", 3)],
        families=[Family("nobody", ())],
        tallies=[Tally("sum", {"nobody": lambda v: (v,)}, 1)],
        bests=[Best("best", {"nobody": lambda v: v})],
        rules=[
            Rule("count", "a", ("left",), count, ("sum", "best")),
            Rule("act", "a", ("nobody", "left"), lambda *_: [Outcome(Action("act"), {})]),
        ],
    )
    view = View(("nobody",))
    step = EachStep(view, lambda *_: False, frozenset({"count"}))
    result = run(system, [promise(Always(view, lambda _: False)), promise(step)])
    assert [(f.verdict, f.vacuous) for f in result.properties] == [(Verdict.HOLDS, True)] * 2
    assert (result.statistics.states, result.statistics.concrete_states) == (4, 4)
    assert result.statistics.rules_never_fired == ("act",)


def test_step_property_sees_the_same_member(run: Check, promise: Promise) -> None:
    """A member may fall but never rise: seen at its position, though members change order."""

    def fall(value: int) -> Iterator[Outcome]:
        if value:
            yield Outcome(Action("fall"), {"members": value - 1})

    system = System(
        families=[Family("members", (1, 2, 3))],
        tallies=[Tally("sum", {"members": lambda v: (v,)}, 1)],
        rules=[Rule("fall", "gravity", ("members",), fall)],
    )
    view = View(("members",), ("sum",))
    falls = EachStep(view, lambda before, _, after: after[0] <= before[0], frozenset({"fall"}))
    totals = EachStep(view, lambda b, _, a: a[1] == (b[1][0] - 1,), frozenset({"fall"}))
    not_from_three = EachStep(view, lambda b, _, a: b[0] != 3 or a[0] == 3, frozenset({"fall"}))
    other = EachStep(view, lambda *_: False, frozenset({"rise"}))
    result = run(system, [promise(f) for f in (falls, totals, not_from_three, other)])
    assert verdicts(result) == [Verdict.HOLDS, Verdict.HOLDS, Verdict.VIOLATED, Verdict.HOLDS]
    assert [found.vacuous for found in result.properties] == [False, False, False, True]
    assert len(violation(result, 2).steps) == 1
    assert (
        result.statistics.states == 14
    )  # partitions inside a staircase: the fourth Catalan number
