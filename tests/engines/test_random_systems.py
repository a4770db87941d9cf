"""Random systems: engines against brute force over all concrete states.

The brute force here shares nothing with the engines but `System.successors`, `System.summary` and
`System.within_bounds`: no tables, no symmetry, and its own idea of a fair loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import permutations, product
from typing import Any

import networkx as nx
from drawn_systems import CENSUS, Drawn, drawn_systems
from hypothesis import given, note, settings
from hypothesis import strategies as st

from kubelemma.model.system import (
    State,
    System,
    Transition,
    View,
)
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck
from kubelemma.properties.statement import Property
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, PropertyResult, Trace, Verdict

Engines = list[tuple[str, Callable[..., CheckResult]]]
Checked = tuple[CheckResult, tuple[Formula, ...], set[Any]]
Promise = Callable[..., Property]


def at_least(examples: int) -> int:
    """So many examples, or more if the Hypothesis profile asks for more."""
    return max(examples, settings().max_examples)


# Brute force.


@dataclass
class Explored:
    """All concrete states by level, and the steps from those that were expanded."""

    levels: dict[State, int]
    steps: dict[State, list[Transition]]
    cut: set[State]


def orbit(system: System, state: State) -> Iterator[State]:
    """All states that differ by the order within families, with repetitions."""
    end = len(system.cells)
    parts: list[list[State]] = [[state[:end]]]
    for family in system.families:
        start, end = end, end + len(family.initial)
        parts.append(list(permutations(state[start:end])))
    for chosen in product(*parts):
        yield tuple(value for part in chosen for value in part)


def explored(system: System) -> Explored:
    """Breadth-first over concrete states, from the initial one in all orders of its members."""
    level = {state for start in system.starts for state in orbit(system, start)}
    found = Explored({}, {}, set())
    depth = 1
    while level:
        found.levels |= dict.fromkeys(level, depth)
        found.cut |= {state for state in level if not system.within_bounds(state)}
        fresh = {state: list(system.successors(state)) for state in level - found.cut}
        found.steps |= fresh
        level = {t.state for taken in fresh.values() for t in taken} - found.levels.keys()
        depth += 1
    return found


@lru_cache(maxsize=10_000)
def summary(system: System, state: State) -> Mapping[str, Any]:
    """The tallies and bests of a state, which many predicates ask for."""
    return system.summary(state)


def look(system: System, view: View, state: State) -> Iterator[tuple[Any, ...]]:
    """What the view shows: one choice of members after the other."""
    reads = [summary(system, state)[name] for name in view.reads]
    named = [name.partition(".") for name in view.cells]
    places = list(dict.fromkeys(place for place, _, _ in named))
    for where in product(*(system.positions[place] for place in places)):
        held = {place: state[p] for place, p in zip(places, where, strict=True)}
        seen = (getattr(held[p], column) if column else held[p] for p, _, column in named)
        yield (*seen, *reads)


def in_goal(system: System, formula: NeverStuck | Converges, state: State) -> bool:
    """Whether the goal is reached."""
    return all(formula.goal(*seen) for seen in look(system, formula.view, state))


def answers_to(
    system: System, formula: EachStep, before: State, step: Transition
) -> list[bool | None]:
    """What the predicate says about one step."""
    if step.outcome.action not in formula.actions:
        return []
    both = zip(
        look(system, formula.view, before), look(system, formula.view, step.state), strict=True
    )
    return [formula.holds(b, step.outcome.action, a) for b, a in both]


def controllers(found: Explored, state: State) -> list[Transition]:
    """The steps of controllers from a state."""
    return [t for t in found.steps[state] if not t.rule.environment]


def may_rest(found: Explored, state: State, task: str) -> bool:
    """Whether a task cannot be worked on in a state, and does not wait there for an urgent one."""
    rules = [t.rule for t in controllers(found, state)]
    return not any(rule.urgent or rule.fairness == task for rule in rules)


def standstills(found: Explored) -> list[State]:
    """The states where only the environment can act."""
    return [state for state in found.steps if not controllers(found, state)]


def fairly_repeated(
    system: System, found: Explored, keeping_to: set[State] | None = None
) -> set[State]:
    """All states that some fair run of controllers visits again and again, and no others."""
    graph = nx.DiGraph()
    for state in found.steps:
        graph.add_edges_from((state, t.state) for t in controllers(found, state))
    if keeping_to is not None:
        graph = graph.subgraph(keeping_to)
    tasks = {rule.fairness for rule in system.rules if not rule.environment}
    fair: set[State] = set()
    for component in nx.strongly_connected_components(graph):
        inner = [
            t.rule.fairness
            for state in component & found.steps.keys()
            for t in controllers(found, state)
            if t.state in component
        ]
        unfair = tasks - set(inner)
        if inner and all(
            any(may_rest(found, state, task) for state in component) for task in unfair
        ):
            fair |= component
    return fair


def is_met(system: System, formula: LeadsTo, state: State) -> bool:
    """Whether the goal that the premise leads to is reached."""
    return all(bool(formula.goal(*seen)) for seen in look(system, formula.view, state))


def is_due(system: System, formula: LeadsTo, state: State) -> bool:
    """Whether the premise holds, and the goal is not reached at once."""
    premise = any(formula.premise(*seen) for seen in look(system, formula.view, state))
    return premise and not is_met(system, formula, state)


def truth_of_leads_to(system: System, found: Explored, formula: LeadsTo) -> Truth:
    """All standstills and fair loops to which ways lead on which the goal is due.

    Depths are of these ways, not of the states: a state's nearest way may be free of the premise.
    """
    unmet = nx.DiGraph()
    unmet.add_nodes_from(s for s in found.levels if not is_met(system, formula, s))
    for state in unmet.nodes & found.steps.keys():
        unmet.add_edges_from((state, t.state) for t in found.steps[state] if t.state in unmet)
    due = [state for state in unmet if is_due(system, formula, state)]
    # A root before all, as far from each state where the premise holds as the first state is.
    ways = unmet.copy()
    ways.add_weighted_edges_from((("root", s, found.levels[s]) for s in due), weight="steps")
    ways.add_node("root")
    depths = nx.single_source_dijkstra_path_length(
        ways, "root", weight=lambda _, __, edge: edge.get("steps", 1)
    )
    inside = Explored(
        found.levels,
        {state: found.steps[state] for state in unmet.nodes & found.steps.keys()},
        set(),
    )
    turning = fairly_repeated(system, inside, keeping_to=set(unmet))
    return Truth(
        [depths[s] for s in standstills(inside) if s in depths],
        bool(due),
        [depths[s] for s in turning if s in depths],
    )


@dataclass(frozen=True)
class Truth:
    """Of one formula: the depth of its nearest refutations, and whether it ever says anything."""

    depths: list[int]
    spoken: bool
    loop_depths: list[int] = field(default_factory=list)

    @property
    def violated(self) -> bool:
        """Whether any refutation exists."""
        return bool(self.depths or self.loop_depths)


def truth(system: System, found: Explored, formula: Formula) -> Truth:
    """What brute force says; a depth is the level of the first state that is wrong."""
    match formula:
        case Always():
            said = [
                (found.levels[state], formula.holds(*seen))
                for state in found.levels
                for seen in look(system, formula.view, state)
            ]
            return judged(said)
        case EachStep():
            return judged(
                [
                    (found.levels[state] + 1, answer)
                    for state, steps in found.steps.items()
                    for step in steps
                    for answer in answers_to(system, formula, state, step)
                ]
            )
        case NeverStuck() | Converges():
            outside = {s for s in found.levels if not in_goal(system, formula, s)}
            stuck = [found.levels[s] for s in standstills(found) if s in outside]
            loops: set[State] = set()
            if isinstance(formula, Converges):
                loops = fairly_repeated(system, found) & outside
            return Truth(stuck, bool(outside), [found.levels[s] for s in loops])
        case LeadsTo():
            return truth_of_leads_to(system, found, formula)


def judged(said: list[tuple[int, bool | None]]) -> Truth:
    """What follows from the answers at each depth."""
    return Truth(
        [depth for depth, answer in said if answer is False],
        any(answer is not None for _, answer in said),
    )


# Checking traces: again independent of the engines' own replay.


def assert_is_run(system: System, trace: Trace) -> None:
    """Every step is one that plain semantics allows at these positions."""
    state = trace.initial
    assert state in system.starts
    for step in trace.steps:
        matching = [
            t
            for t in system.successors(state)
            if (t.rule.name, t.positions, t.outcome, t.state)
            == (step.rule, step.positions, step.outcome, step.state)
        ]
        assert matching
        assert (step.actor, step.environment) == (
            matching[0].rule.actor,
            matching[0].rule.environment,
        )
        state = step.state


def assert_refutes(system: System, found: Explored, formula: Formula, trace: Trace) -> None:
    """The trace is a run at whose end, or in whose loop, the formula is false."""
    assert_is_run(system, trace)
    states = trace.states()
    match formula:
        case Always():
            assert False in [
                formula.holds(*seen) for seen in look(system, formula.view, states[-1])
            ]
        case EachStep():
            last = [t for t in found.steps[states[-2]] if t.state == states[-1]]
            assert False in [a for t in last for a in answers_to(system, formula, states[-2], t)]
        case NeverStuck() | Converges() if trace.loop_start is None:
            assert trace.standstill
            assert not controllers(found, states[-1])
            assert not in_goal(system, formula, states[-1])
        case NeverStuck() | Converges():
            assert isinstance(formula, Converges)
            loop = states[trace.loop_start :]
            assert not all(in_goal(system, formula, state) for state in loop)
            assert_fair_loop(system, found, trace)
        case LeadsTo():
            assert_left_due(system, found, formula, trace)


def assert_left_due(system: System, found: Explored, formula: LeadsTo, trace: Trace) -> None:
    """The premise holds somewhere before the end, and from there on no state is in the goal."""
    states = trace.states()
    begins = states if trace.loop_start is None else states[: trace.loop_start + 1]
    assert any(
        is_due(system, formula, state)
        and not any(is_met(system, formula, after) for after in states[number:])
        for number, state in enumerate(begins)
    )
    if trace.loop_start is None:
        assert trace.standstill
        assert not controllers(found, states[-1])
    else:
        assert_fair_loop(system, found, trace)


def assert_fair_loop(system: System, found: Explored, trace: Trace) -> None:
    """The loop closes, is the controllers' own, and passes over nobody."""
    assert trace.loop_start is not None
    steps, states = trace.steps[trace.loop_start :], trace.states()[trace.loop_start :]
    assert steps
    assert states[0] == states[-1]
    assert not any(step.environment for step in steps)
    tasks = {rule.name: rule.fairness for rule in system.rules if not rule.environment}
    for task in set(tasks.values()) - {tasks[step.rule] for step in steps}:
        assert any(may_rest(found, state, task) for state in states)


