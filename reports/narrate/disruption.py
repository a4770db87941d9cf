"""Disruption budgets and their controller.

What a picture shows of a budget is its status; where nobody drains a node no controller of the
model acts on budgets, and it is what their counts come to in a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.components.disruption.decision import Covered, disruptions
from kubelemma.model.components.disruption.rules import DISRUPTION, Counts, Guard, guards
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import BudgetBox
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import plural

from .cast import Cast
from .differing import differing
from .names import full_name
from .phases import SHOWN_READY
from .scene import Belied, Claim, Scene, Seen, Standstill
from .selected import Selected, selected, whole_name
from .teller import Boxes, Teller
from .written import Written


def _boxes(scenario: Scenario, written: Written) -> Boxes:
    """The budgets that cover pods of a workload."""
    budgets = [
        (manifest.object, found, _standing_scale(scenario, written, manifest.object))
        for manifest in written.manifests.of(PodDisruptionBudget)
        if (found := selected(scenario, partial(_covers, manifest.object))).classes
    ]

    def look(seen: Seen, cast: Cast) -> Iterator[BudgetBox]:
        statuses = {
            whole_name(guard.budget.metadata): seen.value(guard.cell).status
            for guard in _followed(seen)
        }
        for budget, found, scale in budgets:
            status = statuses.get(whole_name(budget.metadata))
            counts = status or _counts(seen, cast, budget, found, scale)
            yield BudgetBox(
                name=whole_name(budget.metadata),
                healthy=counts.healthy,
                desired=counts.desired,
                expected=counts.expected,
                allowed=counts.allowed,
            )

    return look


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """An empty selector covers all pods of the namespace, an absent one none."""
    selector = budget.spec.selector
    same = budget.metadata.namespace == pod.metadata.namespace
    return same and selector is not None and selector.matches(pod.metadata.label_map())


def _counts(
    seen: Seen, cast: Cast, budget: PodDisruptionBudget, found: Selected, standing_scale: int
) -> Counts:
    """What a sync would come to."""
    pods = list(found.pods(seen, cast))
    covered = Covered(
        pods=len(pods) + sum(found.beside(seen, all_nodes=True).values()),
        healthy=sum(pod.phase in SHOWN_READY for pod in pods) + sum(found.beside(seen).values()),
        scale=standing_scale + _scale(seen, {pod.workload for pod in pods}),
    )
    expected, healthy, desired, allowed = disruptions(budget.spec, covered)
    return Counts(expected, healthy, desired, allowed)


def _scale(seen: Seen, names: set[str]) -> int:
    """Σ ``spec.replicas`` of the workloads of these names."""
    owners = (workload for workload in seen.world.workloads if full_name(workload) in names)
    return sum(seen.deployment(workload).replicas for workload in owners)


def _standing_scale(scenario: Scenario, written: Written, budget: PodDisruptionBudget) -> int:
    """Replicas of the other Deployments that have covered pods on the nodes."""
    focus = {full_name(workload) for workload in scenario.world.workloads}
    standing = [
        pod for shape in scenario.world.shapes for pod in shape.standing if _covers(budget, pod)
    ]
    total = 0
    for manifest in written.manifests.of(Deployment):
        metadata, spec = manifest.object.metadata, manifest.object.spec
        selector = spec.selector
        if whole_name(metadata) in focus or selector is None:
            continue
        own = (pod.metadata for pod in standing if pod.metadata.namespace == metadata.namespace)
        if any(selector.matches(pod.label_map()) for pod in own):
            total += spec.replicas or 0
    return total


def _counted(scene: Scene) -> Iterator[Fact]:
    """The pods, as the sync counts them or has counted them."""
    guard = _guard(scene)
    if guard is None:
        return
    counted = scene.before.value(guard.cell).counted
    if counted is not None:
        yield Fact("healthy pods that its sync had counted", str(counted.healthy))
        return
    pods, healthy, *_ = scene.before.summed(guard.tally)
    yield Fact("pods that it covers", str(pods))
    yield Fact("of these Ready, and not to be evicted", str(healthy))


def _unseen(scene: Scene) -> Iterator[str]:
    """Pods have become healthy, or have not stayed so, since a sync counted them."""
    guard = _guard(scene) if scene.action == "write-budget" else None
    counted = scene.before.value(guard.cell).counted if guard is not None else None
    if guard is not None and counted is not None:
        _, healthy, *_ = scene.before.summed(guard.tally)
        if healthy != counted.healthy:
            pods = plural(healthy, "healthy pod")
            yield f"{guard.cell} has {pods} now; its sync had counted {counted.healthy}"


def _guard(scene: Scene) -> Guard | None:
    """The budget that the step is about."""
    at = scene.step.positions
    touched = (g for g in guards(scene.world) if scene.before.touched(at, g.cell))
    return next(touched, None)


def _name(scene: Scene) -> str:
    guard = _guard(scene) if scene.action in _SENTENCES else None
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


_SENTENCES = {
    "write-budget": "writes the status of {budget}",
    "count-disruptions": "counts the pods of {budget}",
}

TELLER = Teller(
    name="disruption",
    sentences=_SENTENCES,
    words={"budget": _name},
    facts={"write-budget": _counted, "count-disruptions": _counted},
    unseen=_unseen,
    changes=_changes,
    idle=_idle,
    claims={"PDB-1": _spent, "PDB-2": _spent, "PDB-4": _spent},
    boxes=_boxes,
)
