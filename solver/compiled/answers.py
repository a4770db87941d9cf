"""What the model answers, brought into flat arrays.

The functions are called, and their results remembered, by `kubelemma.solver.tables`; here they get
numbers, and their answers become places in the pools of `kubelemma.solver.compiled.arrays.Known`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Best, System, Tally, reduced
from kubelemma.solver.numbering import Domain
from kubelemma.solver.summaries import Part
from kubelemma.solver.tables import Move, Predicate, RuleGroup, StepPredicate, Tables

from .arrays import DENIED, GRANTED, NONE, SILENT
from .growing import Pool

Key: TypeAlias = tuple[int, ...]

MOST_MEASURED = 2**48
"""Measures beyond this are refused, so that no sum of them can leave 64 bits."""

MOST_SCORED = 2**63 - 1
"""Scores beyond this are refused, as they have no place."""


class Sum:
    """One number of the total of a tally: how great it may become, by what was met so far."""

    def __init__(self) -> None:
        self._greatest: dict[tuple[str, int], int] = {}
        self.bound = 0
        self.signed = False

    def met(self, part_of_it: tuple[str, int], members: int, part: int) -> None:
        """In some part of it one of so many members of a family (or a cell) may add this much.

        No total is greater than ``bound``, or less than its negative; only if ``signed``, one may
        be negative.
        """
        known = self._greatest.get(part_of_it, 0)
        self._greatest[part_of_it] = max(known, members * abs(part))
        self.bound = sum(self._greatest.values())
        self.signed |= part < 0


class Score:
    """The greatest score of a best, which takes all of 64 bits."""


Field: TypeAlias = Domain | list[Action] | Sum | Score
"""What the numbers at one place of a key mean: values by their number, actions, or sums."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the model: what its arguments are, and how to call it."""

    fields: tuple[Field, ...]
    answer: Callable[[Key], int]


