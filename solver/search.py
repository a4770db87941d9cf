"""Breadth-first search over all canonical states, in Python.

It follows `System.successors` and `System.canonical` by way of `Tables`. Of equal members of a
family one is tried, so steps that differ by the order of members only count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kubelemma.model.system import System
from kubelemma.properties.formula import (
    Always,
    Converges,
    EachStep,
    LeadsTo,
    NeverStuck,
    check_formula,
)
from kubelemma.properties.statement import Property

from .events import Listener, Progress, Violation
from .limits import ALL_VIOLATED, INTERRUPTED, MAX_STATES, Limits, Watch
from .numbering import Ids
from .space import CLEAR, DUE, MET, Edges, Hop, Links, Space, Ways
from .tables import Move, Predicate, StepPredicate, Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Finding(NamedTuple):
    """A counterexample: a shortest way to the state ``stem``, then ``tail``.

    If ``loop`` is set, the last steps of the tail, from this one on, lead back to where they begin
    and repeat for ever.
    """

    stem: int
    tail: tuple[Hop, ...] = ()
    loop: int | None = None


@dataclass(slots=True)
class Track:
    """What is known of one property so far.

    ``spoken`` says whether its predicate said anything yet, whether its goal was ever left, or
    whether its premise ever held outside its goal.
    """

    property: Property
    finding: Finding | None = None
    spoken: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal of a property of runs; ``reached`` has a byte for each state, zero outside."""

    track: Track
    predicate: Predicate
    reached: bytearray = field(default_factory=bytearray)

    @property
    def must_converge(self) -> bool:
        """Whether runs outside the goal are ruled out too, not only standstills."""
        return isinstance(self.track.property.formula, Converges)


@dataclass(frozen=True, slots=True)
class Duty:
    """What leads to what; ``met`` has a byte for each state: `DUE`, `MET` or `CLEAR`.

    In a state that is not left because of a bound it says `MET`: who gets there owes nothing.
    """

    track: Track
    predicate: Predicate
    met: bytearray = field(default_factory=bytearray)


class Stopped(Exception):
    """The search reached a limit; its argument says which, as in `kubelemma.solver.limits`."""


