"""A compiled search to and from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from kubelemma.model.system import System
from kubelemma.properties.formula import EachStep, Formula
from kubelemma.solver.checkpoints import CheckpointError, Checkpoints
from kubelemma.solver.search import Finding
from kubelemma.solver.space import Hop

from . import packing
from .answers import Function, Key
from .arrays import Bytes, Small
from .checkpoint import Checkpoint
from .growing import AT_ONCE
from .search import CompiledSearch


class Keeper:
    """Saves a search from time to time, and brings it back.

    Raises:
        CheckpointError: there is a checkpoint that may not, or cannot, be used.
    """

    def __init__(
        self,
        search: CompiledSearch,
        system: System,
        checkpoints: Checkpoints,
        max_states: int | None,
    ) -> None:
        self._search, self._folder = search, checkpoints.folder
        self._most = max_states
        self._every = checkpoints.every_seconds
        self._next = self._every
        self._width = sum(len(where) for where in system.positions.values())
        self._checkpoint = Checkpoint(
            checkpoints.folder, _identity(search, system), resume=checkpoints.resume
        )

    def due(self, seconds: float) -> bool:
        """Whether it is time to save again, so long after the start."""
        if seconds < self._next:
            return False
        self._next = seconds + self._every
        return True

    def save(self) -> None:
        """Add what is new; the search must be between two batches."""
        search, held = self._search, self._checkpoint
        flat, states, left = search.flat, len(search.space), search.expanded
        saved = held.length("parents")
        done = held.length("reached") // max(len(flat.reached), 1)
        log = search.answers.log
        added: dict[str, Any] = {
            "parents": flat.parents[saved:states],
            "moves": flat.moves[saved:states],
            "reached": flat.reached[:, done:left].T,
            "answers": log.array[held.length("answers") : log.used],
            "rows": self._rows(saved, states),
        }
        held.save(added, self._facts())

    def restore(self) -> bool:
        """Go on where the checkpoint ends; False if there is none."""
        saved = self._checkpoint.saved
        if saved is None:
            return False
        search, facts = self._search, saved.facts
        same = self._give_answers() and [list(ids) for ids in search.starts] == facts["starts"]
        search.adopt_answers()
        if not same or search.answers.digest() != facts["digest"]:
            raise CheckpointError(
                "the checkpoint is of another model: it answers otherwise now (have manifests, "
                "options or kubelemma changed since?)"
            )
        self._restore_states()
        search.expanded = int(facts["expanded"])
        search.space.levels[:] = map(int, facts["levels"])
        search.counts[:] = facts["counts"]
        search.degree, search.stride = int(facts["degree"]), int(facts["stride"])
        search.cut.update({str(name): int(count) for name, count in facts["cut"].items()})
        work = search.with_room_for_moves(0)
        work.fired[: len(facts["fired"])] = facts["fired"]
        work.spoken[:] = facts["spoken"]
        work.rests[:] = facts["rests"]
        for track, found in zip(search.tracks, facts["findings"], strict=True):
            if found is not None:
                stem, tail = found
                search.violated(track, Finding(stem, tuple(Hop(*hop) for hop in tail)))
        return True

    def _facts(self) -> dict[str, Any]:
        search = self._search
        findings = [track.finding for track in search.tracks]
        return {
            "starts": search.starts,
            "digest": search.answers.digest(),
            "expanded": search.expanded,
            "levels": search.space.levels,
            "counts": search.counts.tolist(),
            "degree": search.degree,
            "stride": search.stride,
            "cut": dict(search.cut),
            "fired": search.all_fired().tolist(),
            "spoken": _any(work.spoken for work in search.works),
            "rests": _any(work.rests for work in search.works),
            "findings": [found and (found.stem, found.tail) for found in findings],
        }

    def _refuse(self, states: int, most: int, what: str) -> None:
        """Refuse a checkpoint that does not fit, and say what still works."""
        if states > most:
            raise CheckpointError(
                f"{self._folder} keeps a search of {states:,} states, and {what} {most:,}: allow "
                "as many at least, or begin anew in another folder"
            )

    def _rows(self, begin: int, end: int) -> Small:
        rows: Small = np.empty((end - begin, self._width), dtype=np.int32)
        packing.unpack(self._search.store.known.packing, self._search.flat.words, begin, end, rows)
        return rows

    def _give_answers(self) -> bool:
        """Ask the model again all that was asked, in the same order; whether it answers alike."""
        answers = self._search.answers
        log = self._checkpoint.load("answers")
        try:
            answers.answer(_questions(log.tolist(), answers.functions))
        except IndexError:
            return False
        return np.array_equal(answers.log.array[: answers.log.used], log)

    def _restore_states(self) -> None:
        search, held = self._search, self._checkpoint
        flat = search.flat
        parents = held.load("parents")
        states = len(parents)
        if self._most is not None:
            self._refuse(states, self._most, "the limit is")
        self._refuse(states, flat.words.shape[0], "the memory that is left has room for")
        flat.parents[:states], flat.moves[:states] = parents, held.load("moves")
        rows = held.load("rows").reshape(states, self._width)
        for begin in range(0, states, AT_ONCE):
            part: Small = np.ascontiguousarray(rows[begin : begin + AT_ONCE], dtype=np.int32)
            packing.pack(search.store.known.packing, part, begin, flat.words)
        if len(flat.reached):
            reached = held.load("reached").reshape(-1, len(flat.reached))
            flat.reached[:, : len(reached)] = reached.T
        search.space.count = states
        search.rehash()


def _any(of_workers: Iterable[Bytes]) -> list[bool]:
    """Of each property whether any worker has noted it."""
    return [any(noted) for noted in zip(*(each.tolist() for each in of_workers), strict=True)]


def _identity(search: CompiledSearch, system: System) -> dict[str, Any]:
    """What two searches must have in common."""
    return {
        "positions": {name: len(where) for name, where in system.positions.items()},
        "summaries": [summary.name for summary in system.summaries],
        "rules": [rule.name for rule in system.rules],
        "bounds": [bound.name for bound in system.bounds],
        "properties": [(track.property.id, track.property.subject) for track in search.tracks],
        "formulas": [_kind(track.property.formula) for track in search.tracks],
    }


def _kind(formula: Formula) -> tuple[str, Sequence[str]]:
    """What a formula says about its predicate, which is a part of the model."""
    actions = formula.actions if isinstance(formula, EachStep) else ()
    return type(formula).__name__, sorted(actions)


def _questions(log: list[int], functions: Sequence[Function]) -> Iterator[tuple[int, Key]]:
    """The functions and keys in a log of answers."""
    at = 0
    while at < len(log):
        key = at + 2
        end = key + len(functions[log[at]].fields)
        yield log[at], tuple(log[key:end])
        at = end
