"""What the network of a cluster, with those who send by addresses, promises: NET-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Leaving
from kubelemma.model.components.endpointslice.listening import sends_to
from kubelemma.model.components.network.actions import REUSE_ADDRESS
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .endpointslice import DELETIONS, loses_nothing
from .formula import Always, EachStep, Formula
from .statement import Kind, Property, Severity, Statement, asked

_NETWORKING = "https://kubernetes.io/docs/concepts/cluster-administration/networking/"
_TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="NET-1",
        title="No connection reaches another pod at a reused address",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement=(
            "As long as anybody may send new connections to the address of a deleted pod, no other "
            "pod has that address."
        ),
        why=(
            "A request that is refused is tried again. One that another application answers is "
            "not: it may be shown, or stored, where it does not belong."
        ),
        conditions=(
            "Asked where the network may give an address to another pod as soon as it is free "
            "(reuseAddress), of pods that are deleted, where no machine may fail."
        ),
        source=f"{_NETWORKING}; {_TERMINATION}",
        components=("kubelet", "endpointslice-controller", "network"),
        remediation=(
            "Have the containers wait before they stop until all who send have heard, as for "
            "EPS-2, DNS-1 and ING-1: the address is free only then. An address plugin that comes "
            "round to an address last, as host-local does, makes it rare; certificates that say "
            "who answers make it harmless."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each way to pods, where addresses may be given again."""
    if not any(event.action == REUSE_ADDRESS for event in scenario.events):
        return
    cells = {cell.name for cell in scenario.system.cells}
    tallies = {tally.name for tally in scenario.system.tallies}
    for number, front in enumerate(fronts(scenario.world)):
        found: dict[str, Formula] = {}
        if LEAVING in cells:
            found["NET-1"] = Always(View((LEAVING,)), _is_nobody_elses(number, front))
        elif front.pods in tallies:
            # One that stops while it is reached has an address then that is free.
            view = View(reads=(front.pods,))
            found["NET-1"] = EachStep(view, loses_nothing(front), DELETIONS)
        yield from asked(STATEMENTS, front.label, found)


def _is_nobody_elses(number: int, front: Front) -> Callable[[Leaving], bool | None]:
    def holds(leaving: Leaving) -> bool | None:
        own = leaving != NOBODY and leaving.front == number
        return not leaving.reused if own and sends_to(front, leaving) else None

    return holds
