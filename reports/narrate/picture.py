"""The cluster at one moment of a run, with the names that the story uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from kubelemma.model.cluster.state import DeploymentState, Marks, NodeState, Phase
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import CPU, MEMORY, PODS
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State
from kubelemma.reports.picture import Box, NodeBox, Picture, PodBox, SetBox, Usage, WorkloadBox

from .cast import PENDING, Cast, Place, node_name
from .custom_picture import custom_boxes
from .onlookers import onlookers
from .written import Written

_UNKNOWN = Written()

Observer: TypeAlias = Callable[[State, Cast], Picture]
"""Gives the picture of a state, whose pods the cast names."""

PHASES = {
    PENDING: "pending",
    Phase.ASSIGNED: "bound",
    Phase.STARTING: "not ready",
    Phase.READY: "ready",
    Phase.AVAILABLE: "available",
    Phase.TERMINATING: "terminating",
    Phase.REVOKED: "terminating",
}
"""What a picture calls the phases of pods."""


def observer(scenario: Scenario, written: Written = _UNKNOWN) -> Observer:
    """A function that gives pictures, and looks at every state of a node only once."""
    look, look_at_loaded = onlookers(scenario, written), custom_boxes(scenario)

    @cache
    def node_box(position: int, state: NodeState) -> NodeBox:
        return _node_box(scenario, node_name(scenario, position), state)

    def observe(state: State, cast: Cast) -> Picture:
        positions = scenario.system.positions
        deployments = [(w, state[positions[w.cell].start]) for w in scenario.world.workloads]
        nodes = (node_box(position, state[position]) for position in positions[NODES])
        services, budgets = look(state, cast)
        loaded = look_at_loaded(state)
        return Picture(
            workloads=_sorted(_workload_box(w, d) for w, d in deployments),
            sets=_sorted(box for w, d in deployments for box in _set_boxes(w, d)),
            nodes=_sorted(nodes),
            pods=_sorted(_pod_boxes(scenario, cast)),
            services=services,
            budgets=budgets,
            objects=_sorted(loaded.objects),
            workers=_sorted(loaded.workers),
            caches=_sorted(loaded.caches),
        )

    return observe


def _sorted(boxes: Iterable[Box]) -> tuple[Box, ...]:
    return tuple(sorted(boxes, key=lambda box: box.name))


def _workload_name(workload: Workload) -> str:
    return f"{workload.namespace}/{workload.name}"


def _workload_box(workload: Workload, state: DeploymentState) -> WorkloadBox:
    return WorkloadBox(
        name=_workload_name(workload),
        replicas=state.replicas,
        version=revision_hash(state.template),
        paused=bool(state.paused),
    )


def _set_boxes(workload: Workload, state: DeploymentState) -> Iterator[SetBox]:
    owner = _workload_name(workload)
    for replica_set in state.sets:
        version = revision_hash(replica_set.template)
        yield SetBox(f"{owner}-{version}", owner, version, replica_set.replicas)


def _pod_boxes(scenario: Scenario, cast: Cast) -> Iterator[PodBox]:
    for place, names in cast.names.items():
        for name in names:
            yield _pod_box(scenario, place, name)


def _pod_box(scenario: Scenario, place: Place, name: str) -> PodBox:
    pod_class = scenario.world.classes[place.pod_class]
    workload = scenario.world.workloads[pod_class.workload]
    return PodBox(
        name=f"{workload.namespace}/{name.rpartition('/')[2]}",
        workload=_workload_name(workload),
        version=revision_hash(pod_class.template),
        phase=PHASES[Phase(place.phase) if place.phase >= 0 else PENDING],
        node=place.node,
    )


def _node_box(scenario: Scenario, name: str, state: NodeState) -> NodeBox:
    shape = scenario.world.shapes[state.shape]
    return NodeBox(
        name=name,
        zone=shape.zone,
        conditions=tuple(_conditions(state)),
        standing=len(shape.standing),
        usage=tuple(usages(scenario.world.node_info(state))),
    )


def _conditions(state: NodeState) -> Iterator[str]:
    present = (
        ("down", not state.up),
        ("Unknown", not state.ready),
        ("NoSchedule", state.tainted),
        ("NoExecute", state.evicting),
        ("cordoned", state.cordoned),
        ("being drained", any(group.marks & Marks.LISTED for group in state.pods)),
    )
    return (words for words, there in present if there)


def usages(info: NodeInfo) -> Iterator[Usage]:
    """What is requested of each resource that the node has, or that its pods want."""
    requested = {**info.requested, PODS: len(info.pods)}
    order = (CPU, MEMORY, PODS)
    others = sorted({*info.allocatable, *requested} - {*order})
    for resource in (*order, *others):
        has, wanted = info.allocatable.get(resource, 0), requested.get(resource, 0)
        if has or wanted:
            share = round(wanted / has, 4) if has else 0.0
            yield Usage(resource, amount_text(resource, wanted), amount_text(resource, has), share)


def amount_text(resource: str, amount: int) -> str:
    """An amount, of cpu in thousandths, as Kubernetes writes it."""
    return str(Quantity(Fraction(amount, 1000) if resource == CPU else amount))
