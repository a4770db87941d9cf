"""Breadth-first search by the compiled loop.

It finds the same states in the same order as `kubelemma.solver.search` (but for the order in which
a family's members are tried), and stops between batches of states instead of between two states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Listener, Progress
from kubelemma.solver.limits import ALL_VIOLATED, INTERRUPTED, MAX_MEMORY, MAX_STATES, Limits, Watch
from kubelemma.solver.numbering import Ids
from kubelemma.solver.search import Finding, Search, Stopped
from kubelemma.solver.space import Hop, Links, Ways
from kubelemma.solver.tables import Move

from . import expansion, growing, orders, packing, visited
from .answers import Answers
from .arrays import (
    ASKED,
    BATCH,
    CRAMPED,
    CUT,
    DEGREE,
    FOUND,
    PARTS,
    REGIONS,
    SPARE,
    STATUSES,
    STRIDE,
    TERMINAL,
    Long,
    Small,
    Work,
)
from .batch import Batch, Keeper
from .flat import FlatSpace, Rows
from .following import followed
from .growing import longer
from .layout import Asked, Layout
from .projecting import numbers
from .store import Store
from .workers import Crew, room_to_work, shares

if TYPE_CHECKING:
    from kubelemma.solver.projections import Key

CANDIDATES = 1 << 14
"""The room for candidates of one worker at first."""

LEAST_PART = 128
"""The fewest states that are worth a part of their own."""

CALM = 64
"""Batches grow while the model is asked about fewer than one in so many states."""

ADDED = (TERMINAL, CUT)
"""What is counted over all batches."""


class CompiledSearch(Search):
    """One run, with the results of a `Search` after it.

    ``flat`` has the states, ``counts`` what was counted (by the places of `Work.status`),
    ``degree`` the most steps from a state, ``tasks`` the tasks of controllers by number, ``crew``
    whoever works. The next batch is to have ``stride`` states. A ``keeper`` is to be set before it
    runs.
    """

    space: FlatSpace

    def __init__(  # noqa: PLR0917 - those of a `Search`, and one
        self,
        system: System,
        properties: Sequence[Property],
        limits: Limits,
        listener: Listener,
        watch: Watch,
        workers: int = 1,
    ) -> None:
        super().__init__(system, properties, limits, listener, watch)
        self._limits = limits
        self.crew = Crew(workers)
        self.tasks = self._numbers_of_tasks()
        self.answers = Answers(system, self.tables, self._task_of)
        self._layout = Layout(system, self.tables, self.answers, self._asked())
        self.store = Store(system, self.answers, self._layout)
        self.degree = 0
        self.counts = np.zeros(STATUSES, dtype=np.int64)
        self.space = FlatSpace()
        self.works = [self._room_to_work() for _ in range(workers)]
        self.flat = growing.room_for_states(
            self.store.words,
            len(self.goals) + len(self.duties),
            limits.max_states,
        )
        self._grow_candidates(CANDIDATES)
        self.stride = STRIDE
        self._unanswered = self._dealt = 0
        self._dealing = Lock()
        self._whole = True
        self.keeper: Keeper | None = None

    def run(self) -> None:
        """Search to the end, to a limit, or until every property is known to be violated."""
        super().run()
        # Who goes on from a checkpoint takes it that every start is among its states.
        begun = len(self.space) >= self.space.roots
        if self.keeper is not None and self._whole and begun:
            self.keeper.save()
        if self.stopped_by not in {ALL_VIOLATED, INTERRUPTED}:
            try:
                self._judge_frontier()
            except KeyboardInterrupt:
                self.stopped_by = INTERRUPTED
        self._present()

    def model_calls(self) -> int:
        """How often the model's own code was called."""
        return self.answers.calls()

    def progress(self) -> Progress:
        """How far the search has come."""
        return Progress(
            states=len(self.space),
            transitions=sum(int(work.fired.sum()) for work in self.works),
            depth=self.depth,
            frontier=len(self.space) - self.expanded,
            seconds=self._watch.seconds,
            memory_bytes=self._watch.memory_bytes,
            entries=self.tables.entries(),
        )

    def numbers(self, keys: Sequence[Key], most: int) -> list[Long | None]:
        """Of each key the numbers that any state has, in order; None if they are more than that."""
        known, count = self.store.known, len(self.space)
        return numbers(known, self.flat.words, count, self.system.positions, keys, most)

    def followed(self, repeats: Sequence[bool] | None, *, faults: bool) -> tuple[Links, Ways]:
        """Go through all states that were left once more, as `Search.followed`."""
        return followed(self, repeats, faults=faults)

    def left_again(self, begin: int, end: int) -> Batch:
        """States that were left already, as ``candidates`` has where their steps lead."""
        return self._expanded(begin, end, leave=True)

    def make_table(self) -> None:
        """Make a table of states if the last one is void."""
        if self.flat.slots.shape[0] < REGIONS * (growing.slots_for(len(self.space)) + SPARE):
            self.rehash()

    def may_follow(self) -> bool:
        """Whether to go on going through the states."""
        return self._may_follow()

    def _task_of(self, move: Move) -> int:
        if move.rule.environment:
            return -1
        return self.tasks[move.rule.fairness]

    def _asked(self) -> Asked:
        """The predicates that the plain search would ask, with the numbers of their properties."""
        numbers = {id(track): number for number, track in enumerate(self.tracks)}
        asked = Asked(
            bounds=[predicate for _, predicate in self._bounds],
            invariants=[(predicate, numbers[id(track)]) for track, predicate in self._invariants],
            goals=[(goal.predicate, numbers[id(goal.track)]) for goal in self.goals],
            duties=[(duty.predicate, numbers[id(duty.track)]) for duty in self.duties],
        )
        rows: dict[int, int] = {}
        for action, pairs in self._steps.items():
            for track, predicate in pairs:
                row = rows.setdefault(id(track), len(rows))
                if row == len(asked.steps):
                    asked.steps.append((predicate, numbers[id(track)]))
                asked.by_action.setdefault(action, []).append(row)
        return asked

    # Room

    def _room_to_work(self) -> Work:
        return room_to_work(
            self.system,
            words=self.store.words,
            sums=self.store.known.measures.shape[1],
            key=self.store.longest_key,
            tracks=len(self.tracks),
            goals=len(self.goals),
            duties=len(self.duties),
        )

    def _grow_candidates(self, room: int) -> None:
        size = room * self.crew.size
        self.candidates = growing.room_for_candidates(size, self.store.words)
        self._room = room

    def _adopt_layout(self) -> None:
        """Go over to the store's new layout, with all states found."""
        old, new, count = self._old_packing, self.store.known.packing, len(self.space)
        words = self.flat.words
        if self.store.words > words.shape[1]:
            words = growing.wider(words.shape[0], self.store.words, count)
        for begin, end in shares(0, count, count // growing.AT_ONCE + 1):
            rows: Small = np.empty((end - begin, old.places.shape[0]), dtype=np.int32)
            packing.unpack(old, self.flat.words, begin, end, rows)
            packing.pack(new, rows, begin, words)
        # The table of states is void; who needs it next makes it anew.
        self.flat = self.flat._replace(words=words, slots=growing.empty_slots(0))
        self.works = [self._renewed(work) for work in self.works]
        self._grow_candidates(self._room)

    def _renewed(self, old: Work) -> Work:
        new = self._room_to_work()
        return new._replace(open=old.open, spoken=old.spoken, rests=old.rests, fired=old.fired)

    def _rehash(self, room: int) -> None:
        """Make a table of states with so many slots a region."""
        count = len(self.space)
        self.flat = self.flat._replace(slots=growing.empty_slots(0))

        def rehash(_: int, shard: int) -> int:
            return visited.rehash(self.flat.words, slots, count, shard, self.crew.size)

        while True:
            most = self._watch.max_memory_bytes
            self._watch.measure()
            if most is not None and self._watch.memory_bytes + 8 * room * REGIONS > most:
                raise Stopped(MAX_MEMORY)
            slots = growing.empty_slots(room)
            if min(self.crew.each(rehash, range(self.crew.size))) == count:
                self.flat = self.flat._replace(slots=slots)
                return
            room *= 2

    # The search

    def _search(self) -> None:
        if self._max_states == 0:
            raise Stopped(MAX_STATES)
        self._old_packing = self.store.known.packing
        if self.keeper is None or not self.keeper.restore():
            self._begin()
        level = range(self.expanded, self.space.levels[-1])
        while level or (level := self.space.next_level()):
            begin = level.start
            while begin < level.stop:
                self._pause()
                end = min(begin + self.stride, level.stop)
                self._leave(begin, end)
                begin = end
            level = range(0)

    def _begin(self) -> None:
        """Start with the initial states."""
        rows: Small = np.array(self.starts[: self._max_states], dtype=np.int32)
        packing.pack(self.store.known.packing, rows, 0, self.flat.words)
        visited.rehash(self.flat.words, self.flat.slots, len(rows), 0, 1)
        self.space.count = len(rows)
        if len(rows) < len(self.starts):
            raise Stopped(MAX_STATES)

    def _pause(self) -> None:
        super()._pause()
        if self.keeper is not None and self.keeper.due(self._watch.seconds):
            self.keeper.save()

    def _leave(self, begin: int, end: int) -> None:
        """Leave these states by every step, and find where they lead."""
        batch = self._expanded(begin, end, leave=True)
        most = growing.MOST_STATES if self._max_states is None else self._max_states
        new = self._sifted(batch)
        found = len(self.space) + sum(new)
        if found <= most:
            if found > self.flat.words.shape[0]:
                raise Stopped(MAX_MEMORY)
            self._settle(batch, new)
        elif end - begin > 1:
            self._leave_up_to(begin + self._fitting(batch, most), begin)
        else:
            if self.keeper is not None:
                self.keeper.save()
            self._whole = False
            self._leave_in_part(batch, most)

    def _leave_up_to(self, last: int, begin: int) -> None:
        """Leave the states up to the last, which is the first to lead beyond the limit of states.

        They were left already, with those after them; what that put into the table is void.
        """
        self.rehash()
        if begin < last:
            self._leave(begin, last)
        self._leave(last, last + 1)

    def _fitting(self, batch: Batch, most: int) -> int:
        """How many states of a batch, from the first on, lead to no more states than may be."""
        count, ids = len(self.space), self.candidates.ids
        fresh = np.zeros(ids.shape[0] + 1, dtype=np.int64)
        np.cumsum(ids == np.arange(ids.shape[0]) + count, out=fresh[1:])
        spans = self.candidates.spans[: batch.end - batch.begin]
        new = np.cumsum(fresh[spans[:, 1]] - fresh[spans[:, 0]])
        return int(np.searchsorted(new, most - count, side="right"))

    def _expanded(self, begin: int, end: int, *, leave: bool) -> Batch:
        """Judge the states of a batch, and find all candidates."""
        while True:
            batch = self._try_to_expand(begin, end, leave=leave)
            if batch is not None:
                return batch
            self._adopt_layout()
            self._old_packing = self.store.known.packing

    def _try_to_expand(self, begin: int, end: int, *, leave: bool) -> Batch | None:
        """As `_expanded`; None if the layout had to be changed on the way."""
        self._begin_batch(end - begin)
        several = self.crew.size > 1 and end - begin >= PARTS * LEAST_PART
        parts = shares(0, end - begin, PARTS if several else 1)
        shards = PARTS if several else 1

        def expand(worker: int, part: int) -> tuple[int, Long]:
            work, (first, last) = self.works[worker], parts[part]
            asked = int(work.status[ASKED])
            left = expansion.expand(
                self.store.known,
                self.flat,
                self.candidates,
                work,
                begin,
                begin + first,
                begin + last,
                (worker + 1) * self._room,
                leave,
            )
            if leave and not left:
                self._deal(part, first, last, shards)
            return left, work.questions[asked : work.status[ASKED]]

        waiting, first_time = list(range(len(parts))), True
        while waiting:
            for work in self.works:
                work.status[ASKED] = 0
                work.recent[:] = 0
            left, questions = zip(*self.crew.each(expand, waiting), strict=True)
            if any(work.status[CRAMPED] for work in self.works):
                self._grow_candidates(2 * self._room)
                return self._try_to_expand(begin, end, leave=leave)
            if first_time:
                self._unanswered, first_time = sum(left), False
            waiting = [part for part, number in zip(waiting, left, strict=True) if number]
            # Each question comes first where it would with one worker.
            if waiting and self.store.answer(questions):
                return None
        return Batch(begin, end, parts, shards, self._dealt)

    def _deal(self, part: int, first: int, last: int, shards: int) -> None:
        """Deal out what was found from these states of the batch."""
        spans = self.candidates.spans[first:last]
        with self._dealing:
            start = self._dealt
            self._dealt += int((spans[:, 1] - spans[:, 0]).sum())
        visited.deal(self.candidates, first, last, part, shards, start)

    def _begin_batch(self, length: int) -> None:
        self._dealt = 0
        self.candidates.ready[:length] = 0
        for worker, work in enumerate(self.works):
            work.status[:] = 0
            work.status[FOUND] = worker * self._room
            work.found[:] = -1
            work.cut[:] = 0
            for number, track in enumerate(self.tracks):
                work.open[number] = track.finding is None

    def _sifted(self, batch: Batch) -> list[int]:
        """Look up all candidates; gives how many are new in each part."""
        count, parts, shards = len(self.space), len(batch.parts), batch.shards
        room = growing.slots_for(count + batch.candidates)
        if REGIONS * (room + SPARE) > self.flat.slots.shape[0]:
            self._rehash(room)

        def sift(_: int, shard: int) -> bool:
            return visited.sift(self.flat, self.candidates, parts, shard, count)

        while not all(self.crew.each(sift, range(shards))):
            self._rehash(2 * (self.flat.slots.shape[0] // REGIONS - SPARE))
        new: list[int] = self.candidates.news[:shards, :parts].sum(axis=0).tolist()
        return new

    def _settle(self, batch: Batch, new: list[int]) -> None:
        """Number the new states, and count."""
        count = len(self.space)
        self._whole = False
        for worker in range(self.crew.size):
            self.with_room_for_moves(worker)
        firsts = [count + before for before in accumulate(new, initial=0)]

        def settle(worker: int, part: int) -> None:
            fired = self.works[worker].fired
            visited.settle(
                self.flat, self.candidates, fired, *batch.parts[part], count, firsts[part]
            )

        self.crew.each(settle, range(len(batch.parts)))
        for work in self.works:
            self.counts[list(ADDED)] += work.status[list(ADDED)]
            self.degree = max(self.degree, int(work.status[DEGREE]))
            for (name, _), number in zip(self._bounds, work.cut.tolist(), strict=True):
                if number:
                    self.cut[name] += number
        self._finish(count + sum(new), batch.end)
        calm = CALM * self._unanswered < batch.end - batch.begin
        self.stride = min(2 * self.stride, BATCH) if calm else STRIDE
        self._whole = True

    def _finish(self, count: int, expanded: int) -> None:
        """The batch is whole: keep what was found, and tell of violations."""
        known = len(self.space)
        self.space.count = count
        self.expanded = expanded
        self.space.arrays = self.flat
        found: dict[int, tuple[int, int]] = {}
        for work in self.works:
            for track in np.flatnonzero(work.found[:, 0] >= 0).tolist():
                found.setdefault(track, (int(work.found[track, 0]), int(work.found[track, 1])))
        for number, (state, candidate) in sorted(found.items(), key=lambda item: item[1][0]):
            self._refuted(number, state, candidate, known)

    def _refuted(self, track: int, state: int, candidate: int, known: int) -> None:
        tail: tuple[Hop, ...] = ()
        if candidate >= 0:
            target = int(self.candidates.ids[candidate])
            if target >= known:
                target = int(self.candidates.fresh[target - known])
            tail = (Hop(int(self.candidates.moves[candidate]), target),)
        self.violated(self.tracks[track], Finding(state, tail))

    def _leave_in_part(self, batch: Batch, most: int) -> None:
        """Take the steps from a state up to the one that leads beyond the limit of states."""
        count = len(self.space)
        begin, end = self.candidates.spans[0].tolist()
        fresh = np.flatnonzero(self.candidates.ids[begin:end] == np.arange(begin, end) + count)
        cut = begin + int(fresh[most - count])
        work = self.with_room_for_moves(0)
        self.candidates.spans[0, 1] = cut
        visited.settle(self.flat, self.candidates, work.fired, 0, 1, count, count)
        beyond = (work.found[:, 1] < 0) | (work.found[:, 1] >= cut)
        work.found[beyond] = -1
        self._finish(most, batch.begin)
        raise Stopped(MAX_STATES)

    def _judge_frontier(self) -> None:
        """Ask about the states that were found, but not left."""
        expanded = self.expanded
        for begin in range(expanded, len(self.space), BATCH):
            end = min(begin + BATCH, len(self.space))
            self._expanded(begin, end, leave=False)
            for work in self.works:
                self.counts[list(ADDED)] += work.status[list(ADDED)]
            self._finish(len(self.space), expanded)

    def _present(self) -> None:
        """Put the results where those of a plain search are."""
        states = self.space.arrays = self.flat
        count = len(self.space)
        self.space.states = cast("list[Ids]", Rows(states, self.store.known.packing, count))
        self.terminal = int(self.counts[TERMINAL])
        self.cut_states = int(self.counts[CUT])
        self.concrete_states = self._concrete_states()
        fired = self.all_fired()
        self.fired = Counter({int(i): int(fired[i]) for i in np.flatnonzero(fired)})
        for i, track in enumerate(self.tracks):
            track.spoken = any(bool(work.spoken[i]) for work in self.works)
            track.rests = any(bool(work.rests[i]) for work in self.works)
        for i, goal in enumerate(self.goals):
            goal.reached[:] = states.reached[i, :count].tobytes()
        for i, duty in enumerate(self.duties, start=len(self.goals)):
            duty.met[:] = states.reached[i, :count].tobytes()

    def all_fired(self) -> Long:
        """How often each move was taken, by its number."""
        fired = np.zeros(len(self.answers.tasks), dtype=np.int64)
        for work in self.works:
            size = min(fired.shape[0], work.fired.shape[0])
            fired[:size] += work.fired[:size]
        return fired

    def adopt_answers(self) -> None:
        """Use answers that were given before the search began."""
        self.store.renew()
        self._adopt_layout()
        self._old_packing = self.store.known.packing

    def rehash(self) -> None:
        """Make the table of states that suits their number."""
        self._rehash(growing.slots_for(len(self.space)))

    def with_room_for_moves(self, k: int) -> Work:
        """A worker who can count all moves."""
        work, moves = self.works[k], len(self.answers.tasks)
        if moves > work.fired.shape[0]:
            fired = longer(work.fired, 2 * moves)
            fired[work.fired.shape[0] :] = 0
            work = self.works[k] = work._replace(fired=fired)
        return work

    def _concrete_states(self) -> int:
        sizes = [len(self.system.positions[family.name]) for family in self.system.families]
        table = orders.moduli(sizes, len(self.space))
        sums = np.zeros(table.shape[0], dtype=np.int64)
        work = self.works[0]
        packing.count_orders(
            self.store.known.packing,
            self.flat.words,
            0,
            len(self.space),
            table,
            work.row,
            work.nexts,
            work.times,
            np.zeros_like(sums),
            sums,
        )
        return orders.together(table, sums)
