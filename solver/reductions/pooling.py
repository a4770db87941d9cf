"""Pooling: members of a family that nothing tells apart are one, with all that they have.

What members hold besides a bag stays as it is, but for as many of them as the environment may
change; which these are, is chosen at the start, in every way. Of all others only what is in their
bags matters, and since functions are shown one thing of a bag at a time, or none, it does not
matter in whose: things are in *slots*, each with the member that it is like. A rule that adds to a
bag fills a slot, one that takes a thing away leaves it empty.

Each step of the system is one of the pool, and leads to what the pool makes of where that step
leads; and a task that can act can act in the pool as well. A member that is kept may come to be
like one that is pooled, and the environment unable to change it any more: then it makes no
difference whether a thing is on it or in a slot, and what is added goes to slots (`_adding`). This
is left out where others than the environment change members, too: these are rarely empty when they
come to be like others again, so that it saves little, and nobody who makes them so could be fused,
as it would matter to whoever adds things.

The reverse is not so where what is beside a thing decides who goes first (``Rule.ranks``): in slots
nothing is beside anything. So what holds of the pool holds of the system; a violation has to be
found again in the system.

What this rests on is asked whenever a function is asked something new: who is shown the whole of a
bag must answer without looking at it, nothing may change what members hold besides their bags, and
whatever the environment does to members is counted. `Escaped` says that it is not so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from kubelemma.model.bags import ones, size_of
from kubelemma.model.system import (
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    State,
    System,
    Tally,
    View,
    names_of,
)

from .bagged import Bagged, Escaped, Full, Refused, bagged_of, members_of
from .pooled_parts import kept_rule, pooled_best, pooled_rule, pooled_tally

TAKEN = "slots that are taken"
"""Tally: how many things there are in slots."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A system that is pooled.

    ``origin`` has the rule of the system for each rule of the pool, by their names; ``kept`` says
    how many members are as they were.
    """

    whole: System
    system: System
    bagged: Bagged
    kept: int
    slots: int
    origin: Mapping[str, str]

    @property
    def may_do_more(self) -> bool:
        """Whether there are runs of it that are none of the system."""
        return any(rule.ranks == self.bagged.bag for rule in self.whole.rules)

    def images(self, state: State) -> Iterator[tuple[tuple[int, ...], State]]:
        """A state of the whole system in the pool, for each choice of positions that are kept."""
        where = self.whole.positions[self.bagged.name]
        seen: set[tuple[Any, ...]] = set()
        for kept in combinations(where, self.kept):
            alike = tuple(sorted(state[p] for p in kept))
            if alike not in seen:
                seen.add(alike)
                yield kept, self.image(state, kept)

    def image(self, state: State, kept: Sequence[int]) -> State:
        """A state of the whole system in the pool, where these positions are kept; canonical."""
        return self.system.canonical(_image(self.whole, self.bagged, state, kept, self.slots))


def pool(system: System, slots: int = 0) -> Pool:
    """The system with its nodes, or whatever has a bag, as one, with so many slots.

    Raises:
        Refused: the system cannot be pooled.
    """
    bagged = bagged_of(system)
    _check_ranks(system, bagged)
    kept = _touched(system, bagged)
    size = len(system.positions[bagged.name])
    if kept + 2 > size:
        raise Refused(f"of {size} members {kept} may change: there is nothing to pool")
    slots = slots or enough_slots(system, bagged)
    rules = tuple(_rules(system, bagged, kept))
    images = [
        _image(system, bagged, state, chosen, slots)
        for state in system.starts
        for chosen in combinations(system.positions[bagged.name], kept)
    ]
    return Pool(
        system,
        _system(system, bagged, kept, rules, images),
        bagged,
        kept,
        slots,
        {rule.name: origin for rule, origin in rules},
    )


def ranked(system: System, bagged: Bagged) -> frozenset[str]:
    """The bests that what is beside a thing may decide: in a pool they are others."""
    return frozenset(
        best.name
        for best in system.bests
        if any(bagged.bag in names_of(named) for named in best.scores)
    )


def _check_ranks(system: System, bagged: Bagged) -> None:
    """Only rules that say so may go by who is first."""
    first = ranked(system, bagged)
    readers = (
        *(rule.name for rule in system.rules if rule.ranks != bagged.bag and first & {*rule.reads}),
        *(each.name for each in system.summaries if first & {*each.reads}),
    )
    if readers:
        raise Refused(f'"{readers[0]}" goes by who is first')


def enough_slots(system: System, bagged: Bagged) -> int:
    """A number of slots that will often do."""
    most = max(
        sum(size_of(bagged.content(member)) for member in members_of(system, bagged, start))
        for start in system.starts
    )
    return 2 * most + 2


def _touched(system: System, bagged: Bagged) -> int:
    """How many members the environment may change in other columns than the bag."""
    places = [p for name in _counted(system, bagged) for p in system.positions[name]]
    most: int = max(sum(start[p] for p in places) for start in system.starts)
    return most


def _counted(system: System, bagged: Bagged) -> tuple[str, ...]:
    """The cells that say how often the environment may still change members."""
    spent = {
        budget
        for rule in system.rules
        if _changes(bagged, rule)
        for budget in _budgets(system, rule)
    }
    return tuple(sorted(spent))


def _changes(bagged: Bagged, rule: Rule) -> bool:
    """Whether it is one of the environment that may change members in other columns."""
    return rule.environment and _writes_rest(bagged, rule)


def _writes_rest(bagged: Bagged, rule: Rule) -> bool:
    return any(name in bagged.rest for name in rule.writable)


def _budgets(system: System, rule: Rule) -> tuple[str, ...]:
    """The cells of integers that a rule may write: it has to spend one of them."""
    names = {cell.name for cell in system.cells if cell.holds is int}
    return tuple(name for name in rule.writable if name in names)


def _rules(system: System, bagged: Bagged, kept: int) -> Iterator[tuple[Rule, str]]:
    """All rules of the pool, each with the name of the rule that it stems from."""
    counted = _counted(system, bagged)
    settled = not any(_writes_rest(bagged, rule) and not rule.environment for rule in system.rules)
    for rule in system.rules:
        if bagged.name in rule.cells:
            raise Refused(f'the rule "{rule.name}" looks at whole members')
        budgets = _budgets(system, rule) if kept and _changes(bagged, rule) else ()
        held = _holding(rule, counted, budgets) if {*counted} & {*rule.writable} else rule
        if not bagged.own(rule.cells):
            yield held, rule.name
            continue
        if kept:
            once = _adding(bagged, held, counted) if settled and rule.onto == bagged.bag else held
            yield kept_rule(bagged, once), rule.name
        if not budgets:
            yield pooled_rule(bagged, held), rule.name


def _adding(bagged: Bagged, rule: Rule, counted: Sequence[str]) -> Rule:
    """A rule that adds to the bag of a member that is kept, unless it may as well fill a slot.

    Once the environment changes members no more, one that is kept is like all that are pooled and
    hold the same besides their bags: whoever sees a thing in its bag does the same as with one in a
    slot. So what is added there is added to a slot, which the same rule does.
    """
    more = tuple(n for n in (*counted, bagged.pooled, *bagged.rest) if n not in rule.cells)
    cells = (*rule.cells, *more)

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        found, shown = dict(zip(cells, seen, strict=False)), seen[: len(rule.cells)]
        if not any(found[name] for name in counted):
            rest = tuple(found[name] for name in bagged.rest)
            like = (tuple(bagged.seen(m, n) for n in bagged.rest) for m in found[bagged.pooled])
            if rest in like:
                return
        yield from rule.outcomes(*shown, *seen[len(cells) :])

    return replace(rule, cells=cells, writes=rule.writable, outcomes=outcomes)


def _holding(rule: Rule, counted: Sequence[str], spends: Sequence[str]) -> Rule:
    """A rule that is held to give nothing back of what is counted, and to spend one of some."""

    def outcomes(*seen: Any) -> Iterator[Outcome]:
        left = dict(zip(rule.cells, seen, strict=False))
        for outcome in rule.outcomes(*seen):
            after = {name: outcome.writes.get(name, left[name]) for name in counted if name in left}
            if any(not 0 <= now <= left[name] for name, now in after.items()):
                raise Escaped(f'"{rule.name}" may act more often than is counted')
            if spends and not any(after[name] < left[name] for name in spends):
                raise Escaped(f'"{rule.name}" may act any number of times')
            yield outcome

    return replace(rule, outcomes=outcomes)


def _image(system: System, bagged: Bagged, state: State, kept: Sequence[int], slots: int) -> State:
    """A state in the pool, with these positions kept; not sorted.

    Raises:
        Full: there are more things than slots.
    """
    where = system.positions[bagged.name]
    pooled = [state[p] for p in where if p not in kept]
    taken = [
        (bagged.holding(member, one),)
        for member in pooled
        for thing, one in zip(bagged.content(member), ones(bagged.content(member)), strict=True)
        for _ in range(thing.size)
    ]
    if len(taken) > slots:
        raise Full
    empty = [()] * (slots - len(taken))
    others = [p for p in range(len(system.cells), len(state)) if p not in where]
    return (
        *state[: len(system.cells)],
        tuple(sorted(bagged.holding(member, ()) for member in pooled)),
        *(state[p] for p in others),
        *(state[p] for p in kept),
        *sorted([*taken, *empty]),
    )


def _system(
    system: System,
    bagged: Bagged,
    kept: int,
    rules: Iterable[tuple[Rule, str]],
    images: Sequence[State],
) -> System:
    """All of it together."""
    for bound in system.bounds:
        if bagged.name in bound.view.cells or bagged.own(bound.view.cells):
            raise Refused(f'the bound "{bound.name}" looks at members')
    first, cells = images[0], len(system.cells)
    several: Any = tuple.__class_getitem__((bagged.holds, ...))
    held = Cell(bagged.pooled, first[cells], several)
    families = [family for family in system.families if family.name != bagged.name]
    at = cells + 1 + sum(len(family.initial) for family in families)
    own = Family(bagged.name, first[at : at + kept], bagged.holds)
    slots = Family(bagged.slots, first[at + kept :], several)
    taken = Tally(TAKEN, {bagged.slots: lambda slot: (len(slot),)}, 1, lambda total: total[0])
    return System(
        cells=[*system.cells, held],
        families=[*families, *([own] if kept else []), slots],
        tallies=[*(pooled_tally(bagged, each, kept=kept > 0) for each in system.tallies), taken],
        bests=[pooled_best(bagged, each, kept=kept > 0) for each in system.bests],
        rules=[rule for rule, _ in rules],
        bounds=[*system.bounds, _room(len(slots.initial))],
        others=images[1:],
    )


def _room(slots: int) -> Bound:
    """No state is left that may lack a slot."""

    def within(taken: int) -> bool:
        if taken >= slots:
            raise Full
        return True

    return Bound("a slot is free", View(reads=(TAKEN,)), within)
