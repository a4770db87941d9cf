"""The vocabulary of models: its semantics, and every mistake that it refuses."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import replace
from itertools import permutations
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.errors import ModelError
from kubelemma.model.system import (
    Action,
    Best,
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)

A, B = Cell("a", 0), Cell("b", 0)
NODES = Family("nodes", (2, 1))


def idle(*_: object) -> tuple[()]:
    """No outcome, ever."""
    return ()


def one(*_: object) -> tuple[int]:
    """A measure that counts."""
    return (1,)


def total(name: str = "t", **parts: Any) -> Tally:
    """A tally of one number over the cell a, unless something else is said."""
    return Tally(**{"name": name, "measures": {"a": one}, "width": 1, **parts})


def best(name: str = "m", **parts: Any) -> Best:
    """A best over the cell a, unless something else is said."""
    return Best(**{"name": name, "scores": {"a": int}, **parts})


def writing(value: Any, to: str = "a") -> Rule:
    """A rule over the cell a that writes something somewhere."""
    return Rule("r", "x", ("a",), lambda *_: [Outcome(Action("act"), {to: value})])


def loading(*_: object) -> Iterator[Outcome]:
    """An outcome that writes a column."""
    yield Outcome(Action("load"), {"machines.load": 1})


def arguing(*names: str) -> Rule:
    """A rule whose action declares only the argument ``pod``."""
    act, arguments = Action("act", "pod"), tuple((name, 1) for name in names)
    return Rule("r", "x", ("a",), lambda _: [Outcome(act, {}, arguments)])


class Machine(NamedTuple):
    """A member with columns."""

    up: bool
    load: int = 0


MACHINES = Family("machines", (Machine(up=True), Machine(up=False, load=2)), Machine)

MISTAKES: list[tuple[str, dict[str, list[Any]], str]] = [
    ("a cell twice", {"cells": [A, A]}, 'two cells or families are called "a"'),
    (
        "a family like a cell",
        {"cells": [A], "families": [Family("a", ())]},
        'two cells or families are called "a"',
    ),
    (
        "a tally twice",
        {"cells": [A], "tallies": [total(), total()]},
        '"t" is declared twice as tally or best',
    ),
    (
        "a best like a tally",
        {"cells": [A], "tallies": [total()], "bests": [best("t")]},
        '"t" is declared twice as tally or best',
    ),
    (
        "a rule twice",
        {"cells": [A], "rules": [Rule("r", "x", (), idle), Rule("r", "y", (), idle)]},
        '"r" is declared twice as rule',
    ),
    (
        "a bound twice",
        {"cells": [A], "bounds": [Bound("b", View(), bool), Bound("b", View(), bool)]},
        '"b" is declared twice as bound',
    ),
    (
        "a measure of nothing",
        {"cells": [A], "tallies": [total(measures={"b": one})]},
        'tally "t" measures the cell "b", which is not declared',
    ),
    (
        "a tally that reads nothing",
        {"cells": [A], "tallies": [total(reads=("u",))]},
        'tally "t" reads "u", which is no tally or best',
    ),
    (
        "a score of nothing",
        {"cells": [A], "bests": [best(scores={"b": int})]},
        'best "m" scores the cell "b", which is not declared',
    ),
    (
        "a best that reads nothing",
        {"cells": [A], "bests": [best(reads=("u",))]},
        'best "m" reads "u", which is no tally or best',
    ),
    (
        "a circle",
        {"cells": [A], "tallies": [total(reads=("m",)), total("u")], "bests": [best(reads=("t",))]},
        'tallies and bests read each other in a circle: "t", "m"',
    ),
    (
        "a tally that reads itself",
        {"cells": [A], "tallies": [total(reads=("t",))]},
        'tallies and bests read each other in a circle: "t"',
    ),
    (
        "a rule over nothing",
        {"cells": [A], "rules": [Rule("r", "x", ("b",), idle)]},
        'rule "r" uses the cell "b", which is not declared',
    ),
    (
        "a rule over a cell twice",
        {"cells": [A], "rules": [Rule("r", "x", ("a", "a"), idle)]},
        '"a" is declared twice as cell of rule "r"',
    ),
    (
        "a rule that reads nothing",
        {"cells": [A], "rules": [Rule("r", "x", ("a",), idle, ("a",))]},
        'rule "r" reads "a", which is no tally or best',
    ),
    (
        "a bound over nothing",
        {"cells": [A], "bounds": [Bound("most", View(("b",)), bool)]},
        'bound "most" uses the cell "b", which is not declared',
    ),
    (
        "a bound that reads nothing",
        {"cells": [A], "bounds": [Bound("most", View((), ("t",)), bool)]},
        'bound "most" reads "t", which is no tally or best',
    ),
    (
        "a cell with a list",
        {"cells": [Cell("a", [])]},
        """"a" starts with [], which is not hashable: unhashable type: 'list'""",
    ),
    (
        "a member with a list",
        {"families": [Family("nodes", ((1,), ([],)))]},
        """"nodes" starts with ([],), which is not hashable: unhashable type: 'list'""",
    ),
    (
        "members of two kinds",
        {"families": [Family("nodes", (1, "x"))]},
        'the members of the family "nodes" cannot be ordered: ',
    ),
    (
        "a measure of another length",
        {"cells": [A], "tallies": [total(width=2)]},
        'tally "t": the measure of "a" gives 1 numbers for 0, the tally has 2',
    ),
    (
        "a sum reduced to a list",
        {"cells": [A], "tallies": [total(reduce=list)]},
        """tally "t" reduces (1,) to [1], which is not hashable: unhashable type: 'list'""",
    ),
    (
        "a write beyond the rule's cells",
        {"cells": [A, B], "rules": [writing(1, to="b")]},
        'rule "r" writes "b" in "act", but declares only "a"',
    ),
    (
        "a list written",
        {"cells": [A], "rules": [writing([])]},
        """rule "r" writes [] to "a", which is not hashable: unhashable type: 'list'""",
    ),
    (
        "a cell like a column",
        {"cells": [Cell("machines.up", 0)], "families": [MACHINES]},
        '"machines.up" is a cell or family, and a column',
    ),
    (
        "a column of nothing",
        {"families": [MACHINES], "rules": [Rule("r", "x", ("machines.down",), idle)]},
        'rule "r" uses the cell "machines.down", which is not declared',
    ),
    (
        "a family and its column",
        {"families": [MACHINES], "rules": [Rule("r", "x", ("machines", "machines.up"), idle)]},
        'rule "r" uses "machines", and its column "machines.up"',
    ),
    (
        "a measure of two places",
        {
            "cells": [A],
            "families": [MACHINES],
            "tallies": [total(measures={("a", "machines.up"): one})],
        },
        'tally "t" measures "a", "machines.up" together, which are not of one',
    ),
    (
        "a write to another column",
        {"families": [MACHINES], "rules": [Rule("r", "x", ("machines.up",), loading)]},
        'rule "r" writes "machines.load" in "load", but declares only "machines.up"',
    ),
    (
        "a write to what is only seen",
        {"cells": [A, B], "rules": [replace(writing(1), cells=("a", "b"), writes=("b",))]},
        'rule "r" writes "a" in "act", but declares only "b"',
    ),
    (
        "a write of a rule that writes nothing",
        {"cells": [A], "rules": [replace(writing(1), writes=())]},
        'rule "r" writes "a" in "act", but declares only to write nothing',
    ),
    (
        "a write to what is not seen",
        {"cells": [A, B], "rules": [replace(writing(1), writes=("b",))]},
        'rule "r" is to write "b", which it does not see',
    ),
    (
        "a value of another type",
        {"cells": [Cell("a", (1, "x"), tuple[int, ...])]},
        """"a" holds (1, 'x'): [1] is 'x', where int is declared""",
    ),
    (
        "a member of another type",
        {"families": [Family("machines", (Machine(up=True, load=True), Machine(1)), Machine)]},  # type: ignore[arg-type]
        '"machines" holds Machine(up=1, load=0): up is 1, where bool is declared',
    ),
    (
        "an argument beyond the action's",
        {"cells": [A], "rules": [arguing("pod", "node")]},
        'rule "r" gives "act" an argument "node", which the action does not declare',
    ),
]


@pytest.mark.parametrize(
    ("parts", "message"),
    [pytest.param(parts, message, id=name) for name, parts, message in MISTAKES],
)
def test_mistake_is_refused(parts: dict[str, list[Any]], message: str) -> None:
    """A system that contradicts itself is refused at once, and the message names the culprit."""
    with pytest.raises(ModelError, match=f"^{re.escape(message)}"):
        System(**parts)


def test_action_is_its_name() -> None:
    """Whoever compares, prints, copies or stores an action has the text of its name."""
    action = Action("create-pod", "class")
    assert action == "create-pod"
    assert {action: 1}["create-pod"] == 1
    assert f"{action} {action!r}" == "create-pod 'create-pod'"
    for copied in (copy(action), deepcopy(action), pickle.loads(pickle.dumps(action))):  # noqa: S301
        assert (copied, copied.arguments) == ("create-pod", ("class",))


def test_mistake_that_only_a_later_state_shows() -> None:
    """What depends on values is checked in every state that is met."""

    def outcomes(at: int) -> Iterator[Outcome]:
        if at == 0:
            yield Outcome(Action("on"), {"a": 1})
        else:
            yield Outcome(Action("wrong"), {"a": []})

    system = System(cells=[A], rules=[Rule("r", "x", ("a",), outcomes)])
    (step,) = system.successors(system.initial)
    with pytest.raises(ModelError, match=r'rule "r" writes \[\] to "a"'):
        list(system.successors(step.state))


def test_view_of_a_property_is_checked() -> None:
    """Whoever asks is named."""
    system = System(cells=[A])
    with pytest.raises(ModelError, match='property "P" uses the cell "b", which is not decl'):
        system.check_view(View(("b",)), 'property "P"')


def test_initial_state_is_canonical() -> None:
    """Cells come first, then the members of each family, sorted; positions say where."""
    system = System(cells=[A, B], families=[NODES, Family("zones", ("z",))])
    assert system.initial == (0, 0, 1, 2, "z")
    assert dict(system.positions) == {
        "a": range(1),
        "b": range(1, 2),
        "nodes": range(2, 4),
        "zones": range(4, 5),
    }


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_canonical_is_one_for_all_orders(members: list[int]) -> None:
    """All orders of the members have one canonical form, which is one of them."""
    system = System(cells=[A], families=[Family("nodes", tuple(members))])
    states = {(0, *order) for order in permutations(members)}
    (canonical,) = {system.canonical(state) for state in states}
    assert canonical in states
    assert system.canonical(canonical) == canonical == system.initial


def test_successors_are_in_order_and_keep_positions() -> None:
    """Rules as declared, members by position, outcomes as given; the result is not sorted."""

    def step(node: int, a: int) -> Iterator[Outcome]:
        yield Outcome(Action("both"), {"nodes": node + 5, "a": a + 1})
        yield Outcome(Action("none"), {})

    system = System(
        cells=[A],
        families=[NODES],
        rules=[Rule("first", "x", ("nodes", "a"), step), Rule("second", "y", (), idle)],
    )
    found = [
        (t.rule.name, t.positions, t.outcome.action, t.state) for t in system.successors((0, 1, 2))
    ]
    assert found == [
        ("first", (1, 0), "both", (1, 6, 2)),
        ("first", (1, 0), "none", (0, 1, 2)),
        ("first", (2, 0), "both", (1, 1, 7)),
        ("first", (2, 0), "none", (0, 1, 2)),
    ]


def test_summary_adds_up_and_reads_in_order() -> None:
    """Tallies and bests may read each other whatever the order of their declaration."""
    system = System(
        cells=[A],
        families=[NODES],
        tallies=[
            total("beyond", measures={"nodes": lambda n, m: (max(n - m, 0),)}, reads=("least",)),
            total("both", measures={"a": one, "nodes": lambda n: (n,)}, reduce=lambda t: t[0] * 10),
        ],
        bests=[
            best("least", scores={"nodes": lambda n, m: None if n == m else n}, reads=("most",)),
            best("most", scores={"nodes": int, "a": int}),
            best("none", scores={"nodes": lambda _: None}),
        ],
    )
    assert [summary.name for summary in system.summaries] == [
        "both",
        "most",
        "least",
        "beyond",
        "none",
    ]
    assert system.summary(system.initial) == {
        "beyond": (1,),
        "both": 40,
        "least": 1,
        "most": 2,
        "none": None,
    }


def test_family_without_members() -> None:
    """Nothing to sum up is zero, nothing to compare is None, nobody to act does nothing."""
    system = System(
        families=[Family("nodes", ())],
        tallies=[total(measures={"nodes": one})],
        bests=[best(scores={"nodes": int})],
        rules=[Rule("r", "x", ("nodes",), lambda _: [Outcome(Action("act"), {})])],
    )
    assert system.summary(()) == {"t": (0,), "m": None}
    assert list(system.successors(())) == []


def test_columns_are_those_of_one_member() -> None:
    """A rule sees the columns that it names of one member after another, and writes only these."""

    def work(left: int, up: bool, load: int) -> Iterator[Outcome]:  # noqa: FBT001
        if up:
            yield Outcome(Action("work"), {"machines.load": load + left, "a": 0})

    cells = ("a", "machines.up", "machines.load")
    system = System(cells=[Cell("a", 5)], families=[MACHINES], rules=[Rule("r", "x", cells, work)])
    down, up = Machine(up=False, load=2), Machine(up=True)
    assert system.initial == (5, down, up)
    (step,) = system.successors(system.initial)
    assert (step.positions, step.state) == ((0, 2), (0, down, Machine(up=True, load=5)))


def test_columns_in_views_tallies_and_bests() -> None:
    """Whoever may name a family may name columns; a tally adds all of its parts."""
    system = System(
        families=[MACHINES],
        tallies=[
            total("loads", measures={"machines.load": lambda load: (load,)}),
            total(
                "loads of those that are down, and ten for each",
                measures={
                    ("machines.load", "machines.up"): lambda load, up: (0 if up else load,),
                    "machines.up": lambda _: (10,),
                },
            ),
        ],
        bests=[best("least", scores={("machines.up", "machines.load"): lambda _, load: -load})],
    )
    assert list(system.summary(system.initial).values()) == [(2,), (22,), 0]
    view = View(("machines.load", "machines.up"), ("least",))
    assert list(system.look(view, system.initial)) == [(2, False, 0), (0, True, 0)]


def test_look_and_bounds() -> None:
    """A view shows one choice of members at a time; a bound must hold of all."""
    system = System(
        cells=[A],
        families=[NODES],
        tallies=[total()],
        bounds=[Bound("small", View(("nodes", "a"), ("t",)), lambda node, a, _: node + a < 4)],
    )
    view = View(("nodes", "a"), ("t",))
    assert list(system.look(view, (1, 2, 3))) == [(2, 1, (1,)), (3, 1, (1,))]
    assert system.within_bounds((0, 2, 3))
    assert not system.within_bounds((1, 2, 3))
