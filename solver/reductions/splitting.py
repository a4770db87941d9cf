"""Splitting a pool: things that have nothing to do with each other are in slots of their own.

Things are told apart by one of their fields, such as the class of pods. Values of it are one *part*
if things turn from one into the other, or if somebody looks at both. Each part has its own slots,
and each rule and tally is about one part. Who is about which is learned: to begin with nobody is
about anything, and a search that shows otherwise says so (`Concerned`) and begins again.

It is asked of every thing that comes up: a rule that is not about its part has to do nothing, and a
best not to score it, without a look at anything else; a tally that is not about it adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.system import (
    Best,
    Bound,
    Family,
    Named,
    Outcome,
    Rule,
    State,
    System,
    Tally,
    View,
)

from .bagged import Full, Looked, Refused, Veil
from .pooling import TAKEN, Pool

Value: TypeAlias = Hashable
Part: TypeAlias = frozenset[Any]


class Learned(NamedTuple):
    """Which values turn into one another, as pairs, and who is about which value."""

    turned: frozenset[frozenset[Value]] = frozenset()
    about: frozenset[tuple[str, Value]] = frozenset()

    def with_more(self, other: Learned) -> Learned:
        """What is known with what another one knows."""
        return Learned(self.turned | other.turned, self.about | other.about)

    def parts(self, values: Iterable[Value]) -> tuple[Part, ...]:
        """The parts of these values, and of all that is known, sorted."""
        together: dict[str, set[Value]] = {}
        for name, value in self.about:
            together.setdefault(name, set()).add(value)
        groups = [*map(frozenset, together.values()), *self.turned]
        found: list[Part] = [frozenset({value}) for value in values]
        for group in groups:
            apart = [part for part in found if not part & group]
            found = [*apart, group.union(*(part for part in found if part & group))]
        return tuple(sorted(found, key=lambda part: sorted(map(repr, part))))


class Concerned(Exception):
    """Somebody is about a value after all, or one turned into another: what is to be learned."""

    def __init__(self, learned: Learned) -> None:
        super().__init__()
        self.learned = learned


@dataclass(frozen=True, slots=True)
class Split:
    """A pool whose things are in slots by parts; as a system that stands for the whole one."""

    pool: Pool
    system: System
    field: str
    parts: tuple[Part, ...]

    @property
    def whole(self) -> System:
        """The system that was pooled."""
        return self.pool.whole

    @property
    def origin(self) -> Mapping[str, str]:
        """The rules are called as in the pool."""
        return self.pool.origin

    def images(self, state: State) -> Iterator[tuple[tuple[int, ...], State]]:
        """The pool's, split."""
        for kept, image in self.pool.images(state):
            yield kept, self._split(image)

    def image(self, state: State, kept: tuple[int, ...]) -> State:
        """The pool's, split; canonical."""
        return self._split(self.pool.image(state, kept))

    def _split(self, state: State) -> State:
        return self.system.canonical(_split_state(self.pool, self.field, self.parts, state))


def watch_name(part: int) -> str:
    """The tally that sees all things that come up in a part."""
    return f"things of part {part + 1}"


def split(pool: Pool, field: str, learned: Learned) -> Split:
    """The pool with its slots by parts, as far as they are known.

    Raises:
        Refused: all things are one part, or some members are kept.
    """
    if pool.kept:
        raise Refused("what is on members that are kept is not told apart")
    parts = learned.parts(_values(pool, field))
    if len(parts) < 2:  # noqa: PLR2004 - nothing to tell apart
        raise Refused("all things have to do with each other")
    return Split(pool, _Splitting(pool, field, parts, learned).system(), field, parts)


def fields_of(pool: Pool) -> tuple[str, ...]:
    """The fields of things by which they may be told apart, those with most values first."""
    things = [thing for slot in _all_slots(pool) for thing in _things(pool, slot)]
    names = things[0]._fields if things else ()
    several = [(name, {getattr(thing, name) for thing in things}) for name in names]
    found = sorted((-len(values), name) for name, values in several if len(values) > 1)
    return tuple(name for _, name in found if name != "size")


