"""What the model answers, brought into flat arrays.

The functions are called, and their results remembered, by `kubelemma.solver.tables`; here keys are
taken apart and answers are given as places in the pools of `Pools`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Best, State, System, Tally, measured, reduced
from kubelemma.solver.numbering import Domain
from kubelemma.solver.tables import Move, Predicate, RuleGroup, StepPredicate, Tables

from .arrays import DENIED, GRANTED, NONE, SILENT
from .growing import Pool

Answer: TypeAlias = Callable[[list[int]], int]
"""Gives the answer to a key, without the number of the function in front."""

MOST_MEASURED = 2**48
"""Measures beyond this are refused, so that no sum of them can leave 64 bits."""

MOST_SCORED = 2**63 - 1
"""Scores beyond this are refused, as they have no place."""


class Values:
    """One number for each value of each cell or family, and back to the numbers of `Domain`.

    With a number comes what its value adds to the tallies that read nothing.
    """

    def __init__(self, system: System, tables: Tables, sums: Iterable[Tally]) -> None:
        self._sums = tuple(sums)
        self._domains = tables.numbering.domains
        self._by_name: dict[str, dict[int, int]] = {name: {} for name in self._domains}
        self._names = [n for n, where in system.positions.items() for _ in where]
        self.local: list[int] = []
        self.measures = Pool(sum(tally.width for tally in self._sums))
        self.calls = 0

    def number(self, name: str, local: int) -> int:
        """The number of a value of this cell or family."""
        numbers = self._by_name[name]
        if local not in numbers:
            numbers[local] = self.measures.add([self._row(name, local)])
            self.local.append(local)
        return numbers[local]

    def numbers(self, state: State) -> list[int]:
        """The numbers of a state, by position."""
        pairs = zip(self._names, state, strict=True)
        return [self.number(name, self._domains[name][value]) for name, value in pairs]

    def _row(self, name: str, local: int) -> list[int]:
        row: list[int] = []
        for tally in self._sums:
            measure = tally.measures.get(name)
            parts: tuple[int, ...] = (0,) * tally.width
            if measure is not None:
                parts = measured(tally, name, measure, self._domains[name].members[local])
                self.calls += 1
            row += [_fitting(tally.name, part, MOST_MEASURED) for part in parts]
        return row


class Answers:
    """All functions by number, and how to answer for each."""

    def __init__(self, system: System, tables: Tables) -> None:
        summaries = system.summaries
        self.sums = [s for s in summaries if isinstance(s, Tally) and not s.reads]
        self.others = [s for s in summaries if s not in self.sums]
        self.values = Values(system, tables, self.sums)
        self.numbers = Pool()
        self.moves = Pool()
        self.move_count = 0
        self._tables = tables
        self._functions: list[Answer] = []
        self._calls = 0
        self._domains: Mapping[str, Domain] = tables.summaries.domains

    def calls(self) -> int:
        """How often the model's own code was called to fold summaries."""
        return self._calls + self.values.calls

    def answer(self, key: list[int]) -> int:
        """The answer to a key that begins with the number of a function."""
        return self._functions[key[0]](key[1:])

    def _function(self, answer: Answer) -> int:
        self._functions.append(answer)
        return len(self._functions) - 1

    def total(self, tally: Tally) -> int:
        """The function from the sum to what readers see of it."""
        domain = self._domains[tally.name]

        def answer(key: list[int]) -> int:
            self._calls += tally.reduce is not None
            return domain[reduced(tally, tuple(key))]

        return self._function(answer)

    def greatest(self, best: Best) -> int:
        """The function from the greatest score to what readers see of it."""
        domain = self._domains[best.name]
        return self._function(lambda key: domain[None if key[0] == NONE else key[0]])

    def part(self, summary: Tally | Best, name: str) -> int:
        """The function from a value of this cell, and reads, to what it adds or scores."""
        domain = self._tables.numbering.domains[name]
        reads = [self._domains[read] for read in summary.reads]

        def answer(key: list[int]) -> int:
            value = domain.members[self.values.local[key[0]]]
            seen = [d.members[i] for d, i in zip(reads, key[1:], strict=True)]
            self._calls += 1
            parts = _contribution(summary, name, value, seen)
            return self.numbers.add(parts)

        return self._function(answer)

    def group(self, group: RuleGroup, asked: Callable[[Move], int]) -> int:
        """The function from what a group of rules looks at to its moves."""

        def answer(key: list[int]) -> int:
            found = group.moves[self._local(key, len(group.cells))]
            record = [len(found)]
            for move in found:
                writes = [self._write(group, write) for write in move.writes]
                record += [
                    move.number,
                    move.rule.environment,
                    asked(move),
                    move.action,
                    len(writes),
                ]
                record += [number for write in writes for number in write]
            self.move_count = len(self._tables.moves)
            return self.moves.add(record)

        return self._function(answer)

    def predicate(self, predicate: Predicate) -> int:
        """The function from what a predicate sees to its answer."""
        cells = len(predicate.cells)
        return self._function(lambda key: _said(predicate.table[self._local(key, cells)]))

    def step_predicate(self, predicate: StepPredicate) -> int:
        """The function from what a predicate sees of a step to its answer."""
        first = 1 + 2 * len(predicate.reads)

        def answer(key: list[int]) -> int:
            local = self.values.local
            seen = (*key[:first], *[local[i] for i in key[first:]])
            return _said(predicate.table[seen])

        return self._function(answer)

    def _local(self, key: list[int], cells: int) -> tuple[int, ...]:
        local = self.values.local
        return (*[local[i] for i in key[:cells]], *key[cells:])

    def _write(self, group: RuleGroup, write: tuple[int, int]) -> tuple[int, int]:
        index, local = write
        return index, self.values.number(group.cells[index], local)


def _contribution(summary: Tally | Best, name: str, value: Any, seen: list[Any]) -> list[int]:
    if isinstance(summary, Tally):
        parts = measured(summary, name, summary.measures[name], value, tuple(seen))
        return [_fitting(summary.name, part, MOST_MEASURED) for part in parts]
    score = summary.scores[name](value, *seen)
    return [NONE if score is None else _fitting(summary.name, score, MOST_SCORED)]


def _said(answer: bool | None) -> int:  # noqa: FBT001 - a predicate's answer, not a flag
    if answer is None:
        return SILENT
    return GRANTED if answer else DENIED


def _fitting(name: str, number: int, most: int) -> int:
    """The number, if it is not too great for this engine.

    Raises:
        ModelError: it is.
    """
    if abs(number) > most:
        raise ModelError(
            f'"{name}" counts or scores {number}; the compiled engine goes to {most} only '
            "(choose a greater unit, or the plain engine)"
        )
    return int(number)
