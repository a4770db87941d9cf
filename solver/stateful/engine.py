"""The stateful engine: what runs drawn by Hypothesis say about properties.

It refutes, and never proves: a property that no run violates is inconclusive.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Listener
from kubelemma.solver.explore import ignore, stops
from kubelemma.solver.limits import (
    MAX_RUNS,
    UNLIMITED,
    Clock,
    Gauge,
    Limits,
    Watch,
    resident_memory,
)
from kubelemma.solver.replay import counterexample
from kubelemma.solver.result import CheckResult, PropertyResult, Statistics, Verdict

from . import ENGINE
from .drawing import Drawing
from .sampling import Sampling


def check(
    system: System,
    properties: Sequence[Property] = (),
    limits: Limits = UNLIMITED,
    listener: Listener = ignore,
    *,
    sampling: Sampling = Sampling(),  # noqa: B008 - frozen
    clock: Clock = time.monotonic,
    gauge: Gauge = resident_memory,
) -> CheckResult:
    """Look for violations in runs that are drawn at random.

    ``max_states`` limits the states that all runs together have seen, up to symmetry. Nothing ever
    holds: what no run violates is inconclusive. An interrupt (Ctrl-C) ends the search with what is
    known by then.

    Raises:
        ModelError: the system contradicts its own declarations, or a property looks at what it
            does not declare.
        ReplayError: the plain semantics does not confirm a counterexample.
        ExamplesError: the folder of examples cannot be written to.
    """
    watch = Watch(limits, clock, gauge)
    drawing = Drawing(system, properties, limits, listener, watch=watch, sampling=sampling)
    drawing.run()
    results = tuple(
        _result_of(system, drawing, limits, number, prop) for number, prop in enumerate(properties)
    )
    watch.measure()
    return CheckResult(ENGINE, results, _statistics_of(drawing, watch))


def _result_of(
    system: System, drawing: Drawing, limits: Limits, number: int, prop: Property
) -> PropertyResult:
    story = drawing.stories.get(number)
    if story is not None:
        steps, start = story.steps(drawing.places), drawing.places.state(story.places[0])
        trace = counterexample(system, prop, steps, story.loop_start, start)
        return PropertyResult(prop, Verdict.VIOLATED, trace=trace)
    spoken = number in drawing.places.spoken
    reason = _reason(drawing, limits) + ("" if spoken else "; its premise never came true")
    return PropertyResult(prop, Verdict.INCONCLUSIVE, vacuous=not spoken, reason=reason)


def _reason(drawing: Drawing, limits: Limits) -> str:
    """Why the search says nothing about what it did not refute, and what it tried."""
    sampling, places = drawing.sampling, drawing.places
    stopped = {
        MAX_RUNS: "runs drawn at random refute, but prove nothing",
        **stops(limits),
    }
    return (
        f"{stopped[str(drawing.stopped_by)]}; no violation in {drawing.runs} runs with "
        f"{places.fired.total()} steps to {len(places)} states (seed {sampling.seed})"
    )


def _statistics_of(drawing: Drawing, watch: Watch) -> Statistics:
    """What the runs covered."""
    places, tables = drawing.places, drawing.places.tables
    actions: Counter[str] = Counter()
    for number, count in places.fired.items():
        actions[str(tables.moves[number].outcome.action)] += count
    fired = {tables.moves[number].rule.name for number in places.fired}
    return Statistics(
        states=len(places),
        concrete_states=places.concrete_states,
        transitions=actions.total(),
        depth=drawing.deepest + 1,
        terminal_states=places.terminal,
        cut_states=places.cut_states,
        model_calls=tables.calls(),
        seconds=watch.seconds,
        peak_memory_bytes=watch.peak_memory_bytes,
        actions=tuple(sorted(actions.items())),
        rules_never_fired=tuple(name for name in places.rules if name not in fired),
        stopped_by=drawing.stopped_by,
        out_degree=places.out_degree,
        tables=tables.sizes(),
        runs=drawing.runs,
        seed=drawing.sampling.seed,
    )
