"""The compiled engine, and the choice between it and the plain one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.checkpoints import Checkpoints
from kubelemma.solver.events import Event, Listener, Violation
from kubelemma.solver.explore import check as plainly_check
from kubelemma.solver.explore import ignore, result_of, search_loops, statistics_of
from kubelemma.solver.limits import (
    INTERRUPTED,
    MAX_STATES,
    TIME_LIMIT,
    UNLIMITED,
    Clock,
    Gauge,
    Limits,
    Watch,
    resident_memory,
)
from kubelemma.solver.result import CheckResult

ENGINE = "compiled"

TRIAL_STATES = 5_000
TRIAL_SECONDS = 1.0
"""What the plain engine may use before the compiled one is started."""

N = TypeVar("N", int, float)


def check(
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    workers: int = 1,
    checkpoints: Checkpoints | None = None,
    clock: Clock = time.monotonic,
    gauge: Gauge = resident_memory,
) -> CheckResult:
    """Check the properties in all reachable states, or in those that the limits allow.

    As `kubelemma.solver.explore.check`, but limits of time and memory are looked at every few
    thousand states. So many ``workers`` search at once; the result does not depend on it.

    Raises:
        ModelError: the system contradicts its own declarations, a property looks at what it does
            not declare, or a measure or score is too great for sums in 64 bits.
        ReplayError: the plain semantics does not confirm a counterexample.
        CheckpointError: there is a checkpoint that may not, or cannot, be used.
    """
    return _checked(
        system, properties, limits, listener, Watch(limits, clock, gauge), workers, checkpoints
    )


def best(
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    workers: int = 1,
    checkpoints: Checkpoints | None = None,
) -> CheckResult:
    """Check by the plain engine if that is over in a moment, otherwise by the compiled one.

    Seconds and memory count from the start. A violation is told once.

    Raises:
        ModelError: as for both engines.
        ReplayError: the plain semantics does not confirm a counterexample.
    """
    watch = Watch(limits, time.monotonic, resident_memory)
    told: set[Event] = set()

    def once(event: Event) -> None:
        if event not in told:
            listener(event)
        if isinstance(event, Violation):
            told.add(event)

    trial = Limits(
        _least(limits.max_states, TRIAL_STATES),
        _least(limits.time_limit_seconds, TRIAL_SECONDS),
        limits.max_memory_bytes,
    )
    result = plainly_check(system, properties, trial, once)
    own = {MAX_STATES: trial.max_states != limits.max_states}
    own[TIME_LIMIT] = trial.time_limit_seconds != limits.time_limit_seconds
    if own.get(str(result.statistics.stopped_by), False):
        return _checked(system, properties, limits, once, watch, workers, checkpoints)
    return result


def _least(limit: N | None, own: N) -> N:
    return own if limit is None else min(limit, own)


def _checked(  # noqa: PLR0917 - what the two public functions take
    system: System,
    properties: Sequence[Property],
    limits: Limits,
    listener: Listener,
    watch: Watch,
    workers: int,
    checkpoints: Checkpoints | None,
) -> CheckResult:
    # Numba takes longer to import than many a check.
    from .search import CompiledSearch  # noqa: PLC0415

    search = CompiledSearch(system, properties, limits, listener, watch, workers)
    if checkpoints is not None:
        from .keeping import Keeper  # noqa: PLC0415 - imports numpy

        search.keeper = Keeper(search, system, checkpoints)
    search.run()
    try:
        search_loops(search)
    except KeyboardInterrupt:
        search.stopped_by = INTERRUPTED
    results = tuple(result_of(system, search, limits, track) for track in search.tracks)
    watch.measure()
    statistics = statistics_of(system, search, watch)
    return CheckResult(ENGINE, results, replace(statistics, model_calls=search.model_calls()))
