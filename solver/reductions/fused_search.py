"""The search of a fused system in the place of a system, and its stories told unfused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from kubelemma.model.system import State, System
from kubelemma.properties.formula import Converges, LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.solver.explore import check
from kubelemma.solver.limits import MAX_STATES, Limits
from kubelemma.solver.replay import (
    RecordedStep,
    RepeatStatus,
    refutes,
    replay_steps,
    stands_still,
    step_of,
)
from kubelemma.solver.result import (
    CheckResult,
    PropertyResult,
    Reduction,
    Statistics,
    Trace,
    TraceStep,
    Verdict,
)

from .fusing import Fused, fuse
from .names import FUSION
from .nooks import BETWEEN, Asked, Learned, Lesson
from .speaking import silence

LEARNING = 500
"""So many states are looked at to learn who is a mover, before anything is searched."""
LEARNING_AGAIN = 150
"""So many are to learn whether a few rules more are movers."""
MOST_LESSONS = 60
"""After so many lessons there are taken to be no movers."""
MOST_LATE = 3
"""So often a search begins anew because a mover turns out to be none."""
MOST_LEFT = 2_000
"""After so many states a story is not told unfused step by step."""
NAMED = 3
"""So many reasons are given why there are no movers."""


class Searching(Protocol):
    """How systems are searched."""

    @property
    def few(self) -> int:
        """Of systems with no more states nothing is fused."""

    def trial(self, system: System, properties: Sequence[Property]) -> CheckResult | None:
        """What comes out of so few states; None if there cannot be more."""

    def quietly(self, system: System, properties: Sequence[Property]) -> CheckResult:
        """What comes out; violations are not told, since they may be none."""

    def telling(self, system: System, properties: Sequence[Property]) -> CheckResult:
        """What comes out, which is told."""


def searched(how: Searching, system: System, properties: Sequence[Property]) -> CheckResult:
    """What comes out for a system, by way of a fused one if there are movers.

    Raises:
        ModelError, ReplayError, CheckpointError: as the engine.
    """
    if any(isinstance(prop.formula, LeadsTo) for prop in properties):
        return _unfused_for_duties(how, system, properties)
    known: dict[int, PropertyResult] = {}
    if how.few:
        trial = how.trial(system, properties)
        if trial is None:
            return how.telling(system, properties)
        if trial.statistics.stopped_by != MAX_STATES:
            return trial
        known = dict(_settled(trial))
    rest = {n: prop for n, prop in enumerate(properties) if n not in known}
    found = _by_fusion(how, system, tuple(rest.values()))
    known |= dict(zip(rest, found.properties, strict=True))
    return replace(found, properties=tuple(known[n] for n in range(len(properties))))


def _unfused_for_duties(
    how: Searching, system: System, properties: Sequence[Property]
) -> CheckResult:
    """What comes out where something is to lead to something: that is asked without fusion."""
    found = how.telling(system, properties)
    if found.statistics.states <= how.few:
        return found
    ids = sorted({prop.id for prop in properties if isinstance(prop.formula, LeadsTo)})
    why = f"{', '.join(ids)} is about what follows from what, which is asked step by step"
    return _noted(found, Reduction(FUSION, used=False, why=why))


def _settled(trial: CheckResult) -> Iterator[tuple[int, PropertyResult]]:
    """What a search of some states has found for good: of a loop there may be a shorter one."""
    for number, found in enumerate(trial.properties):
        refuted = found.verdict is Verdict.VIOLATED
        if refuted and not isinstance(found.property.formula, Converges):
            yield number, found


def _by_fusion(how: Searching, system: System, properties: Sequence[Property]) -> CheckResult:
    learning = Learning(system, properties)
    fused = learning.first()
    for _ in range(MOST_LATE + 1):
        if fused is None:
            break
        try:
            found = how.quietly(fused.system, properties)
            fused.movers.check_ends()
        except Lesson as lesson:
            fused = learning.again(lesson)
        else:
            return _told(how, fused, properties, found)
    return _noted(how.telling(system, properties), Reduction(FUSION, used=False, why=learning.why))


class Learning:
    """Which rules are movers, as far as is ``learned``."""

    def __init__(self, system: System, properties: Sequence[Property]) -> None:
        self._asked, self._properties = Asked(system), properties
        self.learned = Learned()
        self._only: frozenset[str] = frozenset()

    def first(self) -> Fused | None:
        """The system fused, with only such movers as come up in few states."""
        every = [rule.name for rule in self._asked.system.rules]
        found = self._tried(self.learned, every, {}, LEARNING)
        if found is None:
            return None
        self.learned, self._only = found[0], frozenset(found[1])
        for rules in self._to_be_tried_again():
            learned = self.learned.without_refusals(rules)
            more = self._tried(learned, rules, self._only, LEARNING_AGAIN)
            if more is not None and not more[1].keys().isdisjoint(rules):
                self.learned, self._only = more[0], self._only.union(more[1])
        return self._fused()

    def _to_be_tried_again(self) -> Iterator[tuple[str, ...]]:
        """Rules that others kept from being movers, which are none, as it turned out.

        Who writes the same is tried together, as one may undo what another one does.
        """
        refused = {rule for rule, why in self.learned.refused if BETWEEN in why}
        groups: dict[frozenset[str], list[str]] = {}
        for rule in self._asked.system.rules:
            if rule.name in refused:
                groups.setdefault(frozenset(rule.writable), []).append(rule.name)
        return map(tuple, groups.values())

    def _tried(
        self, learned: Learned, rules: Collection[str], sure: Collection[str], states: int
    ) -> tuple[Learned, Mapping[str, int]] | None:
        """What is to be learned in so many states of these rules, and which movers come up there.

        None if none of them is one, or not all that are taken to be ``sure``.
        """
        left = set(rules)
        for _ in range(MOST_LESSONS):
            if not left:
                return None
            try:
                fused = fuse(self._asked, self._properties, learned, {*left, *sure})
                if fused is None:
                    return None
                check(fused.system, self._properties, Limits(max_states=states))
                fused.movers.check_ends()
            except Lesson as lesson:
                learned = learned.with_more(lesson.learned)
                refused = {rule for rule, _ in lesson.learned.refused}
                if not refused.isdisjoint(sure):
                    return None
                left -= refused
            else:
                return learned, fused.fused()
        return None

    def again(self, lesson: Lesson) -> Fused | None:
        """The system fused with what was learned late."""
        self.learned = self.learned.with_more(lesson.learned)
        return self._fused()

    def _fused(self) -> Fused | None:
        """The system fused; its starts may teach something, too."""
        while True:
            try:
                return fuse(self._asked, self._properties, self.learned, self._only)
            except Lesson as lesson:
                self.learned = self.learned.with_more(lesson.learned)

    @property
    def why(self) -> str:
        """Why there are no movers."""
        reasons = dict(sorted(self.learned.refused))
        some = [f'"{rule}": {why}' for rule, why in reasons.items()][:NAMED]
        if not some:
            return "no rule sees so little, and nothing that is asked about, that it may be fused"
        more = "" if len(reasons) <= NAMED else f"; and {len(reasons) - NAMED} more"
        return f"what might be fused makes a difference: {'; '.join(some)}{more}"


# What comes out


def _told(
    how: Searching, fused: Fused, properties: Sequence[Property], found: CheckResult
) -> CheckResult:
    """What comes out of the system itself; its stories are as short as without fusion."""
    results = list(found.properties)
    result = replace(found, statistics=_of_whole(fused, found.statistics))
    open_ = [n for n, each in enumerate(results) if _is_open(how, fused, n, each, ends=found.ends)]
    why = _relies_on(fused)
    if open_:
        exact = how.telling(fused.whole, [properties[n] for n in open_])
        longer = []
        for number, its in zip(open_, exact.properties, strict=True):
            results[number] = told = _story(fused, results[number], its)
            if told is not its:
                longer.append(told.property.id)
        if longer:
            stories = ", ".join(dict.fromkeys(longer))
            why += f"; of {stories} a shortest story was not found within the limits"
        result = replace(result, statistics=_with_both(result.statistics, exact.statistics))
    result = replace(result, properties=tuple(results))
    return _noted(result, Reduction(FUSION, used=True, why=why))


def _is_open(
    how: Searching, fused: Fused, number: int, found: PropertyResult, *, ends: bool
) -> bool:
    """Whether it has to be asked of the system itself: it is violated, or may be in between."""
    if found.verdict is not Verdict.HOLDS:
        return found.verdict is Verdict.VIOLATED
    if number not in fused.minding:
        return False
    loops = isinstance(found.property.formula, Converges) and not ends
    return found.vacuous or loops or not _is_left(how, fused.whole, found.property)


def _is_left(how: Searching, system: System, goal: Property) -> bool:
    """Whether a goal that is left in settled states is left in the system, too.

    Where something is urgent, nobody comes to what movers would make of it before.
    """
    if not any(rule.urgent for rule in system.rules):
        return True
    (said,) = how.quietly(system, [silence(goal)]).properties
    return said.verdict is Verdict.VIOLATED


def _story(fused: Fused, found: PropertyResult, exact: PropertyResult) -> PropertyResult:
    """What the system itself says; where limits keep it from that, the longer story."""
    if exact.verdict is not Verdict.INCONCLUSIVE or found.trace is None:
        return exact
    trace = unfused(fused, exact.property, found.trace)
    if trace is None:
        return exact
    shorter = _shorter(fused.whole, exact.property, trace)
    return PropertyResult(exact.property, Verdict.VIOLATED, trace=shorter)


def _with_both(mine: Statistics, its: Statistics) -> Statistics:
    peak = max(mine.peak_memory_bytes, its.peak_memory_bytes)
    return replace(mine, seconds=mine.seconds + its.seconds, peak_memory_bytes=peak)


def _of_whole(fused: Fused, found: Statistics) -> Statistics:
    """The statistics, with rules called as in the system."""
    moved = fused.fused()
    silent = [fused.origin[name] for name in found.rules_never_fired]
    return replace(
        found,
        concrete_states=0,
        rules_never_fired=tuple(name for name in silent if name not in moved),
    )


def _relies_on(fused: Fused) -> str:
    """Whose steps are done at once, and for how many values."""
    steps = ", ".join(f'"{rule}" ({count})' for rule, count in sorted(fused.fused().items()))
    return (
        f"steps of {steps} are done at once, with those that make them possible: nobody else, and "
        "nothing that is asked, makes a difference of when they come"
    )


def _noted(found: CheckResult, noted: Reduction) -> CheckResult:
    statistics = replace(found.statistics, reductions=(*found.statistics.reductions, noted))
    return replace(found, statistics=statistics)


# A story told unfused


class _Reached(NamedTuple):
    """How many steps of the fused story were taken, and the way there in the system."""

    taken: int
    trace: Trace


def unfused(fused: Fused, prop: Property, trace: Trace) -> Trace | None:
    """A run of the system that is one of the fused system; None if none was found.

    Movers act as soon as they can. A run that ends in a loop is not told so.
    """
    if trace.loop_start is not None:
        return None
    canonical = fused.whole.canonical
    wanted = [canonical(state) for state in trace.states()]
    waiting = [_Reached(-1, Trace(start, ())) for start in fused.whole.starts]
    left: set[tuple[int, State]] = set()
    while waiting and len(left) < MOST_LEFT:
        taken, run = waiting.pop()
        if canonical(run.end) == wanted[taken + 1]:
            taken += 1
        if (taken, run.end) in left:
            continue
        left.add((taken, run.end))
        if taken == len(trace.steps):
            ended = replace(run, standstill=stands_still(fused.whole, run.end))
            if refutes(fused.whole, prop.formula, ended):
                return ended
        waiting += _continued(fused, taken, run, trace.steps)
    return None


def _continued(
    fused: Fused, taken: int, run: Trace, steps: Sequence[TraceStep]
) -> Iterator[_Reached]:
    """The next step of the story, or one of a mover."""
    movers = fused.fused()
    following = taken >= 0 and taken < len(steps)
    for transition in fused.whole.successors(run.end):
        further = Trace(run.initial, (*run.steps, step_of(transition)))
        if transition.rule.name in movers:
            yield _Reached(taken, further)
        if following and _is_like(fused, steps[taken], step_of(transition)):
            yield _Reached(taken, further)


def _is_like(fused: Fused, wanted: TraceStep, step: TraceStep) -> bool:
    same = (fused.origin[wanted.rule], wanted.outcome.action, wanted.outcome.arguments)
    return same == (step.rule, step.outcome.action, step.outcome.arguments)


def _shorter(system: System, prop: Property, trace: Trace) -> Trace:
    """The story without steps that it can do without."""
    size = max(len(trace.steps) // 2, 1)
    while size:
        before, at = len(trace.steps), 0
        while at < len(trace.steps):
            rest = (*trace.steps[:at], *trace.steps[at + size :])
            again = replay_steps(system, prop.formula, [_recorded(step) for step in rest])
            if again.status is RepeatStatus.STILL_FAILS:
                trace = again.trace
            else:
                at += 1
        # A step may be superfluous once another one is left out.
        size = size // 2 if size > 1 else int(len(trace.steps) < before)
    return trace


def _recorded(step: TraceStep) -> RecordedStep:
    outcome = step.outcome
    return RecordedStep(step.rule, outcome.action, outcome.arguments, step.positions)
