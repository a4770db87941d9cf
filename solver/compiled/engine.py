"""The compiled engine, and the choice between it and the plain one."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.checkpoints import Checkpoints
from kubelemma.solver.events import Compiling, Event, Listener, Violation
from kubelemma.solver.explore import ENGINE as PLAIN
from kubelemma.solver.explore import conclude, ignore
from kubelemma.solver.limits import (
    HANDED_OVER,
    UNLIMITED,
    Clock,
    Gauge,
    Limits,
    Watch,
    resident_memory,
)
from kubelemma.solver.result import CheckResult
from kubelemma.solver.search import Search

from .compilation import Compilation, compilation

ENGINE = "compiled"

TRIAL_SECONDS = 0.8
"""What the plain engine has for itself before the compiled one is looked for."""

TRIAL_SECONDS_THEN = 0.2
"""The same where the compiled one was used before: what takes time is to load it."""


def check(  # noqa: PLR0913 - what may be said about a search
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    workers: int = 1,
    checkpoints: Checkpoints | None = None,
    certified: bool = True,
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
    watch = Watch(limits, clock, gauge)
    search = _searched(system, properties, limits, listener, watch, workers, checkpoints)
    return conclude(ENGINE, search, limits, watch, certified=certified)


def best(  # noqa: PLR0913 - as `check`
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    workers: int = 1,
    checkpoints: Checkpoints | None = None,
    certified: bool = True,
    clock: Clock = time.monotonic,
    gauge: Gauge = resident_memory,
) -> CheckResult:
    """Check by the plain engine if that is over in a moment, otherwise by the compiled one.

    Where that is still to be compiled, another process does it, and the plain engine goes on until
    it has. Seconds and memory count from the start. A violation is told once.

    Raises:
        ModelError: as for both engines.
        ReplayError: the plain semantics does not confirm a counterexample.
        CheckpointError: there is a checkpoint that may not, or cannot, be used.
    """
    told: set[Event] = set()

    def once(event: Event) -> None:
        if event not in told:
            listener(event)
        if isinstance(event, Violation):
            told.add(event)

    watch = _Trial(limits, clock, gauge, once, compilation())
    search = Search(system, properties, limits, once, watch)
    search.run()
    if search.stopped_by == HANDED_OVER:
        search = _searched(system, properties, limits, once, watch, workers, checkpoints)
        return conclude(ENGINE, search, limits, watch, certified=certified)
    return conclude(PLAIN, search, limits, watch, certified=certified)


class _Trial(Watch):
    """Ends the plain engine's search when there is a faster one; that goes on with this watch."""

    def __init__(
        self,
        limits: Limits,
        clock: Clock,
        gauge: Gauge,
        listener: Listener,
        compilation: Compilation,
    ) -> None:
        super().__init__(limits, clock, gauge)
        self._listener = listener
        self._compilation = compilation
        self._told = self._over = False
        used = f"{__package__}.search" in sys.modules
        self._trial_seconds = TRIAL_SECONDS_THEN if used else TRIAL_SECONDS

    def measure(self) -> str | None:
        """As for every watch; or else that it is time to hand over."""
        exceeded = super().measure()
        if exceeded or self._over or self.seconds < self._trial_seconds:
            return exceeded
        self._over = self._compilation.is_done()
        if not self._over and not self._told:
            self._told = True
            self._listener(Compiling())
        return HANDED_OVER if self._over else None


def _searched(  # noqa: PLR0917 - what the two public functions take
    system: System,
    properties: Sequence[Property],
    limits: Limits,
    listener: Listener,
    watch: Watch,
    workers: int,
    checkpoints: Checkpoints | None,
) -> Search:
    # Numba takes longer to import than many a check.
    from .search import CompiledSearch  # noqa: PLC0415

    search = CompiledSearch(system, properties, limits, listener, watch, workers)
    if checkpoints is not None:
        from .keeping import Keeper  # noqa: PLC0415 - imports numpy

        search.keeper = Keeper(search, system, checkpoints, limits.max_states)
    search.run()
    return search
