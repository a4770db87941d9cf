"""The loop certificate: it takes away no step of a loop, and where none is left there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from drawn_systems import Drawn, drawn_systems
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]
from things import statement

from kubelemma import api
from kubelemma.model.system import Action, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Converges, Formula, LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.solver import certificate, projections
from kubelemma.solver.compiled.search import CompiledSearch
from kubelemma.solver.limits import UNLIMITED, Limits, Watch, resident_memory
from kubelemma.solver.projections import LocalSteps
from kubelemma.solver.result import CheckResult, Verdict
from kubelemma.solver.search import Search
from kubelemma.solver.space import TASK_BITS

Check = Callable[..., CheckResult]
EXAMPLES = Path(__file__).parents[2] / "examples"
NEVER = Converges(View(), lambda: False)


def asked(*formulas: Formula) -> list[Property]:
    """A property of each formula."""
    return [Property(statement("X"), str(n), formula) for n, formula in enumerate(formulas)]


def at_least(examples: int) -> int:
    """So many examples, or more if the Hypothesis profile asks for more."""
    return max(examples, settings().max_examples)


def searched(system: System) -> Search:
    """All states, by the plain engine."""
    watch = Watch(UNLIMITED, time.monotonic, resident_memory)
    search = Search(system, (), UNLIMITED, lambda _: None, watch)
    search.run()
    return search


def on_loops(search: Search) -> set[int]:
    """The moves of all steps of controllers that lie on a cycle of the states."""
    links, _ = search.followed(None, faults=False)
    sources = np.repeat(np.arange(len(search.space)), np.diff(links.offsets))
    ones = np.ones(sources.size, dtype=np.bool_)
    graph = csr_array((ones, (sources, links.targets)), shape=(len(search.space),) * 2)
    component = connected_components(graph, directed=True, connection="strong")[1]
    inner = component[sources] == component[links.targets]
    return set(links.moves[inner].tolist())


def left_of(search: Search) -> set[int]:
    """The moves of steps that the certificate leaves."""
    found = certificate.certify(search.system, search.tables, search.numbers)
    return set(np.flatnonzero(found.repeats).tolist())


def apart_from_notes(result: CheckResult) -> CheckResult:
    """A result but for what differs from run to run, and for what a certificate says."""
    alike = replace(result.statistics, seconds=0.0, peak_memory_bytes=0, reductions=())
    return replace(result, statistics=alike)


@settings(max_examples=at_least(150))
@given(drawn_systems(bounded=False))
def test_no_step_of_a_loop_is_taken_away(drawn: Drawn) -> None:
    """Every step on a cycle of the reachable states is among those that may be repeated."""
    search = searched(drawn.system)
    assert on_loops(search) <= left_of(search)


@settings(max_examples=at_least(60))
@given(
    drawn_systems(bounded=False) | drawn_systems(bounded=True),
    st.sampled_from((None, None, 5, 20)),
)
def test_answers_are_the_same_without(
    engines: list[tuple[str, Check]], drawn: Drawn, most: int | None
) -> None:
    """Verdicts, vacuity, stories and figures, of all states or of some, by each engine."""
    for _, check in engines:
        case = drawn.system, asked(*drawn.formulas), Limits(max_states=most)
        found, plain = check(*case), check(*case, certified=False)
        assert apart_from_notes(found) == apart_from_notes(plain)
        assert not plain.statistics.reductions


# Toys

GO = Action("go")


def rule(
    name: str, cells: tuple[str, ...], acts: Callable[..., dict[str, Any] | None], **others: Any
) -> Rule:
    """A rule that writes what is given for what it sees, or does nothing."""

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        writes = acts(*seen)
        if writes is not None:
            yield Outcome(GO, writes)

    return Rule(name, name, cells, outcomes, **others)


def counting(name: str) -> Rule:
    """A cell that goes up to 3."""
    return rule(f"count {name}", (name,), lambda n: {name: n + 1} if n < 3 else None)


def toggled(**others: Any) -> System:
    """Two rules that turn a cell on and off."""
    return System(
        cells=[Cell("x", 0)],
        rules=[
            rule("on", ("x",), lambda x: None if x else {"x": 1}),
            rule("off", ("x",), lambda x: {"x": 0} if x else None, **others),
        ],
    )


def filled() -> System:
    """A tank that is filled or drained to a target, which a user may lower once."""
    return System(
        cells=[Cell("tank", 0), Cell("valve", "shut"), Cell("target", 3)],
        tallies=[Tally("water", {"tank": lambda n: (n,)}, 1)],
        rules=[
            rule(
                "decide",
                ("valve", "target"),
                lambda valve, target, water: (
                    {"valve": "in" if water[0] < target else "out"}
                    if valve == "shut" and water[0] != target
                    else None
                ),
                reads=("water",),
            ),
            rule(
                "fill",
                ("valve", "tank"),
                lambda valve, n: {"valve": "shut", "tank": n + 1} if valve == "in" else None,
            ),
            rule(
                "drain",
                ("valve", "tank"),
                lambda valve, n: {"valve": "shut", "tank": n - 1} if valve == "out" else None,
            ),
            rule(
                "lower", ("target",), lambda n: {"target": 1} if n == 3 else None, environment=True
            ),
        ],
    )


def swapped() -> System:
    """Two members that go 0, 1, 2, 0, each when the other is not where it goes."""
    return System(
        families=[Family("places", (0, 2))],
        rules=[rule("move", ("places",), lambda n: {"places": (n + 1) % 3})],
    )


def summed() -> System:
    """A cell is raised blindly, and lowered by who looks at a sum."""
    return System(
        cells=[Cell("x", 0)],
        tallies=[Tally("sum", {"x": lambda n: (n,)}, 1)],
        rules=[
            rule("raise", ("x",), lambda x: None if x else {"x": 1}),
            rule(
                "lower",
                ("x",),
                lambda x, total: {"x": 0} if x and total[0] else None,
                reads=("sum",),
            ),
        ],
    )


def idle() -> System:
    """Somebody acts for ever and changes nothing."""
    return System(cells=[Cell("x", 0)], rules=[rule("nod", ("x",), lambda _: {})])


def passed_over() -> System:
    """Somebody turns, and somebody else could end that at any time."""
    return System(
        cells=[Cell("x", 0), Cell("done", initial=False)],
        rules=[
            rule("turn", ("x", "done"), lambda x, done: None if done else {"x": 1 - x}),
            rule("end", ("done",), lambda done: None if done else {"done": True}),
        ],
    )


def lost() -> System:
    """Who asks is served, unless a fault comes between."""

    def served(at: str) -> dict[str, Any] | None:
        return {"at": "served"} if at == "asks" else None

    def losing(at: str) -> dict[str, Any] | None:
        return {"at": "lost"} if at == "asks" else None

    return System(
        cells=[Cell("at", "asks")],
        rules=[rule("serve", ("at",), served), rule("lose", ("at",), losing, environment=True)],
    )


DONE = Converges(View(("done",)), lambda done: done)
SERVED = LeadsTo(View(("at",)), lambda at: at == "asks", lambda at: at == "served")


def test_nothing_left_is_said(run: Check) -> None:
    """Two counters come to an end, whoever goes first; the report says by what it is known."""
    system = System(cells=[Cell("a", 0), Cell("b", 0)], rules=[counting("a"), counting("b")])
    result = run(system, asked(Converges(View(("a", "b")), lambda a, b: a + b == 6)))
    assert result.properties[0].verdict is Verdict.HOLDS
    (note,) = result.statistics.reductions
    assert (note.name, note.used) == ("certificate", True)
    assert note.why == (
        "none of 6 local steps of controllers is left after 1 round that may be repeated for "
        "ever: all runs end"
    )


def test_what_is_left_is_named(run: Check) -> None:
    """The one who turns is named, the one who counts is not."""
    system = System(
        cells=[Cell("a", 0), Cell("x", 0)],
        rules=[
            counting("a"),
            Rule("turn", "t", ("x",), lambda x: [Outcome(Action("turn"), {"x": 1 - x})]),
        ],
    )
    result = run(system, asked(NEVER))
    assert result.properties[0].trace is not None
    (note,) = result.statistics.reductions
    assert note.why == (
        "2 of 5 local steps of controllers are left after 1 round: loops can only be of turn"
    )


def test_nothing_is_said_where_no_run_was_asked_about(run: Check) -> None:
    """A goal that is never left needs no certificate."""
    assert not run(toggled(), asked(Converges(View(), lambda: True))).statistics.reductions


def test_what_controllers_see_together(run: Check) -> None:
    """A cell that goes up and down is known not to, by the sum that decides which."""
    search = searched(filled())
    assert not left_of(search)
    with patch.object(certificate, "together", lambda *_: []):
        assert left_of(search)
    goal = Converges(View(("tank", "target")), lambda tank, target: tank == target)
    assert run(filled(), asked(goal)).properties[0].verdict is Verdict.HOLDS


def test_what_the_environment_does_is_on_no_loop() -> None:
    """Users and faults stop at some time, so a cell that only they turn back does not turn."""
    assert not left_of(searched(toggled(environment=True)))


def test_more_than_fits_is_done_without() -> None:
    """A projection that is too wide or has too many states takes nothing away."""
    with patch.object(projections, "MOST_BITS", 1):
        assert left_of(searched(filled()))
    with patch.object(projections, "MOST_NODES", 2):
        assert left_of(searched(filled()))
    with patch.object(projections, "MOST_EDGES", 1):
        assert left_of(searched(filled()))


def test_more_numbers_than_a_first_table_has_room_for(run: Check) -> None:
    """A projection of ten thousand states, of which none turns back."""
    cells = [Cell(name, 0) for name in "ab"]
    rules = [
        rule(
            name,
            ("a", "b"),
            lambda a, b, _, n=name: (
                {n: {"a": a, "b": b}[n] + 1}  # type: ignore[misc]
                if {"a": a, "b": b}[n] < 99
                else None
            ),
            reads=("sum",),
        )
        for name in "ab"
    ]
    tally = Tally("sum", {"a": lambda n: (n % 2,)}, 1)
    back = rule("back", ("a",), lambda a: {"a": 0} if a == 99 else None, environment=True)
    system = System(cells=cells, tallies=[tally], rules=[*rules, back, counting("a")])
    goal = Converges(View(("a", "b")), lambda a, b: a + b == 198)
    found, plain = run(system, asked(goal)), run(system, asked(goal), certified=False)
    assert apart_from_notes(found) == apart_from_notes(plain)


@pytest.mark.parametrize("name", ["rollout-node-crash", "eviction-during-rollout"])
def test_control_plane(engines: list[tuple[str, Check]], name: str) -> None:
    """A rollout in which a node may be lost, or pods evicted, comes to an end in every order."""
    (case,) = api.ask(api.Question(paths=(str(EXAMPLES / name),))).cases
    _, check = engines[-1]
    result = check(case.scenario.system, case.properties)
    note = next(each for each in result.statistics.reductions if each.name == "certificate")
    assert note.why.startswith("none of ")
    plain = check(case.scenario.system, case.properties, certified=False)
    assert apart_from_notes(result) == apart_from_notes(plain)


# Mutants


def _but_urgent(known: Callable[..., tuple[LocalSteps, ...]]) -> Callable[..., Any]:
    return lambda tables: known(_Tables(tables, [g for g in tables.groups if not g.urgent]))


class _Tables:
    """Tables of which some groups are not known."""

    def __init__(self, tables: Any, groups: list[Any]) -> None:
        self.summaries, self.groups = tables.summaries, groups


def _only_changing(turning: Callable[..., Any]) -> Callable[..., Any]:
    def mutant(self: Any, steps: Any) -> Any:
        found = turning(self, steps)
        changing = [(each.before != each.after).any(axis=1) for each in steps]
        return [kept & flags for kept, flags in zip(found, changing, strict=True)]

    return mutant


def _only_upwards(components: Callable[..., Any]) -> Callable[..., Any]:
    return lambda size, a, b: components(size, a[a < b], b[a < b])


def _only_who_looks(matches: Callable[..., Any]) -> Callable[..., Any]:
    def mutant(self: Any, steps: LocalSteps) -> Any:
        found = matches(self, steps)
        return found if steps.read else found._replace(many=np.zeros_like(found.many))

    return mutant


def _without_faults(followed: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, repeats, **_: followed(self, repeats, faults=False)


def _only_kept_can_act(followed: Callable[..., Any]) -> Callable[..., Any]:
    def mutant(self: Any, repeats: Any, *, faults: bool) -> Any:
        links, others = followed(self, repeats, faults=faults)
        sources = np.repeat(np.arange(links.offsets.size - 1), np.diff(links.offsets))
        enabled = np.zeros_like(links.enabled)
        for source, edge in zip(sources, range(sources.size), strict=True):
            task = int(links.tasks[links.moves[edge]])
            enabled[source, task // TASK_BITS] |= 1 << task % TASK_BITS
        return replace(links, enabled=enabled, core=None, alone=[]), others

    return mutant


class Mutant(NamedTuple):
    """What is changed, by whom, and a system and a formula by which it is found out."""

    places: tuple[tuple[Any, str], ...]
    change: Callable[[Any], Any]
    system: Callable[[], System]
    formula: Formula


FOLLOWED = ((Search, "followed"), (CompiledSearch, "followed"))
MUTANTS = {
    "urgent steps": Mutant(
        ((certificate, "local_steps"),), _but_urgent, lambda: toggled(urgent=True), NEVER
    ),
    "steps that change nothing": Mutant(
        ((projections.Place, "turning"),), _only_changing, idle, NEVER
    ),
    "one way of a projection": Mutant(
        ((projections, "_components"),), _only_upwards, swapped, NEVER
    ),
    "steps of who does not look at a sum": Mutant(
        ((projections.Together, "_matches"),), _only_who_looks, summed, NEVER
    ),
    "the environment on the way to a goal": Mutant(FOLLOWED, _without_faults, lost, SERVED),
    "who can act by a step that is not repeated": Mutant(
        FOLLOWED, _only_kept_can_act, passed_over, DONE
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_forgotten_is_found_out(run: Check, name: str) -> None:
    """The answer differs, or the plain semantics does not confirm it."""
    mutant = MUTANTS[name]
    case = mutant.system(), asked(mutant.formula)
    wanted = apart_from_notes(run(*case, certified=False))
    assert apart_from_notes(run(*case)) == wanted
    with ExitStack() as stack:
        for where, what in mutant.places:
            changed = mutant.change(getattr(where, what))
            stack.enter_context(patch.object(where, what, changed))
        assert differs(lambda: apart_from_notes(run(*case)), wanted)


def differs(found: Callable[[], CheckResult], wanted: CheckResult) -> bool:
    """Whether something else comes out, or goes wrong."""
    try:
        return found() != wanted
    except Exception:  # noqa: BLE001 - what the plain semantics denies is found out as well
        return True
