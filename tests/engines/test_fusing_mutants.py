"""Fusion where something is urgent; and none of its conditions is idle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from test_fusing import (
    AGAIN,
    DONE,
    GO,
    LEFT,
    agreed,
    asked,
    is_fused,
    looking,
    working,
)

from kubelemma.model.system import Outcome, Rule, System, View
from kubelemma.properties.formula import Always, Converges, EachStep, Formula, NeverStuck
from kubelemma.solver.result import Verdict


def pressing(_: int, armed: int, more: int) -> Iterator[Outcome]:
    """What is urgent, and minds nobody."""
    if armed:
        yield Outcome(GO, {"more 0": 0, "more 1": more})


def hurried(press: Callable[[int, int, int], Iterator[Outcome]], *, least: int = 1) -> System:
    """Work that is left to somebody, who is overtaken by what is urgent as soon as it is left."""

    def send(left: int, open_: int, armed: int) -> Iterator[Outcome]:
        if left > least and not open_ and not armed:
            yield Outcome(GO, {"left": left - 1, "open": 1, "more 0": 1})

    seen = ("open", "more 0", "more 1")
    base = working(cells=2, done=Rule("work", "worker", ("open",), settling))
    return System(
        cells=base.cells,
        rules=[
            Rule("send", "sender", ("left", "open", "more 0"), send),
            *base.rules[1:],
            Rule("press", "presser", seen, press, task="press", urgent=True),
        ],
    )


def settling(open_: int) -> Iterator[Outcome]:
    """Work that is done has another number than none."""
    if open_ == 1:
        yield Outcome(DONE, {"open": 2})


def test_what_is_urgent_only_after_a_mover_is_not_taken_for_real() -> None:
    """What is urgent comes before the mover in the system, and never sees what it makes."""

    def press(open_: int, armed: int, more: int) -> Iterator[Outcome]:
        if armed:
            yield Outcome(GO, {"more 0": 0, "more 1": more})
            if open_ != 1:
                yield Outcome(GO, {"more 0": 0, "more 1": 1})

    formula = Always(View(("more 1",)), lambda more: True if more else None)
    found = agreed(hurried(press), asked(formula))
    assert found.properties[0].vacuous


@pytest.mark.parametrize("kind", [Converges, NeverStuck])
def test_a_goal_is_left_where_the_system_comes_by(kind: Callable[..., Formula]) -> None:
    """Where something is urgent, nobody comes to what a mover would make of it before."""
    goal_ = kind(View(("open", "more 0")), lambda open_, armed: not (open_ == LEFT and armed))
    found = agreed(hurried(pressing), asked(goal_))
    assert is_fused(found)
    assert found.properties[0].vacuous


# Without what it rests on answers are others


FUSING = "kubelemma.solver.reductions.fusing"
SEARCH = "kubelemma.solver.reductions.fused_search"
MUTANTS: dict[str, tuple[str, Callable[..., Any], System, Formula]] = {
    "states are shown what movers change": (
        f"{FUSING}._looked_at",
        lambda *_: frozenset(),
        working(),
        Always(View(("open",)), lambda n: n < 1),
    ),
    "tallies are shown what movers change": (
        f"{FUSING}._read",
        lambda *_: frozenset(),
        working(),
        Always(View(reads=("opened",)), lambda n: n[0] < 1),
    ),
    "movers' own steps are asked about": (
        f"{FUSING}._asked_about",
        lambda *_: frozenset(),
        working(),
        EachStep(View(("clock",)), lambda *_: False, frozenset({DONE})),
    ),
    "nobody is asked who may come in between": (
        "kubelemma.solver.reductions.movers.Movers._ask",
        lambda *_: None,
        working(Rule("count", "counter", ("more 0",), looking, ("opened",)), cells=1),
        Always(View(("more 0",)), lambda more: more < 1),
    ),
    "a goal is answered though runs are endless": (
        f"{SEARCH}._is_open",
        lambda _how, _fused, _number, found, **_: found.verdict is Verdict.VIOLATED,
        working(AGAIN, cells=1),
        Converges(View(("open",)), lambda n: not n),
    ),
    "a goal is left only where nobody comes by": (
        f"{SEARCH}._is_left",
        lambda *_: True,
        hurried(pressing),
        Converges(View(("open", "more 0")), lambda n, armed: not (n == LEFT and armed)),
    ),
}
"""What is asked before something is fused, left out; and whom that would deceive."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_what_it_rests_on_answers_are_others(mutant: str) -> None:
    """Each condition of fusion is one that an answer depends on."""
    name, left_out, system, formula = MUTANTS[mutant]
    agreed(system, asked(formula))
    with patch(name, left_out), pytest.raises(AssertionError):
        agreed(system, asked(formula))