def assert_shortest(formula: Formula, known: Truth, trace: Trace) -> None:
    """No refutation is nearer; a standstill comes before a loop with as long a stem."""
    nearest = min(known.depths + known.loop_depths)
    if trace.loop_start is None:
        assert len(trace.steps) + 1 == nearest
    else:
        assert isinstance(formula, Converges | LeadsTo)
        assert trace.loop_start + 1 >= nearest
        assert nearest < min(known.depths, default=nearest + 1)


def assert_result(
    system: System,
    found: Explored,
    formula: Formula,
    result: PropertyResult,
    known: Truth | None = None,
) -> None:
    """Verdict, vacuity and trace are what brute force says, or has said before."""
    known = known or truth(system, found, formula)
    if known.violated:
        assert result.verdict is Verdict.VIOLATED
        assert result.trace is not None
        assert_refutes(system, found, formula, result.trace)
        assert_shortest(formula, known, result.trace)
    else:
        assert result.verdict is (Verdict.INCONCLUSIVE if found.cut else Verdict.HOLDS)
        assert result.vacuous is (not found.cut and not known.spoken)
        assert bool(result.reason) is bool(found.cut)


class Seen:
    """An invariant that holds, and collects what it is asked about."""

    def __init__(self) -> None:
        self.censuses: set[Any] = set()
        self.formula = Always(View((), (CENSUS,)), self._holds)

    def _holds(self, census: tuple[int, ...]) -> bool:
        self.censuses.add(census)
        return True


