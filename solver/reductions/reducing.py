"""The way to an answer by reductions: what is searched instead, and what its answers are worth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Event, Listener, Violation
from kubelemma.solver.explore import check
from kubelemma.solver.limits import ALL_VIOLATED, MAX_STATES, Limits
from kubelemma.solver.result import (
    CheckResult,
    PropertyResult,
    Reduction,
    Statistics,
    Trace,
    Verdict,
)

from .bagged import Refused
from .fused_search import searched
from .names import ALL, CERTIFICATE, FUSION, POOLING, REDUCTIONS, SLICING
from .parting import Answered, Parted, Parting
from .pooling import Pool
from .refinding import refound
from .speaking import silence

SMALL = 2_000
"""A system of so few states is searched as it is."""
FEW = 1_500_000
"""Of a system of so few states nothing is fused: to learn how takes longer than to search them."""


class Engine(Protocol):
    """An engine that visits every state."""

    def __call__(
        self,
        system: System,
        properties: Sequence[Property],
        limits: Limits,
        listener: Listener,
        /,
        *,
        certified: bool,
    ) -> CheckResult:
        """As `kubelemma.solver.explore.check`."""


def reduced(  # noqa: PLR0917 - an engine's arguments, the engine, and how
    engine: Engine,
    system: System,
    properties: Sequence[Property],
    limits: Limits,
    listener: Listener,
    without: Collection[str] = (),
    small: int = SMALL,
    few: int = FEW,
) -> CheckResult:
    """Check the properties by an engine, of a smaller system where one is known to answer as well.

    A system of no more states than ``small`` is searched as it is, and of one with no more than
    ``few`` nothing is fused.

    Raises:
        ModelError, ReplayError, CheckpointError: as the engine.
    """
    off = set(REDUCTIONS if ALL in without else without)
    fewest, certified = None if FUSION in off else few, CERTIFICATE not in off
    whole = _Asked(engine, system, tuple(properties), limits, listener, fewest, certified=certified)
    if off >= {POOLING, FUSION}:
        return whole.search()
    found = whole.up_to(small)
    if found is not None:
        return found
    if POOLING in off:
        return whole.search()
    return _by_pooling(whole, slicing=SLICING not in off)


class _Asked:
    """What an engine is asked, and how long it took so far."""

    def __init__(  # noqa: PLR0917 - what `reduced` is asked
        self,
        engine: Engine,
        system: System,
        properties: tuple[Property, ...],
        limits: Limits,
        listener: Listener,
        few: int | None,
        *,
        certified: bool,
    ) -> None:
        self.system, self.properties, self.listener = system, properties, listener
        self._engine, self._limits, self._few = engine, limits, few
        self._certified = certified
        self._begun, self._begun_by_wall = time.process_time(), time.monotonic()
        self._told: set[tuple[str, str]] = set()

    def search(
        self, *noted: Reduction, of: Sequence[Property] | None = None, fusing: bool = True
    ) -> CheckResult:
        """Search the system as it is, or fused, for all properties or some."""
        properties = self.properties if of is None else of
        search = self._searched if fusing else self.by_engine
        return _with(search(self.system, properties, self.tell), *noted)

    def of(self, system: System, properties: Sequence[Property]) -> CheckResult:
        """What comes out for a smaller one; violations are not told, since they may be none."""
        return self._searched(system, properties, self.tell_no_violation)

    def _searched(
        self, system: System, properties: Sequence[Property], tell: Listener
    ) -> CheckResult:
        if self._few is None:
            return self.by_engine(system, properties, tell)
        return searched(_Searching(self, self._few, tell), system, properties)

    def up_to(self, states: int) -> CheckResult | None:
        """What comes out where there are no more states than these; None where there are."""
        if not self.may_have_more(states):
            return None
        told: list[Event] = []
        limits = replace(self._left(), max_states=states)
        asked = (self.system, self.properties, limits, told.append)
        found = check(*asked, certified=self._certified)
        if found.statistics.stopped_by == MAX_STATES:
            return None
        for event in told:
            self.listener(event)
        return found

    def may_have_more(self, states: int) -> bool:
        """Whether a search may go beyond so many states."""
        most = self._limits.max_states
        return most is None or most > states

    def by_engine(
        self,
        system: System,
        properties: Sequence[Property],
        tell: Listener,
        most: int | None = None,
    ) -> CheckResult:
        """What the engine finds, in so many states at most."""
        left = self._left()
        limits = left if most is None else replace(left, max_states=most)
        return self._engine(system, properties, limits, tell, certified=self._certified)

    def tell(self, event: Event) -> None:
        """Tell of an event, but of a violation only once, however often it is found."""
        if isinstance(event, Violation):
            who = event.property_id, event.subject
            if who in self._told:
                return
            self._told.add(who)
        self.listener(event)

    def tell_no_violation(self, event: Event) -> None:
        """Tell of an event that is no violation."""
        if not isinstance(event, Violation):
            self.listener(event)

    def _left(self) -> Limits:
        spent = self._limits.spent_seconds + time.process_time() - self._begun
        waited = self._limits.waited_seconds + time.monotonic() - self._begun_by_wall
        return replace(self._limits, spent_seconds=spent, waited_seconds=waited)


@dataclass(frozen=True, slots=True)
class _Searching:
    """How a system is searched, in parts where that is of use."""

    asked: _Asked
    few: int
    tell: Listener

    def trial(self, system: System, properties: Sequence[Property]) -> CheckResult | None:
        """What comes out of so few states; None if there cannot be more."""
        if not self.asked.may_have_more(self.few):
            return None
        return self.asked.by_engine(system, properties, self.tell, self.few)

    def quietly(self, system: System, properties: Sequence[Property]) -> CheckResult:
        """What comes out; violations are not told, since they may be none."""
        return self.asked.by_engine(system, properties, self.asked.tell_no_violation)

    def telling(self, system: System, properties: Sequence[Property]) -> CheckResult:
        """What comes out, which is told."""
        return self.asked.by_engine(system, properties, self.tell)


def _by_pooling(whole: _Asked, *, slicing: bool) -> CheckResult:
    """What the pool says; what it refutes is found again in the system, or searched for there."""
    try:
        parting = Parting(whole.system, whole.properties, whole.of, slicing=slicing)
        parted = parting.searched()
    except Refused as refusal:
        return whole.search(_unused(str(refusal)))
    known = dict(_known(whole, parted))
    for each in known.values():
        if each.trace is not None:
            whole.tell(_violation(each, each.trace))
    statistics = _of_whole(parted)
    notes = (*_notes(whole, parted), *statistics.reductions)
    left = {n: prop for n, prop in enumerate(whole.properties) if n not in known}
    statistics = replace(statistics, reductions=())
    result = _with(CheckResult(parted.answered[0].result.engine, (), statistics), *notes)
    if left:
        why = f"{', '.join(sorted({prop.id for prop in left.values()}))} {_OPEN}"
        wrong = _goes_wrong(parted)
        exact = whole.search(
            *notes, _unused(why), of=tuple(left.values()), fusing=not wrong & left.keys()
        )
        known |= dict(zip(left, exact.properties, strict=True))
        result = _with_both(result, exact)
    return replace(result, properties=tuple(known[n] for n in range(len(whole.properties))))


def _goes_wrong(parted: Parted) -> set[int]:
    """The properties that are violated in the pool: to find out where takes every step."""
    return {
        number
        for answered in parted.answered
        for number, each in answered.answers()
        if each.verdict is Verdict.VIOLATED
    }


def _known(whole: _Asked, parted: Parted) -> Iterator[tuple[int, PropertyResult]]:
    """What is known of each property by now, by its number."""
    for answered in parted.answered:
        for number, each in answered.answers():
            prop = whole.properties[number]
            found = _found_again(answered, number, prop, each)
            if found is not None:
                yield number, _left_open(found) if parted.open else found


def _found_again(
    answered: Answered, number: int, prop: Property, found: PropertyResult
) -> PropertyResult | None:
    """What is found, of the system; None if it is a violation that is not one there.

    Nor is it known where only the smaller one comes to where the property has something to say.
    """
    if found.trace is None:
        speaks = found.verdict is Verdict.HOLDS and not found.vacuous
        witness = answered.witness(number) if speaks else None
        said = witness is None or refound(answered.smaller, silence(prop), witness)
        return replace(found, property=prop) if said else None
    trace = refound(answered.smaller, prop, found.trace)
    return None if trace is None else replace(found, property=prop, trace=trace)


def _left_open(found: PropertyResult) -> PropertyResult:
    """What holds in one slice does so if nothing comes up in another that it has to do with."""
    if found.verdict is not Verdict.HOLDS:
        return found
    why = "what may come up in another part, which was not searched to the end, is not known"
    return replace(found, verdict=Verdict.INCONCLUSIVE, vacuous=False, reason=why)


def _with_both(pooled: CheckResult, exact: CheckResult) -> CheckResult:
    """The search whose statistics count: the pool's, if the other ended by what it refuted."""
    if exact.statistics.stopped_by != ALL_VIOLATED:
        return exact
    mine, its = pooled.statistics, exact.statistics
    peak = max(mine.peak_memory_bytes, its.peak_memory_bytes)
    seconds, noted = mine.seconds + its.seconds, its.reductions
    both = replace(mine, seconds=seconds, peak_memory_bytes=peak, reductions=noted)
    return replace(pooled, statistics=both)


