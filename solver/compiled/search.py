"""Breadth-first search by the compiled loop.

It finds the same states in the same order as `kubelemma.solver.search` (but for the order in which
a family's members are tried), and stops between ranges of states instead of between two states: if
every property is violated in the middle of a range, the range is still finished.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Listener, Progress
from kubelemma.solver.limits import MAX_MEMORY, MAX_STATES, Limits, Watch
from kubelemma.solver.numbering import Ids
from kubelemma.solver.search import Finding, Search, Stopped
from kubelemma.solver.space import Edges, Hop, Space

from . import growing, kernels, lookups
from .answers import Answers
from .arrays import (
    BILLION,
    BILLIONS,
    CONCRETE,
    CRAMPED,
    CUT,
    ENOUGH,
    FULL,
    LENGTH,
    MISSING,
    RANGE,
    STATES,
    STATUS,
    TARGETS,
    TERMINAL,
    Long,
    Pools,
    Sheet,
    States,
)
from .layout import Asked, program_of, scratch_for


class FlatSpace(Space):
    """The states in arrays, of which ``count`` count."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.arrays: States | None = None

    def __len__(self) -> int:
        return self.count

    def path(self, state: int) -> list[Hop]:
        """A shortest way from the initial state."""
        hops: list[Hop] = []
        while state and self.arrays is not None:
            hops.append(Hop(int(self.arrays.moves[state]), state))
            state = int(self.arrays.parents[state])
        return hops[::-1]


class Rows(Sequence[Ids]):
    """The states as `kubelemma.solver.numbering` knows them."""

    def __init__(self, states: States, local: list[int]) -> None:
        self._states = states
        self._local = local

    def __len__(self) -> int:
        return len(self._states.rows)

    def __getitem__(self, state: int) -> Ids:  # type: ignore[override]  # never sliced
        return tuple([self._local[i] for i in self._states.rows[state].tolist()])


class Mark(NamedTuple):
    """What is whole: everything known when a range of states was finished."""

    expanded: int
    counters: Long
    fired: Long
    cut: Long