def _all_slots(pool: Pool) -> Iterator[Any]:
    where = pool.system.positions[pool.bagged.slots]
    return (slot for start in pool.system.starts for slot in start[where.start : where.stop])


def _things(pool: Pool, slot: tuple[Any, ...]) -> Iterator[Any]:
    for member in slot:
        yield from pool.bagged.content(member)


def _values(pool: Pool, field: str) -> tuple[Value, ...]:
    things = (thing for slot in _all_slots(pool) for thing in _things(pool, slot))
    return tuple(sorted({getattr(thing, field) for thing in things}))


def _split_state(pool: Pool, field: str, parts: tuple[Part, ...], state: State) -> State:
    """The slots of each part, each followed by empty ones."""
    where = pool.system.positions[pool.bagged.slots]
    found: list[Any] = [*state[: where.start], *state[where.stop :]]
    size = len(where)
    for part in parts:
        own = [
            slot
            for slot in state[where.start : where.stop]
            if any(getattr(thing, field) in part for thing in _things(pool, slot))
        ]
        found += [*own, *([()] * (size - len(own)))]
    return tuple(found)


class _Splitting:
    """The making of a split system."""

    def __init__(self, pool: Pool, field: str, parts: tuple[Part, ...], learned: Learned) -> None:
        self._pool, self._field, self._parts = pool, field, parts
        self._slots = pool.bagged.slots
        self._about: dict[str, int] = {}
        for name, value in learned.about:
            self._about[name] = next(i for i, part in enumerate(parts) if value in part)
        for rule in pool.system.rules:
            if self._slots in rule.cells and rule.name not in self._about:
                self._about[rule.name] = self._by_neighbours(rule)

    def _by_neighbours(self, rule: Rule) -> int:
        """The part that others are about who look at the same cells; else the first."""
        cells = set(rule.cells) - {self._slots, self._pool.bagged.pooled}
        for other in self._pool.system.rules:
            if other.name in self._about and cells & set(other.cells):
                return self._about[other.name]
        return 0

    def system(self) -> System:
        """All of it."""
        whole = self._pool.system
        starts = [
            _split_state(self._pool, self._field, self._parts, start) for start in whole.starts
        ]
        at = len(starts[0]) - len(self._parts) * self._pool.slots
        families = [family for family in whole.families if family.name != self._slots]
        slots = []
        for number, _ in enumerate(self._parts):
            first = at + number * self._pool.slots
            holds = next(f.holds for f in whole.families if f.name == self._slots)
            initial = starts[0][first : first + self._pool.slots]
            slots.append(Family(self._name(number), initial, holds))
        tallies = (self._tally(t) for t in whole.tallies if t.name != TAKEN)
        bounds = [bound for bound in whole.bounds if TAKEN not in bound.view.reads]
        numbers = range(len(self._parts))
        return System(
            cells=whole.cells,
            families=[*families, *slots],
            tallies=[*tallies, *map(self._watch, numbers), *map(self._taken, numbers)],
            bests=[self._best(best) for best in whole.bests],
            rules=[self._rule(rule) for rule in whole.rules],
            bounds=[*bounds, *map(self._room, numbers)],
            others=starts[1:],
        )

    def _name(self, part: int) -> str:
        return f"{self._slots}, part {part + 1}"

    def _value(self, slot: tuple[Any, ...]) -> Value:
        (thing,) = _things(self._pool, slot)
        value: Value = getattr(thing, self._field)
        return value

    # Rules

    def _rule(self, rule: Rule) -> Rule:
        if self._slots not in rule.cells:
            return rule
        part = self._about[rule.name]
        names = {self._slots: self._name(part)}
        cells = tuple(names.get(name, name) for name in rule.cells)
        writes = tuple(names.get(name, name) for name in rule.writable)
        return replace(rule, cells=cells, writes=writes, outcomes=partial(self._act, rule, part))

    def _act(self, rule: Rule, part: int, *seen: Any) -> Iterator[Outcome]:
        before = seen[rule.cells.index(self._slots)]
        for outcome in rule.outcomes(*seen):
            if self._slots not in outcome.writes:
                yield outcome
                continue
            writes = dict(outcome.writes)
            after = writes.pop(self._slots)
            self._stays(rule, part, before, after)
            yield outcome._replace(writes={**writes, self._name(part): after})

    def _stays(self, rule: Rule, part: int, before: Any, after: Any) -> None:
        """What is written has to be of the same part."""
        if not after or self._value(after) in self._parts[part]:
            return
        value = self._value(after)
        if before:
            raise Concerned(Learned(turned=frozenset({frozenset({value, self._value(before)})})))
        raise Concerned(Learned(about=frozenset({(rule.name, value)})))

    # Tallies and bests

    def _tally(self, tally: Tally) -> Tally:
        return replace(tally, measures=dict(self._placed(tally.name, tally.measures)))

    def _best(self, best: Best) -> Best:
        return replace(best, scores=dict(self._placed(best.name, best.scores)))

    def _placed(
        self, name: str, functions: Mapping[Named, Callable[..., Any]]
    ) -> Iterator[tuple[Named, Callable[..., Any]]]:
        """The functions, of the slots of the part that they are about; of none if of no part."""
        for named, function in functions.items():
            if named != self._slots:
                yield named, function
            elif name in self._about:
                yield self._name(self._about[name]), function

    # What it rests on

    def _watch(self, part: int) -> Tally:
        """A tally of nothing, which sees each thing that comes up in a part."""
        rules = [
            rule
            for rule in self._pool.system.rules
            if self._slots in rule.cells and self._about[rule.name] != part
        ]
        tallies = [
            (tally, tally.measures[self._slots])
            for tally in self._pool.system.tallies
            if self._slots in tally.measures
            and tally.name != TAKEN
            and self._about.get(tally.name) != part
        ]
        bests = [
            (best, best.scores[self._slots])
            for best in self._pool.system.bests
            if self._slots in best.scores and self._about.get(best.name) != part
        ]

        def watch(slot: tuple[Any, ...]) -> tuple[int]:
            if slot:
                concerned = {rule.name for rule in rules if self._acts(rule, slot)}
                concerned |= {tally.name for tally, count in tallies if _counts(tally, count, slot)}
                concerned |= {best.name for best, score in bests if _scores(best, score, slot)}
                if concerned:
                    value = self._value(slot)
                    raise Concerned(Learned(about=frozenset((n, value) for n in concerned)))
            return (0,)

        return Tally(watch_name(part), {self._name(part): watch}, 1)

    def _acts(self, rule: Rule, slot: tuple[Any, ...]) -> bool:
        """Whether a rule does anything with a thing, or needs to know more to say so."""
        veil = Veil(rule.name)
        shown = {self._slots: slot, self._pool.bagged.pooled: self._pooled()}
        cells = [shown.get(name, veil) for name in rule.cells]
        try:
            return any(True for _ in rule.outcomes(*cells, *(veil for _ in rule.reads)))
        except Looked:
            return True

    def _pooled(self) -> Any:
        where = self._pool.system.positions[self._pool.bagged.pooled]
        return self._pool.system.initial[where.start]

    # Room

    def _taken(self, part: int) -> Tally:
        measures: dict[Named, Callable[..., tuple[int]]] = {
            self._name(part): lambda slot: (len(slot),)
        }
        return Tally(f"{TAKEN} of part {part + 1}", measures, 1, lambda total: total[0])

    def _room(self, part: int) -> Bound:
        def within(taken: int) -> bool:
            if taken >= self._pool.slots:
                raise Full
            return True

        taken = f"{TAKEN} of part {part + 1}"
        return Bound(f"a slot of part {part + 1} is free", View(reads=(taken,)), within)


def _counts(tally: Tally, measure: Callable[..., tuple[int, ...]], slot: tuple[Any, ...]) -> bool:
    """Whether a tally counts a thing, or needs to know more to say so."""
    try:
        return any(measure(slot, *(Veil(tally.name) for _ in tally.reads)))
    except Looked:
        return True


def _scores(best: Best, score: Callable[..., int | None], slot: tuple[Any, ...]) -> bool:
    """Whether a best scores a thing, or needs to know more to say so."""
    try:
        return score(slot, *(Veil(best.name) for _ in best.reads)) is not None
    except Looked:
        return True
