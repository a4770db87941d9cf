"""What depends on what: toys with known answers, and a law on random systems."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, target
from hypothesis import strategies as st

from kubelemma.model.dependence import (
    Footprint,
    answers_in,
    commuting,
    footprints,
    paths_of,
    summed_by,
    support,
)
from kubelemma.model.system import (
    Action,
    Best,
    Cell,
    Family,
    Outcome,
    Rule,
    State,
    System,
    Tally,
    Transition,
)

sys.path.append(str(Path(__file__).parents[1] / "engines"))

from drawn_systems import Drawn, drawn_systems


class Box(NamedTuple):
    """A member with columns."""

    size: int = 0
    open: bool = False
    things: tuple[int, ...] = ()


BOXES = Family("boxes", (Box(), Box(1)), Box)
ACT = Action("act")


def idle(*_: object) -> tuple[()]:
    """No outcome, ever."""
    return ()


def rule(name: str, *cells: str, **parts: Any) -> Rule:
    """A rule that does nothing."""
    return Rule(name, "x", cells, idle, **parts)


def system(*rules: Rule) -> System:
    """A clock, and boxes that are summed up."""
    return System(
        cells=[Cell("clock", 0, int)],
        families=[BOXES],
        tallies=[Tally("sizes", {"boxes.size": lambda size: (size,)}, 1)],
        bests=[
            Best("fullest", {("boxes.open", "boxes.things"): lambda *_: 0}, reads=("sizes",)),
            Best("latest", {"clock": int}),
        ],
        rules=rules,
    )


def test_what_is_seen_and_written() -> None:
    """A family is all of its columns, and a tally or best all that it depends on."""
    found = system(
        rule("whole", "boxes", "clock"),
        rule("columns", "boxes.size", "boxes.open", writes=("boxes.open",)),
        rule("summed", "clock", reads=("fullest",), writes=()),
    )
    all_boxes = frozenset({"boxes.size", "boxes.open", "boxes.things"})
    assert summed_by(found) == {
        "sizes": {"boxes.size"},
        "fullest": all_boxes,
        "latest": {"clock"},
    }
    assert footprints(found) == {
        "whole": Footprint(all_boxes | {"clock"}, all_boxes | {"clock"}),
        "columns": Footprint(frozenset({"boxes.size", "boxes.open"}), frozenset({"boxes.open"})),
        "summed": Footprint(all_boxes | {"clock"}, frozenset()),
    }


def test_paths_within_what_is_named() -> None:
    """Codecs say what there is below a cell, a family or a column."""
    found = system()
    assert paths_of(found, "clock") == ("clock",)
    assert paths_of(found, "boxes.things") == ("len(boxes.things)", "boxes.things[*]")
    assert paths_of(found, "boxes") == (
        "boxes.size",
        "boxes.open",
        "len(boxes.things)",
        "boxes.things[*]",
    )


def test_who_commutes() -> None:
    """Two that only see the same commute; not so if one may write what the other is told of."""
    found = system(
        rule("open", "boxes.size", "boxes.open", writes=("boxes.open",)),
        rule("fill", "boxes.size", "boxes.things", writes=("boxes.things",)),
        rule("grow", "boxes.size"),
        rule("tick", "clock"),
        rule("watch", "clock", reads=("sizes",), writes=()),
    )
    assert commuting(found) == {
        ("open", "fill"),
        ("open", "tick"),
        ("open", "watch"),
        ("fill", "tick"),
        ("fill", "watch"),
        ("grow", "tick"),
    }


def test_who_wakes_an_urgent_rule_commutes_with_nobody() -> None:
    """Others have to wait for it, so they come after it or not at all."""
    found = system(
        rule("open", "boxes.open"),
        rule("tick", "clock"),
        rule("grow", "boxes.size"),
        rule("close", "boxes.open", task="urgent", urgent=True),
        rule("empty", "boxes.things", task="urgent", urgent=True),
    )
    assert commuting(found) == {("tick", "grow"), ("close", "empty")}


# Support


class Lamp(NamedTuple):
    """What a toy is about."""

    level: int
    colour: int
    others: tuple[int, ...] = ()
    timer: tuple[int, int] | None = None


def lamps() -> list[State]:
    """All small lamps, each with a clock that shows 0 or 1."""
    return [
        (clock, Lamp(*values))
        for clock, *values in product(
            range(2), range(3), range(2), ((), (0,), (1,), (0, 1)), (None, (0, 0), (0, 1), (1, 0))
        )
    ]


def lamp_rule(outcomes: Any) -> tuple[System, Rule]:
    """A rule on a lamp and a clock."""
    act = Rule("act", "x", ("clock", "lamp"), outcomes)
    cells = [Cell("clock", 0, int), Cell("lamp", Lamp(0, 0), Lamp)]
    return System(cells=cells, rules=[act]), act


def dims(_clock: int, lamp: Lamp) -> Iterator[Outcome]:
    """Its level, if there is any, goes down by one."""
    if lamp.level:
        yield Outcome(ACT, {"lamp": lamp._replace(level=lamp.level - 1)})


def goes_out(_clock: int, lamp: Lamp) -> Iterator[Outcome]:
    """It goes out, whatever its level."""
    yield Outcome(ACT, {"lamp": lamp._replace(level=0)})


def follows_others(_clock: int, lamp: Lamp) -> Iterator[Outcome]:
    """It takes the colour of the first of the others, if there is one."""
    if lamp.others:
        yield Outcome(ACT, {"lamp": lamp._replace(colour=lamp.others[0])})


def counts(clock: int, lamp: Lamp) -> Iterator[Outcome]:
    """Something happens if the clock shows so many as there are others."""
    if len(lamp.others) == clock:
        yield Outcome(ACT, {})


def times(_clock: int, lamp: Lamp) -> Iterator[Outcome]:
    """Something happens by the second number of the timer."""
    if lamp.timer is not None and lamp.timer[1]:
        yield Outcome(ACT, {"clock": 1 - _clock})


@pytest.mark.parametrize(
    ("outcomes", "paths"),
    [
        (idle, set()),
        (dims, {"lamp.level"}),
        (goes_out, {"lamp.level"}),
        (follows_others, {"len(lamp.others)", "lamp.others[0]", "lamp.colour"}),
        (counts, {"clock", "len(lamp.others)"}),
        (times, {"clock", "lamp.timer?", "lamp.timer[1]"}),
    ],
)
def test_support(outcomes: Any, paths: set[str]) -> None:
    """Just the paths are found that make a difference to what can be done, or what it changes."""
    found, act = lamp_rule(outcomes)
    table = answers_in(found, act, lamps())
    assert len(table) == len(lamps())
    assert support(found, act, table) == paths


def test_support_grows_with_what_is_known() -> None:
    """Where nothing is known that differs by one path alone, nothing is said."""
    found, act = lamp_rule(dims)
    few = [(0, Lamp(0, 0)), (0, Lamp(1, 1))]
    assert support(found, act, answers_in(found, act, few)) == frozenset()
    more = [*few, (0, Lamp(1, 0))]
    assert support(found, act, answers_in(found, act, more)) == {"lamp.level"}


def test_support_of_what_is_read() -> None:
    """What tallies say is one path, by the name of the tally."""

    def outcomes(size: int, sizes: tuple[int]) -> Iterator[Outcome]:
        if sizes[0] > 1:
            yield Outcome(ACT, {"boxes.size": size})

    act = Rule("act", "x", ("boxes.size",), outcomes, ("sizes",))
    found = system(act)
    states = [(0, Box(one), Box(other)) for one, other in combinations(range(4), 2)]
    assert support(found, act, answers_in(found, act, states)) == {"sizes"}


# The law


def known_states(found: System, most: int) -> list[State]:
    """Some reachable states."""
    states = [found.initial]
    for state in states:
        new = (step.state for step in found.successors(state) if step.state not in states)
        states += dict.fromkeys(new)
        if len(states) >= most:
            break
    return states[:most]


def taken(found: System, state: State, step: Transition) -> list[State]:
    """Where the same step leads from another state, if it is possible there."""
    same = step[:-1]
    return [t.state for t in found.successors(state, step.rule.name) if t[:-1] == same]


@given(drawn=drawn_systems(bounded=False))
def test_commuting_rules_reach_the_same_in_either_order(drawn: Drawn) -> None:
    """If both can act, each can after the other, and it makes no difference who was first."""
    found = drawn.system
    pairs = commuting(found)
    swapped = 0
    for state in known_states(found, 30):
        steps = list(found.successors(state))
        for one, other in combinations(steps, 2):
            if (one.rule.name, other.rule.name) in pairs:
                first = taken(found, one.state, other)
                assert first
                assert first == taken(found, other.state, one)
                swapped += 1
    target(float(swapped))


@given(drawn=drawn_systems(bounded=False), data=st.data())
def test_support_is_declared(drawn: Drawn, data: st.DataObject) -> None:
    """What a rule's answers depend on is among what it names and reads; and it only grows."""
    found = drawn.system
    act = data.draw(st.sampled_from(found.rules))
    states = known_states(found, 40)
    known = [support(found, act, answers_in(found, act, states[:n])) for n in (5, 20, 40)]
    assert known[-1] <= {*act.cells, *act.reads}
    assert all(fewer <= more for fewer, more in pairwise(known))
