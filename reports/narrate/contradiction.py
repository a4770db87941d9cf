"""Where a run contradicts a property: the property's terms with their values."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.properties.formula import Converges, LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Contradiction
from kubelemma.solver.result import Trace

from .scene import Belied, Claim
from .tellers import TELLERS, together
from .written import Written

CLAIMS = together(lambda teller: teller.claims)


def contradictions(
    scenario: Scenario, prop: Property, trace: Trace, written: Written
) -> tuple[Contradiction, ...]:
    """The claims that the run belies; none for a property that nobody has terms for."""
    belied = _belied(scenario, prop, trace, written)
    return tuple(Contradiction(c.sentence, c.terms, belied.step) for c in _claims(belied))


def _claims(belied: Belied) -> Iterator[Claim]:
    if belied.prop.id in CLAIMS:
        yield from CLAIMS[belied.prop.id](belied)
    for teller in TELLERS:
        yield from teller.remarks(belied)


def _belied(scenario: Scenario, prop: Property, trace: Trace, written: Written) -> Belied:
    """The last state; of a loop that leaves its goal, the last one outside of it."""
    states = trace.states()
    formula = prop.formula
    at = len(states) - 1
    if trace.loop_start is not None and isinstance(formula, Converges | LeadsTo):
        outside = (
            step
            for step in range(at, trace.loop_start, -1)
            if not all(formula.goal(*s) for s in scenario.system.look(formula.view, states[step]))
        )
        at = next(outside, at)
    before, now = (Snapshot(scenario, states[i]) for i in (max(at - 1, 0), at))
    return Belied(prop, before, now, at, written)
