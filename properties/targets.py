"""What load balancers promise that send to pods themselves: LB-4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.replicaset.actions import DELETE_POD
from kubelemma.model.components.targets.rules import Targeted, targeted
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .deployment import promised
from .formula import EachStep
from .statement import Kind, Property, Severity, Statement, asked

_GATE = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="LB-4",
        title="A load balancer keeps a pod that it sends to",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "When the ReplicaSet controller deletes a pod, a load balancer that sends to pods, and "
            "had a ready one, has one afterwards, as long as its Deployments promise at least one "
            "available pod."
        ),
        why=(
            "A Deployment goes by what is Ready. A load balancer that does not know the new pods "
            "yet has nobody left once the old ones go: everybody outside is refused."
        ),
        conditions=(
            "Asked where a scenario states a cloud whose load balancers send to pods "
            "(targets: pods), of pods that are deleted, where no machine may fail. "
            "RollingUpdate only, as for DEP-2; evictions are not asked about."
        ),
        source=_GATE,
        components=("replicaset-controller", "deployment-controller", "load-balancer"),
        remediation=(
            "Give the pods the readiness gate of the load balancer's controller (by the label of "
            "the namespace that has it injected, or spec.readinessGates): they are Ready only once "
            "the load balancer sends to them, and the rollout waits for that."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Service whose load balancer sends to pods."""
    cells = {cell.name for cell in scenario.system.cells}
    for each in targeted(scenario.world):
        own = each.front.workloads(scenario.world)
        deployments = tuple(workload for workload in own if workload.rollout is not None)
        if each.cell in cells and deployments:
            view = View((*(workload.cell for workload in deployments), each.cell))
            formula = EachStep(view, _keeps_one(each, deployments), frozenset({DELETE_POD}))
            yield from asked(STATEMENTS, each.front.label, {"LB-4": formula})


def _keeps_one(
    each: Targeted, deployments: tuple[Workload, ...]
) -> Callable[[Any, str, Any], bool | None]:
    def holds(before: Any, _action: str, after: Any) -> bool | None:
        then, now = (state[-1].pods + each.front.beside for state in (before, after))
        pairs = zip(deployments, after[:-1], strict=True)
        if then == now or not any(promised(workload, state) for workload, state in pairs):
            return None
        return bool(now > 0)

    return holds
