"""Tallies and bests in numbers.

They are added up from tables of what each value contributes, and what a sum is reduced to is looked
up by the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

from kubelemma.model.system import Best, System, Tally, measured, reduced

from .numbering import Domain, Ids, Memo, Numbering

Row: TypeAlias = tuple[int, ...]

Part: TypeAlias = tuple[slice, Memo[Ids, Any]]
"""Where some members are, and what a value and the reads contribute, by their numbers."""


class Summaries:
    """What all tallies and bests come to: ``slots`` says which place of a summary is whose.

    Tallies that read nothing are added up together, as one long row, before all others.
    """

    def __init__(self, system: System, numbering: Numbering) -> None:
        sums = [s for s in system.summaries if isinstance(s, Tally) and not s.reads]
        others = [s for s in system.summaries if s not in sums]
        self.domains = {s.name: Domain() for s in (*sums, *others)}
        self.slots = {name: slot for slot, name in enumerate(self.domains)}
        self._numbering = numbering
        self._calls: list[tuple[Memo[Any, Any], int]] = []
        self._zero = (0,) * sum(tally.width for tally in sums)
        self._rows = self._all_rows(system, sums)
        ends = accumulate((tally.width for tally in sums), initial=0)
        self._seen = [
            (slice(start, stop), self._seen_by_total(tally))
            for tally, (start, stop) in zip(sums, pairwise(ends), strict=True)
        ]
        self._others = [
            self._greatest(s) if isinstance(s, Best) else self._total(s) for s in others
        ]

    def __call__(self, ids: Ids) -> Ids:
        """The summary of a state, the same for all states that differ by order within families."""
        rows = [row[ids[p]] for p, row in self._rows]
        totals = tuple(map(sum, zip(self._zero, *rows, strict=True)))
        found = [seen[totals[part]] for part, seen in self._seen]
        for other in self._others:
            found.append(other(ids, found))
        return tuple(found)

    def calls(self) -> int:
        """How often the model's own code was called to fill the tables."""
        return sum(len(table) * each for table, each in self._calls)

    def _all_rows(self, system: System, sums: list[Tally]) -> list[tuple[int, Memo[int, Row]]]:
        """What each position adds to the row of all tallies, by the number of its value."""
        rows = []
        for name, where in system.positions.items():
            measuring = sum(name in tally.measures for tally in sums)
            if measuring:
                table = self._remember(
                    _row_of(sums, name, self._numbering.domains[name]), measuring
                )
                rows += [(p, table) for p in where]
        return rows

    def _seen_by_total(self, tally: Tally) -> Memo[Row, int]:
        domain = self.domains[tally.name]
        calls = 0 if tally.reduce is None else 1
        return self._remember(lambda total: domain[reduced(tally, total)], calls)

    def _total(self, tally: Tally) -> Callable[[Ids, list[int]], int]:
        """A tally that reads others: its rows depend on them."""
        parts = [self._part(name, tally.reads, _measure_of(tally, name)) for name in tally.measures]
        slots = [self.slots[name] for name in tally.reads]
        seen = self._seen_by_total(tally)
        zero = (0,) * tally.width

        def total(ids: Ids, known: list[int]) -> int:
            reads = tuple([known[slot] for slot in slots])
            rows = [table[(i, *reads)] for where, table in parts for i in ids[where]]
            return seen[tuple(map(sum, zip(zero, *rows, strict=True)))]

        return total

    def _greatest(self, best: Best) -> Callable[[Ids, list[int]], int]:
        parts = [self._part(name, best.reads, score) for name, score in best.scores.items()]
        slots = [self.slots[name] for name in best.reads]
        domain = self.domains[best.name]

        def greatest(ids: Ids, known: list[int]) -> int:
            reads = tuple([known[slot] for slot in slots])
            scores = [table[(i, *reads)] for where, table in parts for i in set(ids[where])]
            return domain[max([s for s in scores if s is not None], default=None)]

        return greatest

    def _part(self, name: str, reads: tuple[str, ...], function: Callable[..., Any]) -> Part:
        """A cell or family, and a function of one of its values and the reads, tabulated."""
        domains = (self._numbering.domains[name], *(self.domains[read] for read in reads))

        def compute(key: Ids) -> Any:
            return function(*[d.members[i] for d, i in zip(domains, key, strict=True)])

        return self._numbering.slices[name], self._remember(compute, 1)

    def _remember(self, compute: Callable[[Any], Any], calls: int) -> Memo[Any, Any]:
        """A table of which every entry costs so many calls of the model's code."""
        table = Memo(compute)
        self._calls.append((table, calls))
        return table


def _row_of(sums: Iterable[Tally], name: str, domain: Domain) -> Callable[[int], Row]:
    """What a value of this cell or family adds to each tally, zeros where nothing is measured."""
    measures = [(tally, tally.measures.get(name)) for tally in sums]

    def row(number: int) -> Row:
        value = domain.members[number]
        parts = [
            measured(tally, name, measure, value) if measure else (0,) * tally.width
            for tally, measure in measures
        ]
        return tuple(n for part in parts for n in part)

    return row


def _measure_of(tally: Tally, name: str) -> Callable[..., Row]:
    def measure(value: Any, *reads: Any) -> Row:
        return measured(tally, name, tally.measures[name], value, reads)

    return measure
