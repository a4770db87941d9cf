"""Nodes that are one: whatever the whole does the pool does, and the answers are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any
from unittest.mock import patch

import pytest
from boxes import (
    BREAK,
    BREAKING,
    KIND,
    PLAIN,
    THINGS,
    WHOLE,
    Box,
    Drawn,
    by_pooling,
    drawn,
    properties_of,
    rule_of,
    system_of,
    with_rule,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from things import bag, statement, told

from kubelemma import api
from kubelemma.model.bags import joined, ones, without
from kubelemma.model.system import (
    Action,
    Outcome,
    Rule,
    State,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import (
    Always,
)
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled
from kubelemma.solver.explore import check
from kubelemma.solver.limits import UNLIMITED, Limits
from kubelemma.solver.reductions import parting, pooled_parts, pooling
from kubelemma.solver.reductions.bagged import Escaped, Full, Refused
from kubelemma.solver.reductions.pooling import Pool, pool
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import CheckResult, Reduction, Verdict

# Laws


def reachable(system: System) -> Iterator[State]:
    """All states, up to the order of members."""
    known = dict.fromkeys(map(system.canonical, system.starts))
    agenda = list(known)
    while agenda:
        state = agenda.pop()
        yield state
        for transition in system.successors(state):
            after = system.canonical(transition.state)
            if after not in known:
                known[after] = None
                agenda.append(after)


def able(system: System, state: State) -> set[str]:
    """The tasks that can act."""
    return {t.rule.fairness for t in system.successors(state) if not t.rule.environment}


def broken_law(made: Pool) -> str:
    """What the whole system does and the pool does not; empty where there is nothing."""
    for state in reachable(made.whole):
        images = [each for each in made.images(state) if _may_be_kept(made, state, each[0])]
        if not images:
            return f"more changes than is kept in {state}"
        for kept, image in images:
            if wrong := _broken_in(made, state, kept, image):
                return f"{wrong} in {state}"
    return ""


def _broken_in(made: Pool, state: State, kept: tuple[int, ...], image: State) -> str:
    """The same of one state."""
    whole, small = made.whole, made.system
    counted, steps = whole.summary(state), list(whole.successors(state))
    after = [(t, made.image(t.state, kept)) for t in steps if _may_be_kept(made, t.state, kept)]
    for found in {image, at_rest(made, image)}:
        summed = small.summary(found)
        if wrong := next((t.name for t in whole.tallies if counted[t.name] != summed[t.name]), ""):
            return f'another "{wrong}"'
        reached = {at_rest(made, t.state) for t in small.successors(found)}
        for transition, there in after:
            if at_rest(made, there) not in reached:
                return f"no {transition.outcome.action}"
        if able(whole, state) != able(small, found):
            return "others can act"
    return ""


def at_rest(made: Pool, state: State) -> State:
    """A state of the pool with all in slots that is on members like those that are pooled.

    So may be added what comes onto members that the environment changes no more.
    """
    system, bagged = made.system, made.bagged
    if not made.kept:
        return system.canonical(state)
    (left,) = (state[p] for p in system.positions["breaks"])
    kept, slots = (system.positions[name] for name in (bagged.name, bagged.slots))
    pooled = state[system.positions[bagged.pooled].start]
    found, moved = list(state), []
    for place in kept if not left else ():
        content, empty = bagged.content(state[place]), bagged.holding(state[place], ())
        if empty in pooled:
            found[place] = empty
            for thing, one in zip(content, ones(content), strict=True):
                moved += [(bagged.holding(empty, one),)] * thing.size
    free = [place for place in slots if not state[place]]
    for place, taken in zip(free[: len(moved)], moved, strict=True):
        found[place] = taken
    return system.canonical(tuple(found))


def _may_be_kept(made: Pool, state: State, kept: tuple[int, ...]) -> bool:
    """Whether all that changed is kept."""
    where = made.whole.positions[made.bagged.name]
    return all(state[p] in kept or state[p].whole for p in where if p not in kept)


def made_of(system: System) -> Pool | None:
    """The pool, if there is one."""
    slots = 8
    while True:
        try:
            return pool(system, slots)
        except Full:
            slots *= 2
        except Refused:
            return None


@settings(max_examples=150, deadline=None)
@given(drawn())
def test_the_pool_does_what_the_whole_does(found: Drawn) -> None:
    """Every step, to where it leads up to what is at rest; and who can act can act."""
    made = made_of(system_of(found))
    if made is not None:
        assert not broken_law(made)


@settings(max_examples=150, deadline=None)
@given(drawn())
def test_answers_are_those_of_the_whole(found: Drawn) -> None:
    """Verdicts, and lengths of counterexamples."""
    system = system_of(found)
    properties = properties_of()
    exact = check(system, properties)
    small = by_pooling(system, properties)
    assert [*map(told, small.properties)] == [*map(told, exact.properties)]
    for mine, its in zip(small.properties, exact.properties, strict=True):
        assert its.vacuous == mine.vacuous


# What it rests on


def test_who_looks_at_all_in_a_bag_keeps_a_system_whole() -> None:
    """What a rule sees of others on a node may be what it decides by."""
    system = system_of(PLAIN)
    turn = replace(rule_of(system, "turn"), each="", outcomes=lambda *_: iter(()))
    looking = replace(turn, outcomes=lambda _kind, _whole, things: iter(things[:0]))
    assert pool(with_rule(system, turn)).kept == 0
    with pytest.raises(Refused, match='the rule "turn" looks at all'):
        pool(with_rule(system, looking))


def test_a_tally_of_all_in_a_bag_keeps_a_system_whole() -> None:
    """Only what is counted one by one is the same wherever it is."""
    system = system_of(PLAIN)
    crowds = Tally("crowds", {THINGS: lambda things: (int(len(things) > 1),)}, 1)
    crowded = System(
        cells=system.cells,
        families=system.families,
        tallies=[*system.tallies, crowds],
        bests=system.bests,
        rules=system.rules,
    )
    with pytest.raises(Refused, match='the tally "crowds" looks at all'):
        pool(crowded)


def test_who_goes_by_ranks_has_to_say_so() -> None:
    """In a pool nothing is beside anything, so another may be first."""
    system = system_of(PLAIN)
    bell = Action("ring")
    ring = Rule(
        "ring",
        "ringer",
        ("waiting",),
        lambda _, first: iter([Outcome(bell, {})] * bool(first)),
        ("first",),
    )
    with pytest.raises(Refused, match='"ring" goes by who is first'):
        pool(with_rule(system, ring))


def test_what_changes_members_is_found_out() -> None:
    """A controller that changes what is not in the bag is no faster than the search."""
    system = system_of(PLAIN)
    mark = Action("mark")
    marks = Rule("mark", "marker", (KIND,), lambda kind: iter([Outcome(mark, {KIND: 1 - kind})]))
    with pytest.raises(Escaped, match=r'"mark" changes "boxes\.kind"'):
        pool(with_rule(system, marks))


def test_the_environment_has_to_spend_what_it_is_counted_by() -> None:
    """Otherwise more members might change than are kept."""
    system = system_of(BREAKING)
    free = replace(
        rule_of(system, "break"),
        outcomes=lambda left, _: iter([Outcome(BREAK, {"breaks": left, WHOLE: False})]),
    )
    with pytest.raises(Escaped, match="any number of times"):
        pool(with_rule(system, free))


def test_too_few_slots_are_no_answer() -> None:
    """Nothing is lost where there is no room: the search begins again with more."""
    system = system_of(PLAIN)
    with pytest.raises(Full):
        check(pool(system, 4).system, ())
    with patch.object(parting, "enough_slots", lambda *_: 4):
        found = by_pooling(system, properties_of())
    assert [*map(told, found.properties)] == [*map(told, check(system, properties_of()).properties)]


def notes_of(found: CheckResult) -> list[Reduction]:
    """What is said of smaller systems."""
    return [each for each in found.statistics.reductions if each.name != "certificate"]


def test_what_sees_members_together_is_asked_of_the_whole() -> None:
    """Such a property is searched for in the system, the others in the pool."""
    system = system_of(PLAIN)
    crowded = Always(View((THINGS,)), lambda things: sum(thing.size for thing in things) < 3)
    asked = (*properties_of(), Property(statement("CROWD"), "boxes", crowded))
    found = by_pooling(system, asked)
    assert [*map(told, found.properties)] == [*map(told, check(system, asked).properties)]
    assert found.properties[-1].verdict is Verdict.VIOLATED
    used, refused = notes_of(found)
    assert used.used
    assert not refused.used
    assert refused.why.startswith("CROWD ")


def test_it_can_be_switched_off_and_is_named() -> None:
    """The whole system is the reference."""
    system = system_of(PLAIN)
    exact = check(system, properties_of())
    off = reduced(check, system, properties_of(), UNLIMITED, lambda _: None, ("all",), small=0)
    assert off.statistics.states == exact.statistics.states
    assert not off.statistics.reductions
    (used,) = notes_of(by_pooling(system, properties_of()))
    assert used.used
    assert used.name == "pooling"


def test_a_small_system_is_searched_as_it_is() -> None:
    """A pool of a few states gains nothing; whoever sets a lower limit means it."""
    system = system_of(PLAIN)
    exact = check(system, properties_of())
    found = reduced(check, system, properties_of(), UNLIMITED, lambda _: None)
    assert found.statistics.states == exact.statistics.states
    few = reduced(check, system, properties_of(), Limits(max_states=3), lambda _: None, small=5)
    assert few.statistics.stopped_by == "max-states"


def test_what_only_a_pool_comes_to_gives_a_property_nothing_to_say() -> None:
    """Of the system it is vacuous: who is beside whom keeps it from ever coming true."""
    boxes = (Box(0, things=bag(1, 1)), Box(1, things=bag(1)), Box(0))
    system = system_of(
        PLAIN._replace(boxes=boxes, waiting=0, turns={(1, True, 2): 0}, chooses={1: 2})
    )
    early = Always(
        View(reads=("colours",)), lambda c: True if c[0] == 1 and c[1] == len("ab") else None
    )
    asked = (*properties_of(), Property(statement("EARLY"), "boxes", early))
    assert not check(pool(system).system, asked[-1:]).properties[0].vacuous
    found, exact = by_pooling(system, asked), check(system, asked)
    assert exact.properties[-1].vacuous
    assert [(*told(each), each.vacuous) for each in found.properties] == [
        (*told(each), each.vacuous) for each in exact.properties
    ]


# Mutants


def mutant(name: str) -> tuple[Any, str, Any]:
    """A pooling that forgets something."""
    return {
        "who goes first by what is beside it": (pooling, "kept_rule", lambda _, rule: rule),
        "members that are kept do not count": (
            pooling,
            "pooled_tally",
            lambda bagged, tally, **_: pooled_parts.pooled_tally(bagged, tally, kept=False),
        ),
        AT_REST: (
            pooling,
            "_adding",
            lambda bagged, rule, _: ADDING(bagged, rule, ()),
        ),
        "what is pooled is one kind": (
            pooled_parts,
            "_members",
            lambda bagged, rule, pooled, slot: MEMBERS(bagged, rule, pooled[:1], slot),
        ),
    }[name]


AT_REST = "members are at rest while they may break"
MEMBERS, ADDING = pooled_parts._members, pooling._adding


@pytest.mark.parametrize(
    "name",
    [
        "who goes first by what is beside it",
        "members that are kept do not count",
        AT_REST,
        "what is pooled is one kind",
    ],
)
def test_what_is_forgotten_breaks_the_law(name: str) -> None:
    """A pooling that forgets one thing that it rests on is found out by the law."""
    boxes = (Box(0, things=bag(1, 1)), Box(1, things=bag(1)), Box(1), Box(0, things=bag(1)))
    asked = BREAKING._replace(boxes=boxes, accepts=frozenset({(0, False), (1, True)}))
    if name == AT_REST:
        asked = asked._replace(by_hand=True, breaks=2)
    made = made_of(system_of(asked))
    assert made is not None
    assert not broken_law(made)
    place, attribute, changed = mutant(name)
    with patch.object(place, attribute, changed):
        wrong = made_of(system_of(asked))
        assert wrong is not None
        assert broken_law(wrong)


# Deployments


def deployment(replicas: int, strategy: str = "") -> str:
    """A Deployment that has room everywhere."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  {strategy}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: web, resources: {{requests: {{cpu: 100m}}}}}}]
