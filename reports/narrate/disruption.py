"""Disruption budgets: what their counts come to in a state, by the formulas of their controller.

No controller of the model acts on them: what is shown follows from the pods that there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.components.disruption.decision import Covered, disruptions
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import BudgetBox

from .cast import Cast
from .names import full_name
from .phases import SHOWN_READY
from .scene import Seen
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
        return (_box(seen, cast, *each) for each in budgets)

    return look


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """An empty selector covers all pods of the namespace, an absent one none."""
    selector = budget.spec.selector
    same = budget.metadata.namespace == pod.metadata.namespace
    return same and selector is not None and selector.matches(pod.metadata.label_map())


def _box(
    seen: Seen, cast: Cast, budget: PodDisruptionBudget, found: Selected, standing_scale: int
) -> BudgetBox:
    pods = list(found.pods(seen, cast))
    covered = Covered(
        pods=len(pods) + sum(found.beside(seen, all_nodes=True).values()),
        healthy=sum(pod.phase in SHOWN_READY for pod in pods) + sum(found.beside(seen).values()),
        scale=standing_scale + _scale(seen, {pod.workload for pod in pods}),
    )
    counts = disruptions(budget.spec, covered)
    return BudgetBox(
        name=whole_name(budget.metadata),
        healthy=counts.current_healthy,
        desired=counts.desired_healthy,
        expected=counts.expected_pods,
        allowed=counts.disruptions_allowed,
    )


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


TELLER = Teller(name="disruption", boxes=_boxes)
