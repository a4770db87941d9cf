"""What reductions rest on is asked in all that is searched; who breaks it keeps a system whole."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from things import Things, bag, statement, told

from kubelemma.model.system import (
    Action,
    Cell,
    Family,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import Always, EachStep, Formula
from kubelemma.properties.statement import Property
from kubelemma.solver.explore import check
from kubelemma.solver.limits import UNLIMITED
from kubelemma.solver.reductions import pooled_parts, pooled_properties
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import CheckResult


class Box(NamedTuple):
    """A box, open or not, with things."""

    open: bool
    things: Things


GO, OPEN, THINGS = "go", "boxes.open", "boxes.things"
ACT = Action("act")
COUNTED = Tally(
    "things",
    {THINGS: lambda things: (sum(thing.size for thing in things),)},
    1,
    lambda total: total[0],
    each=THINGS,
)
FULL = Box(open=True, things=bag(1, 2))


def start(go: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a cell's value
    """Somebody lets the others act."""
    if not go:
        yield Outcome(ACT, {GO: True})


def shut(go: bool, is_open: bool) -> Iterator[Outcome]:  # noqa: FBT001 - values
    """A box is shut."""
    if go and is_open:
        yield Outcome(ACT, {OPEN: False})


def lose(is_open: bool, things: Things) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """What is in a box that is shut is lost, one by one."""
    if not is_open and things:
        yield Outcome(ACT, {THINGS: ()})


def clear(go: bool, things: Things) -> Iterator[Outcome]:  # noqa: FBT001 - a cell's value
    """A box is emptied if anything is in it."""
    if go and things:
        yield Outcome(ACT, {THINGS: ()})


def wipe(go: bool, _: Things) -> Iterator[Outcome]:  # noqa: FBT001 - a cell's value
    """A box is emptied, whatever is in it."""
    if go:
        yield Outcome(ACT, {THINGS: (), GO: False})


def take(go: bool, things: Things) -> Iterator[Outcome]:  # noqa: FBT001 - a cell's value
    """A thing is taken."""
    if go and things:
        yield Outcome(ACT, {THINGS: (), GO: False})


STARTS = Rule("start", "starter", (GO,), start)
SHUTS = Rule("shut", "shutter", (GO, OPEN), shut, writes=(OPEN,))
LOSES = Rule("lose", "loser", (OPEN, THINGS), lose, writes=(THINGS,), each=THINGS)
CLEARS = Rule("clear", "clearer", (GO, THINGS), clear, writes=(THINGS,))
WIPES = Rule("wipe", "wiper", (GO, THINGS), wipe)
TAKES = Rule("take", "taker", (GO, THINGS), take, each=THINGS)


def system_of(*rules: Rule, tallies: tuple[Tally, ...] = (COUNTED,)) -> System:
    """Three boxes, and who acts."""
    return System(
        cells=[Cell(GO, False, bool)],
        families=[Family("boxes", (FULL,) * 3, Box)],
        tallies=tallies,
        rules=rules,
    )


def weighed(things: Things, weight: int) -> tuple[int]:
    """Things by a weight that another tally knows."""
    return (weight * sum(thing.size for thing in things),)


WEIGHT = Tally("weight", {GO: lambda go: (int(go),)}, 1, lambda total: total[0])
WEIGHED = Tally("weighed", {THINGS: weighed}, 1, lambda total: total[0], ("weight",), THINGS)
COUNT = View(reads=("things",))

ESCAPES: dict[str, tuple[System, Formula, str]] = {
    "a rule changes members, and nothing that is looked at": (
        system_of(STARTS, SHUTS, LOSES),
        Always(COUNT, lambda count: count > 0),
        '"shut" changes "boxes.open" of one of them',
    ),
    "a rule looks at a whole bag, and writes to it": (
        system_of(STARTS, CLEARS),
        Always(COUNT, lambda count: count > 0),
        'the rule "clear" looks at all that is on one of them',
    ),
    "a rule empties a bag without a look": (
        system_of(STARTS, WIPES),
        Always(COUNT, lambda count: count == len(FULL.things) * 3),
        '"wipe" changes all that is on one of them',
    ),
    "a property compares what is before and after": (
        system_of(STARTS, TAKES),
        EachStep(View((OPEN, THINGS)), lambda then, _, now: then == now, frozenset({ACT})),
        "all that is asked looks at what is beside each other",
    ),
}


def by_reductions(system: System, asked: tuple[Property, ...]) -> CheckResult:
    """The answers by way of smaller systems, however small this one is."""
    return reduced(check, system, asked, UNLIMITED, lambda _: None, small=0)


def asking(formula: Formula) -> tuple[Property, ...]:
    """One property."""
    return (Property(statement("ASKED"), "boxes", formula),)


@pytest.mark.parametrize("name", ESCAPES)
def test_who_breaks_what_it_rests_on_is_found_out(name: str) -> None:
    """Be it not asked about: the system is searched as it is."""
    system, formula, why = ESCAPES[name]
    found, exact = by_reductions(system, asking(formula)), check(system, asking(formula))
    assert [*map(told, found.properties)] == [*map(told, exact.properties)]
    assert exact.properties[0].trace is not None
    (refused,) = found.statistics.reductions
    assert not refused.used
    assert refused.why == why


def test_a_tally_that_reads_another_is_split_with_it() -> None:
    """It is asked of the things of others without being told what it reads."""
    system = system_of(STARTS, tallies=(WEIGHT, WEIGHED))
    asked = asking(Always(View(reads=("weighed",)), lambda weight: weight == 0))
    found, exact = by_reductions(system, asked), check(system, asked)
    assert [*map(told, found.properties)] == [*map(told, exact.properties)]
    assert found.statistics.reductions[0].used


def test_that_a_bag_is_one_may_be_known() -> None:
    """Whatever is in it."""
    seen: list[bool] = []

    def holds(things: Any, go: bool) -> bool:  # noqa: FBT001 - a cell's value
        seen.append(isinstance(things, tuple) and things is not None)
        return not go

    asked = asking(Always(View((THINGS, GO)), holds))
    assert [*map(told, by_reductions(system_of(STARTS), asked).properties)] == [
        *map(told, check(system_of(STARTS), asked).properties)
    ]
    assert all(seen)


def _one_veil(pool: Any, formula: EachStep, who: str) -> EachStep:
    view, shown = pooled_properties._shown(pool, formula.view, who)

    def holds(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        pairs = zip(shown(before), shown(after), strict=True)
        return all(formula.holds(then, action, now) is not False for then, now in pairs)

    return EachStep(view, holds, formula.actions)


def _nothing(*_: Any, **__: Any) -> tuple[str, ...]:
    return ()


MUTANTS = {
    "a rule changes members, and nothing that is looked at": (
        pooled_parts,
        "_would_change",
        _nothing,
    ),
    "a rule looks at a whole bag, and writes to it": (pooled_parts, "_would_change", _nothing),
    "a property compares what is before and after": (pooled_properties, "_of_steps", _one_veil),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_forgotten_gives_wrong_answers(name: str) -> None:
    """So each of these is needed."""
    place, attribute, changed = MUTANTS[name]
    system, formula, _ = ESCAPES[name]
    answers = partial(by_reductions, system, asking(formula))
    assert answers().properties[0].trace is not None
    with patch.object(place, attribute, changed):
        assert answers().properties[0].trace is None
