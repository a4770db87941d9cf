"""How a story ends, in sentences: what the run comes to, and what it belies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.properties.formula import LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Contradiction, Idle, Waiting
from kubelemma.reports.style import few
from kubelemma.solver.result import Trace

from .tellers import together

SINCE = together(lambda teller: teller.since)


class Ending(NamedTuple):
    """What a story ends with, as data."""

    contradictions: tuple[Contradiction, ...]
    waiting: tuple[Waiting, ...] = ()
    idle: tuple[Idle, ...] = ()


def conclusion(scenario: Scenario, prop: Property, trace: Trace, ending: Ending) -> tuple[str, ...]:
    """The sentences that end a story."""
    held_up = (one for one in ending.idle if one.held_up)
    return (
        *_end(trace),
        *_due(scenario, prop, trace),
        *_belied(trace, ending.contradictions),
        f"{prop.id} promises: {prop.statement.statement}",
        *_waiting(ending.waiting),
        *(f"{one.actor} can do nothing: {one.reason}." for one in held_up),
    )


def _end(trace: Trace) -> Iterator[str]:
    if trace.standstill:
        yield "Nobody can act any more, users and faults aside."
    elif trace.loop_start is not None:
        yield f"From step {trace.loop_start + 1} on, everything repeats for ever."
        actors = (s.actor for s in trace.steps[trace.loop_start :] if not s.environment)
        yield f"Kept going by: {', '.join(dict.fromkeys(actors))}."


def _due(scenario: Scenario, prop: Property, trace: Trace) -> Iterator[str]:
    """From where on something should have followed."""
    if isinstance(prop.formula, LeadsTo):
        since = prop.formula.due_since(scenario.system, trace.states())
        if prop.id in SINCE:
            since = SINCE[prop.id]([Snapshot(scenario, state) for state in trace.states()])
        if since is not None:
            when = f"After step {since}" if since else "From the start"
            yield f"{when}, something is due that never comes."


def _belied(trace: Trace, contradictions: Iterable[Contradiction]) -> Iterator[str]:
    for found in contradictions:
        later = found.step < len(trace.steps) or trace.loop_start is not None
        when = f"After step {found.step}: " if later else ""
        yield f"{when}{found.claim}."


def _waiting(waiting: Iterable[Waiting]) -> Iterator[str]:
    """Pods that wait for the same are named together."""
    for message, alike in groupby(waiting, key=lambda one: one.message):
        yield f"{few([one.pod for one in alike])}: {message}"
