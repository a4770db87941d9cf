"""What EndpointSlices, and those who send traffic by them, promise: EPS-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubelemma.model.cluster.state import DeploymentState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.drain.actions import DRAIN_DELETE
from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.leaving import (
    LEAVING,
    NOBODY,
    Entry,
    Leaving,
    due,
)
from kubelemma.model.components.endpointslice.listening import afterlife, sends_to
from kubelemma.model.components.endpointslice.route import Route
from kubelemma.model.components.eviction.actions import EVICT_POD
from kubelemma.model.components.garbagecollector.actions import COLLECT_POD
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.replicaset.actions import DELETE_POD
from kubelemma.model.components.tainteviction.actions import EVICT
from kubelemma.model.components.users.actions import USER_DELETE_POD
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Action, View

from .deployment import promised
from .formula import Always, EachStep, Formula, LeadsTo
from .statement import Kind, Property, Severity, Statement, asked

_SLICES = "https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/"
_TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
_FLOW = "https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/"
_RECONCILER = "pkg/controller/endpointslice/endpointslice_controller.go"
_TOPOLOGY = "pkg/proxy/topology.go"
_NONE = "None on the user's side: this is an invariant of {} itself."
DELETED_CONDITIONS = (
    "Of pods that are deleted, where no machine may fail: a failing probe, a crash and a lost node "
    "cost requests until they are noticed, whatever is set."
)
"""What is said of every promise that no request is lost."""

DELETIONS: frozenset[Action] = frozenset(
    {DELETE_POD, EVICT_POD, DRAIN_DELETE, EVICT, USER_DELETE_POD, COLLECT_POD}
)
"""What deletes pods that are Ready."""

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="EPS-1",
        title="EndpointSlices follow the pods",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="A pod that is deleted is not ready in the slices of its Service any more, soon.",
        why="Whoever sends traffic goes by them.",
        conditions=(
            "Users and faults stop in the end. With publishNotReadyAddresses it is ready in them "
            "until its containers have stopped."
        ),
        source=f"{_SLICES}#conditions; {_RECONCILER}",
        components=("endpointslice-controller",),
        remediation=_NONE.format("the controller"),
        defect_only=True,
    ),
    Statement(
        id="EPS-2",
        title="No connection goes to a pod that has stopped",
        kind=Kind.SAFETY,
        severity=Severity.MEDIUM,
        statement=(
            "As long as any kube-proxy, or a load balancer by its node, may send a new connection "
            "to a pod, the pod's containers have not been stopped."
        ),
        why=(
            "The kubelet stops a deleted pod while slices and proxies still have it as ready, and "
            "requests that arrive in between are refused: each rollout and each drain costs some."
        ),
        conditions=(
            f"{DELETED_CONDITIONS} A container is taken to accept no connection once it is asked "
            "to stop; one that goes on for some seconds by itself needs no pause."
        ),
        source=f"{_TERMINATION}; {_FLOW}; {_TOPOLOGY}",
        components=("kubelet", "endpointslice-controller", "kube-proxy"),
        remediation=(
            "Have the containers wait before they stop, for longer than any kube-proxy takes to "
            "hear: lifecycle.preStop.sleep.seconds of 5 or more (or exec of sleep), within "
            "terminationGracePeriodSeconds; with externalTrafficPolicy Local for as long as health "
            "checks take, too. With publishNotReadyAddresses no pause helps, as a pod "
            "is ready in the slices until it is gone."
        ),
    ),
    Statement(
        id="EPS-3",
        title="Traffic goes to ready endpoints alone in the end",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="A pod that is deleted gets no new connections from any kube-proxy, soon.",
        why="A proxy that never hears of it would lose requests for ever.",
        conditions="Users and faults stop in the end.",
        source=f"https://kubernetes.io/docs/concepts/services-networking/service/; {_TOPOLOGY}",
        components=("endpointslice-controller", "kube-proxy"),
        remediation=_NONE.format("kube-proxy"),
        defect_only=True,
    ),
    Statement(
        id="EPS-4",
        title="A Service keeps somebody who answers",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "When the ReplicaSet controller deletes a pod, a Service that had a ready endpoint has "
            "one afterwards, as long as its Deployments promise at least one available pod."
        ),
        why="A Service without ready endpoints refuses every connection.",
        conditions=(
            "RollingUpdate only, as for DEP-2. Pods that terminate and still serve are a last "
            "resort, and do not count, as they may stop at any moment."
        ),
        source=f"https://kubernetes.io/docs/concepts/services-networking/service/; {_TOPOLOGY}",
        components=("replicaset-controller", "deployment-controller", "kube-proxy"),
        remediation=(
            "See that the Service selects the pods of the new version as well: labels that change "
            "with the version do not belong into its selector. Else as for DEP-2."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Service whose traffic is followed."""
    cells = {cell.name for cell in scenario.system.cells}
    tallies = {tally.name for tally in scenario.system.tallies}
    for number, front in enumerate(fronts(scenario.world)):
        if not front.route.first:
            continue
        found: dict[str, Formula] = {}
        if LEAVING in cells:
            found["EPS-1"] = _follows_the_pods(number, front)
        if front.route == BY_PROXY:
            found |= _traffic(scenario, number, front, ("EPS-2", "EPS-3"))
        deployments = tuple(w for w in front.workloads(scenario.world) if w.rollout is not None)
        if deployments and front.tally in tallies:
            seen = View(tuple(workload.cell for workload in deployments), (front.tally,))
            found["EPS-4"] = EachStep(seen, _keeps_one(deployments), frozenset({DELETE_POD}))
        yield from asked(STATEMENTS, front.label, found)