class Search:
    """One run. After it, the public attributes hold what was found, which may be a part.

    ``expanded`` states were left by all steps that there are, ``terminal`` of them by none;
    ``cut`` counts those outside each bound by the bound's name, ``cut_states`` all of them
    together. ``fired`` counts steps by the number of the move, ``degree`` is the most of a state;
    ``starts`` are the first states.
    """

    def __init__(
        self,
        system: System,
        properties: Sequence[Property],
        limits: Limits,
        listener: Listener,
        watch: Watch,
    ) -> None:
        self.system = system
        self.tables = Tables(system)
        self.space = Space()
        self.edges = Edges()
        self.faults = Edges()
        self.fired: Counter[int] = Counter()
        self.cut: Counter[str] = Counter()
        self.expanded = self.terminal = self.cut_states = self.concrete_states = self.degree = 0
        self.stopped_by: str | None = None
        self.tracks = [Track(p) for p in properties]
        self.goals: list[Goal] = []
        self.duties: list[Duty] = []
        self.starts = tuple(self.tables.numbering.ids(system.canonical(s)) for s in system.starts)
        self._bounds = [(b.name, self.tables.predicate(b.view, b.within)) for b in system.bounds]
        self._invariants: list[tuple[Track, Predicate]] = []
        self._steps: dict[str, list[tuple[Track, StepPredicate]]] = {}
        for track in self.tracks:
            check_formula(system, track.property.formula, f'property "{track.property.id}"')
            self._watch_for(track)
        self._with_faults = bool(self.duties)
        self._with_edges = self._with_faults or any(goal.must_converge for goal in self.goals)
        self._interned: dict[Ids, Ids] = {}
        self._undecided = len(self.tracks)
        self._max_states = limits.max_states
        self._listener = listener
        self._watch = watch

    def run(self) -> None:
        """Search to the end, to a limit, or until every property is known to be violated."""
        self.space.roots = len(self.starts)
        try:
            self._search()
        except Stopped as stopped:
            self.stopped_by = str(stopped)
        except KeyboardInterrupt:
            self.stopped_by = INTERRUPTED

    @property
    def complete(self) -> bool:
        """Whether every reachable state was found and left by every step."""
        return self.stopped_by is None and not self.cut_states

    def links(self) -> Links:
        """The steps of controllers, for a search for loops."""
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        edges = self.edges
        ways = _ways(edges, len(self.space))
        rules = (rule for rule in self.tables.rules if not rule.environment)
        numbers = {name: i for i, name in enumerate(sorted({r.fairness for r in rules}))}
        task_of = [numbers.get(move.rule.fairness, -1) for move in self.tables.moves]
        moves = np.asarray(edges.moves)[: ways.targets.size]
        return Links(
            offsets=ways.offsets,
            targets=ways.targets,
            move_of=ways.move_of,
            tasks=np.asarray(task_of, dtype=np.int64)[moves],
            task_count=len(numbers),
            urgent=frozenset(numbers[rule.fairness] for rule in self.system.urgent),
        )

    def fault_ways(self) -> Ways:
        """The steps of the environment, which are known where something is to lead to a goal."""
        return _ways(self.faults, len(self.space))

    def met(self, duty: Duty) -> NDArray[np.uint8]:
        """What a leads-to says of each state; `MET` also where not all steps are known."""
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        said: NDArray[np.uint8] = np.full(len(self.space), MET, dtype=np.uint8)
        said[: self.expanded] = np.frombuffer(duty.met, dtype=np.uint8)[: self.expanded]
        return said

    def violated(self, track: Track, finding: Finding) -> None:
        """Note a counterexample, and tell of it if it is the first for this property."""
        first = track.finding is None
        track.finding = finding
        if first:
            self._undecided -= 1
            depth = self.space.depth(finding.stem)
            depth += len(finding.tail) if finding.loop is None else finding.loop
            self._listener(Violation(track.property.id, track.property.subject, depth))

    def _watch_for(self, track: Track) -> None:
        formula = track.property.formula
        match formula:
            case Always():
                predicate = self.tables.predicate(formula.view, formula.holds)
                self._invariants.append((track, predicate))
            case EachStep():
                step = self.tables.step_predicate(formula.view, formula.holds)
                for action in sorted(formula.actions):
                    self._steps.setdefault(action, []).append((track, step))
            case NeverStuck() | Converges():
                goal = self.tables.predicate(formula.view, formula.goal)
                self.goals.append(Goal(track, goal))
            case LeadsTo():
                met = self.tables.predicate(formula.view, formula.met)
                self.duties.append(Duty(track, met))

    def _search(self) -> None:
        for start in self.starts:
            self._discover(start, 0, 0)
        while level := self.space.next_level():
            for state in level:
                self._pause()
                self._expand(state)

    def _pause(self) -> None:
        """Stop if there is a reason to, and report progress from time to time."""
        if self.tracks and not self._undecided:
            raise Stopped(ALL_VIOLATED)
        if not self._watch.due():
            return
        reason = self._watch.measure()
        if self._watch.report_due():
            self._listener(self.progress())
        if reason:
            raise Stopped(reason)

    def progress(self) -> Progress:
        """How far the search has come."""
        return Progress(
            states=len(self.space),
            transitions=self.fired.total(),
            depth=self.depth,
            frontier=len(self.space) - self.expanded,
            seconds=self._watch.seconds,
            memory_bytes=self._watch.memory_bytes,
            entries=self.tables.entries(),
        )

    def model_calls(self) -> int:
        """How often the model's own code was called."""
        return self.tables.calls()

    @property
    def depth(self) -> int:
        """The number of levels found."""
        return self.space.depth(len(self.space) - 1) if self.space else 0

    def _expand(self, state: int) -> None:
        ids, summary = self.space.states[state], self.space.summaries[state]
        if self._is_cut(ids, summary):
            self.cut_states += 1
            for duty in self.duties:
                duty.met[state] = MET
        else:
            self._follow_all(state, ids, summary)
        self.edges.close()
        if self._with_faults:
            self.faults.close()
        self.expanded += 1

    def _is_cut(self, ids: Ids, summary: Ids) -> bool:
        outside = [name for name, bound in self._bounds if not all(bound.answers(ids, summary))]
        self.cut.update(outside)
        return bool(outside)

    def _follow_all(self, state: int, ids: Ids, summary: Ids) -> None:
        """Take every step from a state."""
        degree, stuck = 0, True
        for where, move in self.tables.enabled(ids, summary):
            degree += 1
            target = self._follow(state, where, move)
            if not move.rule.environment:
                stuck = False
                if self._with_edges:
                    self.edges.add(move.number, target)
            elif self._with_faults:
                self.faults.add(move.number, target)
        self.terminal += degree == 0
        self.degree = max(self.degree, degree)
        if stuck:
            for goal in self.goals:
                if not goal.reached[state] and goal.track.finding is None:
                    self.violated(goal.track, Finding(state))

    def _follow(self, state: int, where: tuple[int, ...], move: Move) -> int:
        """Take one step; gives the index of the state that it leads to."""
        after = list(self.space.states[state])
        for slot, number in move.writes:
            after[where[slot]] = number
        asked = self._steps.get(move.outcome.action)
        unsorted = tuple(after) if asked else ()
        for family in move.unsorted:
            after[family] = sorted(after[family])
        ids = tuple(after)
        target = self.space.index.get(ids)
        if target is None:
            target = self._discover(ids, state, move.number)
        self.fired[move.number] += 1
        if asked:
            self._ask_of_step(asked, state, Hop(move.number, target), unsorted)
        return target

    def _ask_of_step(
        self, asked: list[tuple[Track, StepPredicate]], state: int, hop: Hop, unsorted: Ids
    ) -> None:
        """Ask the properties of steps; ``unsorted`` is the state after the step."""
        space, move = self.space, self.tables.moves[hop.move]
        before = space.states[state], space.summaries[state]
        after = unsorted, space.summaries[hop.state]
        for track, predicate in asked:
            if track.finding is None and _denied(track, predicate.answers(move, before, after)):
                self.violated(track, Finding(state, (hop,)))

    def _discover(self, ids: Ids, parent: int, move: int) -> int:
        """Add a state that is new, and ask all predicates about it."""
        if len(self.space) == self._max_states:
            raise Stopped(MAX_STATES)
        summary = self.tables.summaries(ids)
        summary = self._interned.setdefault(summary, summary)
        state = self.space.add(ids, summary, parent, move)
        for track, predicate in self._invariants:
            if track.finding is None and _denied(track, predicate.answers(ids, summary)):
                self.violated(track, Finding(state))
        for goal in self.goals:
            reached = all(goal.predicate.answers(ids, summary))
            goal.reached.append(reached)
            goal.track.spoken |= not reached
        for duty in self.duties:
            (met,) = duty.predicate.answers(ids, summary)
            duty.met.append(CLEAR if met is None else MET if met else DUE)
            duty.track.spoken |= met is False
        self.concrete_states += self.tables.numbering.orbit_size(ids)
        self.space.index[ids] = state
        return state


def _ways(edges: Edges, size: int) -> Ways:
    """The edges that were closed, of so many states."""
    import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

    count = edges.offsets[-1]
    offsets = np.full(size + 1, count, dtype=np.int64)
    offsets[: len(edges.offsets)] = edges.offsets
    return Ways(
        offsets=offsets,
        targets=np.asarray(edges.targets, dtype=np.int32)[:count],
        move_of=lambda _, edge: edges.moves[edge],
    )


def _denied(track: Track, answers: Iterable[bool | None]) -> bool:
    """Whether one of the answers is that the property is false."""
    for holds in answers:
        if holds is not None:
            track.spoken = True
            if not holds:
                return True
    return False
