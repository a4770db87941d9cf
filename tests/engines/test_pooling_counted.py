"""What the environment may change is counted, and who changes members is asked in every slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest
from boxes import (
    BREAK,
    BREAKING,
    MEND,
    PLAIN,
    WHOLE,
    Box,
    by_pooling,
    properties_of,
    rule_of,
    system_of,
    with_rule,
)
from things import bag, told

from kubelemma.model.system import (
    Action,
    Bound,
    Outcome,
    Rule,
    System,
    View,
)
from kubelemma.solver.explore import check
from kubelemma.solver.reductions import pooled_parts
from kubelemma.solver.reductions.bagged import Escaped
from kubelemma.solver.reductions.pooling import pool


def giving_back(left: int, whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """Whoever mends a box lets another one break."""
    if not whole:
        yield Outcome(MEND, {WHOLE: True, "breaks": left + 1})


def owing(left: int, whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """A box breaks, be there a budget left or not."""
    if whole:
        yield Outcome(BREAK, {"breaks": left - 1, WHOLE: False})


@pytest.mark.parametrize("breaks", [0, 1])
@pytest.mark.parametrize(
    "changed",
    [
        Rule("mend", "mender", ("breaks", WHOLE), giving_back),
        Rule("break", "fault", ("breaks", WHOLE), owing, environment=True),
    ],
    ids=["what is spent comes back", "more is spent than there is"],
)
def test_what_is_counted_has_to_come_to_an_end(changed: Rule, breaks: int) -> None:
    """Otherwise more members might change than are kept: the system is searched as it is."""
    three = (Box(0, things=bag(0)), Box(0), Box(0, whole=False))
    system = with_rule(system_of(PLAIN._replace(breaks=breaks, boxes=three)), changed)
    bounded = System(
        cells=system.cells,
        families=system.families,
        tallies=system.tallies,
        bests=system.bests,
        rules=system.rules,
        bounds=[Bound("few", View(("breaks",)), lambda left: abs(left) < 3)],
    )
    asked = properties_of()
    with pytest.raises(Escaped):
        check(pool(bounded).system, ())
    found, exact = by_pooling(bounded, asked), check(bounded, asked)
    assert [*map(told, found.properties)] == [*map(told, exact.properties)]
    assert found.statistics.states == exact.statistics.states


def test_of_several_starts_the_most_that_may_change_is_kept() -> None:
    """A start may allow what the first one does not."""
    system = system_of(PLAIN)
    breaking = system_of(BREAKING)
    several = System(
        cells=system.cells,
        families=system.families,
        tallies=system.tallies,
        bests=system.bests,
        rules=system.rules,
        others=breaking.starts,
    )
    assert pool(several).kept == 1
    compared = by_pooling(several, properties_of()), check(several, properties_of())
    small, exact = ([*map(told, each.properties)] for each in compared)
    assert small == exact


def test_who_may_change_members_is_asked_with_all_that_sees_them() -> None:
    """A slice without them would not notice that what is pooled changes after all."""
    system = system_of(PLAIN)
    late = Action("wear")

    def wears(waiting: int, whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
        """Boxes wear out as soon as nothing waits."""
        if whole and not waiting:
            yield Outcome(late, {WHOLE: False})

    wearing = Rule("wear", "wearer", ("waiting", WHOLE), wears, writes=(WHOLE,))
    worn = with_rule(system, wearing, replace(rule_of(system, "mend"), outcomes=lambda _: iter(())))
    asked = [prop for prop in properties_of() if prop.id == "STUCK"]
    found, exact = by_pooling(worn, tuple(asked)), check(worn, asked)
    assert [*map(told, found.properties)] == [*map(told, exact.properties)]
    assert not any(each.used for each in found.statistics.reductions)
    with patch.object(pooled_parts, "_would_change", lambda *_, **__: ()):
        assert by_pooling(worn, tuple(asked)).statistics.reductions[0].used