"""


ROOM = ("count=3,cpu=64,memory=64Gi",)
STRATEGIES = {
    "rolling": "",
    "recreate": "strategy: {type: Recreate}",
    "no surge": "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
    "slow": "minReadySeconds: 5",
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_deployments_have_the_same_answers(strategy: str) -> None:
    """The usual questions, with all that can be promised."""
    for replicas, properties in ((1, ("all",)), (2, ())):
        text = deployment(replicas, STRATEGIES[strategy])
        question = api.Question(paths=(api.STDIN,), stdin=text, nodes=ROOM, properties=properties)
        for case in api.ask(question).cases:
            system = case.scenario.system
            exact = check(system, case.properties)
            small = by_pooling(system, case.properties)
            assert [*map(told, small.properties)] == [*map(told, exact.properties)]
            vacuous = [each.vacuous for each in exact.properties]
            assert [each.vacuous for each in small.properties] == vacuous
            assert small.statistics.reductions[0].used


def test_a_story_of_the_pool_alone_is_searched_for_in_the_system() -> None:
    """Where most co-located pods go first, both pods meet on one node later than without."""
    events = ("rollout=web", "node-crash=1")
    question = api.Question(
        paths=(api.STDIN,),
        stdin=deployment(2),
        events=events,
        nodes=("count=4,cpu=64,memory=64Gi",),
    )
    (case,) = api.ask(question).cases
    asked = tuple(prop for prop in case.properties if prop.id in {"DRAIN-2", "DEP-4"})
    system = case.scenario.system
    found = reduced(compiled.check, system, asked, UNLIMITED, lambda _: None)
    exact = compiled.check(system, asked)
    assert [*map(told, found.properties)] == [*map(told, exact.properties)]
    assert found.statistics.exhaustive
    assert [each.used for each in notes_of(found)] == [True, False]


@given(st.lists(st.integers(0, 3), max_size=5))
def test_bags_come_apart_and_together(colours: list[int]) -> None:
    """Whatever is taken out can be put back."""
    things = bag(*colours)
    assert sum(thing.size for thing in things) == len(colours)
    for one in ones(things):
        assert joined(without(things, one), one) == things
    for first, second in combinations(ones(things), 2):
        assert joined(first, second) == joined(second, first)
