"""The answers known so far, as the loop sees them; laid out anew when a field is outgrown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kubelemma.model.system import System

from .answers import Answers
from .arrays import Known, Long
from .growing import longer
from .layout import Layout, Program, taker
from .lookups import fill

LEAST_LOG = 4
"""The logarithm of the number of slots of a function with few answers."""

FREEDOM = 4
"""How many slots there are at least for each answer when tables are built."""

SPARSE = 2
"""If keys have so few bits more than there are slots, each key gets a slot of its own."""

ODD = 0x9E3779B97F4A7C15 - 2**64
"""By what keys are multiplied to be spread over the slots."""

SPARE_SLOTS = 16
"""Slots after those that a hash may lead to."""

MOST_WORDS = 64
"""The words of the longest key."""


class Store:
    """Layout, tables and pools of one search; ``known`` is what the loop is given."""

    known: Known

    def __init__(self, system: System, answers: Answers, layout: Layout) -> None:
        self._answers, self._layout = answers, layout
        self._names = tuple(system.positions)
        self._filled = self._assigned = 0
        self._logs: list[int] = []
        self._program: Program
        self.renew()

    def renew(self) -> None:
        """Lay everything out anew, with more room."""
        rows = {name: self._answers.new_rows(name) for name in self._names}
        self._program = program = self._layout.renew()
        self._takers = [taker(places) for places in self._layout.functions]
        measures = np.zeros((self._layout.rows, program.sums), dtype=np.int64)
        self._measured = dict.fromkeys(rows, 0)
        self._assigned = 0
        self.known = Known(
            packing=program.packing,
            functions=np.zeros((len(program.keys), 7), dtype=np.int64),
            slots=np.zeros(0, dtype=np.int64),
            lists=program.lists,
            code=program.code,
            measures=measures,
            numbers=self._answers.numbers.array,
            moves=self._answers.moves.array,
            tasks=np.zeros(64, dtype=np.int32),
        )
        self._rebuild()
        self._refresh()

    def answer(self, questions: Sequence[Long]) -> bool:
        """Answer all questions, each once, in their order; whether all was laid out anew.

        Raises:
            RuntimeError: there are none, so that the loop would wait for ever.
        """
        if not any(map(len, questions)):
            raise RuntimeError("the compiled loop waits for answers, but asked no question")
        self._answers.answer(self._distinct(questions))
        for name in self._names:
            self._answers.new_rows(name)
        if self._layout.outgrown():
            self.renew()
            return True
        pairs = zip(self._answers.given, self._logs, strict=True)
        if any(2 * given > 1 << log for given, log in pairs) or not self._fill():
            self._rebuild()
        self._refresh()
        return False

    def _distinct(self, questions: Sequence[Long]) -> Iterator[tuple[int, tuple[int, ...]]]:
        seen: set[tuple[int, ...]] = set()
        keys = self._program.keys
        for asked in questions:
            numbers, at = asked.tolist(), 0
            while at < len(numbers):
                function = numbers[at]
                end = at + 1 + keys[function]
                question = tuple(numbers[at:end])
                at = end
                if question not in seen:
                    seen.add(question)
                    yield function, self._takers[function](question[1:])

    def _rebuild(self) -> None:
        """Make room in all tables, and fill them again."""
        self._logs = [
            max((FREEDOM * given).bit_length(), LEAST_LOG) for given in self._answers.given
        ]
        while not self._rebuilt():
            self._logs = [log + 1 for log in self._logs]

    def _rebuilt(self) -> bool:
        functions, at, recipe = self.known.functions, 0, 0
        for number, (log, words) in enumerate(zip(self._logs, self._program.keys, strict=True)):
            places = self._layout.functions[number]
            factor, down, slots = ODD, 64 - log, 1 << log
            bits = places[-1].shift + places[-1].bits if places else 0
            if words == 1 and bits <= log + SPARSE and not any(p.signed for p in places):
                factor, down, slots = 1, 0, 1 << bits
            stop = at + (slots + SPARE_SLOTS) * (words + 1)
            functions[number] = (at, factor, down, words, stop, recipe, len(places))
            at, recipe = stop, recipe + 2 * len(places)
        self.known = self.known._replace(slots=np.full(at, -1, dtype=np.int64))
        self._filled = 0
        return self._fill()

    def _fill(self) -> bool:
        """Put the new answers into their tables; whether all found room."""
        known, log = self.known, self._answers.log
        scratch: Long = np.zeros(MOST_WORDS, dtype=np.int64)
        self._filled = fill(
            known.functions,
            self._program.recipes,
            known.slots,
            log.array,
            self._filled,
            log.used,
            scratch,
        )
        return self._filled == log.used

    def _refresh(self) -> None:
        """Let the loop see what was added to the pools."""
        answers, tasks = self._answers, self.known.tasks
        measures = self.known.measures
        for name, done in self._measured.items():
            rows, first = answers.new_rows(name), self._layout.first_rows[name]
            for i in range(done, len(rows)):
                measures[first + i] = self._layout.sums_of(rows[i])
            self._measured[name] = len(rows)
        if len(answers.tasks) > tasks.shape[0]:
            tasks = longer(tasks, 2 * len(answers.tasks))
        tasks[self._assigned : len(answers.tasks)] = answers.tasks[self._assigned :]
        self._assigned = len(answers.tasks)
        self.known = self.known._replace(
            numbers=answers.numbers.array, moves=answers.moves.array, tasks=tasks
        )

    @property
    def words(self) -> int:
        """How many words a packed state takes."""
        return self._program.words

    @property
    def longest_key(self) -> int:
        """The words of the longest key."""
        return max(self._program.keys, default=1)
