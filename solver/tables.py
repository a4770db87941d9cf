"""The functions of a system, tabulated.

What a rule, measure, score or predicate answers is computed by the model's own code when a
combination of values is first met, and looked up by the numbers of the values ever after. This
rests on the model's functions being pure, as `kubelemma.model.system` asks of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple

from kubelemma.model.system import Action, Outcome, Rule, System, View

from .numbering import Domain, Ids, Memo, Numbering
from .sights import Asked, Put, Shown, after_all, values_of
from .summaries import Summaries


class Move(NamedTuple):
    """An outcome of a rule for one combination of values.

    ``writes`` pairs an index into the positions that the rule is tried on with the number to write
    there; ``unsorted`` has the families that may need sorting after it.
    """

    number: int
    action: int
    rule: Rule
    outcome: Outcome
    writes: tuple[tuple[int, int], ...]
    unsorted: tuple[slice, ...]


class Answer(NamedTuple):
    """An outcome of a rule for one combination of what it names.

    ``action`` is the number of its action, ``puts`` is what it writes, ``unsorted`` as in a `Move`.
    """

    outcome: Outcome
    action: int
    puts: tuple[Put, ...]
    unsorted: tuple[slice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RuleGroup:
    """All rules that look at the same cells and families and read the same: they share a table.

    Which columns they name makes no difference here: a rule is asked once for each combination of
    what it names, and the table has what its answers come to for whole values. Urgent rules have a
    table of their own.

    ``reads`` are indices into a summary. The table is keyed by the numbers of the cells, followed
    by those of the reads.
    """

    cells: tuple[str, ...]
    reads: tuple[int, ...]
    urgent: bool
    moves: Memo[Ids, tuple[Move, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Predicate:
    """A predicate over states, tabulated by the numbers that its view shows."""

    cells: tuple[slice, ...]
    reads: tuple[int, ...]
    table: Memo[Ids, bool | None]

    def keys(self, ids: Ids, summary: Ids) -> Iterator[Ids]:
        """What is looked up for every choice of members; those that look alike are one."""
        reads = tuple([summary[i] for i in self.reads])
        for seen in product(*[set(ids[where]) for where in self.cells]):
            yield seen + reads

    def answers(self, ids: Ids, summary: Ids) -> Iterator[bool | None]:
        """The answers for every choice of members; those that look alike are asked once."""
        return map(self.table.__getitem__, self.keys(ids, summary))


@dataclass(frozen=True, slots=True, eq=False)
class StepPredicate:
    """A predicate over steps, tabulated by the action and what is seen before and after it.

    The table is keyed by the number of the action, then the reads before and after it, then the
    number before and after it of each cell.
    """

    cells: tuple[slice, ...]
    reads: tuple[int, ...]
    table: Memo[Ids, bool | None]

    def keys(self, move: Move, before: tuple[Ids, Ids], after: tuple[Ids, Ids]) -> Iterator[Ids]:
        """What is looked up for every choice of members; those that look alike are one.

        ``before`` and ``after`` are pairs of a state and its summary. The same position means the
        same member in both, so the state after the step is not sorted.
        """
        (ids, summary), (ids_after, summary_after) = before, after
        key = (
            move.action,
            *[summary[i] for i in self.reads],
            *[summary_after[i] for i in self.reads],
        )
        changes = [set(zip(ids[w], ids_after[w], strict=True)) for w in self.cells]
        for seen in product(*changes):
            yield (*key, *chain.from_iterable(seen))

    def answers(
        self, move: Move, before: tuple[Ids, Ids], after: tuple[Ids, Ids]
    ) -> Iterator[bool | None]:
        """The answers for every choice of members, as `keys` takes them; each is asked once."""
        return map(self.table.__getitem__, self.keys(move, before, after))


class Tables:
    """All tables of one system, empty at first.

    ``moves`` and ``actions`` have every move and every action met so far by its number, ``groups``
    has the rules by what they look at, urgent ones first.
    """

    def __init__(self, system: System) -> None:
        self.rules = system.rules
        self._system = system
        self.numbering = Numbering(system)
        self.summaries = Summaries(system, self.numbering)
        self._bests = {best.name for best in system.bests}
        self.moves: list[Move] = []
        self.actions: list[Action] = []
        self._predicates: list[tuple[View, Asked[Any, bool | None]]] = []
        self._rules: list[tuple[tuple[str, ...], Asked[Any, Any]]] = []
        groups: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[Rule]] = {}
        for rule in sorted(system.rules, key=lambda rule: not rule.urgent):
            key = (not rule.urgent, system.sight(rule.cells).places, rule.reads)
            groups.setdefault(key, []).append(rule)
        self.groups = tuple(self._group(rules) for rules in groups.values())
        self._bound = tuple({group.cells: None for group in self.groups})

    def calls(self) -> int:
        """How often the model's own code was called to fill the tables."""
        by_rules = sum(asked.calls * len(names) for names, asked in self._rules)
        return by_rules + self.summaries.calls() + sum(asked.calls for _, asked in self._predicates)

    def entries(self) -> int:
        """How many answers of the model are known."""
        return sum(size for _, size in self.sizes())

    def sizes(self) -> tuple[tuple[str, int], ...]:
        """What `entries` counts, one after the other by name.

        Of rules and predicates it is the combinations of values that they met, of a tally or best
        the values that it took. Rules that look at the same, and such predicates, are counted
        together.
        """
        found: Counter[str] = Counter()
        for names, asked in self._rules:
            found[f"rules: {', '.join(names)}"] += asked.calls
        for name, domain in self.summaries.domains.items():
            found[f"{'best' if name in self._bests else 'tally'}: {name}"] += len(domain)
        for view, asked in self._predicates:
            seen = ", ".join((*view.cells, *view.reads))
            found[f"predicates over: {seen or 'nothing'}"] += asked.calls
        return tuple(found.items())

    def enabled(self, ids: Ids, summary: Ids) -> Iterator[tuple[tuple[int, ...], Move]]:
        """All moves in a canonical state, each with the positions that its rule is tried on.

        Of the members of a family that hold equal values only the first is tried: what a rule does
        to another differs by the order of members only.
        """
        bindings = self._bindings(ids)
        pressing = False
        for group in self.groups:
            if pressing and not group.urgent:
                return
            reads = tuple([summary[i] for i in group.reads])
            moves = group.moves
            for where, seen in bindings[group.cells]:
                for move in moves[seen + reads]:
                    pressing = group.urgent
                    yield where, move

    def _bindings(self, ids: Ids) -> dict[tuple[str, ...], list[tuple[tuple[int, ...], Ids]]]:
        """The ways to try rules, by the cells that the rules look at: positions and numbers."""
        where = {name: _first_of_each(ids, s) for name, s in self.numbering.slices.items()}
        return {
            cells: [
                (positions, tuple([ids[p] for p in positions]))
                for positions in product(*[where[name] for name in cells])
            ]
            for cells in self._bound
        }

    def predicate(self, view: View, function: Callable[..., bool | None]) -> Predicate:
        """A predicate over what the view shows."""
        shown, reads = self._shown(view.cells), self._domains_of(view.reads)
        places, named = len(shown.places), len(view.cells)

        def answer(key: Ids) -> bool | None:
            return function(*shown.values(key[:named]), *values_of(reads, key[named:]))

        asked = Asked(answer, remember=shown.narrow)
        self._predicates.append((view, asked))

        def compute(key: Ids) -> bool | None:
            return asked(shown.numbers(key[:places]) + key[places:])

        return Predicate(self._slices(shown), self._slots(view.reads), Memo(compute))

    def step_predicate(self, view: View, function: Callable[..., bool | None]) -> StepPredicate:
        """A predicate over what the view shows before and after a step, and its action."""
        shown, domains = self._shown(view.cells), self._domains_of(view.reads)
        named, reads, first = len(view.cells), len(view.reads), 1 + 2 * len(view.reads)

        def seen(key: Ids) -> tuple[Any, ...]:
            return (*shown.values(key[:named]), *values_of(domains, key[named:]))

        def answer(key: tuple[int, Ids, Ids]) -> bool | None:
            action, before, after = key
            return function(seen(before), self.actions[action], seen(after))

        def compute(key: Ids) -> bool | None:
            before = shown.numbers(key[first::2]) + key[1 : 1 + reads]
            after = shown.numbers(key[first + 1 :: 2]) + key[1 + reads : first]
            return asked((key[0], before, after))

        asked = Asked(answer, remember=shown.narrow)
        self._predicates.append((view, asked))
        return StepPredicate(self._slices(shown), self._slots(view.reads), Memo(compute))

    def _shown(self, names: tuple[str, ...]) -> Shown:
        return Shown(self._system, self.numbering, names)

    def _slices(self, shown: Shown) -> tuple[slice, ...]:
        return tuple(self.numbering.slices[name] for name in shown.places)

    def _slots(self, reads: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(self.summaries.slots[name] for name in reads)

    def _domains_of(self, reads: tuple[str, ...]) -> tuple[Domain, ...]:
        return tuple(self.summaries.domains[name] for name in reads)

    def _group(self, rules: list[Rule]) -> RuleGroup:
        """Rules that name the same are asked together."""
        alike: dict[tuple[str, ...], list[Rule]] = {}
        for rule in rules:
            alike.setdefault(rule.cells, []).append(rule)
        asked = [self._asked(each) for each in alike.values()]
        tables = {cells: table for table, cells in enumerate(alike)}
        order = [(rule, tables[rule.cells], alike[rule.cells].index(rule)) for rule in rules]
        places, reads = self._system.sight(rules[0].cells).places, rules[0].reads

        def compute(key: Ids) -> tuple[Move, ...]:
            ids, seen = key[: len(places)], key[len(places) :]
            found = [ask(shown.numbers(ids) + seen) for shown, ask in asked]
            return tuple(
                [
                    self._move(rule, answer, ids)
                    for rule, table, at in order
                    for answer in found[table][at]
                ]
            )

        return RuleGroup(places, self._slots(reads), rules[0].urgent, Memo(compute))

    def _asked(self, rules: list[Rule]) -> tuple[Shown, Asked[Ids, tuple[tuple[Answer, ...], ...]]]:
        """What each of these rules answers, which name and read the same."""
        shown, reads = self._shown(rules[0].cells), self._domains_of(rules[0].reads)
        named, acting = len(rules[0].cells), [(rule, rule.acts) for rule in rules]

        def answers(key: Ids) -> tuple[tuple[Answer, ...], ...]:
            values = (*shown.values(key[:named]), *values_of(reads, key[named:]))
            return tuple(
                [
                    tuple([self._answer(rule, shown, found) for found in acts(*values)])
                    for rule, acts in acting
                ]
            )

        asked = Asked(answers, remember=shown.narrow)
        self._rules.append((tuple(rule.name for rule in rules), asked))
        return shown, asked

    def _answer(self, rule: Rule, shown: Shown, outcome: Outcome) -> Answer:
        self._system.check_outcome(rule, outcome)
        writes = outcome.writes.items()
        puts = tuple([shown.put(rule.cells.index(name), value) for name, value in writes])
        touched = dict.fromkeys(shown.places[put.at] for put in puts)
        where = [self.numbering.slices[place] for place in touched]
        unsorted = tuple([part for part in where if part in self.numbering.families])
        if outcome.action not in self.actions:
            self.actions.append(outcome.action)
        return Answer(outcome, self.actions.index(outcome.action), puts, unsorted)

    def _move(self, rule: Rule, answer: Answer, ids: Ids) -> Move:
        outcome, action, puts, unsorted = answer
        number = len(self.moves)
        move = Move(number, action, rule, outcome, after_all(puts, ids), unsorted)
        self.moves.append(move)
        return move


def _first_of_each(ids: Ids, where: slice) -> list[int]:
    """Of the sorted numbers in this part of a state, the first position of each."""
    start = where.start
    return [p for p in range(start, where.stop) if p == start or ids[p] != ids[p - 1]]