_OPEN = "looks at what is beside each other, or goes wrong in the pool alone"


def _unused(why: str) -> Reduction:
    return Reduction(POOLING, used=False, why=why)


def _violation(found: PropertyResult, trace: Trace) -> Violation:
    depth = len(trace.steps) if trace.loop_start is None else trace.loop_start
    return Violation(found.property.id, found.property.subject, depth)


def _of_whole(parted: Parted) -> Statistics:
    """The statistics of all searches, with rules called as in the system.

    Of the system itself no state is counted.
    """
    found = [answered.result.statistics for answered in parted.answered]
    actions: Counter[str] = Counter()
    for each in found:
        actions.update(dict(each.actions))
    stops = [each.stopped_by for each in found if each.stopped_by]
    return Statistics(
        states=sum(each.states for each in found),
        transitions=sum(each.transitions for each in found),
        depth=max(each.depth for each in found),
        terminal_states=sum(each.terminal_states for each in found),
        cut_states=sum(each.cut_states for each in found),
        model_calls=sum(each.model_calls for each in found),
        seconds=sum(each.seconds for each in found),
        peak_memory_bytes=max(each.peak_memory_bytes for each in found),
        exhaustive=all(each.exhaustive for each in found),
        actions=tuple(sorted(actions.items())),
        rules_never_fired=_never_fired(parted),
        stopped_by=stops[0] if stops else None,
        out_degree=max(each.out_degree for each in found),
        tables=tuple(table for each in found for table in each.tables),
        reductions=tuple(_once(note for each in found for note in each.reductions)),
    )