class Answers:
    """All functions by number, how to answer for each, and all answers that were given."""

    def __init__(self, system: System, tables: Tables, task_of: Callable[[Move], int]) -> None:
        summaries = system.summaries
        self.sums = [s for s in summaries if isinstance(s, Tally) and not s.reads]
        self.others = [s for s in summaries if s not in self.sums]
        self.functions: list[Function] = []
        self.given: list[int] = []
        self.log = Pool()
        self.numbers = Pool()
        self.moves = Pool()
        self.moves.add([0])
        self.tasks: list[int] = []
        self.totals = {s.name: self._total_fields(s) for s in summaries}
        self._tables = tables
        self._task_of = task_of
        self._sizes = {name: len(where) for name, where in system.positions.items()}
        self._calls = 0
        self._rows: dict[str, list[list[int]]] = {name: [] for name in system.positions}

    def calls(self) -> int:
        """How often the model's own code was called."""
        return self._calls + self._tables.calls()

    def answer(self, questions: Iterable[tuple[int, Key]]) -> None:
        """Call functions, and keep the answers in the log: function, answer, key of each."""
        record: list[int] = []
        for function, key in questions:
            record += (function, self.functions[function].answer(key), *key)
            self.given[function] += 1
        self.log.add(record)

    def digest(self) -> str:
        """Of what the answers stand for, which the log does not say: steps, tasks and measures."""
        held = sha256(json.dumps([self.tasks, sorted(self._rows.items())]).encode())
        for pool in (self.moves, self.numbers):
            held.update(pool.array[: pool.used].tobytes())
        return held.hexdigest()

    def new_rows(self, name: str) -> list[list[int]]:
        """What all values of a cell or family add to the tallies that read nothing, if any is new.

        Each row has the numbers of all these tallies, one after the other.
        """
        domain, rows = self._tables.numbering.domains[name], self._rows[name]
        while len(rows) < len(domain.members):
            rows.append(self._row(name, len(rows)))
        return rows

    def _row(self, name: str, number: int) -> list[int]:
        row: list[int] = []
        rows = self._tables.summaries.row(self.sums, name, number)
        for tally, added in zip(self.sums, rows, strict=True):
            if any(added):
                self._meet(tally.name, name, _fitting(tally.name, added, MOST_MEASURED))
            row += map(int, added)
        return row

    def _meet(self, summary: str, place: str, parts: Sequence[int], number: int = 0) -> None:
        for field, part in zip(self.totals[summary], parts, strict=True):
            if isinstance(field, Sum):
                field.met((place, number), self._sizes[place], part)

    @staticmethod
    def _total_fields(summary: Tally | Best) -> tuple[Field, ...]:
        if isinstance(summary, Best):
            return (Score(),)
        return tuple(Sum() for _ in range(summary.width))

    # Functions

    def _function(self, fields: Sequence[Field], answer: Callable[[Key], int]) -> int:
        self.functions.append(Function(tuple(fields), answer))
        self.given.append(0)
        return len(self.functions) - 1

    @property
    def _cells(self) -> Mapping[str, Domain]:
        return self._tables.numbering.domains

    @property
    def _summaries(self) -> Mapping[str, Domain]:
        return self._tables.summaries.domains

    def total(self, summary: Tally | Best) -> int:
        """The function from the total, or the greatest score, to what readers see of it."""
        domain = self._summaries[summary.name]

        def answer(key: Key) -> int:
            if isinstance(summary, Best):
                return domain[None if key[0] == NONE else key[0]]
            self._calls += summary.reduce is not None
            return domain[reduced(summary, key)]

        return self._function(self.totals[summary.name], answer)

    def parts(self, summary: Tally | Best) -> Iterator[tuple[int, slice]]:
        """Of each part the function to what it adds or scores, and where its members are.

        A function's arguments are the reads, then a value.
        """
        reads = [self._summaries[read] for read in summary.reads]
        most = MOST_SCORED if isinstance(summary, Best) else MOST_MEASURED
        for number, part in enumerate(self._tables.summaries.parts[summary.name]):

            def answer(key: Key, number: int = number, part: Part = part) -> int:
                found = part.ask(key[-1], key[:-1])
                if found is None:
                    return self.numbers.add([NONE])
                numbers = (found,) if isinstance(summary, Best) else found
                parts = _fitting(summary.name, numbers, most)
                self._meet(summary.name, part.place, parts, number)
                return self.numbers.add(parts)

            yield self._function([*reads, self._cells[part.place]], answer), part.where

    def group(self, group: RuleGroup, asked: Callable[[Move], int]) -> int:
        """The function from reads, and what a group of rules looks at, to its moves."""
        reads = len(group.reads)

        def answer(key: Key) -> int:
            found = group.moves[key[reads:] + key[:reads]]
            if not found:
                return 0
            record = [len(found)]
            for move in found:
                record += [move.number, asked(move), move.action, len(move.writes)]
                record += [number for write in move.writes for number in write]
            new = self._tables.moves[len(self.tasks) :]
            self.tasks += [self._task_of(move) for move in new]
            return self.moves.add(record)

        fields = [self._read(slot) for slot in group.reads]
        return self._function([*fields, *(self._cells[name] for name in group.cells)], answer)

    def predicate(self, predicate: Predicate, cells: Sequence[str]) -> int:
        """The function from reads, and what a predicate sees, to its answer."""
        reads = len(predicate.reads)
        fields = [self._read(slot) for slot in predicate.reads]
        return self._function(
            [*fields, *(self._cells[name] for name in cells)],
            lambda key: _said(predicate.table[key[reads:] + key[:reads]]),
        )

    def step_predicate(self, predicate: StepPredicate, cells: Sequence[str]) -> int:
        """The function from what a predicate sees of a step to its answer.

        The key is the action, the reads before and after the step, the cells before and after it.
        """
        reads = [self._read(slot) for slot in predicate.reads]
        seen = [self._cells[name] for name in cells for _ in range(2)]
        fields: list[Field] = [self._tables.actions, *reads, *reads, *seen]
        return self._function(fields, lambda key: _said(predicate.table[key]))

    def _read(self, slot: int) -> Domain:
        return list(self._summaries.values())[slot]


def _said(answer: bool | None) -> int:  # noqa: FBT001 - a predicate's answer, not a flag
    if answer is None:
        return SILENT
    return GRANTED if answer else DENIED


def _fitting(name: str, numbers: Sequence[int], most: int) -> list[int]:
    """The numbers, if none is too great for this engine.

    Raises:
        ModelError: one is.
    """
    for number in numbers:
        if abs(number) > most:
            raise ModelError(
                f'"{name}" counts or scores {number}; the compiled engine goes to {most} only '
                "(choose a greater unit, or the plain engine)"
            )
    return [int(number) for number in numbers]