def arriving(
    scenario: Scenario, route: Route, statements: tuple[Statement, ...]
) -> Iterator[Property]:
    """What is asked of all that leads to pods by a way: that nothing is lost, and not for ever."""
    safe, live = (statement.id for statement in statements)
    for number, front in enumerate(fronts(scenario.world)):
        if front.route == route:
            found = _traffic(scenario, number, front, (safe, live))
            yield from asked(statements, front.label, found)


def _traffic(
    scenario: Scenario, number: int, front: Front, names: tuple[str, str]
) -> dict[str, Formula]:
    """That no connection is lost, and that pods that are deleted get none in the end.

    Where none is followed, only the first of them can be asked.
    """
    safe, live = names
    if any(cell.name == LEAVING for cell in scenario.system.cells):
        return {
            safe: Always(View((LEAVING,)), _serves(number, front)),
            live: _unheard(number, front),
        }
    if any(tally.name == front.pods for tally in scenario.system.tallies):
        return {safe: EachStep(View(reads=(front.pods,)), loses_nothing(front), DELETIONS)}
    return {}


def _own(number: int, leaving: Leaving) -> bool:
    return leaving != NOBODY and leaving.front == number


def _follows_the_pods(number: int, front: Front) -> Formula:
    def outdated(leaving: Leaving) -> bool:
        ready = leaving.slices == Entry.READY
        return _own(number, leaving) and ready and due(front.service, leaving) != Entry.READY

    return LeadsTo(View((LEAVING,)), outdated, lambda leaving: not outdated(leaving))


def _serves(number: int, front: Front) -> Callable[[Leaving], bool | None]:
    def serves(leaving: Leaving) -> bool | None:
        reached = _own(number, leaving) and sends_to(front, leaving)
        return leaving.serving if reached else None

    return serves


def _unheard(number: int, front: Front) -> Formula:
    def reached(leaving: Leaving) -> bool:
        return _own(number, leaving) and sends_to(front, leaving)

    return LeadsTo(View((LEAVING,)), reached, lambda leaving: not reached(leaving))


def loses_nothing(front: Front) -> Any:
    """Whether no connection may go to a pod in vain that has just been deleted.

    What becomes of it is asked of its class, which is all that it depends on.
    """
    classes = sorted(front.classes)
    served = [all(a.serving for a in afterlife(front, c) if sends_to(front, a)) for c in classes]

    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        fewer = [then - now for then, now in zip(before[0], after[0], strict=True)]
        ready, active = fewer[::2], fewer[1::2]
        if sum(active) <= 0:
            return None
        said = [known for known, gone in zip(served, ready, strict=True) if gone > 0]
        return all(said) if said else None

    return holds


def _keeps_one(deployments: tuple[Workload, ...]) -> Any:
    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        if after[-1] == before[-1]:
            return None
        states: tuple[DeploymentState, ...] = after[:-1]
        pairs = zip(deployments, states, strict=True)
        if not any(promised(workload, state) for workload, state in pairs):
            return None
        return bool(after[-1] > 0)

    return holds
