"""Tallies and bests in numbers.

They are added up from tables of what each value contributes, and what a sum is reduced to is looked
up by the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.system import Best, Named, System, Tally, measured, names_of, reduced

from .numbering import Domain, Ids, Memo, Numbering
from .sights import Asked, Shown, values_of

Row: TypeAlias = tuple[int, ...]


class Part(NamedTuple):
    """A part of a tally or best: where its members are, and what one of them contributes.

    ``ask`` takes the number of a value of the cell or family ``place``, then those of the reads.
    """

    place: str
    where: slice
    ask: Callable[[int, Ids], Any]

    def answer(self, key: tuple[int, Ids]) -> Any:
        """What is contributed, by the number of a value and those of the reads."""
        return self.ask(*key)


class Summaries:
    """What all tallies and bests come to: ``slots`` says which place of a summary is whose.

    Tallies that read nothing are added up together, as one long row, before all others.
    """

    def __init__(self, system: System, numbering: Numbering) -> None:
        sums = [s for s in system.summaries if isinstance(s, Tally) and not s.reads]
        others = [s for s in system.summaries if s not in sums]
        self.domains = {s.name: Domain() for s in (*sums, *others)}
        self.slots = {name: slot for slot, name in enumerate(self.domains)}
        self._system, self._numbering = system, numbering
        self._reduced: list[Memo[Row, int]] = []
        self._asked: list[Asked[Ids, Any]] = []
        self.parts = {s.name: self._parts_of(s) for s in system.summaries}
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
        return sum(asked.calls for asked in self._asked) + sum(map(len, self._reduced))

    def row(self, sums: Iterable[Tally], place: str, number: int) -> Iterator[Row]:
        """What a value of this cell or family adds to each tally; they read nothing."""
        for tally in sums:
            rows = [part.ask(number, ()) for part in self.parts[tally.name] if part.place == place]
            yield rows[0] if len(rows) == 1 else _sum(tally.width, rows)

    def _all_rows(self, system: System, sums: list[Tally]) -> list[tuple[int, Memo[int, Row]]]:
        """What each position adds to the row of all tallies, by the number of its value."""
        rows = []
        for name, where in system.positions.items():
            if any(part.place == name for tally in sums for part in self.parts[tally.name]):
                table = Memo(partial(self._whole_row, sums, name))
                rows += [(p, table) for p in where]
        return rows

    def _whole_row(self, sums: list[Tally], name: str, number: int) -> Row:
        return tuple(chain.from_iterable(self.row(sums, name, number)))

    def _seen_by_total(self, tally: Tally) -> Memo[Row, int]:
        domain = self.domains[tally.name]

        def seen(total: Row) -> int:
            return domain[reduced(tally, total)]

        table = Memo(seen)
        if tally.reduce is not None:
            self._reduced.append(table)
        return table

    def _total(self, tally: Tally) -> Callable[[Ids, list[int]], int]:
        """A tally that reads others: its rows depend on them."""
        parts = self._tabled(tally)
        slots = [self.slots[name] for name in tally.reads]
        seen = self._seen_by_total(tally)

        def total(ids: Ids, known: list[int]) -> int:
            reads = tuple([known[slot] for slot in slots])
            rows = [table[i, reads] for where, table in parts for i in ids[where]]
            return seen[_sum(tally.width, rows)]

        return total

    def _greatest(self, best: Best) -> Callable[[Ids, list[int]], int]:
        parts = self._tabled(best)
        slots = [self.slots[name] for name in best.reads]
        domain = self.domains[best.name]

        def greatest(ids: Ids, known: list[int]) -> int:
            reads = tuple([known[slot] for slot in slots])
            scores = [table[i, reads] for where, table in parts for i in set(ids[where])]
            return domain[max([s for s in scores if s is not None], default=None)]

        return greatest

    def _tabled(self, summary: Tally | Best) -> list[tuple[slice, Memo[tuple[int, Ids], Any]]]:
        """What each part contributes, by the number of a value and those of the reads."""
        return [(part.where, Memo(part.answer)) for part in self.parts[summary.name]]

    def _parts_of(self, summary: Tally | Best) -> tuple[Part, ...]:
        if isinstance(summary, Best):
            return tuple(self._part(names, summary, f) for names, f in summary.scores.items())
        return tuple(
            self._part(names, summary, _measuring(summary, names, summary.measure(names)))
            for names in summary.measures
        )

    def _part(self, named: Named, summary: Tally | Best, function: Callable[..., Any]) -> Part:
        """A function of what is named, and of the reads, asked once for each combination."""
        names = names_of(named)
        shown = Shown(self._system, self._numbering, names)
        reads = [self.domains[read] for read in summary.reads]

        def answer(key: Ids) -> Any:
            return function(*shown.values(key[: len(names)]), *values_of(reads, key[len(names) :]))

        asked = Asked(answer, remember=shown.narrow or not reads)
        self._asked.append(asked)
        (place,) = shown.places
        return Part(
            place,
            self._numbering.slices[place],
            lambda number, seen: asked(shown.numbers((number,)) + seen),
        )


def _measuring(tally: Tally, named: Named, measure: Callable[..., Row]) -> Callable[..., Row]:
    return lambda *seen: measured(tally, named, measure, seen)


def _sum(width: int, rows: Iterable[Row]) -> Row:
    return tuple(map(sum, zip((0,) * width, *rows, strict=True)))
