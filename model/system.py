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
    """A named slot of the state."""

    name: str
    initial: Value


@dataclass(frozen=True, slots=True)
class Family:
    """Interchangeable slots: the model treats two members that hold equal values alike."""

    name: str
    initial: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over cells: of each named cell or family, what every value adds (``width`` integers).

    A measure takes the value, then what ``reads`` names. ``reduce`` maps the sum to what readers
    see; they see the sum itself where it is absent.
    """

    name: str
    measures: Mapping[str, Callable[..., tuple[int, ...]]]
    width: int
    reduce: Callable[[tuple[int, ...]], Value] | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Best:
    """A maximum over cells: the greatest score that any value gets, None where none gets one.

    A score function takes the value, then what ``reads`` names, and gives an integer, or None for
    a value that is out of the running.
    """

    name: str
    scores: Mapping[str, Callable[..., int | None]]
    reads: tuple[str, ...] = ()


class Action(str):
    """What an outcome does: a name that is declared once, with the arguments that it may have.

    It is the text of its name to whoever compares, prints or stores it.
    """

    __slots__ = ("arguments",)
    arguments: tuple[str, ...]

    def __new__(cls, name: str, *arguments: str) -> Self:
        """An action of this name, with the names of its arguments."""
        action = super().__new__(cls, name)
        action.arguments = arguments
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

    ``outcomes`` takes the values of ``cells`` (for a family: of one member; the rule is tried on
    each), then what ``reads`` names, and gives every outcome. It may write only these cells.

    A rule of the *environment* (users, faults) may act or not; all others act under weak fairness:
    a task that could be worked on from some point on for ever is worked on in the end. All rules of
    an actor are one task, unless ``task`` names a finer one.

    An *urgent* rule goes on with what has begun: while one can act, no other rule may. So several
    steps are one to everybody else, where one actor decides about several members of a family at
    once and a rule sees one of them. Urgent rules must come to an end by themselves. Whoever has to
    wait for them still counts as able to act, so that waiting makes no run fair.
    """

    name: str
    actor: str
    cells: tuple[str, ...]
    outcomes: Callable[..., Iterable[Outcome]]
    reads: tuple[str, ...] = ()
    environment: bool = False
    task: str = ""
    urgent: bool = False

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


class Transition(NamedTuple):
    """One step: the rule, the positions in the state that it was tried on, and the result."""

    rule: Rule
    positions: tuple[int, ...]
    outcome: Outcome
    state: State


