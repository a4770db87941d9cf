"""The vocabulary of models, and its plain semantics.

A model is a `System`: *cells* that hold the state, *tallies* and *bests* that sum it up, and
*rules* that change it. Everything in it is a pure function of small immutable values, so that an
engine may call each function once for every combination of arguments and remember the answer.

``System.successors`` is the reference: every engine is held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from typing import Any, NamedTuple, Self, TypeAlias

from .bags import acting_on_each, acting_onto, measuring_each
from .codec import Codec, codec_of, fields_of
from .definition import check_definition, check_named, quoted
from .errors import ModelError

Value: TypeAlias = Hashable
"""What a cell holds. Members of a family must also be ordered among themselves."""

State: TypeAlias = tuple[Any, ...]
"""One value per position: first the cells, then the members of each family, as declared."""

Arguments: TypeAlias = tuple[Any, ...]

SUMMARIES_KEPT = 1024
"""Whoever follows a run asks about the same states again and again: to find, confirm, tell it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A named slot of the state; ``holds`` is the type of its values, as `codec` reads it."""

    name: str
    initial: Value
    holds: Any = object


@dataclass(frozen=True, slots=True)
class Family:
    """Interchangeable slots: the model treats two members that hold equal values alike.

    If ``holds`` is a NamedTuple, its fields are *columns* of the family. Whoever may name a cell or
    family may name a column instead, as ``nodes.pods``, and sees the one field of a member; several
    columns of a family are those of one and the same member.
    """

    name: str
    initial: tuple[Value, ...]
    holds: Any = object

    @property
    def columns(self) -> Mapping[str, Any]:
        """Its columns, as others name them, and what each holds."""
        return {f"{self.name}.{field}": kind for field, kind in fields_of(self.holds).items()}


Named: TypeAlias = str | tuple[str, ...]
"""What a part of a tally or best looks at: a cell, a family, a column, or several columns of one
family."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over cells: its parts say of what they name what every value adds (``width`` integers).

    A measure takes the values named, then what ``reads`` names. ``reduce`` maps the sum to what
    readers see; they see the sum itself where it is absent. Measures that name the bag in ``each``
    are shown one thing in it at a time, and all add up.
    """

    name: str
    measures: Mapping[Named, Callable[..., tuple[int, ...]]]
    width: int
    reduce: Callable[[tuple[int, ...]], Value] | None = None
    reads: tuple[str, ...] = ()
    each: str = ""

    def measure(self, named: Named) -> Callable[..., tuple[int, ...]]:
        """What is added by the values named, bags as a whole."""
        measure, names = self.measures[named], names_of(named)
        if self.each not in names:
            return measure
        return measuring_each(measure, names, self.each, self.width)


@dataclass(frozen=True, slots=True)
class Best:
    """A maximum over cells: the greatest score that any value gets, None where none gets one.

    A score function takes the values named, then what ``reads`` names, and gives an integer, or
    None for what is out of the running.
    """

    name: str
    scores: Mapping[Named, Callable[..., int | None]]
    reads: tuple[str, ...] = ()


class Action(str):
    """What an outcome does: a name that is declared once, with the arguments that it may have.

    It is the text of its name to whoever compares, prints or stores it. ``changes`` says what it
    changes, in the words of those who look at such things alone.
    """

    __slots__ = ("arguments", "changes")
    arguments: tuple[str, ...]
    changes: tuple[str, ...]

    def __new__(cls, name: str, *arguments: str, changes: tuple[str, ...] = ()) -> Self:
        """An action of this name, with the names of its arguments."""
        action = super().__new__(cls, name)
        action.arguments, action.changes = arguments, changes
        return action


class Outcome(NamedTuple):
    """One way a rule may act: what it does, what it writes, to whom, and why."""

    action: Action
    writes: Mapping[str, Any]
    arguments: tuple[tuple[str, Value], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """An atomic step of one actor.

    ``outcomes`` takes the values of ``cells`` (of a family or its columns: of one member; the rule
    is tried on each), then what ``reads`` names, and gives every outcome. It may write only these,
    or only some of them, if ``writes`` names these.

    A rule of the *environment* (users, faults) may act or not; all others act under weak fairness:
    a task that could be worked on from some point on for ever is worked on in the end. All rules of
    an actor are one task, unless ``task`` names a finer one.

    An *urgent* rule goes on with what has begun: while one can act, no other rule may. So several
    steps are one to everybody else, where one actor decides about several members of a family at
    once and a rule sees one of them. Urgent rules must come to an end by themselves. Whoever has to
    wait for them still counts as able to act, so that waiting makes no run fair.

    Of a bag (`bags`) among its cells a rule may be shown a part only. With ``each`` it is shown one
    thing at a time, and writes what becomes of that. With ``onto`` it is shown nothing, and what it
    writes is added. With ``ranks`` it is shown all, since what is beside a thing may decide which
    of several goes first, by a `Best` that it reads; but it can act on something if and only if it
    could on one that is alone, and never on what it would not choose where each is alone.
    """

    name: str
    actor: str
    cells: tuple[str, ...]
    outcomes: Callable[..., Iterable[Outcome]]
    reads: tuple[str, ...] = ()
    environment: bool = False
    task: str = ""
    urgent: bool = False
    writes: tuple[str, ...] | None = None
    each: str = ""
    onto: str = ""
    ranks: str = ""

    @property
    def acts(self) -> Callable[..., Iterable[Outcome]]:
        """What it does where bags are as a whole."""
        if self.each:
            return acting_on_each(self.outcomes, self.cells, self.each)
        return acting_onto(self.outcomes, self.cells, self.onto) if self.onto else self.outcomes

    @property
    def writable(self) -> tuple[str, ...]:
        """What it may write."""
        return self.cells if self.writes is None else self.writes

    @property
    def fairness(self) -> str:
        """The task that fairness is about."""
        return self.task or self.actor


@dataclass(frozen=True, slots=True)
class View:
    """What a predicate sees: cells (one member of each family named) and tallies or bests."""

    cells: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit of the exploration: states outside are reached but not left, and counted."""

    name: str
    view: View
    within: Callable[..., bool]


