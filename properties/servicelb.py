"""What the service controller of a cloud promises of load balancers: LB-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.components.servicelb.decision import EXCLUDED
from kubelemma.model.components.servicelb.rules import Balanced, Balancer, Exposed, balanced
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Converges, Formula, LeadsTo
from .statement import Kind, Property, Severity, Statement, asked

_TASK = "https://kubernetes.io/docs/tasks/access-application-cluster/"
_CLEANUP = f"{_TASK}create-external-load-balancer/#garbage-collecting-load-balancers"
_CONTROLLER = "staging/src/k8s.io/cloud-provider/controllers/service/controller.go"
_CLOUD = "Asked where a scenario states a cloud, of Services whose load balancer it makes."

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="LB-1",
        title="No load balancer outlives its Service",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement="A Service is not removed as long as the cloud has its load balancer.",
        why=(
            "Nothing in the cluster says any more that the load balancer is there: it is paid for, "
            "and keeps an address open."
        ),
        conditions=_CLOUD,
        source=f"{_CLEANUP}; {_CONTROLLER}",
        components=("service-controller",),
        remediation=(
            "Do not take the finalizer service.kubernetes.io/load-balancer-cleanup away by hand: "
            "have the cloud delete the load balancer, or delete it there first."
        ),
    ),
    Statement(
        id="LB-2",
        title="A Service that is deleted goes",
        kind=Kind.LIVENESS,
        severity=Severity.MEDIUM,
        statement="A Service that somebody has deleted is gone in the end.",
        why="It is Terminating for good, and so is its namespace if that is deleted, too.",
        conditions=f"{_CLOUD} Users and faults stop in the end.",
        source=f"{_CLEANUP}; {_CONTROLLER}",
        components=("service-controller",),
        remediation=(
            "The cloud refuses to delete the load balancer: take its protection away there, or "
            "whatever else uses it. The controller tries again by itself."
        ),
    ),
    Statement(
        id="LB-3",
        title="A Service is reached from outside in the end",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once changes stop, a Service of type LoadBalancer that is there has its load balancer "
            "and says where it is reached, and from the nodes that it sends to a ready pod answers."
        ),
        why="From kubectl apply to the first request that is served, this is what is waited for.",
        conditions=(
            f"{_CLOUD} Asked where workloads come that are not there before. Users and faults stop "
            "in the end."
        ),
        source=f"{_TASK}create-external-load-balancer/; {_CONTROLLER}",
        components=("service-controller", "endpointslice-controller", "scheduler", "kubelet"),
        remediation=(
            "See what keeps its pods from becoming Ready, or its load balancer from sending to "
            f"their nodes (the label {EXCLUDED}): the story ends there."
        ),
    ),
    Statement(
        id="LB-5",
        title="A load balancer that nobody wants goes",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "The load balancer of a Service that is deleted, or gone, is deleted in the end, "
            "unless the cloud refuses."
        ),
        why="It is paid for, and keeps an address open, until somebody finds it in the cloud.",
        conditions=f"{_CLOUD} Users and faults stop in the end.",
        source=f"{_CLEANUP}; {_CONTROLLER}",
        components=("service-controller",),
        remediation=(
            "Do not take the finalizer service.kubernetes.io/load-balancer-cleanup away by hand: a "
            "controller that has restarted since does not know of such a Service. Delete the load "
            "balancer in the cloud."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Service whose load balancer is followed."""
    cells = {cell.name for cell in scenario.system.cells}
    tallies = {tally.name for tally in scenario.system.tallies}
    for each in balanced(scenario.world):
        if each.cell in cells:
            reached = each.reached(scenario.world)
            first = reached in tallies and _comes(scenario)
            yield from asked(STATEMENTS, each.cell, _of(each, reached if first else ""))


def _comes(scenario: Scenario) -> bool:
    """Whether any workload comes that is not there before."""
    cells = {cell.name: cell.initial for cell in scenario.system.cells}
    start: tuple[Any, ...] = tuple(cells[workload.cell] for workload in scenario.world.owners)
    return any(owner.absent for owner in start)


def _of(each: Balanced, reached: str) -> dict[str, Formula]:
    """By their ids; ``reached`` is the tally of pods that it leads to, if that is asked about."""
    view = View((each.cell, each.cloud))

    def outlived(service: Exposed, cloud: Balancer) -> bool | None:
        return None if service.present else not cloud.there

    def going(service: Exposed, _cloud: Balancer) -> bool:
        return service.present and service.deleted

    def is_gone(service: Exposed, _cloud: Balancer) -> bool:
        return not going(service, _cloud)

    def served(service: Exposed, cloud: Balancer, ready: int) -> bool:
        leaves = service.deleted or not service.present
        return leaves or (service.address and cloud.there and ready > 0)

    def unwanted(service: Exposed, cloud: Balancer) -> bool:
        leaves = service.deleted or not service.present
        return leaves and cloud.there and not cloud.held

    def is_cleared(service: Exposed, cloud: Balancer) -> bool:
        return not unwanted(service, cloud)

    found: dict[str, Formula] = {
        "LB-1": Always(view, outlived),
        "LB-2": LeadsTo(view, going, is_gone),
        "LB-5": LeadsTo(view, unwanted, is_cleared),
    }
    if reached:
        found["LB-3"] = Converges(View((each.cell, each.cloud), (reached,)), served)
    return found
