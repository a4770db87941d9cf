"""The plain engine: searches all states, looks for fair loops, and answers for every property."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from kubelemma.model.system import System
from kubelemma.properties.statement import Property

from .events import Event, Listener
from .limits import (
    INTERRUPTED,
    MAX_MEMORY,
    MAX_STATES,
    MEMORY_SHARE,
    TIME_LIMIT,
    UNLIMITED,
    Clock,
    Gauge,
    Limits,
    Watch,
    resident_memory,
)
from .replay import CanonicalStep, counterexample
from .result import CheckResult, PropertyResult, Statistics, Trace, Verdict
from .search import Finding, Search, Track

ENGINE = "plain"


def ignore(_: Event) -> None:
    """A listener that does nothing."""


def check(
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    certified: bool = True,
    clock: Clock = time.monotonic,
    gauge: Gauge = resident_memory,
) -> CheckResult:
    """Check the properties in all reachable states, or in those that the limits allow.

    Unless ``certified``, loops are looked for among all steps, whatever may be repeated.
    A violation does not end the search, which goes on for the other properties and the statistics
    until all are violated. An interrupt (Ctrl-C) ends it with what is known by then.

    Raises:
        ModelError: the system contradicts its own declarations, or a property looks at what it
            does not declare.
        ReplayError: the plain semantics does not confirm a counterexample.
    """
    watch = Watch(limits, clock, gauge)
    search = Search(system, properties, limits, listener, watch)
    search.run()
    return conclude(ENGINE, search, limits, watch, certified=certified)


def conclude(
    engine: str, search: Search, limits: Limits, watch: Watch, *, certified: bool
) -> CheckResult:
    """What follows from a search that was run, loops included.

    Raises:
        ReplayError: the plain semantics does not confirm a counterexample.
    """
    # What loops need to know of values that no state has is not counted.
    calls = search.model_calls()
    try:
        search_loops(search, certified=certified)
    except KeyboardInterrupt:
        search.stopped_by = INTERRUPTED
    results = tuple(result_of(search, limits, track) for track in search.tracks)
    watch.measure()
    found = search.certificate
    ends = search.complete and found is not None and not found.left
    return CheckResult(engine, results, statistics_of(search, watch, calls), ends)


def search_loops(search: Search, *, certified: bool) -> None:
    """Look for fair loops, where some goal that must be reached was ever left, or came due.

    Steps are gone through again only if loops may be there, or a run may end where something is
    still due.
    """
    goals = any(goal.track.spoken and goal.must_converge for goal in search.goals)
    duties = [duty for duty in search.duties if duty.track.spoken]
    if not goals and not duties:
        return
    # Importing numpy and scipy takes longer than many a check.
    from .certificate import certify  # noqa: PLC0415
    from .leading import find_unmet  # noqa: PLC0415
    from .liveness import find_loops  # noqa: PLC0415

    if certified:
        search.certificate = certify(search.system, search.tables, search.numbers)
    found = search.certificate
    turning = found is None or found.left > 0
    duties = [duty for duty in duties if turning or duty.track.rests]
    if not turning and not duties:
        return
    repeats = None if found is None or duties else found.repeats.tolist()
    links, faults = search.followed(repeats, faults=bool(duties))
    if goals and turning:
        find_loops(search, links)
    if duties:
        find_unmet(search, duties, (links, faults), turning=turning)


def result_of(search: Search, limits: Limits, track: Track) -> PropertyResult:
    """The verdict on one property after a search, with a trace that was replayed."""
    if track.finding is not None:
        trace = _trace(search, track.property, track.finding)
        return PropertyResult(track.property, Verdict.VIOLATED, trace=trace)
    if search.complete:
        return PropertyResult(track.property, Verdict.HOLDS, vacuous=not track.spoken)
    return PropertyResult(track.property, Verdict.INCONCLUSIVE, reason=_reason(search, limits))


def _trace(search: Search, prop: Property, finding: Finding) -> Trace:
    stem = search.space.path(finding.stem)
    numbering, moves = search.tables.numbering, search.tables.moves
    steps = [
        CanonicalStep(
            moves[hop.move].rule.name,
            moves[hop.move].outcome,
            search.system.canonical(numbering.state(search.space.states[hop.state])),
        )
        for hop in (*stem, *finding.tail)
    ]
    loop_start = None if finding.loop is None else len(stem) + finding.loop
    start = numbering.state(search.space.states[search.space.root(finding.stem)])
    return counterexample(search.system, prop, steps, loop_start, start)


def _reason(search: Search, limits: Limits) -> str:
    """Why the search says nothing about what it did not refute, and what it covered."""
    causes = [
        f'{_several(count, "state")} outside the bound "{name}" '
        f"{'were' if count > 1 else 'was'} not left"
        for name, count in sorted(search.cut.items())
    ]
    if search.stopped_by is not None:
        causes.insert(0, stops(limits)[search.stopped_by])
    return (
        f"{'; '.join(causes)}; no violation in {_several(len(search.space), 'state')} "
        f"({search.expanded - search.cut_states:,} left by every step), "
        f"{_several(search.depth, 'level')} deep"
    )


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def stops(limits: Limits) -> Mapping[str, str]:
    """What it means that a search stopped, in words, by why it did."""
    return {
        MAX_STATES: f"the limit of {_several(limits.max_states or 0, 'state')} was reached",
        TIME_LIMIT: _time_reason(limits),
        MAX_MEMORY: _memory_reason(limits),
        INTERRUPTED: "the search was interrupted",
    }


def _time_reason(limits: Limits) -> str:
    reached = f"the time limit of {limits.time_limit_seconds or 0:g} s was reached"
    kept = limits.kept_seconds
    return f"{reached}, but for {kept:g} s that are kept for smaller sizes" if kept else reached


def _memory_reason(limits: Limits) -> str:
    if limits.max_memory_bytes is not None:
        return f"the memory limit of {_several(limits.max_memory_bytes, 'byte')} was reached"
    return (
        "the machine's memory is the limit, and was reached: without another limit, a search takes "
        f"at most {MEMORY_SHARE:.0%} of what is available when it begins"
    )


def statistics_of(search: Search, watch: Watch, calls: int) -> Statistics:
    """What a search covered, with so many calls of the model's code."""
    actions: Counter[str] = Counter()
    fired = set()
    for number, count in search.fired.items():
        move = search.tables.moves[number]
        actions[str(move.outcome.action)] += count
        fired.add(move.rule.name)
    # Of states that were not found nobody knows what may be repeated there.
    known = search.certificate if search.complete else None
    return Statistics(
        states=len(search.space),
        concrete_states=search.concrete_states,
        transitions=actions.total(),
        depth=search.depth,
        terminal_states=search.terminal,
        cut_states=search.cut_states,
        model_calls=calls,
        seconds=watch.seconds,
        peak_memory_bytes=watch.peak_memory_bytes,
        exhaustive=search.complete,
        actions=tuple(sorted(actions.items())),
        rules_never_fired=tuple(r.name for r in search.system.rules if r.name not in fired),
        stopped_by=search.stopped_by,
        out_degree=search.degree,
        tables=search.tables.sizes(),
        reductions=() if known is None else (known.note,),
    )