class Sight(NamedTuple):
    """Where to find what somebody names: in which cells or families, and in which column of each.

    ``places`` are cells and families, each once; ``slots`` has for each name the place, and the
    column there, or None for all of it.
    """

    places: tuple[str, ...]
    slots: tuple[tuple[int, int | None], ...]

    @property
    def whole(self) -> bool:
        """Whether no column is named."""
        return all(column is None for _, column in self.slots)

    def seen(self, values: Arguments) -> Arguments:
        """What is named, given the value at each place."""
        return tuple([values[at] if c is None else values[at][c] for at, c in self.slots])

    def put(self, values: Arguments, slot: int, value: Any) -> Arguments:
        """The values at all places, with that of one name replaced."""
        at, column = self.slots[slot]
        if column is not None:
            member = values[at]
            value = type(member)(*member[:column], value, *member[column + 1 :])
        return (*values[:at], value, *values[at + 1 :])


class Transition(NamedTuple):
    """One step: the rule, the positions in the state that it was tried on, and the result.

    There is a position for each cell or family that the rule names, or of which it names columns.
    """

    rule: Rule
    positions: tuple[int, ...]
    outcome: Outcome
    state: State


class System:
    """Cells, families, tallies, bests, rules and bounds, checked when put together.

    Tallies and bests may read each other, in any order but not in a circle; ``summaries`` has them
    sorted so that each comes after what it reads.

    A run begins in one of ``starts``: the values that cells and families are declared with, which
    are ``initial``, or one of ``others``. Positions mean the same in all of them, so their members
    are not sorted; none is another one up to the order within families.

    Raises:
        ModelError: a name is used twice or not declared, tallies and bests read each other in a
            circle, a value is not hashable or not of the declared type, a measure has another
            length than its tally or looks at several places, members of a family cannot be ordered,
            somebody names a family and a column of it, a rule of the environment is urgent, a rule
            writes a cell that it does not declare, or an action has an argument that it does not
            declare; the message names the culprit. What depends on values is
            checked on the initial states at once, and on every state when it is met.
    """

    def __init__(
        self,
        *,
        cells: Iterable[Cell] = (),
        families: Iterable[Family] = (),
        tallies: Iterable[Tally] = (),
        bests: Iterable[Best] = (),
        rules: Iterable[Rule] = (),
        bounds: Iterable[Bound] = (),
        others: Iterable[State] = (),
    ) -> None:
        self.cells = tuple(cells)
        self.families = tuple(families)
        self.tallies = tuple(tallies)
        self.bests = tuple(bests)
        self.rules = tuple(rules)
        self.urgent = tuple(rule for rule in self.rules if rule.urgent)
        self.bounds = tuple(bounds)
        self.positions = self._lay_out()
        declared = [(c.name, c.holds) for c in self.cells]
        declared += [(f.name, f.holds) for f in self.families]
        declared += [column for family in self.families for column in family.columns.items()]
        self.codecs: Mapping[str, Codec] = {name: codec_of(name, holds) for name, holds in declared}
        self._sights: dict[tuple[str, ...], Sight] = {}
        self.columns = self._all_columns()
        check_definition(self)
        self._acts = {rule.name: rule.acts for rule in self.rules}
        self.summaries = self._in_order()
        self._summary = lru_cache(SUMMARIES_KEPT)(self._summed_up)
        self.initial = self.canonical(self._initial_values())
        self.starts = self._distinct((self.initial, *map(self._checked, others)))
        for state in self.starts:
            for _ in self.successors(state):
                pass
        for bound in self.bounds:
            self.check_view(bound.view, f'bound "{bound.name}"')

    # Semantics

    def successors(self, state: State, rule_name: str | None = None) -> Iterator[Transition]:
        """Every step that some rule may take, in a fixed order; the results are not canonical.

        With ``rule_name`` only those of this rule.
        """
        pressing = any(True for _ in self._steps(state, self.urgent))
        rules = self.urgent if pressing else self.rules
        return self._steps(state, (rule for rule in rules if rule_name in (None, rule.name)))

    def _steps(self, state: State, rules: Iterable[Rule]) -> Iterator[Transition]:
        summary = self.summary(state)
        for rule in rules:
            sight, reads = self.sight(rule.cells), tuple(summary[name] for name in rule.reads)
            acts = self._acts[rule.name]
            for where in product(*(self.positions[name] for name in sight.places)):
                values = tuple(state[p] for p in where)
                for outcome in acts(*sight.seen(values), *reads):
                    after = list(state)
                    for p, value in zip(where, self.written(values, rule, outcome), strict=True):
                        after[p] = value
                    yield Transition(rule, where, outcome, tuple(after))

    def written(self, values: Arguments, rule: Rule, outcome: Outcome) -> Arguments:
        """The values at the places of a rule after an outcome, given those before.

        Raises:
            ModelError: as `check_outcome`.
        """
        self.check_outcome(rule, outcome)
        sight = self.sight(rule.cells)
        for name, value in outcome.writes.items():
            values = sight.put(values, rule.cells.index(name), value)
        return values

    @staticmethod
    def check_outcome(rule: Rule, outcome: Outcome) -> None:
        """Refuse what a rule does not declare.

        Raises:
            ModelError: the rule writes what it does not declare, its action has an argument that
                it does not declare, or a value is not hashable.
        """
        for name, _ in outcome.arguments:
            if name not in outcome.action.arguments:
                raise ModelError(
                    f'rule "{rule.name}" gives "{outcome.action}" an argument "{name}", which the '
                    "action does not declare"
                )
        for name, value in outcome.writes.items():
            if name not in rule.writable:
                raise ModelError(
                    f'rule "{rule.name}" writes "{name}" in "{outcome.action}", but declares only '
                    f"{quoted(rule.writable) or 'to write nothing'}"
                )
            _refuse_unhashable(value, 'rule "{}" writes {!r} to "{}"', rule.name, value, name)

    def canonical(self, state: State) -> State:
        """The one representative of all states that differ by the order within families."""
        members = (_sorted(family, state[self._slice(family.name)]) for family in self.families)
        return (*state[: len(self.cells)], *chain.from_iterable(members))

    def summary(self, state: State) -> Mapping[str, Any]:
        """What every tally and best comes to in this state, by name."""
        return self._summary(state)

    def _summed_up(self, state: State) -> Mapping[str, Any]:
        result: dict[str, Any] = {}
        for summary in self.summaries:
            reads = tuple(result[name] for name in summary.reads)
            if isinstance(summary, Best):
                result[summary.name] = self._greatest(summary, state, reads)
            else:
                result[summary.name] = reduced(summary, self._total(summary, state, reads))
        return result

    def look(self, view: View, state: State) -> Iterator[Arguments]:
        """The arguments of a predicate over this view: one tuple for each choice of members."""
        summary = self.summary(state)
        reads = tuple(summary[name] for name in view.reads)
        for seen in self.look_at(view.cells, state):
            yield (*seen, *reads)

    def look_at(self, names: tuple[str, ...], state: State) -> Iterator[Arguments]:
        """The values of cells, of members of families, or of their columns, for each choice."""
        sight = self.sight(names)
        for where in product(*(self.positions[name] for name in sight.places)):
            yield sight.seen(tuple(state[p] for p in where))

    def within_bounds(self, state: State) -> bool:
        """Whether the state lies within every bound."""
        return all(
            bound.within(*seen) for bound in self.bounds for seen in self.look(bound.view, state)
        )

    def _total(self, tally: Tally, state: State, reads: Arguments) -> tuple[int, ...]:
        total = [0] * tally.width
        for named in tally.measures:
            measure = tally.measure(named)
            for seen in self.look_at(names_of(named), state):
                for i, part in enumerate(measured(tally, named, measure, (*seen, *reads))):
                    total[i] += part
        return tuple(total)

    def _greatest(self, best: Best, state: State, reads: Arguments) -> int | None:
        scores = (
            score(*seen, *reads)
            for named, score in best.scores.items()
            for seen in self.look_at(names_of(named), state)
        )
        return max((s for s in scores if s is not None), default=None)

    def sight(self, names: tuple[str, ...]) -> Sight:
        """Where to find what is named."""
        found = self._sights.get(names)
        if found is None:
            where = [self.columns.get(name, (name, None)) for name in names]
            places = tuple(dict.fromkeys(place for place, _ in where))
            slots = tuple((places.index(place), column) for place, column in where)
            found = self._sights[names] = Sight(places, slots)
        return found

    # Definition-time checks

    def _lay_out(self) -> Mapping[str, range]:
        """The positions of each cell and family, by name."""
        layout: dict[str, range] = {}
        at = 0
        sizes = [(cell.name, 1) for cell in self.cells]
        sizes += [(family.name, len(family.initial)) for family in self.families]
        for name, size in sizes:
            if name in layout:
                raise ModelError(f'two cells or families are called "{name}"')
            layout[name] = range(at, at + size)
            at += size
        return layout

    def _all_columns(self) -> Mapping[str, tuple[str, int]]:
        """The family of each column, and the place of the column in its members."""
        found: dict[str, tuple[str, int]] = {}
        for family in self.families:
            for place, name in enumerate(family.columns):
                if name in self.positions:
                    raise ModelError(f'"{name}" is a cell or family, and a column')
                found[name] = family.name, place
        return found

    def _slice(self, name: str) -> slice:
        where = self.positions[name]
        return slice(where.start, where.stop)

    def _initial_values(self) -> State:
        return self._checked(tuple(value for _, value in self._named_initials()))

    def _checked(self, start: State) -> State:
        for (name, _), value in zip(self._named_initials(), start, strict=True):
            _refuse_unhashable(value, '"{}" starts with {!r}', name, value)
            self.codecs[name].parts(value)
        return start

    def _distinct(self, starts: Iterable[State]) -> tuple[State, ...]:
        found: dict[State, State] = {}
        for start in starts:
            found.setdefault(self.canonical(start), start)
        return tuple(found.values())

    def start_like(self, state: State) -> State:
        """The start that is this state up to the order within families.

        Raises:
            ModelError: there is none.
        """
        wanted = self.canonical(state)
        for start in self.starts:
            if self.canonical(start) == wanted:
                return start
        raise ModelError("no run begins in this state")

    def _named_initials(self) -> list[tuple[str, Value]]:
        named: list[tuple[str, Value]] = [(c.name, c.initial) for c in self.cells]
        return named + [(f.name, v) for f in self.families for v in f.initial]

    def check_view(self, view: View, who: str) -> None:
        """Refuse a view of cells, tallies or bests that do not exist, or of one cell twice.

        Raises:
            ModelError: naming ``who`` and the culprit.
        """
        check_named(self, view.cells, view.reads, who)

    def _in_order(self) -> tuple[Tally | Best, ...]:
        """All tallies and bests, each after what it reads, otherwise as declared."""
        waiting: list[Tally | Best] = [*self.tallies, *self.bests]
        done: list[Tally | Best] = []
        while waiting:
            known = {summary.name for summary in done}
            ready = next((s for s in waiting if known.issuperset(s.reads)), None)
            if ready is None:
                circle = ", ".join(f'"{summary.name}"' for summary in waiting)
                raise ModelError(f"tallies and bests read each other in a circle: {circle}")
            waiting.remove(ready)
            done.append(ready)
        return tuple(done)

    def readable(self) -> list[str]:
        """The names of tallies and bests."""
        return [tally.name for tally in self.tallies] + [best.name for best in self.bests]


