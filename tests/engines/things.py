"""Things of several colours in boxes, for tests of reductions, and what answers must have alike."""

from __future__ import annotations

from typing import Any, NamedTuple

from kubelemma.model.bags import joined
from kubelemma.properties.statement import Kind, Severity, Statement
from kubelemma.solver.result import PropertyResult


class Thing(NamedTuple):
    """So many things of one colour."""

    colour: int
    size: int


Things = tuple[Thing, ...]


def bag(*colours: int) -> Things:
    """Things of these colours."""
    return joined(*((Thing(colour, 1),) for colour in colours))


def statement(name: str) -> Statement:
    """A statement of that name."""
    return Statement(name, name, Kind.LIVENESS, Severity.HIGH, name, name, name, name, (), name)


def told(found: PropertyResult) -> tuple[Any, ...]:
    """What must be the same however it was found: a loop need not be as long."""
    trace = found.trace
    steps = None if trace is None or trace.loop_start is not None else len(trace.steps)
    return found.property.id, found.property.subject, found.verdict, steps
