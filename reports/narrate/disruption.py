"""Disruption budgets and their controller.

What a picture shows of a budget is its status; where nobody drains a node no controller of the
model acts on budgets, and it is what their counts come to in a state.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.disruption.actions import (
    COUNT_DISRUPTIONS,
    GIVE_BACK_EVICTION,
    WRITE_BUDGET,
)
from kubelemma.model.components.disruption.rules import DISRUPTION, Counts, Guard, count, guards
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import BudgetBox
from kubelemma.reports.story import Change, Fact, Idle

from .cast import Cast
from .differing import differing
from .scene import Belied, Claim, Scene, Seen, Standstill
from .selected import whole_name
from .teller import Boxes, Teller
from .written import Written


def _boxes(scenario: Scenario, _written: Written) -> Boxes:
    """The budgets that cover pods of a workload."""
    found = guards(scenario.world)

    def look(seen: Seen, _cast: Cast) -> Iterator[BudgetBox]:
        followed = {guard.cell for guard in _followed(seen)}
        for guard in found:
            is_followed = guard.cell in followed
            counts = seen.value(guard.cell).status if is_followed else _now(seen, guard)
            yield BudgetBox(
                name=whole_name(guard.budget.metadata),
                healthy=counts.healthy,
                desired=counts.desired,
                expected=counts.expected,
                allowed=counts.allowed,
            )

    return look


def _now(seen: Seen, guard: Guard) -> Counts:
    """What a sync would come to."""

    def replicas(workload: Workload) -> int:
        return seen.owner(workload).replicas

    return count(seen.world, guard, seen.nodes().values(), seen.queue, replicas)


def _counted(scene: Scene) -> Iterator[Fact]:
    """The pods, as the sync counts them."""
    guard = _guard(scene)
    if guard is not None:
        pods, healthy, *_ = scene.before.summed(guard.tally)
        yield Fact("pods that it covers", str(pods))
        yield Fact("of these Ready, and not to be evicted", str(healthy))


def _guard(scene: Scene) -> Guard | None:
    """The budget that the step is about."""
    at = scene.step.positions
    touched = (g for g in guards(scene.world) if scene.before.touched(at, g.cell))
    return next(touched, None)


def _name(scene: Scene) -> str:
    guard = _guard(scene) if scene.action in (WRITE_BUDGET, COUNT_DISRUPTIONS) else None
    return guard.cell if guard else "a budget"


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for guard in _followed(before):
        old, new = (seen.value(guard.cell).status for seen in (before, after))
        fields = (
            ("status.disruptionsAllowed", old.allowed, new.allowed),
            ("status.currentHealthy", old.healthy, new.healthy),
            ("status.desiredHealthy", old.desired, new.desired),
            ("status.expectedPods", old.expected, new.expected),
        )
        yield from differing(guard.cell, fields)


def _followed(seen: Seen) -> Iterator[Guard]:
    cells = seen.scenario.system.positions
    return (guard for guard in guards(seen.world) if guard.cell in cells)


def _idle(end: Standstill) -> Iterator[Idle]:
    if not end.acts(DISRUPTION):
        return
    statuses = [f"{g.cell} {end.seen.value(g.cell).status.allowed}" for g in _followed(end.seen)]
    yield Idle(DISRUPTION, f"every budget says what its pods allow: {', '.join(statuses)}")


def _spent(belied: Belied) -> Iterator[Claim]:
    guard = next((g for g in _followed(belied.seen) if g.cell == belied.prop.subject), None)
    if guard is not None:
        old, new = (seen.value(guard.cell).status for seen in (belied.before, belied.seen))
        yield Claim(
            f"{guard.cell} allowed {old.allowed} before and {new.allowed} after, with "
            f"{new.healthy} healthy and {new.desired} desired",
            (
                Fact("disruptionsAllowed before", str(old.allowed)),
                Fact("disruptionsAllowed after", str(new.allowed)),
                Fact("currentHealthy", str(new.healthy)),
                Fact("desiredHealthy", str(new.desired)),
            ),
        )


TELLER = Teller(
    name="disruption",
    sentences={
        WRITE_BUDGET: "writes the status of {budget}",
        COUNT_DISRUPTIONS: "counts the pods of {budget}",
        GIVE_BACK_EVICTION: "expects no more that {pod} goes from {node}",
    },
    words={"budget": _name},
    facts={WRITE_BUDGET: _counted},
    changes=_changes,
    idle=_idle,
    claims={"PDB-1": _spent, "PDB-2": _spent, "PDB-4": _spent},
    boxes=_boxes,
)
