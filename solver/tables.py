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
from .sights import Asked, Shown, values_of
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
        self._rules: dict[str, Asked[Ids, tuple[Outcome, ...]]] = {}
        groups: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[Rule]] = {}
        for rule in sorted(system.rules, key=lambda rule: not rule.urgent):
            key = (not rule.urgent, system.sight(rule.cells).places, rule.reads)
            groups.setdefault(key, []).append(rule)
        self.groups = tuple(self._group(rules) for rules in groups.values())
        self._bound = tuple({group.cells: None for group in self.groups})

    def calls(self) -> int:
        """How often the model's own code was called to fill the tables."""
        by_rules = sum(asked.calls for asked in self._rules.values())
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
        alike: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for rule in sorted(self.rules, key=lambda rule: not rule.urgent):
            alike.setdefault((not rule.urgent, rule.cells, rule.reads), []).append(rule.name)
        found: Counter[str] = Counter()
        for names in alike.values():
            found[f"rules: {', '.join(names)}"] += self._rules[names[0]].calls
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

        asked = Asked(answer, narrow=shown.narrow)
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

        asked = Asked(answer, narrow=shown.narrow)
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
        all_shown = [self._shown(rule.cells) for rule in rules]
        asked = [self._asked(*pair) for pair in zip(rules, all_shown, strict=True)]
        places, reads = all_shown[0].places, rules[0].reads
        self._rules |= {rule.name: ask for rule, ask in zip(rules, asked, strict=True)}

        def compute(key: Ids) -> tuple[Move, ...]:
            ids, seen = key[: len(places)], key[len(places) :]
            return tuple(
                self._move(rule, shown, ids, outcome)
                for rule, shown, ask in zip(rules, all_shown, asked, strict=True)
                for outcome in ask(shown.numbers(ids) + seen)
            )

        return RuleGroup(places, self._slots(reads), rules[0].urgent, Memo(compute))

    def _asked(self, rule: Rule, shown: Shown) -> Asked[Ids, tuple[Outcome, ...]]:
        reads, named = self._domains_of(rule.reads), len(rule.cells)

        def answer(key: Ids) -> tuple[Outcome, ...]:
            values = shown.values(key[:named])
            return tuple(rule.outcomes(*values, *values_of(reads, key[named:])))

        return Asked(answer, narrow=shown.narrow)

    def _move(self, rule: Rule, shown: Shown, ids: Ids, outcome: Outcome) -> Move:
        after = self._system.written(shown.wholes(ids), rule, outcome)
        touched = shown.touched(rule.cells.index(name) for name in outcome.writes)
        domains, slices = self.numbering.domains, self.numbering.slices
        writes = tuple((at, domains[shown.places[at]][after[at]]) for at in touched)
        where = [slices[shown.places[at]] for at in touched]
        unsorted = tuple(part for part in where if part in self.numbering.families)
        if outcome.action not in self.actions:
            self.actions.append(outcome.action)
        action = self.actions.index(outcome.action)
        move = Move(len(self.moves), action, rule, outcome, writes, unsorted)
        self.moves.append(move)
        return move


def _first_of_each(ids: Ids, where: slice) -> list[int]:
    """Of the sorted numbers in this part of a state, the first position of each."""
    start = where.start
    return [p for p in range(start, where.stop) if p == start or ids[p] != ids[p - 1]]
