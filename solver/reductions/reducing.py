"""The way to an answer by reductions: what is searched instead, and what its answers are worth."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Event, Listener, Violation
from kubelemma.solver.explore import check
from kubelemma.solver.limits import ALL_VIOLATED, MAX_STATES, Limits
from kubelemma.solver.result import CheckResult, PropertyResult, Reduction, Statistics, Trace

from .bagged import Full, Looked, Refused, bagged_of
from .names import ALL, POOLING
from .pooled_properties import name_of, pooled_property
from .pooling import Pool, enough_slots, pool
from .refinding import refound

SMALL = 2_000
"""A system of so few states is searched as it is."""


class Engine(Protocol):
    """An engine that visits every state."""

    def __call__(
        self, system: System, properties: Sequence[Property], limits: Limits, listener: Listener, /
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
) -> CheckResult:
    """Check the properties by an engine, of a smaller system where one is known to answer as well.

    Raises:
        ModelError, ReplayError, CheckpointError: as the engine.
    """
    whole = _Asked(engine, system, tuple(properties), limits, listener)
    if {POOLING, ALL} & set(without):
        return whole.search()
    return whole.up_to(small) or _by_pooling(whole)


class _Asked:
    """What an engine is asked, and how long it took so far."""

    def __init__(
        self,
        engine: Engine,
        system: System,
        properties: tuple[Property, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        self.system, self.properties, self.listener = system, properties, listener
        self._engine, self._limits = engine, limits
        self._begun = time.process_time()

    def search(self, *noted: Reduction, of: Sequence[Property] | None = None) -> CheckResult:
        """Search the system as it is, for all properties or some."""
        properties = self.properties if of is None else of
        return _with(self._engine(self.system, properties, self._left(), self.listener), *noted)

    def up_to(self, states: int) -> CheckResult | None:
        """What comes out where there are no more states than these; None where there are."""
        most = self._limits.max_states
        if most is not None and most <= states:
            return None
        told: list[Event] = []
        limits = replace(self._left(), max_states=states)
        found = check(self.system, self.properties, limits, told.append)
        if found.statistics.stopped_by == MAX_STATES:
            return None
        for event in told:
            self.listener(event)
        return found

    def of(self, made: Pool, properties: Sequence[Property]) -> CheckResult:
        """What comes out for the pool; violations are not told, since they may be none."""

        def hear(event: Event) -> None:
            if not isinstance(event, Violation):
                self.listener(event)

        return self._engine(made.system, properties, self._left(), hear)

    def _left(self) -> Limits:
        spent = self._limits.spent_seconds + time.process_time() - self._begun
        return replace(self._limits, spent_seconds=spent)


def _by_pooling(whole: _Asked) -> CheckResult:
    """What the pool says; what it refutes is found again in the system, or searched for there."""
    try:
        made, asked, found = _searched(whole)
    except Refused as refusal:
        return whole.search(_unused(str(refusal)))
    told = {
        number: _found_again(made, whole.properties[number], each)
        for number, each in zip(asked, found.properties, strict=True)
    }
    known = {number: each for number, each in told.items() if each is not None}
    for each in known.values():
        if each.trace is not None:
            whole.listener(_violation(each, each.trace))
    note = Reduction(POOLING, used=True, why=_relies_on(made))
    left = {n: prop for n, prop in enumerate(whole.properties) if n not in known}
    result = _with(replace(found, statistics=_of_whole(made, found.statistics)), note)
    if left:
        why = f"{', '.join(sorted({prop.id for prop in left.values()}))} {_OPEN}"
        exact = whole.search(note, _unused(why), of=tuple(left.values()))
        known |= dict(zip(left, exact.properties, strict=True))
        result = _with_both(result, exact)
    return replace(result, properties=tuple(known[n] for n in range(len(whole.properties))))


def _with_both(pooled: CheckResult, exact: CheckResult) -> CheckResult:
    """The search whose statistics count: that of the pool, if the other ended by what it refuted."""
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


def _searched(whole: _Asked) -> tuple[Pool, tuple[int, ...], CheckResult]:
    """The pool with slots enough, which of the properties can be asked of it, and what comes out.

    Raises:
        Refused: the system cannot be pooled, or no property can be asked of a pool.
    """
    slots = enough_slots(whole.system, bagged_of(whole.system))
    while True:
        try:
            made = pool(whole.system, slots)
            asked = dict(_askable(made, whole.properties))
            found = _of_those(whole, made, asked)
            return made, tuple(asked), found
        except Full:
            slots *= 2


def _askable(made: Pool, properties: Sequence[Property]) -> Iterator[tuple[int, Property]]:
    for number, prop in enumerate(properties):
        with suppress(Refused):
            yield number, pooled_property(made, prop)


def _of_those(whole: _Asked, made: Pool, asked: dict[int, Property]) -> CheckResult:
    """What comes out of a pool; a property that turns out to look at members is left out."""
    while True:
        if whole.properties and not asked:
            raise Refused("all that is asked looks at what is beside each other")
        try:
            return whole.of(made, tuple(asked.values()))
        except Looked as looked:
            number = next((n for n, p in asked.items() if name_of(p) == looked.who), None)
            if number is None:
                raise
            del asked[number]


def _found_again(made: Pool, prop: Property, found: PropertyResult) -> PropertyResult | None:
    """What is found, of the system; None if it is a violation that is not one there."""
    if found.trace is None:
        return replace(found, property=prop)
    trace = refound(made, prop, found.trace)
    return None if trace is None else replace(found, property=prop, trace=trace)


def _of_whole(made: Pool, found: Statistics) -> Statistics:
    """The statistics with rules called as in the system, of which no state is counted."""
    silent = set(found.rules_never_fired)
    heard = {origin for name, origin in made.origin.items() if name not in silent}
    never = tuple(rule.name for rule in made.whole.rules if rule.name not in heard)
    return replace(found, rules_never_fired=never, concrete_states=0)


def _relies_on(made: Pool) -> str:
    members = len(made.whole.positions[made.bagged.name])
    kept = f", but {made.kept} that may change" if made.kept else ""
    return (
        f"{members} {made.bagged.name} are one{kept}: whatever looks at a pod looks at no other on "
        "its node, every node has room for all, and nothing else changes on them"
    )


def _with(found: CheckResult, *noted: Reduction) -> CheckResult:
    statistics = replace(found.statistics, reductions=(*found.statistics.reductions, *noted))
    return replace(found, statistics=statistics)
