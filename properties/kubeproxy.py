"""What Services promise whose traffic stays on its node: PROXY-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubelemma.model.cluster.columns import PODS, SHAPE
from kubelemma.model.cluster.state import Pods, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.endpointslice.fronts import Front, fronts, stands_ready
from kubelemma.model.components.endpointslice.rules import SERVING
from kubelemma.model.components.kubeproxy.local import answers, is_near
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.replicaset.actions import DELETE_POD
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import EachStep
from .statement import Kind, Property, Severity, Statement, asked

_POLICY = "https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/"
_TOPOLOGY = "pkg/proxy/topology.go"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="PROXY-1",
        title="A node that keeps traffic to itself keeps somebody who answers",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "When the ReplicaSet controller deletes a pod of a Service whose traffic stays on its "
            "node, or prefers to, the kube-proxy there still has somebody to send it to."
        ),
        why=(
            "A kube-proxy drops what may not leave its node where no endpoint is on it, whatever "
            "is ready elsewhere: clients on that node lose the Service until a pod comes back."
        ),
        conditions=(
            "internalTrafficPolicy: Local, externalTrafficPolicy: Local of a Service that is no "
            "load balancer's, which goes by the health check of nodes, or a trafficDistribution, "
            "whose hints are ignored where none is for the node. Pods that terminate are "
            "a last resort and do not count, as they may stop at any moment."
        ),
        source=f"{_POLICY}; {_TOPOLOGY}",
        components=("replicaset-controller", "kube-proxy"),
        remediation=(
            "Let traffic go to other nodes where none is near: trafficDistribution: PreferSameNode "
            "instead of the policy Local. Or run the pods as a DaemonSet with maxSurge, which has "
            "a new pod ready on each node before the old one goes."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each Service whose traffic stays on its node."""
    tallies = {tally.name for tally in scenario.system.tallies}
    for front in fronts(scenario.world):
        followed = front.route == BY_PROXY and front.tally in tallies
        if followed and is_near(front.service):
            holds = _keeps_one(scenario.world, front)
            formula = EachStep(View((SHAPE, PODS)), holds, frozenset({DELETE_POD}))
            yield from asked(STATEMENTS, front.label, {"PROXY-1": formula})


def _keeps_one(world: World, front: Front) -> Callable[[Any, str, Any], bool | None]:
    def ready(shape: int, pods: Pods) -> int:
        standing = sum(stands_ready(front.service, pod) for pod in world.shapes[shape].standing)
        return standing + sum(count(pods, index, SERVING) for index in front.classes)

    def holds(before: tuple[int, Pods], _action: str, after: tuple[int, Pods]) -> bool | None:
        then, now = ready(*before), ready(*after)
        return answers(front.service, now) if now < then else None

    return holds
