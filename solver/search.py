"""Breadth-first search over all canonical states, in Python.

It follows `System.successors` and `System.canonical` by way of `Tables`. Of equal members of a
family one is tried, so steps that differ by the order of members only count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from .limits import (
    ALL_VIOLATED,
    HANDED_OVER,
    INTERRUPTED,
    MAX_MEMORY,
    MAX_STATES,
    TIME_LIMIT,
    Limits,
    Watch,
)
from .numbering import Ids
from .space import CLEAR, DUE, MET, TASK_BITS, Edges, Hop, Links, Space, Ways
from .tables import Move, Predicate, StepPredicate, Tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .certificate import Certificate
    from .projections import Key


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
    whether its premise ever held outside its goal. ``rests`` says of a leads-to whether only the
    environment can act in some state outside its goal.
    """

    property: Property
    finding: Finding | None = None
    spoken: bool = False
    rests: bool = False


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


AFTERWARDS = 1.1
"""What a search that was ended may take with its search for loops, as a multiple."""


class Search:
    """One run. After it, the public attributes hold what was found, which may be a part.

    ``expanded`` states were left by all steps that there are, ``terminal`` of them by none;
    ``cut`` counts those outside each bound by the bound's name, ``cut_states`` all of them
    together. ``fired`` counts steps by the number of the move, ``degree`` is the most of a state;
    ``starts`` are the first states. The steps of the first ``followed_states`` are known to the
    search for loops, and ``certificate`` says which of them may be repeated, where that was asked.
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
        self.fired: Counter[int] = Counter()
        self.cut: Counter[str] = Counter()
        self.expanded = self.terminal = self.cut_states = self.concrete_states = self.degree = 0
        self.followed_states = 0
        self.certificate: Certificate | None = None
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
        self._interned: dict[Ids, Ids] = {}
        self._undecided = len(self.tracks)
        self._max_states = limits.max_states
        self._listener = listener
        self._watch = watch
        self._seconds = 0.0

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

    def numbers(self, keys: Sequence[Key], most: int) -> list[NDArray[np.int64] | None]:
        """Of each key the numbers that any state has, in order; None if they are more than that."""
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        states = np.array(self.space.states[: len(self.space)], dtype=np.int64)
        found = []
        for base, adds in keys:
            numbers = np.full(len(states), base, dtype=np.int64)
            for place, each in adds.items():
                for position in self.system.positions[place]:
                    numbers += each[states[:, position]]
            distinct = np.unique(numbers)
            found.append(distinct if distinct.size <= most else None)
        return found

    def followed(self, repeats: Sequence[bool] | None, *, faults: bool) -> tuple[Links, Ways]:
        """Go through all states that were left once more, and note the steps between them.

        Those of the environment are known only with ``faults``. Of controllers' steps only those
        are edges whose moves may be repeated; all without ``repeats``. Where a limit ends this,
        states from there on have none.
        """
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        edges, others, enabled = Edges(), Edges(), []
        numbers = self._numbers_of_tasks()
        while self.followed_states < self.expanded and self._may_follow():
            tasks = 0
            for target, move in self._steps_again(self.followed_states):
                if not move.rule.environment:
                    tasks |= 1 << numbers[move.rule.fairness]
                    if repeats is None or repeats[move.number]:
                        edges.add(move.number, target)
                elif faults:
                    others.add(move.number, target)
            edges.close()
            others.close()
            enabled.append(tasks)
            self.followed_states += 1
        size, words = len(self.space), max(-(-len(numbers) // TASK_BITS), 1)
        ways = edges.ways(size)
        task_of = [numbers.get(move.rule.fairness, -1) for move in self.tables.moves]
        able = np.zeros((size, words), dtype=np.int64)
        for word in range(words):
            part = [tasks >> TASK_BITS * word & (1 << TASK_BITS) - 1 for tasks in enabled]
            able[: len(part), word] = part
        links = Links(
            offsets=ways.offsets,
            targets=ways.targets,
            moves=ways.moves,
            tasks=np.asarray(task_of, dtype=np.int32),
            task_count=len(numbers),
            enabled=able,
            urgent=frozenset(numbers[rule.fairness] for rule in self.system.urgent),
        )
        return links, others.ways(size)

    def met(self, duty: Duty) -> NDArray[np.uint8]:
        """What a leads-to says of each state; `MET` also where steps are not known."""
        import numpy as np  # noqa: PLC0415 - importing it takes longer than many a check

        said: NDArray[np.uint8] = np.full(len(self.space), MET, dtype=np.uint8)
        known = self.followed_states
        said[:known] = np.frombuffer(duty.met, dtype=np.uint8)[:known]
        return said

    def _numbers_of_tasks(self) -> Mapping[str, int]:
        rules = (rule for rule in self.tables.rules if not rule.environment)
        return {name: i for i, name in enumerate(sorted({r.fairness for r in rules}))}

    def _steps_again(self, state: int) -> Iterator[tuple[int, Move]]:
        """Where all steps from a state that was left lead, and their moves."""
        ids, summary = self.space.states[state], self.space.summaries[state]
        if not self._outside(ids, summary):
            for where, move in self.tables.enabled(ids, summary):
                yield self.space.index[_sorted(_written(ids, where, move), move)], move

    def _may_follow(self) -> bool:
        """Whether to go on going through the states; if not, the search is stopped.

        Once a limit has ended a search, or somebody has, this takes little longer.
        """
        if not self._watch.due():
            return True
        ended, reason = self._seconds or self._watch.seconds, self._watch.measure()
        self._seconds = ended
        if self._watch.report_due():
            self._listener(self.progress())
        if self.stopped_by in {TIME_LIMIT, MAX_MEMORY, INTERRUPTED}:
            return self._watch.seconds < AFTERWARDS * ended
        if reason in {None, HANDED_OVER}:
            return True
        self.stopped_by = self.stopped_by or reason
        return False

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
        outside = self._outside(ids, summary)
        self.cut.update(outside)
        if outside:
            self.cut_states += 1
            for duty in self.duties:
                duty.met[state] = MET
        else:
            self._follow_all(state, ids, summary)
        self.expanded += 1

    def _outside(self, ids: Ids, summary: Ids) -> list[str]:
        """The bounds that a state is outside of."""
        return [name for name, bound in self._bounds if not all(bound.answers(ids, summary))]

    def _follow_all(self, state: int, ids: Ids, summary: Ids) -> None:
        """Take every step from a state."""
        degree, stuck = 0, True
        for where, move in self.tables.enabled(ids, summary):
            degree += 1
            self._follow(state, where, move)
            stuck &= move.rule.environment
        self.terminal += degree == 0
        self.degree = max(self.degree, degree)
        if stuck:
            for goal in self.goals:
                if not goal.reached[state] and goal.track.finding is None:
                    self.violated(goal.track, Finding(state))
            for duty in self.duties:
                duty.track.rests |= duty.met[state] != MET

    def _follow(self, state: int, where: tuple[int, ...], move: Move) -> None:
        """Take one step."""
        after = _written(self.space.states[state], where, move)
        asked = self._steps.get(move.outcome.action)
        unsorted = tuple(after) if asked else ()
        ids = _sorted(after, move)
        target = self.space.index.get(ids)
        if target is None:
            target = self._discover(ids, state, move.number)
        self.fired[move.number] += 1
        if asked:
            self._ask_of_step(asked, state, Hop(move.number, target), unsorted)

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


def _written(ids: Ids, where: tuple[int, ...], move: Move) -> list[int]:
    """A state after a move, with families as they were sorted before."""
    after = list(ids)
    for slot, number in move.writes:
        after[where[slot]] = number
    return after


def _sorted(after: list[int], move: Move) -> Ids:
    """That state, with families sorted."""
    for family in move.unsorted:
        after[family] = sorted(after[family])
    return tuple(after)


def _denied(track: Track, answers: Iterable[bool | None]) -> bool:
    """Whether one of the answers is that the property is false."""
    for holds in answers:
        if holds is not None:
            track.spoken = True
            if not holds:
                return True
    return False
