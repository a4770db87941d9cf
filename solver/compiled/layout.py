"""A system and its properties as the flat program that the compiled loop runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import factorial, prod
from typing import Any

import numpy as np

from kubelemma.model.system import Best, System
from kubelemma.solver.tables import Move, Predicate, StepPredicate, Tables

from .answers import Answers
from .arrays import RANGE, Long, Program, Scratch


@dataclass(frozen=True, slots=True)
class Asked:
    """The predicates of a search; tracked ones with the number of their property.

    ``by_action`` has rows of ``steps`` by the action that they are asked of.
    """

    bounds: list[Predicate] = field(default_factory=list)
    invariants: list[tuple[Predicate, int]] = field(default_factory=list)
    goals: list[tuple[Predicate, int]] = field(default_factory=list)
    steps: list[tuple[StepPredicate, int]] = field(default_factory=list)
    by_action: dict[str, list[int]] = field(default_factory=dict)


def program_of(system: System, tables: Tables, answers: Answers, asked: Asked) -> Program:
    """Lay out everything that is fixed."""
    views: list[int] = []

    def view(function: int, cells: Iterable[slice], reads: tuple[int, ...]) -> int:
        where = [(cell.start, cell.stop) for cell in cells]
        begin = len(views)
        views.extend([function, len(where), *(p for pair in where for p in pair)])
        views.extend([len(reads), *reads])
        return begin

    def seen(predicate: Predicate) -> int:
        return view(answers.predicate(predicate), predicate.cells, predicate.reads)

    slices = tables.numbering.slices
    lists, places = _asked_lists(asked)
    families = [slices[name] for name in _names_by_position(system)]
    groups = [
        view(
            answers.group(group, lambda move: _place(places, move)),
            [slices[name] for name in group.cells],
            group.reads,
        )
        for group in tables.groups
    ]
    steps = [
        (view(answers.step_predicate(step), step.cells, step.reads), track)
        for step, track in asked.steps
    ]
    return Program(
        begins=_long([family.start for family in families]),
        ends=_long([family.stop for family in families]),
        sums=_table(_sums(answers), 3),
        others=_long(_others(answers, tables)),
        groups=_long(groups),
        bounds=_long([seen(bound) for bound in asked.bounds]),
        invariants=_table([(seen(p), track) for p, track in asked.invariants], 2),
        goals=_table([(seen(p), track) for p, track in asked.goals], 2),
        steps=_table(steps, 2),
        asked=_long(lists),
        orders=_long(_factorials(tables)),
        families=_table([(f.start, f.stop) for f in tables.numbering.families], 2),
        views=_long(views),
    )


def scratch_for(system: System, program: Program, properties: int) -> Scratch:
    """Room to work in for this program."""
    width = program.begins.shape[0]
    summaries = len(system.summaries)
    measured = int((program.sums[:, 1] - program.sums[:, 0]).sum())
    cells = max((len(rule.cells) for rule in system.rules), default=0)
    widest = max((tally.width for tally in system.tallies), default=1)
    seen = 3 + 2 * (len(system.positions) + summaries)
    return Scratch(
        row=np.zeros(width, dtype=np.int32),
        after=np.zeros(width, dtype=np.int32),
        next_row=np.zeros(width, dtype=np.int32),
        measures=np.zeros(measured, dtype=np.int64),
        after_measures=np.zeros(measured, dtype=np.int64),
        before_summary=np.zeros(summaries, dtype=np.int64),
        after_summary=np.zeros(summaries, dtype=np.int64),
        bindings=np.zeros((_choices(system), cells), dtype=np.int64),
        answers=np.zeros(_choices(system), dtype=np.int64),
        key=np.zeros(max(seen, widest + 1), dtype=np.int64),
        where=np.zeros(len(system.positions), dtype=np.int64),
        total=np.zeros(max(widest, 1), dtype=np.int64),
        denials=np.zeros(properties, dtype=np.int64),
        outside=np.zeros(len(system.bounds), dtype=np.int64),
        ready=np.zeros(RANGE, dtype=np.uint8),
    )


def _choices(system: System) -> int:
    """The most ways to try rules that a state can have."""
    shapes = {(rule.cells, rule.reads) for rule in system.rules}
    return sum(prod(len(system.positions[name]) for name in cells) for cells, _ in shapes)


def _sums(answers: Answers) -> list[tuple[int, int, int]]:
    ends = accumulate((tally.width for tally in answers.sums), initial=0)
    parts = zip(answers.sums, pairwise(ends), strict=True)
    return [(start, stop, answers.total(tally)) for tally, (start, stop) in parts]


def _others(answers: Answers, tables: Tables) -> list[int]:
    laid: list[int] = []
    for summary in answers.others:
        best = isinstance(summary, Best)
        named = summary.scores if isinstance(summary, Best) else summary.measures
        reads = [tables.summaries.slots[name] for name in summary.reads]
        parts = [
            (answers.part(summary, name), where.start, where.stop)
            for name, where in ((name, tables.numbering.slices[name]) for name in named)
        ]
        if isinstance(summary, Best):
            function, width = answers.greatest(summary), 1
        else:
            function, width = answers.total(summary), summary.width
        flat = [number for part in parts for number in part]
        entry = [int(best), function, width, len(reads), *reads, *flat]
        laid += [len(entry) + 1, *entry]
    return laid


def _asked_lists(asked: Asked) -> tuple[list[int], dict[str, int]]:
    """The properties of steps by action, and where the list of each action is."""
    lists: list[int] = []
    places = {}
    for action, rows in sorted(asked.by_action.items()):
        places[action] = len(lists)
        lists += [len(rows), *rows]
    return lists, places


def _place(places: dict[str, int], move: Move) -> int:
    return places.get(move.outcome.action, -1)


def _names_by_position(system: System) -> list[str]:
    return [name for name, where in system.positions.items() for _ in where]


def _factorials(tables: Tables) -> list[int]:
    """The factorials up to the size of the greatest family, or none if their product is too big."""
    sizes = [family.stop - family.start for family in tables.numbering.families]
    if prod(map(factorial, sizes)) >= 2**62:
        return []
    return [factorial(size) for size in range(max(sizes, default=0) + 1)]


def _long(numbers: Sequence[int]) -> Long:
    return np.array(numbers, dtype=np.int64)


def _table(rows: Sequence[tuple[Any, ...]], columns: int) -> Long:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)
