"""What those are promised who come through an Ingress: ING-*."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.ingress.first import entrances
from kubelemma.model.components.ingress.route import BY_INGRESS, LAG_SECONDS
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .endpointslice import DELETED_CONDITIONS, arriving
from .formula import Converges
from .statement import Kind, Property, Severity, Statement, asked

_INGRESS = "https://kubernetes.io/docs/concepts/services-networking/ingress/"
_TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="ING-1",
        title="No request through an Ingress goes to a pod that has stopped",
        kind=Kind.SAFETY,
        severity=Severity.MEDIUM,
        statement=(
            "As long as any Ingress controller may send a request to a pod, the pod's containers "
            "have not been stopped."
        ),
        why=(
            "A controller sends straight to pods, by what it has read of their EndpointSlices: "
            "until it has heard that one is deleted, requests end there in an error (502)."
        ),
        conditions=(
            f"{DELETED_CONDITIONS} That a controller has heard within {LAG_SECONDS} s is an "
            "assumption. Those that try again at another pod may hide what is lost."
        ),
        source=f"{_INGRESS}; {_TERMINATION}",
        components=("kubelet", "endpointslice-controller", "ingress-controller"),
        remediation=(
            "Have the containers wait before they stop, for longer than the controller takes to "
            f"hear: lifecycle.preStop.sleep.seconds of {LAG_SECONDS} or more (or exec of sleep), "
            "within terminationGracePeriodSeconds. With publishNotReadyAddresses no pause helps."
        ),
    ),
    Statement(
        id="ING-2",
        title="Requests through an Ingress go to ready pods alone in the end",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="A pod that is deleted gets no requests from any Ingress controller, soon.",
        why="A controller that never hears of it would lose requests for ever.",
        conditions="Users and faults stop in the end.",
        source=_INGRESS,
        components=("endpointslice-controller", "ingress-controller"),
        remediation="None on the side of manifests: this is for the controller itself to keep.",
        defect_only=True,
    ),
    Statement(
        id="ING-3",
        title="An Ingress is served in the end",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once changes stop, the Ingress controller sends the requests of an Ingress to its "
            "Service's pods, and a ready one answers."
        ),
        why="From kubectl apply to the first request that is served, this is what is waited for.",
        conditions=(
            "Asked where workloads come that are not there before. That some controller serves the "
            "Ingress is taken for granted. Users and faults stop in the end."
        ),
        source=_INGRESS,
        components=("ingress-controller", "endpointslice-controller", "scheduler", "kubelet"),
        remediation="See what keeps its pods from becoming Ready: the story ends there.",
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Ingress with each Service behind it."""
    yield from arriving(scenario, BY_INGRESS, STATEMENTS[:2])
    cells = {cell.name for cell in scenario.system.cells}
    for entrance in entrances(scenario.world):
        if entrance.cell in cells:
            view = View((entrance.cell,), (entrance.front.tally,))
            found = {"ING-3": Converges(view, _served)}
            yield from asked(STATEMENTS, entrance.front.label, found)


def _served(loaded: bool, ready: int) -> bool:  # noqa: FBT001 - the value of a cell
    return loaded and ready > 0