class CompiledSearch(Search):
    """One run, with the results of a `Search` after it."""

    space: FlatSpace

    def __init__(
        self,
        system: System,
        properties: Sequence[Property],
        limits: Limits,
        listener: Listener,
        watch: Watch,
    ) -> None:
        super().__init__(system, properties, limits, listener, watch)
        self._limits = limits
        self._answers = Answers(system, self.tables)
        self._program = program_of(system, self.tables, self._answers, self._asked())
        self._scratch = scratch_for(system, self._program, len(self.tracks))
        self._table = growing.empty_table()
        self._answered = 0
        self._states = growing.room_for_states(
            self._program.begins.shape[0], len(self.goals), edges=self._with_edges
        )
        self._sheet = Sheet(
            counters=np.zeros(STATUS + 1, dtype=np.int64),
            fired=np.zeros(64, dtype=np.int64),
            cut=np.zeros(len(system.bounds), dtype=np.int64),
            found=np.full((len(self.tracks), 3), -1, dtype=np.int64),
            spoken=np.zeros(len(self.tracks), dtype=np.uint8),
        )
        self._told = [False] * len(self.tracks)
        self._first = self._answers.values.numbers(system.initial)
        self.space = FlatSpace()
        self._mark = self._marked(0)

    def run(self) -> None:
        """Search to the end, to a limit, or until every property is known to be violated."""
        super().run()
        self._settle()

    def model_calls(self) -> int:
        """How often the model's own code was called."""
        return self.tables.calls() + self._answers.calls()

    def progress(self) -> Progress:
        """How far the search has come."""
        return Progress(
            states=len(self.space),
            transitions=int(self._mark.fired.sum()),
            depth=self.depth,
            frontier=len(self.space) - self._mark.expanded,
            seconds=self._watch.seconds,
            memory_bytes=self._watch.memory_bytes,
        )

    def _asked(self) -> Asked:
        """The predicates that the plain search would ask, with the numbers of their properties."""
        numbers = {id(track): number for number, track in enumerate(self.tracks)}
        asked = Asked(
            bounds=[predicate for _, predicate in self._bounds],
            invariants=[(predicate, numbers[id(track)]) for track, predicate in self._invariants],
            goals=[(goal.predicate, numbers[id(goal.track)]) for goal in self.goals],
        )
        rows: dict[int, int] = {}
        for action, pairs in self._steps.items():
            for track, predicate in pairs:
                row = rows.setdefault(id(track), len(rows))
                if row == len(asked.steps):
                    asked.steps.append((predicate, numbers[id(track)]))
                asked.by_action.setdefault(action, []).append(row)
        return asked

    def _search(self) -> None:
        if self._max_states == 0:
            raise Stopped(MAX_STATES)
        self._discover_first()
        while level := self.space.next_level():
            begin = level.start
            while begin < level.stop:
                self._pause()
                begin = self._range(begin, min(begin + RANGE, level.stop))

    def _discover_first(self) -> None:
        row = self._states.rows[0]
        row[:] = self._first
        for begin, end in self._program.families.tolist():
            row[begin:end].sort()
        lookups.rehash_states(self._states.rows, self._states.slots, 1)
        self._sheet.counters[STATES] = 1
        self._judge(0)
        self._finish(0)

    def _range(self, begin: int, end: int) -> int:
        """Leave these states by every step, and judge those that are found; gives the end."""
        known = len(self.space)
        most = growing.MOST_STATES if self._max_states is None else self._max_states
        at, status = begin, MISSING
        self._scratch.ready[:] = 0
        while at < end and status != ENOUGH:
            at = kernels.expand(
                self._program,
                self._table,
                self._pools(),
                self._states,
                self._sheet,
                self._scratch,
                at,
                end,
                most,
            )
            status = self._sheet.counters[STATUS]
            if status == CRAMPED:
                self._make_room()
            elif at < end and status != ENOUGH:
                self._fill()
        self._tell()
        self._judge(known)
        self._finish(at)
        if status == ENOUGH:
            raise Stopped(MAX_STATES)
        return end

    def _judge(self, begin: int) -> None:
        """Ask about all states from this one on."""
        states = int(self._sheet.counters[STATES])
        for first in range(begin, states, RANGE):
            self._scratch.ready[:] = 0
            at, end = first, min(first + RANGE, states)
            while at < end:
                at = kernels.judge(
                    self._program,
                    self._table,
                    self._pools(),
                    self._states,
                    self._sheet,
                    self._scratch,
                    at,
                    end,
                )
                self._fill()
        self._tell()

    def _pools(self) -> Pools:
        answers = self._answers
        return Pools(answers.values.measures.array, answers.numbers.array, answers.moves.array)

    def _fill(self) -> None:
        """Answer all questions that the loop has noted."""
        table, end = self._table, int(self._table.used[LENGTH])
        while self._answered < end:
            first = self._answered + 2
            last = first + int(table.records[self._answered])
            key: list[int] = table.records[first:last].tolist()
            table.records[first - 1] = self._answers.answer(key)
            self._answered = last
        if table.used[FULL]:
            self._table = growing.grown_table(table)
        moves = self._answers.move_count
        if moves > self._sheet.fired.shape[0]:
            fired = np.zeros(2 * moves, dtype=np.int64)
            fired[: self._sheet.fired.shape[0]] = self._sheet.fired
            self._sheet = self._sheet._replace(fired=fired)

    def _make_room(self) -> None:
        """Grow what may be too small for the steps of the next state."""
        most = self._limits.max_memory_bytes
        self._watch.measure()
        needed = growing.bytes_to_copy(self._states)
        if most is not None and self._watch.memory_bytes + needed > most:
            raise Stopped(MAX_MEMORY)
        counters = self._sheet.counters
        if 2 * counters[STATES] > self._states.rows.shape[0]:
            self._states = growing.more_states(self._states, int(counters[STATES]))
        if 2 * counters[TARGETS] > self._states.targets.shape[0] > 0:
            self._states = growing.more_edges(self._states)

    def _tell(self) -> None:
        """Report the violations that the loop has noted, in the order of their states."""
        found = self._sheet.found
        new = [i for i in range(len(self.tracks)) if found[i, 0] >= 0 and not self._told[i]]
        self.space.arrays = self._states
        for i in sorted(new, key=lambda i: int(found[i, 0])):
            state, move, target = map(int, found[i])
            self._told[i] = True
            tail = (Hop(move, target),) if move >= 0 else ()
            self.violated(self.tracks[i], Finding(state, tail))

    def _finish(self, expanded: int) -> None:
        """All states before this one are left, and all that were found are judged."""
        self._mark = self._marked(expanded)
        self.space.count = int(self._mark.counters[STATES])

    def _marked(self, expanded: int) -> Mark:
        sheet = self._sheet
        return Mark(expanded, sheet.counters.copy(), sheet.fired.copy(), sheet.cut.copy())

    def _settle(self) -> None:
        """Put the results where those of a plain search are, as of the last mark."""
        mark, states, count = self._mark, self._states, len(self.space)
        self.space.arrays = states
        self.space.states = cast("list[Ids]", Rows(states, self._answers.values.local))
        self.expanded = mark.expanded
        self.terminal = int(mark.counters[TERMINAL])
        self.cut_states = int(mark.counters[CUT])
        self.concrete_states = self._concrete_states()
        self.fired = Counter({int(i): int(mark.fired[i]) for i in np.flatnonzero(mark.fired)})
        pairs = zip(self._bounds, mark.cut.tolist(), strict=True)
        self.cut = Counter({name: number for (name, _), number in pairs if number})
        for i, track in enumerate(self.tracks):
            track.spoken = bool(self._sheet.spoken[i])
        for i, goal in enumerate(self.goals):
            goal.reached[:] = states.reached[i, :count].tobytes()
        if self._with_edges:
            self.edges = Edges(
                cast("array[int]", states.offsets[: mark.expanded + 1]),
                cast("array[int]", states.targets),
                cast("array[int]", states.labels),
            )

    def _concrete_states(self) -> int:
        counters, states = self._mark.counters, self.space.states
        if self._program.orders.shape[0]:
            return int(counters[BILLIONS]) * BILLION + int(counters[CONCRETE])
        return sum(self.tables.numbering.orbit_size(states[i]) for i in range(len(self.space)))
