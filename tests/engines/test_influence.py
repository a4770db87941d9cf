"""What influences properties, and what the answers of rules depend on."""

from __future__ import annotations

from collections.abc import Iterator

from things import statement

from kubelemma.model.system import Action, Cell, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Always
from kubelemma.properties.statement import Property
from kubelemma.solver.influence import influence
from kubelemma.solver.result import Influenced, Used

GO = Action("go")


def count(here: int, there: int) -> Iterator[Outcome]:
    """It looks at two cells, and goes by one."""
    if here < 2 and there is not None:
        yield Outcome(GO, {"here": here + 1})


def follow(there: int, counted: int) -> Iterator[Outcome]:
    """It goes by what a tally has counted."""
    if there < counted:
        yield Outcome(GO, {"there": there + 1})


def alone(apart: int) -> Iterator[Outcome]:
    """It has to do with nobody."""
    yield Outcome(GO, {"apart": 1 - apart})


SYSTEM = System(
    cells=[Cell(name, 0, int) for name in ("here", "there", "apart")],
    tallies=[Tally("counted", {"here": lambda here: (here,)}, 1, lambda total: total[0])],
    rules=[
        Rule("count", "counter", ("here", "there"), count, writes=("here",)),
        Rule("follow", "follower", ("there",), follow, ("counted",)),
        Rule("alone", "loner", ("apart",), alone),
    ],
)
ASKED = [
    Property(statement("BOTH"), "all", Always(View(("there",), ("counted",)), lambda *_: True)),
    Property(statement("APART"), "all", Always(View(("apart",)), lambda _: True)),
]


def test_what_is_declared_costs_no_question() -> None:
    """Who may write what a property looks at, or what such a rule sees, can influence it."""
    found = influence(SYSTEM, ASKED)
    assert found.properties == (
        Influenced("BOTH", "all", ("there", "counted"), ("alone",)),
        Influenced("APART", "all", ("apart",), ("count", "follow")),
    )
    assert found.rules == (
        Used("count", ("here", "there"), ("here",)),
        Used("follow", ("there", "counted"), ("there",)),
        Used("alone", ("apart",), ("apart",)),
    )
    assert found.states == 0


def test_what_makes_a_difference_is_asked_in_some_states() -> None:
    """A rule is shown more than it goes by; in fewer states less is known."""
    found = influence(SYSTEM, ASKED, 100)
    assert [each.depended_on for each in found.rules] == [
        ("here",),
        ("counted", "there"),
        ("apart",),
    ]
    assert found.states == 12
    assert influence(SYSTEM, ASKED, 1).rules[1].depended_on == ()
    assert influence(SYSTEM, ASKED, 100) == found