class System:
    """Cells, families, tallies, bests, rules and bounds, checked when put together.

    Tallies and bests may read each other, in any order but not in a circle; ``summaries`` has them
    sorted so that each comes after what it reads.

    Raises:
        ModelError: a name is used twice or not declared, tallies and bests read each other in a
            circle, a value is not hashable, a measure has another length than its tally, members
            of a family cannot be ordered, a rule of the environment is urgent, a rule writes a cell
            that it does not declare, or an action has an argument that it does not declare; the
            message names the culprit. What depends on values is
            checked on the initial state at once, and on every state when it is met.
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
    ) -> None:
        self.cells = tuple(cells)
        self.families = tuple(families)
        self.tallies = tuple(tallies)
        self.bests = tuple(bests)
        self.rules = tuple(rules)
        self.urgent = tuple(rule for rule in self.rules if rule.urgent)
        self.bounds = tuple(bounds)
        self.positions = self._lay_out()
        self._check_names()
        self.summaries = self._in_order()
        self._summary = lru_cache(SUMMARIES_KEPT)(self._summed_up)
        self.initial = self.canonical(self._initial_values())
        for _ in self.successors(self.initial):
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
            reads = tuple(summary[name] for name in rule.reads)
            for where in product(*(self.positions[name] for name in rule.cells)):
                values = tuple(state[p] for p in where)
                for outcome in rule.outcomes(*values, *reads):
                    yield Transition(rule, where, outcome, written(state, rule, where, outcome))

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
        for where in product(*(self.positions[name] for name in view.cells)):
            yield (*(state[p] for p in where), *reads)

    def within_bounds(self, state: State) -> bool:
        """Whether the state lies within every bound."""
        return all(
            bound.within(*seen) for bound in self.bounds for seen in self.look(bound.view, state)
        )

    def _total(self, tally: Tally, state: State, reads: Arguments) -> tuple[int, ...]:
        total = [0] * tally.width
        for name, measure in tally.measures.items():
            for p in self.positions[name]:
                for i, part in enumerate(measured(tally, name, measure, state[p], reads)):
                    total[i] += part
        return tuple(total)

    def _greatest(self, best: Best, state: State, reads: Arguments) -> int | None:
        scores = (
            score(state[p], *reads)
            for name, score in best.scores.items()
            for p in self.positions[name]
        )
        return max((s for s in scores if s is not None), default=None)

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

    def _slice(self, name: str) -> slice:
        where = self.positions[name]
        return slice(where.start, where.stop)

    def _initial_values(self) -> State:
        for name, value in self._named_initials():
            _refuse_unhashable(value, f'"{name}" starts with {value!r}')
        return tuple(value for _, value in self._named_initials())

    def _named_initials(self) -> list[tuple[str, Value]]:
        named: list[tuple[str, Value]] = [(c.name, c.initial) for c in self.cells]
        return named + [(f.name, v) for f in self.families for v in f.initial]

    def _check_names(self) -> None:
        _refuse_twice("tally or best", self._readable())
        _refuse_twice("rule", [rule.name for rule in self.rules])
        _refuse_twice("bound", [bound.name for bound in self.bounds])
        for tally in self.tallies:
            self._known_cells(f'tally "{tally.name}" measures', tally.measures)
            _known_reads(f'tally "{tally.name}"', tally.reads, set(self._readable()))
        for best in self.bests:
            self._known_cells(f'best "{best.name}" scores', best.scores)
            _known_reads(f'best "{best.name}"', best.reads, set(self._readable()))
        for rule in self.rules:
            self.check_view(View(rule.cells, rule.reads), f'rule "{rule.name}"')
            if rule.urgent and rule.environment:
                raise ModelError(f'rule "{rule.name}" is urgent, but the environment may wait')
        shared = {r.fairness for r in self.urgent} & {
            r.fairness for r in self.rules if not r.urgent
        }
        if shared:
            raise ModelError(f'the task "{min(shared)}" has rules that are urgent and others')

    def check_view(self, view: View, who: str) -> None:
        """Refuse a view of cells, tallies or bests that do not exist, or of one cell twice.

        Raises:
            ModelError: naming ``who`` and the culprit.
        """
        self._known_cells(f"{who} uses", view.cells)
        _refuse_twice(f"cell of {who}", view.cells)
        _known_reads(who, view.reads, set(self._readable()))

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

    def _readable(self) -> list[str]:
        return [tally.name for tally in self.tallies] + [best.name for best in self.bests]

    def _known_cells(self, who: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.positions:
                raise ModelError(f'{who} the cell "{name}", which is not declared')


def measured(
    tally: Tally,
    name: str,
    measure: Callable[..., tuple[int, ...]],
    value: Value,
    reads: Arguments = (),
) -> tuple[int, ...]:
    """What one value of the cell or family ``name`` adds to the tally, given what it reads.

    Raises:
        ModelError: the measure has another length than the tally.
    """
    parts = measure(value, *reads)
    if len(parts) != tally.width:
        raise ModelError(
            f'tally "{tally.name}": the measure of "{name}" gives {len(parts)} numbers '
            f"for {value!r}, the tally has {tally.width}"
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
    _refuse_unhashable(seen, f'tally "{tally.name}" reduces {total} to {seen!r}')
    return seen


def written(state: State, rule: Rule, where: tuple[int, ...], outcome: Outcome) -> State:
    """The state after an outcome of a rule that was tried on the positions ``where``.

    Raises:
        ModelError: the rule writes a cell that it does not declare, its action has an argument that
            it does not declare, or a value is not hashable.
    """
    for name, _ in outcome.arguments:
        if name not in outcome.action.arguments:
            raise ModelError(
                f'rule "{rule.name}" gives "{outcome.action}" an argument "{name}", which the '
                "action does not declare"
            )
    after = list(state)
    for name, value in outcome.writes.items():
        if name not in rule.cells:
            raise ModelError(
                f'rule "{rule.name}" writes "{name}" in "{outcome.action}", but declares only '
                + ", ".join(f'"{c}"' for c in rule.cells)
            )
        _refuse_unhashable(value, f'rule "{rule.name}" writes {value!r} to "{name}"')
        after[where[rule.cells.index(name)]] = value
    return tuple(after)


def _sorted(family: Family, members: tuple[Any, ...]) -> list[Any]:
    try:
        return sorted(members)
    except TypeError as error:
        raise ModelError(
            f'the members of the family "{family.name}" cannot be ordered: {error}'
        ) from error


def _refuse_unhashable(value: Any, what: str) -> None:
    try:
        hash(value)
    except TypeError as error:
        raise ModelError(f"{what}, which is not hashable: {error}") from error


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(f'"{name}" is declared twice as {what}')
        seen.add(name)


def _known_reads(who: str, names: Iterable[str], readable: set[str]) -> None:
    for name in names:
        if name not in readable:
            raise ModelError(f'{who} reads "{name}", which is no tally or best')