def distinct_steps(state: State, steps: list[Transition]) -> int:
    """How many steps there are where members that hold equal values count as one."""
    by_values: dict[tuple[str, tuple[Any, ...]], Counter[tuple[int, ...]]] = {}
    for step in steps:
        values = tuple(state[p] for p in step.positions)
        by_values.setdefault((step.rule.name, values), Counter())[step.positions] += 1
    return sum(max(counts.values()) for counts in by_values.values())


def assert_same_counts(system: System, found: Explored, result: CheckResult) -> None:
    """All statistics that brute force can tell."""
    statistics = result.statistics
    orbits = set(map(system.canonical, found.levels))
    assert (statistics.states, statistics.concrete_states) == (len(orbits), len(found.levels))
    assert statistics.depth == max(found.levels.values())
    terminal = {state for state, steps in found.steps.items() if not steps}
    assert statistics.terminal_states == len(terminal & orbits)
    assert statistics.cut_states == len(found.cut & orbits)
    assert statistics.exhaustive is not bool(found.cut)
    assert statistics.stopped_by is None
    taken = [step for steps in found.steps.values() for step in steps]
    never = {rule.name for rule in system.rules} - {step.rule.name for step in taken}
    assert set(statistics.rules_never_fired) == never
    counts = Counter(step.outcome.action for step in taken)
    assert [action for action, _ in statistics.actions] == sorted(counts)
    assert sum(count for _, count in statistics.actions) == statistics.transitions
    degrees = [distinct_steps(s, found.steps[s]) for s in orbits & found.steps.keys()]
    assert (statistics.transitions, statistics.out_degree) == (sum(degrees), max([0, *degrees]))
    assert system.families or dict(statistics.actions) == counts


