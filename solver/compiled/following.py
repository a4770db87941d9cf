"""Going through the states of a compiled search once more, for steps that may be on loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Protocol

import numpy as np

from kubelemma.model.system import System
from kubelemma.solver.limits import MAX_MEMORY
from kubelemma.solver.space import TASK_BITS, Links, Ways

from . import growing, peeling, visited
from .answers import Answers
from .arrays import BATCH, Bytes, Candidates, Followed, States
from .batch import Batch
from .flat import FlatSpace
from .workers import Crew


class Searched(Protocol):
    """A search that has come to an end, as far as its states are left once more."""

    system: System
    space: FlatSpace
    flat: States
    answers: Answers
    tasks: Mapping[str, int]
    crew: Crew
    expanded: int
    followed_states: int
    stopped_by: str | None

    @property
    def candidates(self) -> Candidates:
        """Where the steps lead from the states that were left last."""

    def make_table(self) -> None:
        """Make a table of states if the last one is void."""

    def may_follow(self) -> bool:
        """Whether to go on going through the states."""

    def left_again(self, begin: int, end: int) -> Batch:
        """States that were left already, as ``candidates`` has where their steps lead."""


def followed(
    search: Searched, repeats: Sequence[bool] | None, *, faults: bool
) -> tuple[Links, Ways]:
    """As `kubelemma.solver.search.Search.followed`: no question is open any more."""
    count = len(search.space)
    room = _room(search, repeats, faults=faults)
    edges = others = 0
    search.make_table()
    while search.followed_states < search.expanded and search.may_follow():
        begin = search.followed_states
        batch = search.left_again(begin, min(begin + BATCH, search.expanded))
        more = _numbers_of_kept(search, batch, room)
        new, new_faults = (list(accumulate(n, initial=0)) for n in zip(*more, strict=True))
        if max(edges + new[-1], others + new_faults[-1]) > room.targets.shape[0]:
            search.stopped_by = search.stopped_by or MAX_MEMORY
            break
        _follow(search, batch, room, [edges + n for n in new], [others + n for n in new_faults])
        edges, others = edges + new[-1], others + new_faults[-1]
        search.followed_states = batch.end
    room.offsets[search.followed_states + 1 :] = edges
    room.fault_offsets[search.followed_states + 1 :] = others
    return _links(search, room, count), Ways(
        offsets=room.fault_offsets, targets=room.fault_targets, moves=room.fault_moves
    )


def _room(search: Searched, repeats: Sequence[bool] | None, *, faults: bool) -> Followed:
    count, tasks = len(search.space), np.array(search.answers.tasks, dtype=np.int32)
    kept: Bytes = np.full(tasks.shape, visited.EDGE, dtype=np.uint8)
    if repeats is not None:
        kept[~np.asarray(repeats, dtype=np.bool_)] = visited.NEITHER
    kept[tasks < 0] = visited.FAULT if faults else visited.NEITHER
    targets, moves = growing.room_for_edges()
    fault_targets, fault_moves = growing.room_for_edges()
    return Followed(
        kinds=kept,
        tasks=tasks,
        enabled=np.zeros((count, max(-(-len(search.tasks) // TASK_BITS), 1)), dtype=np.int64),
        offsets=np.zeros(count + 1, dtype=np.int64),
        targets=targets,
        moves=moves,
        fault_offsets=np.zeros(count + 1, dtype=np.int64),
        fault_targets=fault_targets,
        fault_moves=fault_moves,
    )


def _numbers_of_kept(search: Searched, batch: Batch, room: Followed) -> Sequence[tuple[int, int]]:
    """Of each part of the batch how many edges, and edges of the environment, begin there."""

    def count(_: int, part: int) -> tuple[int, int]:
        begin, end = batch.parts[part]
        return (
            visited.count_kept(search.candidates, room.kinds, begin, end, visited.EDGE),
            visited.count_kept(search.candidates, room.kinds, begin, end, visited.FAULT),
        )

    return search.crew.each(count, range(len(batch.parts)))


def _follow(
    search: Searched,
    batch: Batch,
    room: Followed,
    edges: Sequence[int],
    faults: Sequence[int],
) -> None:
    count = len(search.space)

    def follow(_: int, part: int) -> bool:
        begin, end = batch.parts[part]
        return visited.follow(
            search.flat,
            search.candidates,
            room,
            batch.begin,
            begin,
            end,
            count,
            edges[part],
            faults[part],
        )

    if not all(search.crew.each(follow, range(len(batch.parts)))):
        raise RuntimeError("a step from a state that was left leads to no state that was found")


def _links(search: Searched, room: Followed, count: int) -> Links:
    """The edges, and which states they may lead round to."""
    urgent = frozenset(search.tasks[rule.fairness] for rule in search.system.urgent)
    _let_wait(room, urgent, len(search.tasks))
    kinds = np.full(count, peeling.CORE, dtype=np.uint8)
    peeling.peel(
        room.offsets,
        room.targets,
        room.moves,
        room.tasks,
        room.enabled,
        np.zeros(count, dtype=np.int32),
        np.empty(count, dtype=np.int32),
        kinds,
    )
    return Links(
        offsets=room.offsets,
        targets=room.targets,
        moves=room.moves,
        tasks=room.tasks,
        task_count=len(search.tasks),
        enabled=room.enabled,
        urgent=urgent,
        core=np.flatnonzero(kinds == peeling.CORE),
        alone=np.flatnonzero(kinds == peeling.ALONE),
    )


def _let_wait(room: Followed, urgent: frozenset[int], tasks: int) -> None:
    """Where somebody urgent can act all others wait, and count as able to act."""
    pressing = np.zeros(room.enabled.shape[0], dtype=np.bool_)
    for task in urgent:
        pressing |= (room.enabled[:, task // TASK_BITS] >> task % TASK_BITS & 1).astype(np.bool_)
    for word in range(room.enabled.shape[1]):
        here = min(tasks - word * TASK_BITS, TASK_BITS)
        room.enabled[pressing, word] = (1 << max(here, 0)) - 1
