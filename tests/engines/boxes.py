"""Boxes with things of several colours, for tests of pooling: what is drawn, and what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

from hypothesis import strategies as st
from things import Thing, Things, bag, statement

from kubelemma.model.bags import joined, without
from kubelemma.model.system import (
    Action,
    Best,
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
from kubelemma.solver.limits import UNLIMITED
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.result import CheckResult

# Boxes with things of several colours


class Box(NamedTuple):
    """A box with things."""

    kind: int
    whole: bool = True
    things: Things = ()


COLOURS = 3
KIND, WHOLE, THINGS = "boxes.kind", "boxes.whole", "boxes.things"
PLACE, TURN, CHOOSE, BREAK, MEND = map(Action, ("place", "turn", "choose", "break", "mend"))


class Drawn(NamedTuple):
    """What is drawn: the boxes, how many things wait, and what may become of them where."""

    boxes: tuple[Box, ...]
    waiting: int
    breaks: int
    accepts: frozenset[tuple[int, bool]]
    turns: dict[tuple[int, bool, int], int]
    """To which colour a thing turns; gone where that is none."""
    chooses: dict[int, int]
    colour: int
    by_hand: bool = False
    """Whether it is the environment that mends boxes, and spends of the same budget."""


def turned(colour: int) -> Things:
    """A thing of a colour, or none."""
    return bag(colour) if colour < COLOURS else ()


def rank(found: Drawn, things: Things) -> Iterator[tuple[int, Thing]]:
    """Who may be chosen, with a rank that grows with all that is beside it."""
    beside = sum(thing.size for thing in things)
    for thing in things:
        if thing.colour in found.chooses:
            yield 100 * thing.colour + beside, thing


def place(
    found: Drawn,
    waiting: int,
    kind: int,
    whole: bool,  # noqa: FBT001 - a column's value
    things: Things,
) -> Iterator[Outcome]:
    """A thing that waits comes into a box."""
    assert not things
    if waiting and (kind, whole) in found.accepts:
        yield Outcome(PLACE, {"waiting": waiting - 1, THINGS: bag(found.colour)})


def turn(
    found: Drawn,
    kind: int,
    whole: bool,  # noqa: FBT001 - a column's value
    things: Things,
) -> Iterator[Outcome]:
    """A thing turns into another one, or goes."""
    (thing,) = things
    after = found.turns.get((kind, whole, thing.colour))
    if after is not None:
        yield Outcome(TURN, {THINGS: turned(after)})


def choose(found: Drawn, things: Things, first: int | None) -> Iterator[Outcome]:
    """Whoever ranks first turns into another one, or goes."""
    for ranked, thing in rank(found, things):
        if ranked == first:
            rest = without(things, (Thing(thing.colour, 1),))
            yield Outcome(CHOOSE, {THINGS: joined(rest, turned(found.chooses[thing.colour]))})


def count(things: Things) -> tuple[int, ...]:
    """Things by colour."""
    return tuple(sum(t.size for t in things if t.colour == c) for c in range(COLOURS))


def broken(left: int, whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """A box breaks."""
    if left and whole:
        yield Outcome(BREAK, {"breaks": left - 1, WHOLE: False})


def mended(whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """It is whole again."""
    if not whole:
        yield Outcome(MEND, {WHOLE: True})


def mended_by_hand(left: int, whole: bool) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
    """It is whole again, which is all that the environment still does."""
    if left and not whole:
        yield Outcome(MEND, {"breaks": left - 1, WHOLE: True})


def system_of(found: Drawn) -> System:
    """Things are placed, turn into others, are chosen, and boxes break."""
    seen = (KIND, WHOLE, THINGS)
    mend = Rule("mend", "mender", (WHOLE,), mended)
    if found.by_hand:
        mend = Rule("mend", "mender", ("breaks", WHOLE), mended_by_hand, environment=True)
    return System(
        cells=[Cell("waiting", found.waiting, int), Cell("breaks", found.breaks, int)],
        families=[Family("boxes", found.boxes, Box)],
        tallies=[
            Tally("colours", {THINGS: count}, COLOURS, each=THINGS),
            Tally("broken", {WHOLE: lambda whole: (int(not whole),)}, 1),
        ],
        bests=[
            Best("first", {THINGS: lambda t: max((r for r, _ in rank(found, t)), default=None)})
        ],
        rules=[
            Rule(
                "place",
                "placer",
                ("waiting", *seen),
                partial(place, found),
                onto=THINGS,
                writes=("waiting", THINGS),
            ),
            Rule("turn", "turner", seen, partial(turn, found), writes=(THINGS,), each=THINGS),
            Rule("choose", "chooser", (THINGS,), partial(choose, found), ("first",), ranks=THINGS),
            Rule("break", "fault", ("breaks", WHOLE), broken, environment=True),
            mend,
        ],
    )


def properties_of() -> tuple[Property, ...]:
    """What is asked of colours: of each formula one."""
    reads = View(reads=("colours",))
    formulas: dict[str, Formula] = {
        "ALWAYS": Always(reads, lambda c: c[2] < 2 if sum(c) > 1 else None),
        "STEP": EachStep(reads, lambda b, _, a: a[0][1] <= b[0][1], frozenset({TURN, CHOOSE})),
        "STUCK": NeverStuck(View(("waiting",), ("colours",)), lambda w, c: not w and not c[1]),
        "ENDS": Converges(View(("waiting", WHOLE), ("colours",)), lambda w, up, _: up and not w),
        "LEADS": LeadsTo(reads, lambda c: c[2] > 0, lambda c: c[0] > 0),
    }
    return tuple(Property(statement(name), "boxes", formula) for name, formula in formulas.items())


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Some boxes with things."""
    kinds = st.integers(0, 1)
    colours = st.integers(0, COLOURS - 1)
    by_hand = draw(st.booleans())
    things = st.lists(colours, max_size=1 if by_hand else 2).map(lambda found: bag(*found))
    whole = st.just(True) if by_hand else st.booleans()
    box = st.builds(Box, kinds, whole, things)
    boxes = draw(st.lists(box, min_size=2, max_size=3 + by_hand))
    places = list(product((0, 1), (True, False)))
    spots = [(*place, colour) for place in places for colour in range(COLOURS)]
    after = st.integers(0, COLOURS)
    return Drawn(
        tuple(boxes),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 1)) * (1 + by_hand),
        draw(st.frozensets(st.sampled_from(places))),
        draw(st.dictionaries(st.sampled_from(spots), after, max_size=5)),
        draw(st.dictionaries(colours, after, max_size=2)),
        draw(colours),
        by_hand,
    )


def by_pooling(system: System, properties: tuple[Property, ...]) -> CheckResult:
    """The answers by way of a pool, however small the system."""
    return reduced(check, system, properties, UNLIMITED, lambda _: None, small=0)


ALL_PLACES = frozenset(product((0, 1), (True, False)))
PLAIN = Drawn(
    boxes=(Box(0, things=bag(0)), Box(0), Box(0, things=bag(0, 1))),
    waiting=1,
    breaks=0,
    accepts=ALL_PLACES,
    turns={(0, True, 0): 1, (0, False, 0): COLOURS},
    chooses={1: 2},
    colour=0,
)
BREAKING = PLAIN._replace(breaks=1)


def with_rule(system: System, *rules: Rule) -> System:
    """The system with other rules in place of those of the same name, or beside them."""
    names = {rule.name for rule in rules}
    return System(
        cells=system.cells,
        families=system.families,
        tallies=system.tallies,
        bests=system.bests,
        rules=[*(rule for rule in system.rules if rule.name not in names), *rules],
    )


def rule_of(system: System, name: str) -> Rule:
    """One of its rules."""
    return next(rule for rule in system.rules if rule.name == name)
