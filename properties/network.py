"""What the network of a cluster, with those who send by addresses, promises: NET-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Leaving
from kubelemma.model.components.endpointslice.listening import sends_to
from kubelemma.model.components.kubeproxy.local import stays_near
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.network.actions import REUSE_ADDRESS, ZONE_SPLIT
from kubelemma.model.components.network.zones import BETWEEN, Between, tally_name
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .endpointslice import DELETIONS, loses_nothing
from .formula import Always, EachStep, Formula
from .statement import Kind, Property, Severity, Statement, asked

_NETWORKING = "https://kubernetes.io/docs/concepts/cluster-administration/networking/"
_TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"

_ROUTING = "https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution"

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
    Statement(
        id="NET-2",
        title="Traffic stays in its zone while zones are parted",
        kind=Kind.SAFETY,
        severity=Severity.MEDIUM,
        statement=(
            "While the network between zones is broken, no kube-proxy sends what pods of its zone "
            "send to a pod of another zone."
        ),
        why=(
            "Nobody notices: all nodes and pods are Ready, as each reaches the API server. A share "
            "of all connections, that of the endpoints beyond, is lost for as long as it lasts."
        ),
        conditions=(
            "Asked where the network between zones may break (zoneSplit), and no machine may fail. "
            "Hints are taken to be those of the moment; what comes from outside is not asked about."
        ),
        source=f"{_ROUTING}; pkg/proxy/topology.go",
        components=("kube-proxy", "endpointslice-controller", "network"),
        remediation=(
            "Let traffic prefer its zone, with trafficDistribution: PreferSameZone, and spread the "
            "pods over zones, with so many in each that none is without one during a rollout."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where addresses may be given again, or zones may part."""
    happening = {event.action for event in scenario.events}
    if REUSE_ADDRESS in happening:
        yield from _of_addresses(scenario)
    if ZONE_SPLIT in happening:
        yield from _of_zones(scenario)


def _of_addresses(scenario: Scenario) -> Iterator[Property]:
    """Of each way to pods."""
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


def _of_zones(scenario: Scenario) -> Iterator[Property]:
    """Of each Service whose ready endpoints are counted by zone."""
    tallies = {tally.name for tally in scenario.system.tallies}
    for front in fronts(scenario.world):
        if front.route == BY_PROXY and tally_name(front) in tallies:
            formula = Always(View((BETWEEN,), (tally_name(front),)), _stays(front))
            yield from asked(STATEMENTS, front.label, {"NET-2": formula})


def _stays(front: Front) -> Callable[[Between, tuple[int, ...]], bool | None]:
    def holds(between: Between, ready: tuple[int, ...]) -> bool | None:
        if not between.parted:
            return None
        found = [stays_near(front.service, near, sum(ready) - near) for near in ready]
        said = [stays for stays in found if stays is not None]
        return all(said) if said else None

    return holds


def _is_nobody_elses(number: int, front: Front) -> Callable[[Leaving], bool | None]:
    def holds(leaving: Leaving) -> bool | None:
        own = leaving != NOBODY and leaving.front == number
        return not leaving.reused if own and sends_to(front, leaving) else None

    return holds
