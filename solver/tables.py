"""The functions of a system, tabulated.

What a rule, measure, score or predicate answers is computed by the model's own code when a
combination of values is first met, and looked up by the numbers of the values ever after. This
rests on the model's functions being pure, as `kubelemma.model.system` asks of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple

from kubelemma.model.system import Outcome, Rule, System, View, written

from .numbering import Domain, Ids, Memo, Numbering
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


@dataclass(frozen=True, slots=True, eq=False)
class RuleGroup:
    """All rules that look at the same cells and read the same: they share a table.

    Urgent ones have a table of their own.

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
        self.numbering = Numbering(system)
        self.summaries = Summaries(system, self.numbering)
        self._bests = {best.name for best in system.bests}
        self.moves: list[Move] = []
        self.actions: list[str] = []
        self._domains: Mapping[str, Domain] = {
            **self.numbering.domains,
            **self.summaries.domains,
        }
        self._predicates: list[tuple[View, Memo[Any, bool | None]]] = []
        self._rules: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[Rule]] = {}
        for rule in sorted(system.rules, key=lambda rule: not rule.urgent):
            self._rules.setdefault((not rule.urgent, rule.cells, rule.reads), []).append(rule)
        self.groups = tuple(self._group(rules) for rules in self._rules.values())
        self._bound = tuple({group.cells: None for group in self.groups})

    def calls(self) -> int:
        """How often the model's own code was called to fill the tables."""
        sizes = zip(self.groups, self._rules.values(), strict=True)
        by_rules = sum(len(group.moves) * len(rules) for group, rules in sizes)
        return by_rules + self.summaries.calls() + sum(len(table) for _, table in self._predicates)

    def entries(self) -> int:
        """How many answers of the model are known."""
        by_rules = sum(len(group.moves) for group in self.groups)
        by_summaries = sum(map(len, self.summaries.domains.values()))
        return by_rules + by_summaries + sum(len(table) for _, table in self._predicates)

    def sizes(self) -> tuple[tuple[str, int], ...]:
        """What `entries` counts, one after the other by name.

        Of rules and predicates it is the combinations of values that they met, of a tally or best
        the values that it took. Predicates that look at the same are counted together.
        """
        found: Counter[str] = Counter()
        for group, rules in zip(self.groups, self._rules.values(), strict=True):
            found[f"rules: {', '.join(rule.name for rule in rules)}"] += len(group.moves)
        for name, domain in self.summaries.domains.items():
            found[f"{'best' if name in self._bests else 'tally'}: {name}"] += len(domain)
        for view, table in self._predicates:
            seen = ", ".join((*view.cells, *view.reads))
            found[f"predicates over: {seen or 'nothing'}"] += len(table)
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
        domains = self._seen(view.cells, view.reads)

        def compute(key: Ids) -> bool | None:
            return function(*_values(domains, key))

        table = Memo(compute)
        self._predicates.append((view, table))
        return Predicate(self._slices(view), self._slots(view.reads), table)

    def step_predicate(self, view: View, function: Callable[..., bool | None]) -> StepPredicate:
        """A predicate over what the view shows before and after a step, and its action."""
        domains = self._seen(view.cells, view.reads)
        reads, first = len(view.reads), 1 + 2 * len(view.reads)

        def compute(key: Ids) -> bool | None:
            before = _values(domains, key[first::2] + key[1 : 1 + reads])
            after = _values(domains, key[first + 1 :: 2] + key[1 + reads : first])
            return function(before, self.actions[key[0]], after)

        table = Memo(compute)
        self._predicates.append((view, table))
        return StepPredicate(self._slices(view), self._slots(view.reads), table)

    def _slices(self, view: View) -> tuple[slice, ...]:
        return tuple(self.numbering.slices[name] for name in view.cells)

    def _slots(self, reads: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(self.summaries.slots[name] for name in reads)

    def _seen(self, cells: tuple[str, ...], reads: tuple[str, ...]) -> tuple[Domain, ...]:
        return tuple(self._domains[name] for name in (*cells, *reads))

    def _group(self, rules: list[Rule]) -> RuleGroup:
        cells, reads = rules[0].cells, rules[0].reads
        domains = self._seen(cells, reads)

        def compute(key: Ids) -> tuple[Move, ...]:
            values = _values(domains, key)
            return tuple(
                self._move(rule, values[: len(cells)], outcome)
                for rule in rules
                for outcome in rule.outcomes(*values)
            )

        return RuleGroup(cells, self._slots(reads), rules[0].urgent, Memo(compute))

    def _move(self, rule: Rule, values: tuple[Any, ...], outcome: Outcome) -> Move:
        after = written(values, rule, tuple(range(len(values))), outcome)
        slots = [rule.cells.index(name) for name in outcome.writes]
        writes = tuple((i, self._domains[rule.cells[i]][after[i]]) for i in slots)
        touched = [self.numbering.slices[rule.cells[i]] for i in slots]
        unsorted = tuple(where for where in touched if where in self.numbering.families)
        if outcome.action not in self.actions:
            self.actions.append(outcome.action)
        action = self.actions.index(outcome.action)
        move = Move(len(self.moves), action, rule, outcome, writes, unsorted)
        self.moves.append(move)
        return move


def _values(domains: tuple[Domain, ...], ids: Ids) -> tuple[Any, ...]:
    return tuple([domain.members[i] for domain, i in zip(domains, ids, strict=True)])


def _first_of_each(ids: Ids, where: slice) -> list[int]:
    """Of the sorted numbers in this part of a state, the first position of each."""
    start = where.start
    return [p for p in range(start, where.stop) if p == start or ids[p] != ids[p - 1]]