def runs(engines: Engines, promise: Promise, drawn: Drawn, limits: Limits) -> Iterator[Checked]:
    """Each engine's result, with its formulas, and what it asked the first of them about."""
    for name, run in engines:
        note(name)
        seen = Seen()
        formulas = (seen.formula, *drawn.formulas)
        result = run(drawn.system, [promise(formula) for formula in formulas], limits)
        yield result, formulas, seen.censuses.copy()


@given(drawn=drawn_systems(bounded=False) | drawn_systems(bounded=True))
@settings(max_examples=at_least(200))
def test_complete_search(engines: Engines, promise: Promise, drawn: Drawn) -> None:
    """A search finds exactly what there is, and decides everything.

    States outside a bound are reached, judged and not left; nothing holds because of that.
    """
    system = drawn.system
    found = explored(system)
    known = cache(partial(truth, system, found))
    for result, formulas, censuses in runs(engines, promise, drawn, Limits()):
        assert_same_counts(system, found, result)
        assert censuses == {summary(system, state)[CENSUS] for state in found.levels}
        for formula, property_result in zip(formulas, result.properties, strict=True):
            assert_result(system, found, formula, property_result, known(formula))


@given(drawn=drawn_systems(bounded=False), most=st.integers(1, 40))
@settings(max_examples=at_least(80))
def test_partial_search(engines: Engines, promise: Promise, drawn: Drawn, most: int) -> None:
    """A search that a limit ends claims nothing that is not so, and what it refutes is refuted."""
    system = drawn.system
    found = explored(system)
    known = cache(partial(truth, system, found))
    orbits = {system.canonical(state) for state in found.levels}
    for result, formulas, _ in runs(engines, promise, drawn, Limits(max_states=most)):
        assert result.statistics.states == min(most, len(orbits))
        assert result.statistics.exhaustive is (len(orbits) <= most)
        assert result.statistics.stopped_by == (None if len(orbits) <= most else "max-states")
        for formula, property_result in zip(formulas, result.properties, strict=True):
            if result.statistics.exhaustive:
                assert_result(system, found, formula, property_result, known(formula))
            elif property_result.verdict is Verdict.VIOLATED:
                assert property_result.trace is not None
                assert_refutes(system, found, formula, property_result.trace)
            else:
                assert property_result.verdict is Verdict.INCONCLUSIVE
