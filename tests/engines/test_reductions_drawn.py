"""Reductions on systems whose rules, tallies and promises are drawn, whatever they look at.

What a rule does follows from a number and from what it looks at, as if it were looked up in a table
of random entries. Many of these systems break what reductions rest on; then they have to say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import pytest
from things import Things, bag, statement, told

from kubelemma.model.system import (
    Action,
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import (
    Always,
    Converges,
    EachStep,
    Formula,
    LeadsTo,
    NeverStuck,
)
from kubelemma.properties.statement import Property
from kubelemma.solver.explore import check
from kubelemma.solver.limits import MAX_STATES, Limits
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import Verdict

SYSTEMS, AT_ONCE = 300, 30
LIMIT = Limits(max_states=2_000)
ACTIONS = tuple(map(Action, ("push", "pull", "turn")))
KIND, OPEN, THINGS = "boxes.kind", "boxes.open", "boxes.things"
ONE, ANY = (bag(0), bag(1), bag(2)), ((), bag(0), bag(1), bag(2), bag(0, 1))


class Box(NamedTuple):
    """A box with things."""

    kind: int
    open: bool
    things: Things


def plain(value: Any) -> Any:
    """All that is in a value, which takes a look at it."""
    return tuple(map(plain, value)) if isinstance(value, tuple) else int(value)


@dataclass(frozen=True)
class Table:
    """Random entries for whatever of what is shown is looked at."""

    seed: float
    looks: tuple[bool, ...]

    def entry(self, seen: tuple[Any, ...], *more: Any) -> int:
        """A number for what is seen."""
        shown = tuple(plain(each) for each, look in zip(seen, self.looks, strict=False) if look)
        return crc32(repr((self.seed, shown, more)).encode())


def table(random: Random, size: int, share: float) -> Table:
    """One that looks at a share of what is shown."""
    return Table(random.random(), tuple(random.random() < share for _ in range(size)))


@dataclass(frozen=True)
class Acting:
    """What a rule does by its table; ``spends`` is what each of its acts takes one of."""

    names: tuple[str, ...]
    writes: tuple[str, ...]
    table: Table
    mode: str
    rare: int
    grows: bool
    spends: str
    action: Action

    def __call__(self, *seen: Any) -> Iterator[Outcome]:
        """At most one outcome."""
        if self.table.entry(seen) % self.rare:
            return
        before = dict(zip(self.names, seen, strict=False))
        writes = {name: self._value(name, seen, before.get(name)) for name in self.writes}
        if self.spends and not before[self.spends]:
            return
        cells = [name for name in writes if name.startswith("cell")]
        if self.mode == "onto" and not any(writes[name] > before[name] for name in cells):
            return  # or there would be ever more
        yield Outcome(self.action, writes)

    def _value(self, name: str, seen: tuple[Any, ...], before: Any) -> Any:
        drawn = self.table.entry(seen, name) // 7
        if name == THINGS:
            choices = {"each": ANY[:4], "onto": ONE}.get(self.mode, ANY)
            return choices[drawn % len(choices)]
        if name == OPEN:
            return bool(drawn % 2)
        if name == KIND:
            return drawn % 2
        if name == self.spends:
            return max(before - 1, 0)
        return max(drawn % 3, before) if self.grows else drawn % 3


def rule(random: Random, number: int, cells: list[str]) -> Rule:
    """A rule about some cells, and perhaps about boxes."""
    of_boxes = ((), (), (OPEN,), (THINGS,), (THINGS,), (THINGS, OPEN), (THINGS, KIND), (OPEN, KIND))
    own = random.sample(cells, random.randint(0, 2))
    names = (*own, *random.choice(of_boxes)) or (cells[0],)
    reads = tuple(random.sample(["ones", "all", "shut"], random.choice([0, 0, 1])))
    mode = random.choice(["each", "each", "onto", "onto", ""]) if THINGS in names else ""
    rest = (OPEN, KIND)
    writes = [n for n in names if random.random() < (0.25 if n in rest else 0.6)] or [names[0]]
    environment = random.random() < 1 / 4
    spends = own[0] if environment and own and random.random() < 3 / 4 else ""
    if spends and spends not in writes:
        writes.append(spends)
    drawn = table(random, len(names) + len(reads), 0.8)
    rare, grows = random.choice([3, 4, 6]), random.random() < 0.6
    act = Acting(names, tuple(writes), drawn, mode, rare, grows, spends, random.choice(ACTIONS))
    return Rule(
        f"rule {number}",
        f"actor {random.choice([0, number, number, number])}",
        names,
        act,
        reads,
        environment,
        writes=tuple(writes),
        each=THINGS if mode == "each" else "",
        onto=THINGS if mode == "onto" else "",
    )


def system(random: Random, cells: list[str]) -> System:
    """Three or four boxes, and who acts."""
    contents = ((), (), bag(0), bag(1), bag(0, 1))
    boxes = (
        Box(random.choice([0, 0, 1]), open=True, things=random.choice(contents))
        for _ in range(random.choice([3, 4]))
    )
    each = THINGS if random.random() < 0.8 else ""
    few = Bound("few", View(reads=("all",)), lambda count: count < 3)
    return System(
        cells=[Cell(name, random.randint(0, 2), int) for name in cells],
        families=[Family("boxes", tuple(boxes), Box)],
        tallies=[
            Tally("ones", {THINGS: ones}, 1, lambda total: min(total[0], 2), each=THINGS),
            Tally("all", {THINGS: everything}, 1, lambda total: min(total[0], 3), each=each),
            Tally("shut", {OPEN: lambda is_open: (int(not is_open),)}, 1, lambda total: total[0]),
        ],
        rules=[rule(random, number, cells) for number in range(random.randint(2, 6))],
        bounds=[few] if random.random() < 0.3 else [],
    )


def ones(things: Things) -> tuple[int]:
    """Things of one colour."""
    return (sum(thing.size for thing in things if thing.colour == 1),)


def everything(things: Things) -> tuple[int]:
    """All things."""
    return (sum(thing.size for thing in things),)


def formula(random: Random, cells: list[str]) -> Formula:
    """A promise about a cell, a tally, or a box."""
    cell, drawn = random.choice(cells), table(random, 4, 0.8)
    of_all = [View((cell,)), View(reads=("ones",)), View(reads=("all",)), View((cell,), ("ones",))]
    of_boxes = [View((OPEN,)), View((OPEN, THINGS)), View((THINGS, cell))]
    often = random.choice([3, 4, 8])
    view = random.choice([*of_all, View(reads=("shut",)), *of_boxes])

    def holds(*seen: Any) -> bool:
        return bool(drawn.entry(seen) % often)

    def always(*seen: Any) -> bool | None:
        return None if drawn.entry(seen, "silent") % 3 == 0 else holds(*seen)

    def step(before: tuple[Any, ...], action: str, after: tuple[Any, ...]) -> bool | None:
        found = drawn.entry(before, action, drawn.entry(after))
        return None if before == after or found % 3 == 0 else bool(found % often)

    return random.choice(
        [
            Always(view, always),
            EachStep(view, step, frozenset(random.sample(ACTIONS, 2))),
            NeverStuck(view, holds),
            Converges(view, holds),
            LeadsTo(random.choice(of_all), lambda *seen: not holds(*seen), holds),
        ]
    )


def differing(seed: int) -> tuple[str, bool]:
    """What the whole says otherwise than a smaller one, and whether there was a smaller one."""
    random = Random(seed)  # noqa: S311 - no secret
    cells = [f"cell {number}" for number in range(random.randint(2, 4))]
    drawn = system(random, cells)
    asked = [
        Property(statement(f"P{number}"), "boxes", formula(random, cells))
        for number in range(random.randint(1, 4))
    ]
    exact = check(drawn, asked, LIMIT)
    if exact.statistics.stopped_by == MAX_STATES:
        return "", False
    small = reduced(check, drawn, asked, LIMIT, lambda _: None, small=0)
    wrong = [
        f"{its} {its.vacuous}, not {mine} {mine.vacuous}"
        for its, mine in zip(exact.properties, small.properties, strict=True)
        if its.verdict is not Verdict.INCONCLUSIVE
        and (*told(its), its.vacuous) != (*told(mine), mine.vacuous)
    ]
    return "; ".join(wrong), any(each.used for each in small.statistics.reductions)


@pytest.mark.parametrize("first", range(0, SYSTEMS, AT_ONCE))
def test_answers_are_those_of_the_whole(first: int) -> None:
    """Verdicts, whether they are vacuous, and the lengths of counterexamples."""
    found = {seed: differing(seed) for seed in range(first, first + AT_ONCE)}
    assert {seed: wrong for seed, (wrong, _) in found.items() if wrong} == {}
    assert sum(used for _, used in found.values()) > AT_ONCE // 5
