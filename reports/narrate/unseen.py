"""What an actor did not see when it acted: where what it reads lags behind the truth."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import DeploymentState, NodeState, Phase
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.components.replicaset.rules import REPLICASET
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.solver.result import TraceStep

from .cast import node_name, replica_set_name
from .custom import unseen_by_caches

_COUNTED = (Phase.READY, Phase.AVAILABLE)
"""Phases of pods that the API shows as Ready."""


def unseen(scenario: Scenario, before: State, step: TraceStep) -> tuple[str, ...]:
    """One sentence for each thing; users and faults see nothing and need not."""
    if step.environment:
        return ()
    touched = [
        workload
        for workload in scenario.world.workloads
        if scenario.system.positions[workload.cell].start in step.positions
        or _class_of(step) in workload.classes
    ]
    return (
        *(text for w in touched for text in _statuses(scenario, w, before, step)),
        *_machines(scenario, touched, before, step),
        *unseen_by_caches(scenario, before, step),
    )


def _class_of(step: TraceStep) -> int:
    """The class of the pods that the step is about, -1 for none."""
    return int(str(dict(step.outcome.arguments).get("class", -1)))


def _statuses(
    scenario: Scenario, workload: Workload, before: State, step: TraceStep
) -> Iterator[str]:
    """ReplicaSets whose status is not what their pods are.

    The Deployment controller reads it. What the ReplicaSet controller deletes was decided by it,
    and no other ReplicaSet is looked at again.
    """
    deleting = step.actor == REPLICASET and step.outcome.action == "delete-pod"
    if step.actor != DEPLOYMENT and not deleting:
        return
    deployment: DeploymentState = before[scenario.system.positions[workload.cell].start]
    available = scenario.system.summary(before)[workload.tally("available")]
    for replica_set in deployment.sets:
        said, true = replica_set.status_available, available[replica_set.template]
        own = deleting and workload.classes[replica_set.template] == _class_of(step)
        if said != true and not own:
            name = replica_set_name(scenario, workload, replica_set.template)
            yield f"ReplicaSet {name} has {true} available; its status still says {said}"


def _machines(
    scenario: Scenario, touched: list[Workload], before: State, step: TraceStep
) -> Iterator[str]:
    """Nodes that are down while the API shows them Ready, where the step counts on them."""
    classes = {index for workload in touched for index in workload.classes}
    for position in scenario.system.positions[NODES]:
        node: NodeState = before[position]
        unnoticed = not node.up and node.ready and step.state[position].ready
        counts = any(g.pod_class in classes and g.phase in _COUNTED for g in node.pods)
        if unnoticed and (counts or position in step.positions):
            yield f"{node_name(scenario, position)} is down; the API still shows it Ready"