def names_of(named: Named) -> tuple[str, ...]:
    """All that a part of a tally or best looks at."""
    return (named,) if isinstance(named, str) else named


def measured(
    tally: Tally, named: Named, measure: Callable[..., tuple[int, ...]], seen: Arguments
) -> tuple[int, ...]:
    """What a part of the tally adds for what it is shown of one cell or member, reads included.

    Raises:
        ModelError: the measure has another length than the tally.
    """
    parts = measure(*seen)
    if len(parts) != tally.width:
        shown = ", ".join(map(repr, seen))
        raise ModelError(
            f'tally "{tally.name}": the measure of {quoted(names_of(named))} gives '
            f"{len(parts)} numbers for {shown}, the tally has {tally.width}"
        )
    return parts


def reduced(tally: Tally, total: tuple[int, ...]) -> Any:
    """What readers of the tally see of its total.

    Raises:
        ModelError: it is not hashable.
    """
    if tally.reduce is None:
        return total
    seen = tally.reduce(total)
    _refuse_unhashable(seen, 'tally "{}" reduces {} to {!r}', tally.name, total, seen)
    return seen


def _sorted(family: Family, members: tuple[Any, ...]) -> list[Any]:
    try:
        return sorted(members)
    except TypeError as error:
        raise ModelError(
            f'the members of the family "{family.name}" cannot be ordered: {error}'
        ) from error


def _refuse_unhashable(value: Any, what: str, *of: Any) -> None:
    """Refuse a value; ``what`` is a format of what it is, ``of`` what is put in."""
    try:
        hash(value)
    except TypeError as error:
        raise ModelError(f"{what.format(*of)}, which is not hashable: {error}") from error