def _never_fired(parted: Parted) -> tuple[str, ...]:
    """The rules of the system that act in none of the searches."""
    heard: set[str] = set()
    for answered in parted.answered:
        silent = set(answered.result.statistics.rules_never_fired)
        there = (rule.name for rule in answered.smaller.system.rules)
        heard |= {answered.smaller.origin[name] for name in there if name not in silent}
    return tuple(rule.name for rule in parted.pool.whole.rules if rule.name not in heard)


def _notes(whole: _Asked, parted: Parted) -> Iterator[Reduction]:
    """What was used, and what it relies on."""
    yield Reduction(POOLING, used=True, why=_relies_on(parted.pool))
    if len(parted.answered) > 1:
        parts = (_asked_of(whole, answered) for answered in parted.answered)
        why = f"{'; '.join(filter(None, parts))}: of each only what can influence it is searched"
        yield Reduction(SLICING, used=True, why=why)


def _asked_of(whole: _Asked, answered: Answered) -> str:
    by_subject: dict[str, list[str]] = {}
    for prop in (whole.properties[number] for number in answered.asked):
        by_subject.setdefault(prop.subject, []).append(prop.id)
    return ", ".join(f"{', '.join(ids)} of {subject}" for subject, ids in by_subject.items())


def _relies_on(made: Pool) -> str:
    members, things = len(made.whole.positions[made.bagged.name]), made.bagged.things
    kept = f", but {made.kept} that may change" if made.kept else ""
    return (
        f"{members} {made.bagged.name} are one{kept}: whoever looks at one of their {things} looks "
        f"at no other, whoever adds one looks at none, and nothing but their {things} changes"
    )


def _with(found: CheckResult, *noted: Reduction) -> CheckResult:
    notes = tuple(_once((*noted, *found.statistics.reductions)))
    return replace(found, statistics=replace(found.statistics, reductions=notes))


def _once(notes: Iterable[Reduction]) -> Iterator[Reduction]:
    """Each reduction, used or not, once, with all that several searches say of it."""
    said: dict[tuple[str, bool], dict[str, None]] = {}
    for note in notes:
        said.setdefault((note.name, note.used), {})[note.why] = None
    return (Reduction(name, used, "; ".join(whys)) for (name, used), whys in said.items())
